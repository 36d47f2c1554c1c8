# The README explains each of these.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

.PHONY: install run test test-all bench check clean

install: $(STAMP)

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m nodeforge.cli.system_libraries
	$(BIN)/python -m pip install --quiet --editable '.[test,nano]'
	touch $(STAMP)

run: install
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; \
	then $(BIN)/nodeforge workflows/text_to_image.json; \
	else $(BIN)/nodeforge run workflows/text_to_image.json; fi

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

# Two processes with a thread each; all tests of a file in one, as they share what is slow to make.
PYTEST := QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

test: check
	$(PYTEST) -m 'not slow'

test-all: check
	$(PYTEST)

bench: install
	$(BIN)/python -m benchmarks.check

clean:
	rm -rf $(VENV) build dist *.egg-info
