"""Short programs as NumPy's users write them; `np` is NumPy or `lazir.numpy`, no more differs.

Each takes the library and gives what it computes. Methods are from "100 NumPy exercises" and "From
Python to NumPy" (Rougier), textbooks, and common practice. Random numbers come from NumPy itself.
"""

from __future__ import annotations

from typing import Any

import numpy

RNG = numpy.random.default_rng


def game_of_life(np: Any) -> Any:
    z = np.asarray(RNG(0).integers(0, 2, (20, 24)).astype(numpy.int64))
    for _ in range(12):
        n = (z[0:-2, 0:-2] + z[0:-2, 1:-1] + z[0:-2, 2:] + z[1:-1, 0:-2] + z[1:-1, 2:]
             + z[2:, 0:-2] + z[2:, 1:-1] + z[2:, 2:])  # fmt: skip
        birth = (n == 3) & (z[1:-1, 1:-1] == 0)
        survive = ((n == 2) | (n == 3)) & (z[1:-1, 1:-1] == 1)
        z[...] = 0
        z[1:-1, 1:-1][birth | survive] = 1
    return z


def gray_scott(np: Any) -> Any:
    n = 32
    u, v = np.ones((n + 2, n + 2), dtype=np.float64), np.zeros((n + 2, n + 2), dtype=np.float64)
    r = 5
    u[n // 2 - r : n // 2 + r, n // 2 - r : n // 2 + r] = 0.50
    v[n // 2 - r : n // 2 + r, n // 2 - r : n // 2 + r] = 0.25
    for _ in range(20):
        inner_u, inner_v = u[1:-1, 1:-1], v[1:-1, 1:-1]
        lu = u[0:-2, 1:-1] + u[1:-1, 0:-2] - 4 * inner_u + u[1:-1, 2:] + u[2:, 1:-1]
        lv = v[0:-2, 1:-1] + v[1:-1, 0:-2] - 4 * inner_v + v[1:-1, 2:] + v[2:, 1:-1]
        uvv = inner_u * inner_v * inner_v
        u[1:-1, 1:-1] = inner_u + 0.16 * lu - uvv + 0.035 * (1 - inner_u)
        v[1:-1, 1:-1] = inner_v + 0.08 * lv + uvv - (0.035 + 0.065) * inner_v
    return u, v


def boids(np: Any) -> Any:
    n = 30
    position = np.asarray(RNG(1).uniform(0, 100, (n, 2)))
    velocity = np.asarray(RNG(2).uniform(-1, 1, (n, 2)))
    for _ in range(6):
        dx = np.subtract.outer(position[:, 0], position[:, 0])
        dy = np.subtract.outer(position[:, 1], position[:, 1])
        distance = np.hypot(dx, dy)
        mask_0 = distance > 0
        mask_1 = (distance < 25) & mask_0
        mask_2 = (distance < 50) & mask_0
        count_1 = np.maximum(mask_1.sum(axis=1), 1).reshape(n, 1)
        count_2 = np.maximum(mask_2.sum(axis=1), 1)[:, np.newaxis]
        target = np.dstack((dx, dy))
        target = np.divide(target, distance.reshape(n, n, 1) ** 2, out=np.zeros_like(target),
                           where=distance.reshape(n, n, 1) != 0)  # fmt: skip
        steer = (target * mask_1.reshape(n, n, 1)).sum(axis=1) / count_1
        align = np.dot(mask_2, velocity) / count_2
        cohere = np.dot(mask_2, position) / count_2 - position
        velocity += 1.5 * steer + 0.05 * (align - velocity) + 0.01 * cohere
        speed = np.sqrt((velocity * velocity).sum(axis=1)).reshape(n, 1)
        np.multiply(velocity, 2.0 / speed, out=velocity, where=speed > 2.0)
        position += velocity
        position %= 100
    return position, velocity


def random_walk(np: Any) -> Any:
    steps = np.asarray(RNG(3).choice([-1, +1], (50, 40)))
    walks = np.cumsum(steps, axis=1)
    hits = np.any(np.abs(walks) >= 8, axis=1)
    first = np.argmax(np.abs(walks) >= 8, axis=1)[hits]
    values, counts = np.unique(walks[:, -1], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return walks.mean(axis=0), first, values[order], counts, walks.std(), np.median(walks, axis=1)


def levenshtein(np: Any) -> Any:
    a, b = "sit", "kites"
    x = np.array([ord(c) for c in a])
    y = np.array([ord(c) for c in b])
    d = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    d[:, 0] = np.arange(len(a) + 1)
    d[0] = np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1,
                          d[i - 1, j - 1] + (x[i - 1] != y[j - 1]))  # fmt: skip
    return d


def perlin(np: Any) -> Any:
    shape, res = (16, 24), (4, 3)
    delta = (res[0] / shape[0], res[1] / shape[1])
    d = (shape[0] // res[0], shape[1] // res[1])
    grid = np.mgrid[0 : res[0] : delta[0], 0 : res[1] : delta[1]].transpose(1, 2, 0) % 1
    angles = 2 * np.pi * np.asarray(RNG(4).random((res[0] + 1, res[1] + 1)))
    gradients = np.dstack((np.cos(angles), np.sin(angles)))
    g00 = gradients[0:-1, 0:-1].repeat(d[0], 0).repeat(d[1], 1)
    g10 = gradients[1:, 0:-1].repeat(d[0], 0).repeat(d[1], 1)
    g01 = gradients[0:-1, 1:].repeat(d[0], 0).repeat(d[1], 1)
    g11 = gradients[1:, 1:].repeat(d[0], 0).repeat(d[1], 1)
    n00 = np.sum(grid * g00, 2)
    n10 = np.sum(np.dstack((grid[:, :, 0] - 1, grid[:, :, 1])) * g10, 2)
    n01 = np.sum(np.dstack((grid[:, :, 0], grid[:, :, 1] - 1)) * g01, 2)
    n11 = np.sum(np.dstack((grid[:, :, 0] - 1, grid[:, :, 1] - 1)) * g11, 2)
    t = 6 * grid**5 - 15 * grid**4 + 10 * grid**3
    n0 = n00 * (1 - t[:, :, 0]) + t[:, :, 0] * n10
    n1 = n01 * (1 - t[:, :, 0]) + t[:, :, 0] * n11
    return np.sqrt(2) * ((1 - t[:, :, 1]) * n0 + t[:, :, 1] * n1)


def fourier_filter(np: Any) -> Any:
    t = np.linspace(0, 1, 128, endpoint=False, dtype=np.float64)
    signal = np.sin(2 * np.pi * 5 * t) + 0.5 * np.sin(2 * np.pi * 40 * t)
    noisy = signal + np.asarray(RNG(5).normal(0, 0.1, 128))
    spectrum = np.fft.rfft(noisy)
    freq = np.fft.rfftfreq(noisy.size, d=t[1] - t[0])
    spectrum[freq > 20] = 0
    smooth = np.fft.irfft(spectrum, n=noisy.size)
    power = np.abs(np.fft.fftshift(np.fft.fft(noisy))) ** 2
    return smooth, power / power.max(), freq[np.argmax(np.abs(spectrum))]


def floyd_warshall(np: Any) -> Any:
    n = 12
    rng = RNG(6)
    weights = np.asarray(rng.integers(1, 20, (n, n)).astype(float))
    weights[np.asarray(rng.random((n, n)) < 0.7)] = np.inf
    np.fill_diagonal(weights, 0)
    for k in range(n):
        weights = np.minimum(weights, weights[:, k, None] + weights[None, k, :])
    return weights, np.isinf(weights).sum(), np.unravel_index(
        np.argmax(np.where(np.isfinite(weights), weights, -1)), weights.shape)  # fmt: skip


def knapsack(np: Any) -> Any:
    values = [60, 100, 120, 30, 75]
    costs = [10, 20, 30, 5, 15]
    capacity = 50
    best = np.zeros(capacity + 1, dtype=int)
    taken = np.zeros((len(values), capacity + 1), dtype=bool)
    for k, (value, cost) in enumerate(zip(values, costs)):
        candidate = best[:-cost] + value
        taken[k, cost:] = candidate > best[cost:]
        best[cost:] = np.maximum(best[cost:], candidate)
    chosen, left = [], capacity
    for k in reversed(range(len(values))):
        if taken[k, left]:
            chosen.append(k)
            left -= costs[k]
    return best, np.array(chosen), np.array(left)


def conjugate_gradient(np: Any) -> Any:
    n = 20
    a = np.diag(np.full(n, 4.0, dtype=np.float64)) - np.eye(n, k=1) - np.eye(n, k=-1)
    b = np.asarray(RNG(7).normal(size=n))
    x = np.zeros_like(b)
    r = b - a @ x
    p = r.copy()
    rs = r @ r
    steps = 0
    while True:
        steps += 1
        ap = a @ p
        alpha = rs / (p @ ap)
        x += alpha * p
        r -= alpha * ap
        new = r @ r
        if np.sqrt(new) < 1e-12:
            break
        p = r + (new / rs) * p
        rs = new
    return x, np.allclose(a @ x, b), np.array(steps), np.linalg.norm(a @ x - b) < 1e-10


def rolling_windows(np: Any) -> Any:
    z = np.asarray(RNG(8).normal(size=60))
    n = 5
    total = np.cumsum(z)
    total[n:] = total[n:] - total[:-n]
    means = total[n - 1 :] / n
    index = np.arange(n)[None, :] + np.arange(len(z) - n + 1)[:, None]
    windows = z[index]
    best = windows.max(axis=1)
    smooth = np.convolve(z, np.ones(n) / n, mode="valid")
    groups = np.add.reduceat(z, np.arange(0, len(z), 7))
    return means, best, smooth, groups, np.percentile(windows, [10, 90], axis=0)


def hundred_exercises(np: Any) -> Any:
    """A dozen of the hundred, in the words of their answers."""
    z = np.arange(11)
    z[(z > 3) & (z <= 8)] *= -1
    checker = np.zeros((8, 8), dtype=int)
    checker[1::2, ::2] = 1
    checker[::2, 1::2] = 1
    border = np.ones((6, 6))
    border[1:-1, 1:-1] = 0
    p = np.asarray(RNG(9).uniform(-1, 1, (10, 2)))
    x, y = p[:, 0], p[:, 1]
    r, theta = np.sqrt(x**2 + y**2), np.arctan2(y, x)
    far = np.asarray(RNG(10).random(10))
    far[far.argmax()] = 0
    nearest = np.abs(np.asarray([0.2, 0.9, 0.4, 0.7]) - 0.5).argmin()
    gx, gy = np.meshgrid(np.linspace(-1, 1, 10), np.linspace(-1, 1, 10))
    d = np.sqrt(gx * gx + gy * gy)
    gaussian = np.exp(-(d**2 / (2.0 * 1.0**2)))
    faces = np.asarray(RNG(11).integers(0, 100, (10, 3)))
    edges = np.roll(faces.repeat(2, axis=1), -1, axis=1)
    edges = np.sort(edges.reshape(len(edges) * 3, 2), axis=1)
    unique = np.unique(edges, axis=0)
    c = np.bincount([0, 2, 1, 6, 4, 1])
    a = np.repeat(np.arange(len(c)), c)
    sums = np.bincount([1, 3, 9, 3, 4, 1], weights=[1, 2, 3, 4, 5, 6])
    image = np.asarray(RNG(12).integers(0, 2, (16, 16)).astype(numpy.ubyte))
    colours = len(np.unique(image.reshape(-1, 1), axis=0))
    blocks = np.add.reduceat(np.add.reduceat(np.ones((16, 16)), np.arange(0, 16, 4), axis=0),
                             np.arange(0, 16, 4), axis=1)  # fmt: skip
    bits = ((np.array([0, 1, 2, 3, 15, 16]).reshape(-1, 1) & (2 ** np.arange(8))) != 0).astype(int)
    swapped = np.arange(25).reshape(5, 5)
    swapped[[0, 1]] = swapped[[1, 0]]
    means = np.asarray(RNG(13).random((4, 5)))
    means -= means.mean(axis=1, keepdims=True)
    ordered = means[means[:, 1].argsort()]
    rows = np.nonzero((means > 0).all(axis=1))[0]
    upper = np.tril(np.ones((4, 4))) @ np.diag(np.arange(4) + 1.0)
    return (z, checker, border, r, theta, far, nearest, gaussian, unique, a, sums, blocks,
            np.array(colours), bits[:, ::-1], swapped, ordered, rows, upper)  # fmt: skip


def mandelbrot(np: Any) -> Any:
    x = np.linspace(-2.25, 0.75, 24, dtype=np.float64)
    y = np.linspace(-1.25, 1.25, 20, dtype=np.float64)
    c = x + y[:, None] * 1j
    n = np.zeros(c.shape, dtype=int)
    z = np.zeros(c.shape, dtype=np.complex128)
    for k in range(15):
        inside = np.less(abs(z), 2.0)
        n[inside] = k
        z[inside] = z[inside] ** 2 + c[inside]
    n[n == 14] = 0
    return n


def k_means(np: Any) -> Any:
    rng = RNG(14)
    points = np.asarray(numpy.concatenate([rng.normal(m, 0.3, (20, 2)) for m in (0, 3, 6)]))
    centres = points[[0, 25, 45]].copy()
    for _ in range(10):
        distances = ((points[:, None, :] - centres[None]) ** 2).sum(-1)
        labels = distances.argmin(axis=1)
        moved = np.stack([points[labels == k].mean(axis=0) for k in range(3)])
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres, np.bincount(labels, minlength=3), np.sqrt(distances.min(1)).sum()


def n_queens_and_sudoku_masks(np: Any) -> Any:
    board = np.zeros((6, 6), dtype=bool)
    rows, columns = np.indices(board.shape)
    for r, c in ((1, 3), (4, 0)):
        board |= (rows == r) | (columns == c) | (abs(rows - r) == abs(columns - c))
    free = np.argwhere(~board)
    boxes = np.arange(81).reshape(9, 9).reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
    return board, free, boxes, np.rot90(boxes, 2)[::3, 1::4], np.packbits(board, axis=1)


def least_squares(np: Any) -> Any:
    x = np.linspace(0, 1, 30, dtype=np.float64)
    y = 2 * x**2 - x + 0.5 + np.asarray(RNG(15).normal(0, 0.01, 30))
    a = np.column_stack([x**2, x, np.ones_like(x)])
    found, residuals, rank, _ = np.linalg.lstsq(a, y, rcond=None)
    q, r = np.linalg.qr(a)
    again = np.linalg.solve(r, q.T @ y)
    w, v = np.linalg.eigh(a.T @ a)
    fit = np.polyfit(x, y, 2)
    return found, residuals, np.array(rank), again, w, abs(v), fit, np.polyval(fit, x), np.cov(a.T)


PROGRAMS = {
    f.__name__: f
    for f in (
        game_of_life, gray_scott, boids, random_walk, levenshtein, perlin, fourier_filter,
        floyd_warshall, knapsack, conjugate_gradient, rolling_windows, hundred_exercises,
        mandelbrot, k_means, n_queens_and_sudoku_masks, least_squares,
    )
}  # fmt: skip
