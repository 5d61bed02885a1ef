# `make` alone lists the targets. Everything is installed into .venv and kept in var/; nothing else is touched.
.DEFAULT_GOAL := help
.SILENT:
.PHONY: help run stop test slowtest bench chaos mutants lint scan format lock clean env FORCE

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder
NOT_HERE := not bench and not rollout and not chaos
STAMP := .venv/.installed
SCAN := .venv/scan
MUTMUT := .venv/mutmut
TEMPLATES := deploy/infrastructure.yaml deploy/service.yaml
COMPILE = cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header

help: ## List the targets
	awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(STAMP) ## Start everything on this machine; Ctrl-C stops it, its data stays in var/
	exec $(BIN)/python -m deploy.local.run

stop: ## Stop what another terminal's make run started
	if [ -x $(BIN)/python ]; then exec $(BIN)/python -m deploy.local.stop; else echo "Nothing runs here."; fi

env: ## Print how to give a shell or program the environment of make run
	echo 'set -a; . "$${VAR_DIR:-var}/local.env"; set +a'

# Each worker starts a PostgreSQL and an SQS server: four keep two cores busy while tests wait, for a package two are enough.
test: $(STAMP) ## Run the quick tests; TESTS=tests/messaging/outgoing runs those of one package
	exec $(PYTEST) -n $(if $(TESTS),2,4) -m "not slow and $(NOT_HERE)" $(TESTS)

# What takes seconds of CPU time; each of these tests says why.
slowtest: $(STAMP) ## Run the other tests: processes, browsers, random examples; TESTS= as above
	exec $(PYTEST) -n $(if $(TESTS),2,4) -m "slow and $(NOT_HERE)" $(TESTS)

bench: $(STAMP) ## Measure speed and cost beside stock Celery; writes var/bench.json
	exec $(BIN)/python -m bench

chaos: $(STAMP) ## Break things under load and count what was lost; writes var/chaos.json
	exec $(BIN)/python -m chaos $(CHAOS)

mutants: $(STAMP) ## Change the code at random, list what no test notices; ONLY=messaging/outgoing SAMPLE=40 SEED=1
	$(BIN)/uv pip install -q --python $(BIN)/python --target $(MUTMUT) --require-hashes -r requirements/mutants.txt
	PYTHONPATH=$(CURDIR)/$(MUTMUT) exec $(BIN)/python -m mutation $(if $(ONLY),--only $(ONLY)) \
	  --sample $(or $(SAMPLE),40) --seed $(or $(SEED),1) $(MUTANTS)

lint: $(STAMP) ## Check style, types, import directions, migrations and templates
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m tests.environment $(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/cfn-lint $(TEMPLATES)
	$(BIN)/python -W ignore -m tests.environment $(BIN)/python -W ignore manage.py makemigrations --check --dry-run

scan: $(STAMP) ## Check the CloudFormation templates for what is unsafe (checkov, installed apart)
	$(BIN)/uv venv -q --allow-existing $(SCAN)
	$(BIN)/uv pip sync -q --python $(SCAN)/bin/python --require-hashes requirements/scan.txt
	for template in $(TEMPLATES); do \
	  $(SCAN)/bin/checkov -f $$template --framework cloudformation --quiet --compact --skip-download || exit 1; done

format: $(STAMP) ## Format the code, and repair what ruff can repair
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(STAMP) ## Pin the newest allowed versions in requirements/*.txt
	$(COMPILE) --upgrade install.in -o install.txt
	$(COMPILE) --upgrade local.in -o local.txt
	$(COMPILE) base.in -c local.txt -o base.txt
	$(COMPILE) production.in -c local.txt -o production.txt
	$(COMPILE) observability.in -c local.txt -o observability.txt
	$(COMPILE) --upgrade scan.in -o scan.txt
	$(COMPILE) --upgrade mutants.in -c local.txt -o mutants.txt

clean: stop ## Remove .venv, caches and var/ with all local data
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp holds the path that .venv was made in: scripts in a directory that was moved name the old one.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(shell pwd -P))
$(STAMP): FORCE
endif
$(STAMP): requirements/install.txt requirements/local.txt deploy/local/install.sh
	PYTHON='$(PYTHON)' sh deploy/local/install.sh
