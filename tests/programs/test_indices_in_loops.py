"""Indices in loops: clamps go where they are not needed, and stay where they are."""

from __future__ import annotations

import numpy as np
import pytest

import lazir as lz
import lazir.numpy as lnp

I64 = np.iinfo(np.int64)


def sweep(u):
    n, m = u.shape

    def point(i, j, u):
        around = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
        return u.at[i, j].set(0.25 * around)

    def row(i, u):
        return lz.fori_loop(1, m - 1, lambda j, u: point(i, j, u), u)

    return lz.fori_loop(1, n - 1, row, u)


def test_indices_of_counters_are_not_clamped():
    """The sweep has neither clamps nor branches left, and its loops count."""
    u = np.random.default_rng(0).standard_normal((6, 9))
    compiled = lz.compile(sweep)
    text = compiled.lower(u).ir("loops")
    for gone in ("maxsi", "minsi", "arith.cmpi", "arith.select", "scf.while", "scf.if"):
        assert gone not in text, gone
    want = u.copy()
    for i in range(1, 5):
        for j in range(1, 8):
            around = want[i - 1, j] + want[i + 1, j] + want[i, j - 1] + want[i, j + 1]
            want[i, j] = 0.25 * around
    np.testing.assert_array_equal(compiled(u).numpy(), want)


def test_one_step_too_far_is_still_clamped():
    """A counter that leaves the array by one, at either end: reads clamp, writes are dropped."""

    @lz.compile
    def shifted(x):
        def body(i, y):
            return y.at[i + 1].set(x[i + 1] + x[i + 2])

        return lz.fori_loop(0, 8, body, lnp.zeros_like(x))

    x = np.arange(8.0)
    want = np.zeros(8)
    for i in range(7):
        want[i + 1] = x[i + 1] + x[min(i + 2, 7)]
    np.testing.assert_array_equal(shifted(x).numpy(), want)


@lz.compile
def chase(table, start, rounds):
    """Follows indices of any value through a table, counting what it lands on."""

    def body(_, state):
        at, seen = state
        return table[at], seen.at[at].add(1)

    return lz.fori_loop(0, rounds, body, (start, lnp.zeros_like(table)))


@pytest.mark.parametrize("start", [0, 4, 5, -1, -5, -6, 1 << 40, I64.max, I64.min])
def test_hostile_indices(start):
    table = np.array([3, -1, I64.min, 7, I64.max])
    at, seen, counts = start, 0, np.zeros(5, np.int64)
    for _ in range(6):
        place = at + 5 if at < 0 else at
        if 0 <= place < 5:
            counts[place] += 1
        at = int(table[min(max(place, 0), 4)])
        seen = at
    got, marks = chase(table, np.int64(start), 6)
    assert got.item() == seen
    np.testing.assert_array_equal(marks.numpy(), counts)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64])
@pytest.mark.parametrize("bounds", [(0, 5), (3, 3), (4, 1), (-3, 2), (120, 127)])
def test_loops_between_computed_bounds(dtype, bounds):
    """Empty ones too; what is counted is right afterwards."""

    @lz.compile
    def run(low, high):
        def body(state):
            i, total, last = state
            return i + 1, total + i.astype("int64"), last.at[i % 8].set(i)

        start = (low, np.int64(0), lnp.zeros(8, dtype))
        return lz.while_loop(lambda s: s[0] < high, body, start)

    low, high = (dtype(b) for b in bounds)
    end, total, last = run(low, high)
    want = np.zeros(8, dtype)
    for i in range(*bounds):
        want[i % 8] = i
    assert end.item() == max(bounds) if bounds[0] <= bounds[1] else bounds[0]
    assert total.item() == sum(range(*bounds))
    np.testing.assert_array_equal(last.numpy(), want)


def test_counters_that_wrap():
    """A byte that goes on past 127 indexes from the other end."""

    @lz.compile
    def run(x):
        def body(state):
            i, k, total = state
            return i + np.int8(100), k + 1, total + x[i]

        def go(state):
            return (state[0] < np.int8(120)) & (state[1] < 7)

        return lz.while_loop(go, body, (np.int8(0), np.int64(0), x[0] * 0))

    x = np.arange(300.0)
    i, total = np.int8(0), 0.0
    for _ in range(7):
        if not i < 120:
            break
        total += x[i]
        with np.errstate(all="ignore"):
            i = np.int8((int(i) + 100 + 128) % 256 - 128)
    got = run(x)
    assert got[0].item() == i and got[2].item() == total


def test_long_loops_run_in_blocks():
    """More rounds than one block has, and results that depend on every one."""

    @lz.compile
    def run(x, n):
        def body(i, state):
            y, a = state
            a = 0.5 * a + x[i % 7]
            return y.at[i].set(a), a

        return lz.fori_loop(0, n, body, (lnp.zeros(200_000), x[0]))

    x = np.arange(7.0, dtype=np.float32)
    y, last = run(x, np.int64(199_999))
    a, want = x[0], np.zeros(200_000, np.float32)
    for i in range(199_999):
        a = np.float32(0.5) * a + x[i % 7]
        want[i] = a
    np.testing.assert_array_equal(y.numpy(), want)
    assert last.item() == a


def test_the_second_result_of_a_loop_is_seen_by_another():
    """A later body captures one result of several of an earlier loop."""

    @lz.compile
    def run(x):
        a, c = lz.fori_loop(0, 3, lambda i, s: (s[0] + 1, s[1] * 2), (x, x))
        return lz.fori_loop(0, 2, lambda i, s: s + c[i], a[0])

    x = np.array([1.0, 2.0])
    assert run(x).item() == 4.0 + 8.0 + 16.0
