# Everything starts here, from python3 and make alone. `make help` lists the verbs.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
CHECKS := $(wildcard tests/test_architecture.py tests/test_docs.py)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

.DEFAULT_GOAL := help
.PHONY: help demo lab test check docs clean

help: ## list these verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/demo.stamp ## start a server with data, run the tour in a kernel, show what it says
	@$(BIN)/python tools/demo.py $(ARGS)

lab: $(VENV)/demo.stamp ## the same server, and the tour open in JupyterLab
	@$(BIN)/python tools/lab.py $(ARGS)

test: $(VENV)/dev.stamp ## run every test, the browser's too (ARGS="-k listing" for some)
	@$(BIN)/python tools/browser.py
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp ## formatting, lint, types, import direction, links in the docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(if $(CHECKS),$(BIN)/python -m pytest --quiet $(CHECKS))

docs: $(VENV)/dev.stamp ## check the links of README and docs/
	$(BIN)/python -m pytest --quiet tests/test_docs.py

clean: ## remove .venv, build/ and what the tools cache
	rm -rf $(VENV) build dist notebooks/data notebooks/here
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

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
