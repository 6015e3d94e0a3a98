# What a person does with this project. Needs Python 3.11 or newer, make and a package index; nothing else.
# Every target makes .venv by itself, from the hashes in requirements.lock.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
WORKERS ?= auto

.PHONY: help demo test check soak bench manual lock format clean
.DEFAULT_GOAL := help

help: ## the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: $(VENV)/.installed ## two trials through the whole chain; no mail leaves this machine
	@$(BIN)/monitor demo

test: $(VENV)/.installed ## every test except the long ones, with branch coverage
	$(PYTEST) -m "not soak" -n $(WORKERS) --dist loadfile -rs --cov --cov-report=term --cov-fail-under=95 $(ARGS)

check: $(VENV)/.installed ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

soak: $(VENV)/.installed ## the long tests: every kill point, many generated cases
	$(PYTEST) -m soak -rs -s --timeout=7200 $(ARGS)

bench: $(VENV)/.installed ## rules over ten million laboratory rows, and loading them, against SQL written by hand
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m benchmarks.loading

manual: $(VENV)/.installed ## docs/manual.md afresh from the cases of tests/spec
	$(BIN)/python -m tests.spec.book

format: $(VENV)/.installed ## write the code the way `make check` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## requirements.lock afresh, from pyproject.toml: names, versions, hashes
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet --disable-pip-version-check uv
	build/lock/bin/uv pip compile pyproject.toml --extra demo --extra dev --universal --python-version 3.11 \
		--upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet -o requirements.lock

clean: ## everything that can be made again
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

$(VENV)/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
