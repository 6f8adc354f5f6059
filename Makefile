# Everything sets itself up in .venv; nothing but Python 3.11+ is needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml $(shell find frontend compiler runtime -name '*.py')
PYTEST := $(BIN)/pytest -n auto --dist loadfile

.PHONY: demo test test-full lint types docs bench dev clean

demo: $(VENV)/.demo
	$(BIN)/python examples/digits.py

test: $(VENV)/.test
	$(PYTEST)

test-full: $(VENV)/.test
	LAZIR_FULL_TESTS=1 $(PYTEST)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Type checkers follow packages only in a plain install: the wheel goes into an environment of its own.
types: $(VENV)-wheel/.types
	cd $(VENV)-wheel && bin/mypy --strict -p lazir

# The docs' own examples: docstrings of the installed package, and the pages under docs/.
docs: $(VENV)-wheel/.types
	cd $(VENV)-wheel && bin/pytest -q --doctest-modules --pyargs lazir -p no:cacheprovider
	cd $(VENV)-wheel && bin/pytest -q --doctest-glob='*.md' -p no:cacheprovider ../README.md ../docs

bench: $(VENV)/.bench
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/python benchmarks/run.py

dev: $(VENV)/.test $(VENV)/.lint

clean:
	rm -rf $(VENV) $(VENV)-wheel build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -U pip

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install -q -e '.[demo]'
	touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install -q -e '.[test,mlir,ptx]'
	touch $@

$(VENV)/.lint: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install -q -e '.[lint]'
	touch $@

$(VENV)/.bench: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install -q -e '.[bench]'
	touch $@

$(VENV)-wheel/.types: $(SOURCES)
	$(PYTHON) -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/pip install -q --upgrade --force-reinstall --no-deps .
	$(VENV)-wheel/bin/pip install -q '.[test,lint]'
	touch $@
