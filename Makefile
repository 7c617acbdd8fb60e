# make run    the sample in your browser, or your own ./heedful.yaml where there is one
# make test   what has to hold: ruff, mypy, pyright, import-linter, pytest

BIN := .venv/bin
.PHONY: run test lint clean

run: .venv/.run
	@if [ -f heedful.yaml ]; then exec $(BIN)/heedful run; else exec $(BIN)/heedful run --sample; fi

test: lint
	$(BIN)/pytest $(PYTEST)

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

.venv/.%: pyproject.toml uv.lock .ci/setup
	@echo "Setting up .venv (once, about a minute) ..."
	@PYTHON="$(PYTHON)" sh .ci/setup $*

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
