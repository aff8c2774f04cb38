# Uses the environment that the README's first command makes; `.ci/run` makes its own.
BIN ?= .venv/bin

.PHONY: check test bench

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test:
	$(BIN)/pytest -n auto

bench:
	$(BIN)/python bench
