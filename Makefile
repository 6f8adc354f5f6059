# Every goal sets itself up in .venv; nothing but Python 3.11 or newer is needed.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,$(shell \
	$(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
VENV ?= .venv
BIN := $(VENV)/bin
WHEEL := $(abspath $(VENV)-wheel)
PIP := -m pip install -q --disable-pip-version-check
SOURCES := pyproject.toml README.md $(shell find frontend compiler runtime -name '*.py')
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: demo test test-full lint types docs site bench dev clean

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
types: $(WHEEL)/.done
	cd $(WHEEL) && bin/mypy --config-file $(CURDIR)/pyproject.toml --strict -p lazir

# The docs' own examples: docstrings of the installed package, the README and the pages under docs/.
docs: $(WHEEL)/.done
	cd $(WHEEL) && bin/python -m pytest -p no:cacheprovider -n auto --doctest-modules --pyargs lazir
	cd $(WHEEL) && bin/python -m pytest -p no:cacheprovider --doctest-glob='*.md' \
		$(CURDIR)/README.md $(CURDIR)/docs

site: $(WHEEL)/.done $(WHEEL)/.site
	$(WHEEL)/bin/mkdocs build

bench: $(VENV)/.bench
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/python benchmarks/run.py

dev: $(VENV)/.test $(VENV)/.lint

clean:
	rm -rf $(VENV) $(WHEEL) build dist *.egg-info

$(BIN)/python:
	$(if $(PYTHON),,$(error no Python 3.11 or newer found: make PYTHON=/path/to/python3))
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(BIN)/python $(PIP) -e '.[demo]'
	touch $@

# Upstream MLIR and ptxas only judge: where they cannot be had, the tests that ask them skip.
$(VENV)/.test: $(BIN)/python pyproject.toml
	$(BIN)/python $(PIP) -e '.[test]'
	$(BIN)/python $(PIP) -e '.[mlir,ptx]' \
		|| echo 'No MLIR tools or ptxas for this machine: tests that need them will skip.'
	touch $@

$(VENV)/.lint: $(BIN)/python pyproject.toml
	$(BIN)/python $(PIP) -e '.[lint]'
	touch $@

$(VENV)/.bench: $(BIN)/python pyproject.toml
	$(BIN)/python $(PIP) -e '.[bench]'
	touch $@

$(WHEEL)/bin/python:
	$(if $(PYTHON),,$(error no Python 3.11 or newer found: make PYTHON=/path/to/python3))
	$(PYTHON) -m venv $(WHEEL)

# Setuptools would put what an earlier build left in build/lib into the wheel.
$(WHEEL)/.done: $(WHEEL)/bin/python $(SOURCES)
	rm -rf build/lib build/bdist.*
	$(WHEEL)/bin/python $(PIP) '.[test,lint]'
	touch $@

$(WHEEL)/.site: $(WHEEL)/bin/python pyproject.toml
	$(WHEEL)/bin/python $(PIP) '.[docs]'
	touch $@
