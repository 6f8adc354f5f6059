"""A transformer language model that learns to copy: the second half of a line repeats the first.

    python examples/transformer.py

Causal attention, layer norms before each part, tied weights of the embedding. Checked: nothing of
the future leaks into a prediction, and the copied half is predicted.
"""

from __future__ import annotations

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp

LETTERS, WIDTH, HEADS, LAYERS = 16, 64, 4, 2


def initial(length: int, seed: int = 0):
    rng = np.random.default_rng(seed)

    def matrix(a, b, scale=1.0):
        return (rng.standard_normal((a, b)) * scale / np.sqrt(a)).astype(np.float32)

    ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def layer():
        return {
            "qkv": matrix(WIDTH, 3 * WIDTH), "join": matrix(WIDTH, WIDTH, 0.5),
            "up": matrix(WIDTH, 4 * WIDTH), "down": matrix(4 * WIDTH, WIDTH, 0.5),
            "norms": [(ones, zeros), (ones, zeros)],
        }  # fmt: skip

    return {
        "letters": matrix(LETTERS, WIDTH), "places": matrix(length, WIDTH),
        "layers": [layer() for _ in range(LAYERS)], "norm": (ones, zeros),
    }  # fmt: skip


def norm(x, weights):
    return lz.nn.functional.layer_norm(x, x.shape[-1:], *weights)


def attention(x, layer):
    """Causal attention of several heads (Vaswani et al., 2017): f[b, t, width] → the same."""
    b, t, width = x.shape
    parts = (x @ layer["qkv"]).reshape(b, t, 3, HEADS, width // HEADS)
    q, k, v = lnp.moveaxis(parts, (2, 3), (0, 2))
    scores = q @ k.swapaxes(-1, -2) / np.float32(np.sqrt(width // HEADS))
    scores = lnp.where(lnp.tril(lnp.ones((t, t), dtype=bool)), scores, -np.inf)
    mixed = lz.nn.functional.softmax(scores, -1) @ v
    return lnp.moveaxis(mixed, 1, 2).reshape(b, t, width) @ layer["join"]


def scores_of(params, letters):
    """Scores of every next letter: i[b, t] → f[b, t, LETTERS]."""
    x = params["letters"][letters] + params["places"][: letters.shape[1]]
    for layer in params["layers"]:
        x = x + attention(norm(x, layer["norms"][0]), layer)
        hidden = lz.nn.functional.gelu(norm(x, layer["norms"][1]) @ layer["up"])
        x = x + hidden @ layer["down"]
    return norm(x, params["norm"]) @ params["letters"].T


def loss_of(params, letters):
    """Mean cross-entropy of the second half, and how much of it is predicted."""
    half = letters.shape[1] // 2
    scores = scores_of(params, letters[:, :-1])[:, half - 1 :]
    wanted = letters[:, half:]
    logs = lz.nn.functional.log_softmax(scores, -1)
    loss = -lnp.take_along_axis(logs, wanted[..., None], axis=-1).mean()
    return loss, (scores.argmax(axis=-1) == wanted).mean()


OPTIMIZER = lz.optim.adam(1e-3)


@lz.compile
def step(params, state, letters):
    (loss, accuracy), slope = lz.value_and_grad(loss_of, has_aux=True)(params, letters)
    params, state = OPTIMIZER.update(params, slope, state)
    return params, state, loss, accuracy


def main(quick: bool = False) -> None:
    half, batch, steps = (4, 4, 3) if quick else (12, 64, 600)
    rng = np.random.default_rng(0)
    params = initial(2 * half)
    state = OPTIMIZER.init(params)
    losses = []
    for _ in range(steps):
        first = rng.integers(0, LETTERS, (batch, half))
        letters = np.concatenate([first, first], axis=1)
        params, state, loss, accuracy = step(params, state, letters)
        losses.append(loss.item())
    print(f"loss       {losses[0]:.3f} → {losses[-1]:.4f}, copied {float(accuracy):.1%}")
    before = scores_of(params, letters).numpy()
    letters[:, half + 1 :] = 0
    after = scores_of(params, letters).numpy()
    gap = abs(before - after)[:, : half + 1].max()
    print(f"leak       {gap:.1e} of the future")
    assert losses[-1] < losses[0] and gap < 1e-5
    if not quick:
        assert float(accuracy) > 0.95
        figure.save("transformer", lambda axes: axes.semilogy(losses))


if __name__ == "__main__":
    main()
