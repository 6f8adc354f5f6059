"""Tails of vectors for every dtype: results right, and nothing written beside them."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import check_graph, run_compiled
from random_programs import draw_array

from lazir.compiler.graph import Builder
from lazir.compiler.opdef import OPS, Domain
from lazir.compiler.types import BOOLS, FLOATS, INTEGERS, REAL, TensorType

OP_OF = {
    **dict.fromkeys(INTEGERS, "add"),
    **dict.fromkeys(FLOATS, "mul"),
    **dict.fromkeys(BOOLS, "bit_xor"),
}


@pytest.mark.parametrize("dtype", REAL, ids=str)
def test_tails_of_maps_and_rows(dtype):
    """One element more than a vector, one less, and a few: 16-bit stores once wrote 32 bits."""
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 5, 9, 15, 16, 17, 31, 33, 65, 129):
        b = Builder()
        x = b.param(TensorType((2, n), dtype))
        row = OPS["slice"](b, x, start=(0, 0), limit=(1, n), stride=(1, 1))
        once = OPS[OP_OF[dtype]](b, row, row)
        most = OPS["reduce_max"](b, x, axes=(0,))
        graph = b.graph([once, most])
        inputs = [draw_array(rng, t, Domain()) for t in graph.param_types]
        assert check_graph(graph, inputs, run_compiled(graph, inputs)).compared == 2 * n
