# `make help` lists the targets. One virtual environment, .venv; two stamps in it say how far it
# has come: .run has what the service needs, .test what the tests need besides. MLflow, which some
# tests start, has an environment of its own, so that it does not weigh on the service; so have Spark
# and Kafka, which the pipeline test starts.

SHELL := /bin/bash
VENV := .venv
MLFLOW := .venv-mlflow
PIPELINE := .venv-pipeline
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 3
UV_COMPILE = uv pip compile --quiet --generate-hashes --no-annotate --no-header --python-version 3.11

# PYTHON=… chooses another one. A python that cannot make a virtual environment is passed over.
PYTHONS := $(PYTHON) python3.13 python3.12 python3.11 python3
USABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-tests run demo test test-pipeline check torture bench boards lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s  %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.run ## .venv with everything pinned, and .venv/bin/plantao in it

setup-tests: $(VENV)/.test

run: setup ## set up, then serve on http://127.0.0.1:8080
	$(BIN)/plantao serve

demo: setup-tests ## the whole flow on one machine, to look at and to play with
	@$(BIN)/python -m demo

test: setup-tests $(MLFLOW)/.installed ## every test but the pipeline's, against real neighbours
	tests/install-neighbours
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --reruns 1 --ignore=tests/pipeline

test-pipeline: setup-tests $(MLFLOW)/.installed $(PIPELINE)/.installed ## the pipeline's own faults, with real Kafka, Spark, Delta Lake and MLflow
	tests/install-neighbours --pipeline
	$(BIN)/python -m pytest -p no:randomly -p no:xdist --timeout 3000 -s tests/pipeline

check: setup-tests ## formatter, linter, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

torture: setup-tests ## the long crash and fault runs
	tests/install-neighbours
	PLANTAO_TORTURE_ROUNDS=$${PLANTAO_TORTURE_ROUNDS:-200} \
	  $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --timeout 7200 tests/torture

bench: setup-tests ## the benchmarks
	$(BIN)/python -m bench

boards: setup-tests ## make Grafana's dashboards anew from grafana/boards
	$(BIN)/python -m grafana.boards

lock: ## pin the dependencies anew; UPGRADE=--upgrade for the newest
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	$(UV_COMPILE) $(UPGRADE) pyproject.toml requirements-build.in -o requirements.txt
	$(UV_COMPILE) $(UPGRADE) pyproject.toml requirements-build.in --extra dev \
	  -c requirements.txt -o requirements-dev.txt
	$(UV_COMPILE) $(UPGRADE) pyproject.toml requirements-build.in --extra exporter \
	  -c requirements.txt -o requirements-exporter.txt
	$(UV_COMPILE) $(UPGRADE) requirements-mlflow.in -o requirements-mlflow.txt
	$(UV_COMPILE) $(UPGRADE) requirements-pipeline.in -c requirements.txt -c requirements-mlflow.txt \
	  -o requirements-pipeline.txt

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  if "$$python" -c '$(USABLE)' 2>/dev/null; then \
	    echo "A virtual environment with $$("$$python" --version)"; \
	    exec "$$python" -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "Plantão needs Python 3.11 or newer with venv; none was found among: $(PYTHONS)" >&2; \
	echo "On Debian and Ubuntu: apt-get install python3-venv. Or name one: make setup PYTHON=…" >&2; \
	exit 1

$(VENV)/.run: requirements.txt pyproject.toml | $(BIN)/python
	@$(PIP) --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	$(PIP) install --quiet --require-hashes -r requirements.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q app migrations # or else the first start does it
	@touch $@

$(VENV)/.test: requirements-dev.txt $(VENV)/.run
	$(PIP) install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

$(MLFLOW)/.installed: requirements-mlflow.txt | $(VENV)/.run
	@echo "MLflow for the tests, in $(MLFLOW): about a minute, once"
	$(BIN)/python -m venv --clear $(MLFLOW)
	$(MLFLOW)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes \
	  -r requirements-mlflow.txt
	@touch $@

$(PIPELINE)/.installed: requirements-pipeline.txt $(wildcard tests/pipeline/jars/*.xml tests/pipeline/jars/*/pom.xml) | $(VENV)/.run
	@echo "Spark, Kafka and Delta Lake for the pipeline test, in $(PIPELINE): some minutes, once"
	tests/install-neighbours --pipeline
	$(BIN)/python -m venv --clear $(PIPELINE)
	$(PIPELINE)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes \
	  -r requirements-pipeline.txt
	mvn --quiet --batch-mode --file tests/pipeline/jars/pom.xml -Djars=$(CURDIR)/$(PIPELINE)/jars \
	  dependency:copy-dependencies
	@touch $@
