"""Runs the cases of `torch_cases.py` on PyTorch and keeps probes of what comes out.

    python tests/frontend/make_torch_values.py        # where torch is installed

Writes tests/golden/torch_values.json: for each case probes of the results, of the gradients by
floating inputs and by parameters, and of the buffers; for modules names and shapes of the state.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch_cases as cases
import torch_optimisers

PAGE = Path(__file__).parent.parent / "golden" / "torch_values.json"


def tensor(x: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(tensor(item) for item in x)
    made = torch.tensor(np.asarray(x))
    return made.requires_grad_() if made.is_floating_point() else made


def run(function: Any, given: list[Any], extra: list[Any]) -> dict[str, Any]:
    out = function(*given)
    leaves = [x for x in cases.flat(given) if x.requires_grad] + extra
    cases.weighted(out, torch.tensor).backward()
    grads = [torch.zeros_like(x) if x.grad is None else x.grad for x in leaves]
    return {
        "out": [cases.probed(x.detach().numpy()) for x in cases.flat(out)],
        "grads": [cases.probed(g.numpy()) for g in grads],
    }


def function_case(name: str) -> dict[str, Any]:
    function, specs = cases.FUNCTIONS[name]
    given = [tensor(x) for x in cases.inputs_of(name, specs)]
    return run(lambda *xs: function(torch.nn.functional, *xs), given, [])


def module_case(name: str) -> dict[str, Any]:
    make, specs = cases.MODULES[name]
    module = make(torch.nn).double()
    state = module.state_dict()
    module.load_state_dict(
        {k: torch.tensor(cases.state_of(k, str(v.dtype), tuple(v.shape))) for k, v in state.items()}
    )
    given = [tensor(x) for x in cases.inputs_of(name, specs)]
    found = run(module, given, list(module.parameters()))
    found["state"] = {k: list(v.shape) for k, v in state.items()}
    found["buffers"] = [cases.probed(b.numpy()) for b in module.buffers()]
    return found


def main() -> None:
    torch.set_num_threads(1)
    values = {
        "torch": torch.__version__,
        "functions": {name: function_case(name) for name in cases.FUNCTIONS},
        "modules": {name: module_case(name) for name in cases.MODULES},
        "optimisers": torch_optimisers.trajectories(torch.optim, torch),
        "schedules": torch_optimisers.schedules(torch.optim, torch),
    }
    text = json.dumps(values)
    for mark in ('"functions": {', '"modules": {', '"optimisers": {', '"schedules": {', '}, "'):
        text = text.replace(mark, mark.rstrip('"') + "\n" + ('"' if mark.endswith('"') else ""))
    PAGE.write_text(text + "\n")


if __name__ == "__main__":
    main()
