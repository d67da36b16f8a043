# Sightline: every command a person needs. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
PORT ?= 9001
GRPC_PORT ?=
MODELS ?=
WORKFLOWS ?=
DATA ?=
TEXT_READER ?=
KEYS ?=
HOST ?=
PYTEST_ARGS ?=
SCENARIO ?= plates
LOAD_ARGS ?=

BIN := .venv/bin
SERVE_READY := .venv/.serve-installed
DEV_READY := .venv/.dev-installed
SDK_READY := .venv-sdk/.installed
TRAIN_READY := .venv-train/.installed
TRITON_READY := .venv-triton/.installed
DOCTR_READY := .venv-doctr/.installed
K8S_READY := .venv-k8s/.installed
PIP_INSTALL := install --quiet --disable-pip-version-check --no-deps --require-hashes

.PHONY: help serve test check lint format test-unit test-storage test-conformance test-sources test-sdk test-triton test-doctr test-k8s test-cluster test-slow manifests load aims evaluate proto lock clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

serve: $(SERVE_READY)  ## Start the cluster with the shipped models [PORT=9001] [GRPC_PORT=9002] [MODELS=dir or URL] [WORKFLOWS=dir] [TEXT_READER=id] [KEYS=on] [HOST=address] [TLS_CERTIFICATE=file TLS_KEY=file] [GCS=rocksdb]
	@exec $(BIN)/sightline serve --port $(PORT) $(if $(GRPC_PORT),--grpc-port $(GRPC_PORT)) $(if $(MODELS),--models "$(MODELS)") $(if $(WORKFLOWS),--workflows "$(WORKFLOWS)") $(if $(TEXT_READER),--text-reader "$(TEXT_READER)") $(if $(KEYS),--keys $(KEYS)) $(if $(HOST),--host $(HOST)) $(if $(TLS_CERTIFICATE),--tls-certificate "$(TLS_CERTIFICATE)" --tls-key "$(TLS_KEY)") $(if $(GCS),--gcs "$(GCS)")

test: test-unit test-storage test-conformance test-sources test-sdk test-triton test-k8s test-cluster  ## Run every test: unit, databases, conformance, sources of models, vendor SDK, Triton, Kubernetes, cluster

test-unit: $(DEV_READY)  ## Run the unit tests (no cluster; under a minute)
	$(BIN)/pytest tests/unit -n 2 -q $(PYTEST_ARGS)

test-storage: $(DEV_READY)  ## Run the stored state on SQLite and on a real PostgreSQL
	$(BIN)/pytest tests/storage -q -rs $(PYTEST_ARGS)

test-conformance: $(DEV_READY)  ## Compare with the recorded answers of the reference server
	$(BIN)/pytest tests/conformance -q $(PYTEST_ARGS)

test-sources: $(DEV_READY)  ## Fetch models from a real S3 server and from web servers that fail
	$(BIN)/pytest tests/sources -q $(PYTEST_ARGS)

test-sdk: $(DEV_READY) $(SDK_READY)  ## Call the server with the vendor's unmodified SDK
	$(BIN)/pytest tests/sdk -m "not slow" -q $(PYTEST_ARGS)

test-triton: $(DEV_READY) $(TRITON_READY)  ## Run models on a real Triton, and kill it
	$(BIN)/pytest tests/triton -q $(PYTEST_ARGS)

test-doctr: $(DOCTR_READY)  ## Read with docTR itself, on torch
	.venv-doctr/bin/pytest tests/doctr -q $(PYTEST_ARGS)

test-k8s: $(DEV_READY) $(K8S_READY)  ## Hold the manifests of Kubernetes against every schema there is
	$(BIN)/pytest tests/k8s -q -rs $(PYTEST_ARGS)

manifests: $(DEV_READY)  ## Write the files of kustomize anew, from k8s/overlays/*/values.yaml
	$(BIN)/sightline k8s write-tree k8s

test-cluster: $(DEV_READY)  ## Start a real local cluster and hurt it
	$(BIN)/pytest tests/cluster -m "cluster and not slow" -q $(PYTEST_ARGS)

test-slow: $(DEV_READY) $(SDK_READY)  ## Change endpoints under load, kill what keeps the state, let replicas come and go (some fifteen minutes)
	$(BIN)/pytest tests/cluster tests/sdk -m slow -q $(PYTEST_ARGS)

check: lint test-unit  ## Run ruff, mypy, import-linter and the unit tests

lint: $(DEV_READY)  ## Run ruff, mypy and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_READY)  ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

load: $(DEV_READY)  ## Measure a scenario of load_tests/scenarios on a server of its own [SCENARIO=plates] [LOAD_ARGS=...]
	$(BIN)/python -m load_tests run $(SCENARIO) $(LOAD_ARGS)

