"""A character model: an LSTM that learns to continue the digits of a counting song.

    python examples/lstm.py

The recurrence is a scan, its gradient runs back through all steps, Adam is `lazir.optim`'s.
Checked: the gradient against finite differences, and that the model predicts nearly every next
letter.
"""

from __future__ import annotations

import figure
import numpy as np

import lazir as lz
import lazir.numpy as lnp

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEXT = "".join(f"{WORDS[a]} and {WORDS[b]} make {a + b}. " for a in range(10) for b in range(10))
LETTERS = sorted(set(TEXT))
CODE = {letter: k for k, letter in enumerate(LETTERS)}


def initial(hidden: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    count = len(LETTERS)

    def matrix(a, b):
        return rng.standard_normal((a, b), dtype=np.float32) / np.float32(np.sqrt(a))

    return {
        "cell": matrix(count + hidden, 4 * hidden), "bias": np.zeros(4 * hidden, np.float32),
        "out": matrix(hidden, count),
    }  # fmt: skip


def cell(params, state, letter):
    """One step for a batch (Hochreiter & Schmidhuber, 1997, with a forget gate)."""
    h, c = state
    letter = lz.nn.functional.one_hot(letter, len(LETTERS)).astype(h.dtype)
    x = lnp.concatenate([letter, h], axis=1)
    i, f, g, o = lnp.split(x @ params["cell"] + params["bias"], 4, axis=1)
    c = lz.nn.sigmoid(f + 1) * c + lz.nn.sigmoid(i) * lnp.tanh(g)
    h = lz.nn.sigmoid(o) * lnp.tanh(c)
    return (h, c), h @ params["out"]


def loss_of(params, letters):
    """Mean cross-entropy of every next letter, the letters i[time, batch]; and the accuracy."""
    hidden = params["out"].shape[0]
    zero = lnp.zeros((letters.shape[1], hidden), dtype=params["out"].dtype)
    _, scores = lz.scan(lambda s, x: cell(params, s, x), (zero, zero), letters[:-1])
    logs = lz.nn.functional.log_softmax(scores, -1)
    picked = lnp.take_along_axis(logs, letters[1:, :, None], axis=-1)
    return -picked.mean(), (scores.argmax(axis=-1) == letters[1:])[20:].mean()


@lz.compile
def step(params, state, letters):
    (loss, accuracy), slope = lz.value_and_grad(loss_of, has_aux=True)(params, letters)
    params, state = OPTIMIZER.update(params, slope, state)
    return params, state, loss, accuracy


OPTIMIZER = lz.optim.adam(4e-3)


def check_slope(params, letters) -> None:
    """The slope along a direction, by the gradient and by differences in float64."""
    rng = np.random.default_rng(1)
    params = {name: p.astype(np.float64) for name, p in params.items()}
    way = {name: rng.standard_normal(p.shape) for name, p in params.items()}
    run = lz.compile(lambda p: lz.value_and_grad(loss_of, has_aux=True)(p, letters))
    _, slope = run(params)
    along = sum(float((slope[n].numpy() * way[n]).sum()) for n in params)

    def moved(h):
        return float(run({n: params[n] + h * way[n] for n in params})[0][0])

    differences = (moved(1e-5) - moved(-1e-5)) / 2e-5
    print(f"slope      {along:.8f}, by differences {differences:.8f}")
    np.testing.assert_allclose(along, differences, rtol=1e-5)


def main(quick: bool = False) -> None:
    hidden, length, batch, steps = (16, 20, 8, 3) if quick else (128, 120, 32, 400)
    rng = np.random.default_rng(2)
    codes = np.array([CODE[letter] for letter in TEXT])
    params = initial(hidden)
    state = OPTIMIZER.init(params)
    losses = []
    for k in range(steps):
        starts = rng.integers(0, len(codes) - length, batch)
        letters = np.stack([codes[s : s + length] for s in starts], axis=1)
        if k == 0:
            check_slope(initial(8), letters[:12, :4])
        params, state, loss, accuracy = step(params, state, letters)
        losses.append(loss.item())
    print(f"loss       {losses[0]:.3f} → {losses[-1]:.3f}, accuracy {float(accuracy):.1%}")
    assert losses[-1] < losses[0]
    if not quick:
        assert float(accuracy) > 0.9
        figure.save("lstm", lambda axes: axes.semilogy(losses))


if __name__ == "__main__":
    main()
