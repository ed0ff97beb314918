# Two commands do all the set-up: `make demo` and `make test`. Each makes its own environment in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src examples -type f -not -name '*.pyc' 2>/dev/null)

.PHONY: demo test bench bench-door soak docs example clean

demo: $(VENV)/installed
	@$(BIN)/finetune-prep demo

test: $(VENV)/installed-dev
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/python -m pytest -n 2

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/first_minutes.py
	$(BIN)/python benchmarks/check.py examples/online-shop

# The long counts: every random edit and mutation of documents; every write, hundreds of kills and silent calls at the door.
soak: $(VENV)/installed-dev
	FINETUNE_PREP_SOAK=1 $(BIN)/python -m pytest -n 2 tests/documents/test_splice_properties.py tests/documents/test_hostile.py
	FINETUNE_PREP_SOAK=1 $(BIN)/python -m pytest -s tests/models tests/ledger tests/project/test_lock.py

# the door to models beside a bare loop over the same HTTP library: throughput, CPU, end to end, resume, memory
bench-door: $(VENV)/installed-dev
	$(BIN)/python benchmarks/door.py

docs: $(VENV)/installed-dev
	$(BIN)/python docs/make_method.py
	$(BIN)/python docs/make_commands.py

# After prompts have changed: `finetune-prep ledger missing` in the example says what to ask anew; then this rewrites what it shows.
EXAMPLE := examples/online-shop
example: $(VENV)/installed
	rm -rf build/example && $(BIN)/finetune-prep demo build/example
	for part in reference prompts skills runs dataset .finetune-prep/stamps; do \
	  rm -rf $(EXAMPLE)/$$part && mkdir -p $(EXAMPLE)/$$part && cp -R build/example/$$part/. $(EXAMPLE)/$$part/; \
	done

clean:
	rm -rf $(VENV) build dist finetune-prep-demo

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The wheel is what is installed and tested, not the source folder: a file missing from it is missing for users.
WHEELS := build/wheel
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

$(VENV)/wheel: $(VENV)/bin/python pyproject.toml README.md LICENSE $(SOURCES)
	rm -rf $(WHEELS) && $(PIP) wheel --no-deps --wheel-dir $(WHEELS) .
	@touch $@

$(VENV)/installed: $(VENV)/wheel
	$(PIP) install $(WHEELS)/*.whl
	$(PIP) install --force-reinstall --no-deps $(WHEELS)/*.whl
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) install "$$(ls $(WHEELS)/*.whl)[dev]"
	@touch $@
