"""k-means clustering, from seeding to convergence in one compiled program.

    python examples/kmeans.py

Seeding is k-means++ (Arthur & Vassilvitskii, 2007), the iteration Lloyd's. Checked: the clusters
that the data were drawn from are found, and no centre could move to lower the sum of squares.
"""

from __future__ import annotations

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp


def squares(x, centres):
    """Squared distances of all points to all centres: f[n, d], f[k, d] → f[n, k]."""
    return ((x[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)


def seeds(key, x, k):
    """k points of x, each drawn in proportion to its squared distance from those before."""
    first = x[lz.random.randint(key, (), 0, x.shape[0])]
    centres = lnp.zeros((k, x.shape[1]), dtype=x.dtype).at[0].set(first)

    def add(j, state):
        centres, nearest = state
        pick = lz.random.categorical(lz.random.fold_in(key, j), lnp.log(nearest))
        centres = centres.at[j].set(x[pick])
        return centres, lnp.minimum(nearest, ((x - x[pick]) ** 2).sum(axis=1))

    return lz.fori_loop(1, k, add, (centres, ((x - first) ** 2).sum(axis=1)))[0]


@lz.compile(static_argnums=2)
def cluster(key, x, k):
    """Centres f[k, d], the cluster of every point i[n], and the number of iterations."""

    def improve(state):
        centres, _, count = state
        labels = squares(x, centres).argmin(axis=1)
        members = lnp.zeros(k, dtype=x.dtype).at[labels].add(1.0)
        sums = lnp.zeros_like(centres).at[labels].add(x)
        moved = lnp.where(members[:, None] > 0, sums / lnp.maximum(members, 1)[:, None], centres)
        return moved, lnp.abs(moved - centres).max(), count + 1

    def moving(state):
        return (state[1] > 1e-6) & (state[2] < 200)

    start = (seeds(key, x, k), lnp.array(np.inf, dtype=x.dtype), 0)
    centres, _, count = lz.while_loop(moving, improve, start)
    return centres, squares(x, centres).argmin(axis=1), count


def main(quick: bool = False) -> None:
    n, k = (200, 4) if quick else (20_000, 8)
    rng = np.random.default_rng(0)
    angles = 2 * np.pi * np.arange(k) / k
    true = 6 * np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    x = true[rng.integers(0, k, n)] + 0.6 * rng.standard_normal((n, 2), dtype=np.float32)
    found = [cluster(lz.random.key(seed), x, k) for seed in range(5)]
    costs = [((x - c.numpy()[a.numpy()]) ** 2).sum() for c, a, _ in found]
    centres, labels, count = (t.numpy() for t in found[int(np.argmin(costs))])
    gap = np.sqrt(((centres[:, None] - true[None]) ** 2).sum(axis=2)).min(axis=0).max()
    means = np.stack([x[labels == j].mean(axis=0) for j in range(k)])
    print(f"iterations             {int(count)}")
    print(f"centres off by         {gap:.3f}")
    print(f"centres are means to   {abs(means - centres).max():.1e}")
    assert gap < 0.3 and abs(means - centres).max() < 1e-4

    def draw(axes):
        axes.scatter(*x[:4000].T, c=labels[:4000], s=2, cmap="tab10")
        axes.plot(*centres.T, "k+", markersize=12)

    if not quick:
        figure.save("kmeans", draw, (5, 5))


if __name__ == "__main__":
    main()
