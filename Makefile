# Sorami on one machine: needs only Python >= 3.11 and make. `make` alone lists the commands.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# Python caches what it compiles: every later start is quicker by seconds.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONHOME

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$name; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup run up down status logs test test-again check fix contracts node-tools chaos chaos-short upgrade-check security-report screenshots chart alerts-check chart-cluster rolling image image-check compose-check locks seed-data bench bench-long bench-compare clean

help: ## Show these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## Make the private environment (.venv) that everything else uses

# Done again only when a package or the project's own declaration changed.
$(READY): requirements.lock bootstrap.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "sorami: no Python 3.11 or newer was found; install one, for example: sudo apt-get install -y python3 python3-venv" >&2; exit 78; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "sorami: $(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 78; }
	@$(PYTHON) sorami/local/preflight.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up .venv (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bootstrap.lock
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --offline --editable .
	@touch $@

run: $(READY) ## Start everything, make a first image and a first video, stay up until Ctrl-C
	@exec $(BIN)/sorami run

up: $(READY) ## Start everything in the background
	@$(BIN)/sorami up

down: ## Stop what runs in the background; the data stay
	@if [ -x $(BIN)/sorami ]; then $(BIN)/sorami down; fi

status: $(READY) ## Show each process, its port and its state
	@$(BIN)/sorami status

logs: $(READY) ## Follow all logs
	@$(BIN)/sorami logs --follow

test: $(READY) ## Run all tests
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

# Two workers share two cores with a browser: what failed beside the other, and only that, is judged alone.
test-again: $(READY) ## Run what failed once more, alone, and name it
	@$(BIN)/python -m pytest --last-failed --last-failed-no-failures none --maxfail 1 --verbose

check: $(READY) ## Check format, lint, types, import rules and tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

CHAOS = $(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED))
chaos: $(READY) ## Break the running product in every way and judge it (FULL=1, ONLY=names, SOAK=1h, MUTATIONS=1, SEED=)
	@$(CHAOS) $(if $(FULL),--full) $(if $(ONLY),--only $(ONLY)) $(if $(SOAK),--soak $(SOAK)) $(if $(MUTATIONS),--mutations)

chaos-short: $(READY) ## The same with one fault of each service and server, in a few minutes
	@$(CHAOS) --short

upgrade-check: $(READY) ## Upgrade from BASE=<commit> to this code under load, and back: clients see no error
	@$(CHAOS) --upgrade $(BASE)

fix: $(READY) ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contracts: $(READY) ## Write the committed contract documents anew
	$(BIN)/python -m sorami.documents

NODE_TOOLS := $(VENV)/node-tools

node-tools: $(NODE_TOOLS)/.ready ## Install Node with what tests of the page and of webhooks use it for, where it is wanted

$(NODE_TOOLS)/.ready: tests/node_tools/requirements.lock tests/node_tools/package-lock.json | $(READY)
	@$(BIN)/python -m venv --without-pip $(NODE_TOOLS)/node
	@VIRTUAL_ENV="$(CURDIR)/$(NODE_TOOLS)/node" $(BIN)/uv pip sync --quiet --require-hashes tests/node_tools/requirements.lock
	@cp tests/node_tools/package.json tests/node_tools/package-lock.json $(NODE_TOOLS)/
	@cd $(NODE_TOOLS) && PATH="$(CURDIR)/$(NODE_TOOLS)/node/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund --silent
	@mkdir -p $(NODE_TOOLS)/check
	@ln -sfn $(CURDIR)/services/gateway/static/js $(NODE_TOOLS)/check/js
	@ln -sfn $(CURDIR)/tests/node_tools/types $(NODE_TOOLS)/check/vendor
	@ln -sfn $(CURDIR)/tests/node_tools/tsconfig.json $(NODE_TOOLS)/check/tsconfig.json
	@touch $@

# Helm's own library and Kubernetes' schemas.
CHART_TOOLS := $(VENV)/.chart-tools
$(CHART_TOOLS): deploy/helm/requirements.lock $(READY)
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --quiet --require-hashes -r $<
	@touch $@

security-report: $(CHART_TOOLS) $(NODE_TOOLS)/.ready ## Run the tests of tests/SECURITY.md on the real stack; what became of each row, in .sorami/security
	@$(BIN)/python -m tests.security_report $(ROWS)

