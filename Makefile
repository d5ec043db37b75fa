# make setup · run · test · check · slow · bench      `make run` and `make test` work on a bare machine with Python 3.11+
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# threads that wait actively take the cores from each other as soon as anything else runs
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: setup run test slow check bench clean

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=python3.12, say") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

run: setup
	$(BIN)/python -m compress.run --target android

test: setup
	$(BIN)/python -m pytest

slow: setup
	$(BIN)/python -m pytest -m slow

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) build *.egg-info
