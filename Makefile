# Two commands do all the set-up on a fresh machine with Python 3.11 and make: `make scan` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: scan test lint test-fast hostile-inputs test-chaos chaos simulate hostile test-real test-wheel test-ccxt skips cover pin-decisions bench lock clean

scan: $(VENV)/.runtime
	$(BIN)/gnosis-ray scan $(ARGS)

test: lint test-fast test-chaos

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Two modules beside each other; those of ccxt have an environment of their own, below.
CCXT_TESTS := tests/vendors/providers/test_ccxt.py tests/hostile/test_ccxt.py
PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile $(addprefix --ignore=,$(CCXT_TESTS))
test-fast: $(VENV)/.dev
	$(PYTEST) -m "not chaos and not realdata and not hostile_rows"

# Every row of the grid of bad inputs, of which `make test-fast` runs a sample.
hostile-inputs: $(VENV)/.dev
	$(PYTEST) tests/hostile_inputs

test-chaos: $(VENV)/.dev
	$(PYTEST) -m chaos

# Random kills by seed: N runs, each of which must leave the ledger of an undisturbed one.
N ?= 100
SEED ?= 1
chaos: $(VENV)/.dev
	$(BIN)/python -m tests.chaos.random_faults --runs $(N) --seed $(SEED)

# Runs and appends on simulated disks, object stores, hosts and time: N seeds from SEED on; N=1 prints the steps.
simulate: N = 10000
simulate: $(VENV)/.dev
	$(BIN)/python -m tests.simulation --runs $(N) --seed $(SEED)

# What vendors, files and texts of others may not do (SECURITY.md). `make test` runs it too.
hostile: $(VENV)/.dev build/ccxt/.installed
	$(PYTEST) tests/hostile
	PYTHONPATH=build/ccxt $(BIN)/python -m pytest -q tests/hostile/test_ccxt.py

test-real: $(VENV)/.dev
	$(PYTEST) -m realdata

# The wheel as a user gets it: installed apart, used from an empty folder, and from one whose modules shadow ours.
test-wheel: $(VENV)/.dev
	rm -rf build/wheel && $(BIN)/python -m hatchling build -t wheel -d build/wheel
	$(PYTHON) -m zipfile -l build/wheel/*.whl | grep 'licenses/LICENSE'
	$(PYTHON) -m zipfile -l build/wheel/*.whl | grep 'licenses/NOTICE'
	$(PYTHON) -m venv --clear build/venv
	build/venv/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r requirements.txt
	build/venv/bin/python -m pip --disable-pip-version-check -q install --no-deps build/wheel/*.whl
	rm -rf build/empty && mkdir -p build/empty
	cd build/empty && ../venv/bin/gnosis-ray scan --symbols AAPL,MSFT,XOM,JPM && ../venv/bin/gnosis-ray runs list
	rm -rf build/hostile && mkdir -p build/hostile
	for module in actors cluster gnosis_ray; do echo 'raise SystemExit("a module of the user")' > build/hostile/$$module.py; done
	cd build/hostile && ../venv/bin/gnosis-ray scan --symbols AAPL,MSFT,XOM,JPM && ../venv/bin/gnosis-ray runs list
	build/venv/bin/python -m pip --disable-pip-version-check -q install --no-index --no-deps --no-build-isolation ./examples/gnosis-ray-example
	rm -rf build/example && mkdir -p build/example
	cd build/example && ../venv/bin/python ../../tests/support/documented_commands.py ../../examples/gnosis-ray-example/README.md

# ccxt apart from the others: it pins what it needs to the digit, and would hold back the pins of the core.
CCXT := ccxt>=4.5
build/ccxt/.installed: requirements-ccxt.txt | $(VENV)/.dev
	rm -rf build/ccxt
	$(PIP) install --require-hashes --target build/ccxt -r requirements-ccxt.txt
	@touch $@

test-ccxt: build/ccxt/.installed
	PYTHONPATH=build/ccxt $(BIN)/python -m pytest -q $(CCXT_TESTS)

# What the runs of pytest with `--skips $(SKIPS)` skipped: counted by reason; fails where a reason is not allowed.
SKIPS := build/skips.txt
skips: $(VENV)/.dev
	$(BIN)/python -m tests.support.skips $(SKIPS)

# The lines that no test reaches, Ray's workers and processes of tests included.
cover: $(VENV)/.dev
	$(BIN)/python -m coverage erase
	$(PYTEST) -m "not chaos and not realdata and not hostile_rows" --cov --cov-report=
	$(PYTEST) -m chaos --cov --cov-append --cov-report=
	$(BIN)/python -m coverage report

# After a change that is meant to change decisions: prints which, and pins them.
pin-decisions: $(VENV)/.dev
	$(BIN)/python -m tests.decisions

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

# Pins with hashes and without addresses; needs uv on the path.
lock:
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --extra dev -o requirements-dev.txt
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --extra build -c requirements-dev.txt -o requirements.txt
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --extra build --extra ray-dashboard --extra s3 -c requirements-dev.txt -o requirements-cluster.txt
	echo '$(CCXT)' | uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 - -o requirements-ccxt.txt

clean:
	rm -rf $(VENV) build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' || \
	  { echo "gnosis-ray needs Python 3.11 or 3.12, found: $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) (once) ..."
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@