screenshots: $(READY) ## Look at every view of the page: pictures of it in .sorami/screenshots, three of them in docs/img
	@$(BIN)/python -m tests.e2e.page.screenshots

chart: $(CHART_TOOLS) ## Check the Helm chart: lint, 50 renderings, Kubernetes' schemas, flows, Pod Security
	@$(BIN)/python -m pytest -q tests/deploy tests/contract/test_chart_documents.py

PROMTOOL := $(VENV)/promtool
alerts-check: $(PROMTOOL) ## See every alert fire and clear, by Prometheus' own tool (built once; needs Go)
	@$(BIN)/python -m pytest -q -x tests/deploy/alerts_check.py tests/deploy/alerts_live_check.py

# Without its discovery of services, which is most of it and judges no rule.
$(PROMTOOL): tests/deploy/promtool/go.mod tests/deploy/promtool/go.sum | $(READY)
	@echo "Building Prometheus' promtool (once, a few minutes) …"
	@cd tests/deploy/promtool && CGO_ENABLED=0 go build -trimpath -tags remove_all_sd -ldflags="-s -w" \
		-o $(CURDIR)/$@ github.com/prometheus/prometheus/cmd/promtool

chart-cluster: $(CHART_TOOLS) ## Install, upgrade and remove the chart on a real control plane; needs root and Go (builds Kubernetes once)
	@$(BIN)/python -m pytest -q -rs -s -x tests/deploy/cluster_check.py

rolling: $(READY) ## Replace every service while fifty jobs a second are asked for, and print what was measured
	@$(BIN)/python -m pytest -q -s tests/deploy/rolling_check.py

image: ## Build the container image with docker, podman or buildah (IMAGE=, BASE=)
	@deploy/image/build.sh

image-check: $(READY) ## Build the image from nothing and see it make a job; needs root, buildah, podman, runc, debootstrap
	@$(BIN)/python -m pytest -q -rs tests/deploy/image_check.py

compose-check: $(READY) ## Start compose.yaml by podman with stand-ins for public images; needs what image-check needs, aardvark-dns and iptables
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --quiet --require-hashes -r tests/deploy/compose.lock
	@$(BIN)/python -m pytest -q -rs -s -x tests/deploy/compose_check.py

# Versions move only when they must: each lock keeps what it has, and those of the image and the chart follow the first.
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header
locks: $(READY) ## Write the lock files anew after a change of dependencies
	$(COMPILE) --all-extras pyproject.toml -o requirements.lock
	$(COMPILE) --extra gateway --extra generator --extra persistence --extra notifier --extra channels --extra telemetry -c requirements.lock \
		pyproject.toml -o deploy/image/requirements.lock
	$(COMPILE) -c bootstrap.lock deploy/image/build.in -o deploy/image/build.lock
	$(COMPILE) -c requirements.lock deploy/helm/requirements.in -o deploy/helm/requirements.lock
	$(COMPILE) -c requirements.lock tests/deploy/compose.in -o tests/deploy/compose.lock
	$(COMPILE) tests/bench/requirements.in -o tests/bench/requirements.lock

# What we are measured against has an environment of its own: nothing of it is Sorami's.
BENCH := $(VENV)/bench
$(BENCH)/.ready: tests/bench/requirements.lock | $(READY)
	@$(BIN)/python -m venv --without-pip $(BENCH)
	@VIRTUAL_ENV="$(CURDIR)/$(BENCH)" $(BIN)/uv pip sync --quiet --require-hashes tests/bench/requirements.lock
	@touch $@

BENCHES = $(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS))
bench: $(BENCH)/.ready ## Measure against the seeds, queues and relays in one run; needs wrk (ONLY=accept,relay, QUICK=1, ROUNDS=)
	@$(BENCHES)

bench-long: $(BENCH)/.ready ## The same at a million and at three million jobs
	@$(BENCHES) --long

bench-compare: $(READY) ## Two commits taking turns: BASE=<commit>, ROUNDS=
	@test -n "$(BASE)" || { echo "name the commit to compare with: make bench-compare BASE=main" >&2; exit 64; }
	@$(BIN)/python -m tests.bench.compare $(BASE) $(ROUNDS)

N ?= 100000
seed-data: $(READY) ## Fill the running database with N=100000 made-up jobs, for measurements
	@$(BIN)/sorami seed-data --jobs $(N) $(SEED_OPTIONS)

clean: ## Remove the private environment and caches; data in .sorami stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
