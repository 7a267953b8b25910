# Two commands do everything: `make demo` and `make test`. CI calls these targets and nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked
STUDIES := .study-environment/environment.sha256
SERVERS := .servers/.locked
JOBS ?= auto
# Tests of one module stay together as long as both have work: what they share is made once.
WORKERS := -n $(JOBS) --dist worksteal

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(STAMP) sandbox $(STUDIES)  ## create the environments from their lock files, and what the sandbox needs

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) tools/setup_environment.py $(VENV)
	@touch $@

sandbox:
	@$(PYTHON) tools/setup_sandbox.py bubblewrap

browser: $(STAMP)
	@$(PYTHON) tools/setup_sandbox.py chromium

hsm: $(STAMP)
	@$(PYTHON) tools/setup_sandbox.py softhsm2

servers: $(SERVERS)

$(SERVERS): tests/servers/requirements.lock
	@$(PYTHON) tools/setup_environment.py .servers $<
	@touch $@

$(STUDIES): study/requirements.lock $(STAMP)
	@echo "setup: building the study environment …"
	@$(BIN)/havre environment build study/requirements.lock --environment .study-environment >/dev/null
	@touch $@

check: $(STAMP)  ## lock, format, lint, types, imports, sizes, docs; changes nothing
	@$(BIN)/python tools/check.py

fix: $(STAMP)  ## format and mend what can be mended
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

lock:  ## resolve the dependencies anew (needs uv)
	@uv pip compile pyproject.toml --extra hub --group dev --universal --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements.lock
	@uv pip compile tests/servers/requirements.in --universal --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o tests/servers/requirements.lock

test: setup  ## every promise and every rule, no heavy service
	@$(BIN)/pytest $(WORKERS) -m "not integration"

test-unit: $(STAMP)  ## the pure rooms only
	@$(BIN)/pytest $(WORKERS) tests/unit tests/vectors tests/generative

test-promises: setup  ## the seven promises
	@$(BIN)/pytest $(WORKERS) tests/promises

test-integration: setup browser hsm servers  ## real servers, browsers and tokens, started by the tests
	@$(BIN)/pytest -m integration

demo: setup  ## the main job, from raw files to a verifiable release
	@$(BIN)/havre demo

bench: setup  ## ratios, measured in one run
	@$(BIN)/python -m benchmarks

.PHONY: help setup sandbox browser hsm servers check fix lock test test-unit test-promises test-integration demo bench
