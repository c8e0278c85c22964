# Everything starts here, from python3 and make alone. `make help` lists the verbs.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
CHECKS := $(wildcard tests/test_architecture.py tests/test_docs.py)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

.DEFAULT_GOAL := help
.PHONY: help demo lab test check bench docs clean

help: ## list these verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/demo.stamp ## start a server with data, run the tour in a kernel, show what it says
	@$(BIN)/python tools/demo.py $(ARGS)

lab: $(VENV)/demo.stamp ## the same server, and the tour open in JupyterLab
	@$(BIN)/python tools/lab.py $(ARGS)

test: $(VENV)/dev.stamp ## run all tests that check does not, the browser's too (ARGS="-k listing" for some)
	@$(BIN)/python tools/browser.py
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(CHECKS:%=--ignore=%) $(ARGS)

check: $(VENV)/dev.stamp ## formatting, lint, types, import direction, and all that the docs show
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(if $(CHECKS),$(BIN)/python -m pytest --quiet $(CHECKS))

bench: $(BENCH)/bench.stamp ## measure s3magic beside its peers (ARGS="--scale 100" for a quick try)
	$(BENCH)/bin/python -m benchmarks $(ARGS)

docs: $(VENV)/dev.stamp ## check the links of README and docs/
	$(BIN)/python -m pytest --quiet tests/test_docs.py

clean: ## remove .venv, .venv-bench, build/ and what the tools cache
	rm -rf $(VENV) $(BENCH) build dist notebooks/data notebooks/here
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "s3magic needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# A stamp is younger than pyproject.toml when what that asks for is installed.
$(VENV)/demo.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV), about a minute ..."
	$(INSTALL) '.[demo]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV), about a minute ..."
	$(INSTALL) '.[dev]'
	@touch $@ $(VENV)/demo.stamp

# Its own environment: the peers, and none of what the tests need.
$(BENCH)/bench.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "s3magic needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(BENCH)
	@echo "Installing into $(BENCH), about a minute ..."
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@
