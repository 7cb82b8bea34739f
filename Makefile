# One word each; `make help` lists them. CI runs the same words.
SHELL := /bin/bash
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
STAMP := $(VENV)/.installed
PIP := $(BIN)/pip --quiet --disable-pip-version-check
DEMO := var/demo

# Tests are read once and kept compiled, whatever the environment says: reading them anew takes half a minute.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup packages check format test oracle fuzz sim journey bench run man clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

packages: ## install what Debian has to give (needs root; does nothing where it is all there)
	@tools/debian-packages base

$(RUNTIME): pyproject.toml tools/debian-packages
	@tools/debian-packages base
	$(PY) -m venv $(VENV)
	$(PIP) install -e .
	$(BIN)/python -m compileall -q addc
	@touch $@

$(STAMP): $(RUNTIME)
	@tools/debian-packages dev
	$(PIP) install -e '.[dev,postgres]'
	@touch $@

setup: $(STAMP) ## system packages, virtual environment, dependencies

check: $(STAMP) ## ruff, mypy --strict, architecture gates
	$(BIN)/ruff format --check addc tests
	$(BIN)/ruff check addc tests
	$(BIN)/mypy
	$(BIN)/pytest tests/gate

format: $(STAMP) ## let ruff lay out the code, make the documents anew that come from it
	$(BIN)/ruff format addc tests
	$(BIN)/ruff check --fix addc tests
	$(BIN)/python -m tests.gate.specmap
	$(BIN)/python -m tests.gate.plan_picture

test: $(STAMP) ## the fast suite: unit, property, gate, oracle, fault (under five minutes)
	@tools/debian-packages test
	$(BIN)/pytest -n auto --maxprocesses=4 tests/unit tests/property tests/gate tests/oracle tests/fault

oracle: $(STAMP) ## our bytes against Samba's and Impacket's
	@tools/debian-packages test
	$(BIN)/pytest tests/oracle

fuzz: $(STAMP) ## a million mutated messages against the engines
	$(BIN)/python -m tests.bench.fuzz

sim: $(STAMP) ## thousands of random forests through the planner and its judge
	$(BIN)/python -m tests.bench.kcc_shapes

journey: $(STAMP) ## real clients in network namespaces (needs root)
	@tools/debian-packages journey
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests/journey

bench: $(STAMP) ## figures of this machine, and beside them those of Debian's Samba (needs root)
	@tools/debian-packages bench
	$(BIN)/python -m tests.bench.run
	$(BIN)/python -m tests.bench.bench_directory
	$(BIN)/python -m tests.bench.bench_members
	$(BIN)/python -m tests.bench.bench_kcc

run: $(RUNTIME) ## provision a demo forest (once) and serve it in the foreground
	@tools/debian-packages demo || echo "The demo runs without them; the commands that it shows want them." >&2
	@tools/demo $(DEMO)

man: $(RUNTIME) ## manual pages of every command, into var/man/man8
	$(BIN)/python -m addc.cli.manual var/man/man8
	@echo "man -M $(CURDIR)/var/man addc"

clean: ## forget the demo forest and the virtual environment
	rm -rf $(VENV) var
