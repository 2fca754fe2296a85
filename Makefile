PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# DVC starts the stages as plain `python`: the environment's own comes first.
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro test lint docs ui bench sync lock clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' Makefile

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Versus needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench,docs]'
	touch $@

repro: $(READY)  ## run what has changed of the pipeline and say where the report is
	$(BIN)/python -m versus repro

test: $(READY) lint  ## check style and types, then run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(READY)  ## build the documentation in docs/_build/html, with pictures of the last run
	$(BIN)/python -m sphinx -q -W --keep-going -E -j auto docs docs/_build/html
	@echo "docs/_build/html/index.html"

ui: $(READY)  ## browse the runs in MLflow's pages, on this machine only
	$(BIN)/python -m versus ui

bench: $(READY)  ## time Versus against the libraries that you would use instead
	$(BIN)/python -m benchmarks

sync: $(READY)  ## log to MLflow what a server that was down has missed
	$(BIN)/python -m versus sync

lock:  ## renew constraints.txt from a fresh environment
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet 'torch==2.13.0' -e '.[dev,bench,docs]'
	{ sed -n '/^#/p' constraints.txt; .venv-lock/bin/python -m pip freeze --exclude-editable | sed 's/^\(torch==[0-9.]*\)+.*/\1/'; } > constraints.new
	mv constraints.new constraints.txt
	rm -r .venv-lock

clean:  ## remove the environment; data, models and reports stay
	rm -rf $(VENV)