aims: $(DEV_READY)  ## Measure all that is promised of speed, in one table; goes on where it was stopped [LOAD_ARGS=...]
	$(BIN)/python -m load_tests aims $(LOAD_ARGS)

evaluate: $(TRAIN_READY)  ## Measure the shipped models [DATA=folder with plates-ro/ and plates-eval-eu/]
	@test -d "$(DATA)/plates-ro" || { echo 'make evaluate needs DATA=folder with plates-ro/ in it: see training/README.md'; exit 2; }
	.venv-train/bin/python -m training.evaluate --data "$(DATA)"

proto:  ## Write the messages of the gRPC door anew (needs grpcio-tools 1.76)
	cd deployments/kserve/generated && $(PYTHON) -m grpc_tools.protoc -I. --python_out=. --pyi_out=. open_inference.proto

lock:  ## Write the lock files anew (needs uv)
	uv pip compile pyproject.toml --extra cpu --extra kubernetes --extra postgresql --group build $(LOCK_OPTIONS) -o requirements.txt
	uv pip compile pyproject.toml --extra gpu --extra kubernetes --extra postgresql --group build $(LOCK_OPTIONS) -o requirements-gpu.txt
	uv pip compile pyproject.toml --extra cpu --extra triton --extra pp-ocr --extra dev --group build $(LOCK_OPTIONS) -o requirements-dev.txt
	uv pip compile tests/sdk/requirements.in --no-emit-package opencv-python $(LOCK_OPTIONS) -o tests/sdk/requirements.txt
	uv pip compile tests/triton/requirements.in --no-deps $(LOCK_OPTIONS) -o tests/triton/requirements.txt

LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet

clean:  ## Remove the virtual environments
	rm -rf .venv .venv-sdk .venv-train .venv-triton .venv-doctr .venv-k8s

$(SERVE_READY): requirements.txt pyproject.toml
	@echo "installing into .venv (once; a minute or two) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -e $(DEV_READY) || $(BIN)/pip $(PIP_INSTALL) -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV_READY): requirements-dev.txt pyproject.toml
	@echo "installing the development tools into .venv (once; a minute or two) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip $(PIP_INSTALL) -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(SERVE_READY)

$(SDK_READY): tests/sdk/requirements.txt
	@echo "installing the vendor's SDK into .venv-sdk (once) ..."
	@test -x .venv-sdk/bin/python || $(PYTHON) -m venv .venv-sdk
	@.venv-sdk/bin/pip $(PIP_INSTALL) -r tests/sdk/requirements.txt
	@touch $@

$(K8S_READY): tests/k8s/requirements.in
	@echo "installing the checks of manifests into .venv-k8s (once) ..."
	@test -x .venv-k8s/bin/python || $(PYTHON) -m venv .venv-k8s
	@.venv-k8s/bin/pip install --quiet --disable-pip-version-check -r tests/k8s/requirements.in
	@touch $@

$(TRITON_READY): tests/triton/requirements.txt
	@echo "installing a Triton server into .venv-triton (once) ..."
	@test -x .venv-triton/bin/python || $(PYTHON) -m venv .venv-triton
	@.venv-triton/bin/pip $(PIP_INSTALL) -r tests/triton/requirements.txt
	@touch $@

# The versions that serving has, and torch beside them; docTR's wish for OpenCV with windows is undone as below.
$(DOCTR_READY): tests/doctr/requirements.in requirements-dev.txt pyproject.toml
	@echo "installing docTR and torch into .venv-doctr (once; a few minutes) ..."
	@test -x .venv-doctr/bin/python || $(PYTHON) -m venv .venv-doctr
	@sed -nE 's/^([A-Za-z0-9_.-]+==[^\\]+).*/\1/p' requirements-dev.txt > .venv-doctr/constraints.txt
	@.venv-doctr/bin/pip install --quiet --disable-pip-version-check -c .venv-doctr/constraints.txt \
	    -r tests/doctr/requirements.in -e '.[cpu]'
	@.venv-doctr/bin/pip uninstall --quiet --yes opencv-python
	@.venv-doctr/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps \
	    -c .venv-doctr/constraints.txt opencv-python-headless
	@touch $@

# docTR asks for opencv-python; OpenCV 4 without a window system is what serving has.
$(TRAIN_READY): training/requirements.in
	@echo "installing the training environment into .venv-train (once; several minutes) ..."
	@test -x .venv-train/bin/python || $(PYTHON) -m venv .venv-train
	@.venv-train/bin/pip install --quiet --disable-pip-version-check -r training/requirements.in
	@.venv-train/bin/pip uninstall --quiet --yes opencv-python
	@.venv-train/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps "opencv-python-headless<5"
	@touch $@
