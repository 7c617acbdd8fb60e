# make run      the sample in your browser, or your own ./heedful.yaml where there is one
# make test     what has to hold: ruff, mypy, pyright, import-linter, pytest; PYTEST="tests/config -x" narrows the last
# make format   what ruff can put right by itself

BIN := .venv/bin
PYTEST := -n 2 --dist loadfile --no-loadscope-reorder
# What is imported is compiled once, not at every start.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: run test lint pytest format clean

run: .venv/.run
	@if [ -f heedful.yaml ]; then exec $(BIN)/heedful run; else exec $(BIN)/heedful run --sample; fi

test: lint pytest

pytest: .venv/.test
	$(BIN)/pytest $(PYTEST)

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

format: .venv/.test
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.venv/.%: pyproject.toml uv.lock .ci/setup
	@echo "Setting up .venv (once, about a minute) ..."
	@PYTHON="$(PYTHON)" sh .ci/setup $*

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
