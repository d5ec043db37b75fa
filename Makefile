# make setup · run · test · slow · check · docs · lock      `make run` and `make test` work on a bare machine with Python 3.11+
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# threads that wait actively take the cores from each other as soon as anything else runs
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: setup run test slow check docs lock clean

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=python3.12, say") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test,docs]'
	touch $@

run: setup
	$(BIN)/pocket-ticket run --target android

# a process for each core, and one thread in each
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

slow: setup
	$(BIN)/python -m pytest -m slow

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: setup
	$(BIN)/python -m benchmarks.pages --check
	$(BIN)/mkdocs build --strict --quiet

# the versions of this environment, with which everything was tested: pip install -c tested-versions.txt .
lock: setup
	$(BIN)/python -m benchmarks.lock > tested-versions.txt

clean:
	rm -rf $(VENV) build site *.egg-info
