"""Sums of a matrix along its rows and down its columns."""

from __future__ import annotations

from typing import Any

from . import Workload


def inputs(rng: Any, n: int) -> Any:
    return (rng.standard_normal((n, n), dtype="f4"),)


def along_rows(lib: Any) -> Any:
    return lambda x: x.sum(axis=1)


def down_columns(lib: Any) -> Any:
    return lambda x: x.sum(axis=0)


def work(n: int) -> tuple[float, float]:
    return n * n, 4 * n * n


WORKLOADS = [
    Workload("sum_axis_0", {"n": 4096}, {"n": 50}, inputs, down_columns, work),
    Workload("sum_axis_1", {"n": 4096}, {"n": 50}, inputs, along_rows, work),
]
