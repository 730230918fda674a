# Everything runs in virtual environments below this folder; nothing is installed elsewhere.
# Paths are relative, so that the folder may have any name.

.DEFAULT_GOAL := help
.PHONY: help set-up demo emulator test test-fast test-lowest soak bench verify-aws assume mutants lint types format build release publish docs docs-branch lock sbom audit clean

ifndef PYTHON
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$python"; break; }; done)
endif

# A recipe's line that fails if there is no Python to go on with.
FIND_PYTHON = command -v "$(PYTHON)" >/dev/null || { echo >&2 \
	"$@: $(if $(PYTHON),there is no $(PYTHON),no Python 3.11 or newer was found):" \
	"install one, or name it: make $@ PYTHON=/path/to/python3.11"; exit 2; }

RUN := .venv/bin/python -m
# Unset what would lead the tools out of the virtual environments.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV NODE_OPTIONS NODE_PATH
# jsii and pyright start the Node that the virtual environment brings.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
# Without it jsii writes to the home folder.
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/.cache/jsii
# Node keeps what it has compiled of the CDK CLI, which takes a third of the CLI's start.
export NODE_COMPILE_CACHE := $(CURDIR)/.cache/node
# Three workers suit two cores: while one waits for CloudFormation, the others work. Each of them
# may run an emulator of its own.
TEST_WORKERS ?= 3

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

set-up: ## Install what is pinned into .venv, .venv-emulator and node_modules; done once.
	@$(FIND_PYTHON)
	@"$(PYTHON)" -I tools/set_up.py

demo: set-up ## Deploy, change and destroy the example on the local emulator, and check every step.
	@$(RUN) embedded demo

emulator: set-up ## Start AWS and Connect on this machine until Ctrl-C, for any CDK app; PORT=… fixes AWS's port.
	@$(RUN) embedded up $(if $(PORT),--port $(PORT)) $(if $(CONNECT_PORT),--connect-port $(CONNECT_PORT))

test: set-up ## Run all tests but the soak: also deployments by the real CDK CLI.
	@$(RUN) pytest -n $(TEST_WORKERS) --dist worksteal -m "not soak" $(PYTEST_ARGS)

test-fast: set-up ## Run the tests that deploy nothing.
	@$(RUN) pytest -n $(TEST_WORKERS) --dist worksteal -m "not soak and not deploy" $(PYTEST_ARGS)

test-lowest: set-up ## Test the extras with the lowest versions that they allow.
	@$(RUN) tools.lowest $(PYTEST_ARGS)

soak: set-up ## Explore thousands of lifecycles, and check that broken handlers are caught.
	@$(RUN) pytest -s -m soak $(PYTEST_ARGS)

# Without it matplotlib writes to the home folder.
bench: export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib
bench: set-up ## Compare with AwsCustomResource on the emulator, and write docs/benchmarks.md.
	@$(RUN) benchmarks $(BENCH_ARGS)

verify-aws: set-up ## Try out on a real instance what is assumed about Connect; VERIFY_ARGS="--instance-id …".
	@PYTHONPATH=constructs $(RUN) connect_associations.cli verify $(VERIFY_ARGS)

assume: set-up ## Note in the list of assumptions what a report of verify-aws observed; REPORT=report.json.
	@$(RUN) tools.assume $(REPORT)

mutants: set-up ## Break the provider in one place at a time, and count what no test notices; takes hours.
	@$(RUN) tools.mutants $(MUTANTS_ARGS)

lint: set-up ## Check style and formatting.
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

types: set-up ## Check types with mypy (strict) and pyright.
	@$(RUN) mypy
	@$(RUN) pyright

format: set-up ## Format the code, and fix what can be fixed by itself.
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

build: ## Build the wheel and the source distribution into dist/; installs only what that needs.
	@$(FIND_PYTHON)
	@"$(PYTHON)" -I tools/build.py

release: set-up ## Make the release VERSION: check, change, build, commit and tag; publishes nothing.
	@$(RUN) tools.release $(VERSION) $(RELEASE_ARGS)

publish: set-up ## Upload what `make release` has built to PyPI; in a workflow, as a trusted publisher.
	@$(RUN) twine check --strict dist/*
	@$(RUN) twine upload --non-interactive dist/*

# The theme's authors advertise a successor of MkDocs on every run.
docs: export NO_MKDOCS_2_WARNING := 1
docs: set-up ## Build the documentation into site/, and fail on whatever is odd in it.
	@$(RUN) mkdocs build --strict --clean

docs-branch: export NO_MKDOCS_2_WARNING := 1
docs-branch: set-up ## Add the documentation of VERSION to the branch gh-pages, as the latest one; pushes nothing.
	@.venv/bin/mike deploy --update-aliases "$(or $(VERSION),$(error Name the version: make $@ VERSION=1.2))" latest
	@.venv/bin/mike set-default latest

lock: set-up ## Pin what requirements*.in and package.json ask for.
	@tools/lock

sbom: set-up ## List what the Lambda functions hold in build/sbom.json, as CycloneDX.
	@$(RUN) tools.sbom $(SBOM_ARGS)

audit: set-up ## Ask a vulnerability service about what is pinned; needs the network.
	@$(RUN) tools.audit

clean: ## Remove all that set-up and the tools made.
	rm -rf .venv .venv-build .venv-emulator .tools node_modules benchmarks/node_modules build dist site cdk.out \
		.cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
