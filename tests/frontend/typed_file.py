"""Annotated functions that the tests of annotations and of `lazir check` read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import lazir as lz
import lazir.numpy as lnp
from lazir.typing import Bool, Float, Float32, Int, Shaped, Tensor

# ruff: noqa: F722, F821, UP037


class Layer(NamedTuple):
    w: Float[Tensor, "inner out"]
    b: Float[Tensor, "out"]


@lz.tree.register_dataclass
@dataclass
class Batch:
    images: Float[Tensor, "batch inner"]
    labels: Int[Tensor, "batch"]


@lz.compile
def affine(p: Layer, x: Float[Tensor, "batch inner"], n: float) -> Float[Tensor, "batch out"]:
    return x @ p.w + p.b * n


@lz.compile
def turned(p: Layer, x: Float[Tensor, "batch inner"]) -> Float[Tensor, "batch out"]:
    return x @ p.w.T + p.b


@lz.compile
def swapped(x: Float32[Tensor, "n m"]) -> Float[Tensor, "n m"]:
    return x.T


@lz.compile
def of_batch(batch: Batch) -> tuple[Float[Tensor, "batch"], Int[Tensor, ""]]:
    return batch.images.sum(1), batch.labels.sum()


@lz.compile
def shapes(
    x: Shaped[Tensor, "*rows n"], y: Float[Tensor, "*#rows n+1"], keep: Bool[Tensor, "#n"] | None
) -> Shaped[Tensor, "n *rows"]:
    z = x * y[..., 1:]
    return lnp.moveaxis(z if keep is None else lnp.where(keep, z, 0), -1, 0)


@lz.compile
def bare(x):
    return x


class Model:
    def __init__(self, size: int) -> None:
        self.weight = lz.Tensor([1.0] * size)

    @lz.compile
    def call(self, x: Float[Tensor, "batch 3"]) -> Float[Tensor, "batch"]:
        return x @ self.weight


model = Model(3)
