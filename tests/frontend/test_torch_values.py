"""`lazir.nn` and `lazir.optim` against what PyTorch gives: values, gradients, states, steps.

The values are in `golden/torch_values.json`, with PyTorch's version; `make_torch_values.py` made
them from the tables of `torch_cases.py`. All in float64.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interpreted import interpreter

import lazir as lz
from lazir.nn import functional

sys.path.insert(0, str(Path(__file__).parent))
import torch_cases as cases
import torch_optimisers

VALUES = json.loads((Path(__file__).parent.parent / "golden" / "torch_values.json").read_text())


@pytest.fixture(autouse=True)
def _interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter(monkeypatch)


def tensor(x: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(tensor(item) for item in x)
    made = lz.Tensor(x)
    return made.requires_grad_() if made.dtype.is_float else made


ROUGH = {"activation_hardsigmoid": 1e-7, "NAdam": 1e-7, "ASGD": 1e-7}
"""Cases in which PyTorch itself is less precise: it keeps 1/6, the product of NAdam's momenta, and
ASGD's rate in single precision."""


def compare(found: Any, wanted: list[Any], what: str, rtol: float = 1e-10) -> None:
    assert len(found) == len(wanted), what
    for k, (x, (shape, norm, *sums)) in enumerate(zip(found, wanted)):
        got = cases.probed(x.detach().numpy())
        assert got[0] == shape, f"{what} {k}"
        np.testing.assert_allclose(
            got[1:], [norm, *sums], rtol=rtol, atol=rtol * (1 + norm), err_msg=f"{what} {k}"
        )


def run(
    function: Any, given: list[Any], extra: list[Any], wanted: dict[str, Any], rtol: float = 1e-10
) -> None:
    out = function(*given)
    leaves = [x for x in cases.flat(given) if x.requires_grad] + extra
    cases.weighted(out, lz.numpy.asarray).backward()
    grads = [lz.numpy.zeros_like(x) if x.grad is None else x.grad for x in leaves]
    compare(cases.flat(out), wanted["out"], "result", rtol)
    compare(grads, wanted["grads"], "gradient", rtol)


@pytest.mark.parametrize("name", cases.FUNCTIONS)
def test_functions(name: str) -> None:
    function, specs = cases.FUNCTIONS[name]
    given = [tensor(x) for x in cases.inputs_of(name, specs)]
    wanted = VALUES["functions"][name]
    run(lambda *xs: function(functional, *xs), given, [], wanted, ROUGH.get(name, 1e-10))


@pytest.mark.parametrize("name", cases.MODULES)
def test_modules(name: str) -> None:
    make, specs = cases.MODULES[name]
    module, wanted = make(lz.nn).double(), VALUES["modules"][name]
    state = module.state_dict()
    assert {k: list(v.shape) for k, v in state.items()} == wanted["state"]
    module.load_state_dict({k: cases.state_of(k, str(v.dtype), v.shape) for k, v in state.items()})
    given = [tensor(x) for x in cases.inputs_of(name, specs)]
    run(module, given, list(module.parameters()), wanted)
    compare(list(module.buffers()), wanted["buffers"], "buffer")


def test_all_values_are_used() -> None:
    assert VALUES["functions"].keys() == cases.FUNCTIONS.keys()
    assert VALUES["modules"].keys() == cases.MODULES.keys()
    assert VALUES["optimisers"].keys() == torch_optimisers.OPTIMISERS.keys()


@pytest.mark.parametrize("name", torch_optimisers.OPTIMISERS)
def test_optimisers(name: str) -> None:
    found = torch_optimisers.trajectory(name, lz.optim, lz)
    np.testing.assert_allclose(
        found, VALUES["optimisers"][name], rtol=ROUGH.get(name, 1e-10), atol=1e-12
    )


def test_schedules() -> None:
    found = torch_optimisers.schedules(lz.optim, lz)
    for name, wanted in VALUES["schedules"].items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-12, err_msg=name)
