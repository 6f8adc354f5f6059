"""Dynamic programming: tables that are filled row by row from what stands beside and above."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Workload


# -- the edit distance of two words (Wagner and Fischer) ------------------------------------------
def words(rng: Any, n: int) -> Any:
    return rng.integers(0, 4, n, dtype="i4"), rng.integers(0, 4, n, dtype="i4")


def make_edit_distance(lib: Any) -> Any:
    def distance(a: Any, b: Any) -> Any:
        n, m = a.shape[0], b.shape[0]
        edges = lib.np.arange(max(n, m) + 1, dtype="int32")
        table = lib.np.zeros((n + 1, m + 1), dtype="int32")
        table = lib.put_at(table, (0, slice(None)), edges[: m + 1])
        table = lib.put_at(table, (slice(None), 0), edges[: n + 1])

        def cell(i: Any, j: Any, table: Any) -> Any:
            replaced = table[i - 1, j - 1] + (a[i - 1] != b[j - 1])
            shorter = lib.np.minimum(table[i - 1, j], table[i, j - 1]) + 1
            return lib.put_at(table, (i, j), lib.np.minimum(replaced, shorter))

        def row(i: Any, table: Any) -> Any:
            return lib.fori_loop(1, m + 1, lambda j, table: cell(i, j, table), table)

        return lib.fori_loop(1, n + 1, row, table)[n, m]

    return distance


def numba_edit_distance(lib: Any) -> Any:
    def distance(a: Any, b: Any) -> Any:
        n, m = a.shape[0], b.shape[0]
        table = np.zeros((n + 1, m + 1), np.int32)
        table[0, :] = np.arange(m + 1)
        table[:, 0] = np.arange(n + 1)
        for i in range(1, n + 1):
            for j in range(1, m + 1):
                replaced = table[i - 1, j - 1] + (a[i - 1] != b[j - 1])
                shorter = min(table[i - 1, j], table[i, j - 1]) + 1
                table[i, j] = min(replaced, shorter)
        return table[n, m]

    return distance


# -- the likeliest path through a hidden Markov model (Viterbi) -----------------------------------
def chain(rng: Any, steps: int, states: int) -> Any:
    moves = np.log(rng.dirichlet(np.ones(states), states)).astype("f4")
    seen = rng.standard_normal((steps, states), dtype="f4")
    return moves, seen


def make_viterbi(lib: Any) -> Any:
    def path(moves: Any, seen: Any) -> Any:
        steps, states = seen.shape

        def forward(t: Any, state: Any) -> Any:
            score, came = state
            options = score[:, None] + moves
            came = lib.put_at(came, t, options.argmax(0))
            return options.max(0) + seen[t], came

        def backward(k: Any, route: Any) -> Any:
            t = steps - 1 - k
            return lib.put_at(route, t - 1, came[t, route[t]])

        came = lib.np.zeros((steps, states), dtype="int64")
        score, came = lib.fori_loop(1, steps, forward, (seen[0], came))
        route = lib.np.zeros((steps,), dtype="int64")
        route = lib.put_at(route, steps - 1, score.argmax())
        return lib.fori_loop(0, steps - 1, backward, route)

    return path


def numba_viterbi(lib: Any) -> Any:
    def path(moves: Any, seen: Any) -> Any:
        steps, states = seen.shape
        came = np.zeros((steps, states), np.int64)
        score, following = seen[0].copy(), np.empty(states, np.float32)
        for t in range(1, steps):
            for j in range(states):
                best, at = score[0] + moves[0, j], 0
                for i in range(1, states):
                    option = score[i] + moves[i, j]
                    if option > best:
                        best, at = option, i
                following[j], came[t, j] = best + seen[t, j], at
            score, following = following, score
        route = np.zeros(steps, np.int64)
        route[steps - 1] = score.argmax()
        for t in range(steps - 1, 0, -1):
            route[t - 1] = came[t, route[t]]
        return route

    return path


WORKLOADS = [
    Workload(
        "edit_distance", {"n": 500}, {"n": 12}, words, make_edit_distance,
        lambda n: (6 * n * n, 4 * n * n), without=("torch", "inductor", "onnxruntime"),
        tolerance=0.0,
        instead={"numba": numba_edit_distance},
    ),
    Workload(
        "viterbi", {"steps": 2000, "states": 32}, {"steps": 12, "states": 5}, chain, make_viterbi,
        lambda steps, states: (3 * steps * states**2, 12 * steps * states),
        without=("torch", "inductor", "onnxruntime"),
        tolerance=0.0, instead={"numba": numba_viterbi},
    ),
]  # fmt: skip
