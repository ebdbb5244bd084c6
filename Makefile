# Every target sets up what it needs by itself; only Python 3.11+, Go 1.26+ and git have to be there.

PYTHON ?= python3
ARGS ?=
MINUTES ?= 20
JOBS ?= 2
SITE ?= infra/site.example.yaml
BIN := .venv/bin
SHELL_SCRIPTS := $(wildcard .ci/run krew/kubectl-seatpool operator/seatpool/servers/*.sh operator/seatpool/sim/xlc)

.DEFAULT_GOAL := help
.PHONY: help bootstrap controlplane environment test backends demo e2e peers image wheel audit bench soak model infra cdk openapi lint types imports generate generated check

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  make PYTHON=python3.12 ...   another Python        make test ARGS="-k name"   arguments for the program'

bootstrap: ## set up .venv, etcd, kube-apiserver, kubectl and helm (the other targets do it themselves)
	@$(require_python)
	@$(PYTHON) tools/bootstrap.py

controlplane:
	@$(require_python)
	@$(PYTHON) tools/bootstrap.py --no-helm

environment:
	@$(require_python)
	@$(PYTHON) tools/bootstrap.py --no-controlplane

test: bootstrap ## run the tests, on a real control plane
	$(BIN)/pytest -n $(JOBS) --dist loadfile $(ARGS)

backends: bootstrap ## the tests of lists on every way to keep them, also on those that `make test` leaves out; minutes
	$(BIN)/pytest -n $(JOBS) --dist loadfile -m "thorough or not thorough" tests/integration/backends $(ARGS)

demo: controlplane ## see it work in the terminal; ARGS="--help" tells what else it can do
	@$(BIN)/seatpool demo $(ARGS)

e2e: bootstrap ## install the chart on a real node: kind, or as root one of its own; minutes; ARGS="--node own"
	@$(BIN)/python tools/e2e.py $(ARGS)

peers: environment ## lists on a real Keycloak from Maven Central; minutes; needs Java and Maven
	@$(BIN)/python tools/peers.py $(ARGS)

image: environment ## build the operator's image, with a container engine or without
	@$(BIN)/python tools/image.py

wheel: environment ## build the wheel and the kubectl plugin into dist/; HOMEPAGE=https://... for Krew's manifest
	@$(BIN)/python tools/wheel.py $(if $(HOMEPAGE),--homepage $(HOMEPAGE))

audit: environment ## known vulnerabilities in what the image is made of, by pip-audit
	@$(BIN)/python tools/audit.py

bench: controlplane ## measure beside the pipeline, a plain LIST and a naive operator; ARGS="storm" runs one of them
	$(BIN)/python -m benchmarks $(ARGS)
	@$(BIN)/python -m benchmarks.plots
	@$(BIN)/python -m benchmarks.pages

soak: controlplane ## random life with faults and an independent checker; MINUTES=20
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) $(ARGS)

model: ## check the protocol in model/ exhaustively with spin
	@$(require_python)
	@$(PYTHON) model/check.py

infra: environment ## synthesise the AWS side into build/infra, judged by cdk-nag; SITE=my-site.yaml
	@PYTHONPATH=infra $(BIN)/python -m seatpool_infra --site $(SITE) --out build/infra
	@echo 'templates and the settings that go with them are in build/infra; docs/aws.md tells how to deploy them'

cdk: environment ## the cdk command, fetched from npm, on SITE; ARGS="diff --all", ARGS="deploy --all"
	@PYTHONPATH=infra $(BIN)/python -m seatpool_infra.cdk $(ARGS) -c site=$(abspath $(SITE))

openapi: environment ## the API's document judged by Redocly's linter, fetched from npm by a lock file
	@$(BIN)/python tools/openapi_lint.py

lint: environment ## ruff and shellcheck
	$(BIN)/ruff check
	$(BIN)/shellcheck $(SHELL_SCRIPTS)

types: environment ## mypy, strict
	$(BIN)/mypy
	MYPYPATH=tools $(BIN)/mypy tools/setup_steps.py tools/chart_files.py

imports: environment ## the layers: who may import whom
	$(BIN)/lint-imports

generate: environment ## write crds/, docs/reference/ and parts of charts/ from the code
	$(BIN)/seatpool crds --out crds
	$(BIN)/seatpool reference --out docs/reference
	$(BIN)/python tools/chart_files.py
	PYTHONPATH=infra $(BIN)/python -m seatpool_infra.generate

generated: environment ## fail when crds/ is not what the models say, or the chart is not what its values say
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && $(BIN)/seatpool crds --out "$$fresh" >/dev/null && \
	{ diff -ru crds "$$fresh" || { echo 'crds/ is not what the models say: run make generate' >&2; exit 1; }; }
	@$(BIN)/python tools/chart_files.py --check

check: lint types imports generated ## all of lint, types, imports and generated

define require_python
command -v $(PYTHON) >/dev/null || \
{ echo 'Python 3.11 or newer is needed and $(PYTHON) is not on PATH: install it, or name it: make PYTHON=python3.12' >&2; exit 1; }
endef
