"""Every example passes its own checks at its small size; the page of examples has them all."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
NAMES = sorted(f.stem for f in FOLDER.glob("*.py") if f.stem not in ("figure", "digits"))


@pytest.mark.parametrize("name", NAMES)
def test_example(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    example = importlib.import_module(name)
    try:
        example.main(quick=True)  # it asserts what it computes
    finally:
        for module in (name, "figure"):  # these names are common: nobody else may get them
            sys.modules.pop(module, None)


def test_the_page_names_them_all() -> None:
    page = (FOLDER / "README.md").read_text()
    assert [name for name in [*NAMES, "digits"] if f"`{name}.py`" not in page] == []
