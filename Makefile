# Small verbs. Each makes .venv when it is missing.
SHELL := /bin/bash
PYTHON ?= python3
V := .venv/bin
# The oldest PostgreSQL that is promised; the tests run on it, too.
OLDEST ?= /usr/lib/postgresql/15/bin
INSTALLED := .venv/.installed

KAFKA_PORT ?= 9092
SEED ?= 1
MINUTES ?= 60

.PHONY: install run test test-rules test-store test-served test-stream test-oldest soak check bench format docs lock clean java pgbouncer kafka kafka-stop

install: $(INSTALLED)

$(INSTALLED): pyproject.toml requirements/dev.lock requirements/demo.lock
	test -x $(V)/python || $(PYTHON) -m venv .venv
	$(V)/pip install --quiet --require-hashes -r requirements/dev.lock
	$(V)/pip install --quiet --require-hashes --no-deps -r requirements/demo.lock
	$(V)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

run: install            ## a few weeks of real trade through the ledger, then serve it; ARGS=--full: the year
	$(V)/grossbuch demo $(ARGS)

java:                   ## Java and Maven, for the broker of the tests: root gets them, others are told
	@requirements/java

pgbouncer:              ## a pooler, for the tests: root gets it, others are told
	@requirements/pgbouncer

kafka: install java     ## a Kafka broker of this machine in .kafka/, on KAFKA_PORT
	@$(V)/python -m infra.kafka.local start --port $(KAFKA_PORT)

kafka-stop: install
	@$(V)/python -m infra.kafka.local stop

# The longest first, so that none runs long alone at the end. The lines of suites that run at once mingle: the ends of
# those that failed are told once more, last.
LOGS := .tests
at_once = rm -rf $(LOGS); mkdir $(LOGS); \
	$(MAKE) --no-print-directory --jobs=3 --keep-going $(1) || { tail -v -n 15 $(LOGS)/* | cut -c -300; exit 1; }
logged = set -o pipefail; mkdir -p $(LOGS); $(1) 2>&1 | tee $(LOGS)/$@ && rm $(LOGS)/$@

test: install java pgbouncer      ## at once: the tests of the stream and of servers wait much, the others compute
	@$(call at_once,test-served test-stream test-rules test-store)

test-served:            ## over HTTP, on the command line and in the browser
	$(call logged,$(V)/pytest tests/e2e)

test-rules:
	$(call logged,$(V)/pytest tests/unit tests/properties)

test-store:
	$(call logged,$(V)/pytest tests/integration tests/conformance)

test-stream:
	$(call logged,$(V)/pytest tests/kafka)

# What asks the server most of what it is ever asked; other properties try rules more than SQL.
OF_SQL := $(addprefix tests/properties/test_,worked_examples.py registers.py months.py restatements.py)

test-oldest:
	@test -x $(OLDEST)/postgres || echo "PostgreSQL 15 is not in $(OLDEST): run on the embedded one only"
	test ! -x $(OLDEST)/postgres || \
	{ $(call logged,GROSSBUCH_TEST_BIN_DIR=$(OLDEST) $(V)/pytest tests/integration tests/conformance $(OF_SQL)); }

soak: install java      ## faults and hostile callers at random for MINUTES, from SEED on; one that fails is told
	$(V)/python -m tests.soak $(SEED) $(MINUTES)

check: install java pgbouncer     ## what CI runs
	$(V)/ruff format --check .
	$(V)/ruff check .
	$(V)/mypy
	$(V)/lint-imports
	@$(call at_once,test-served test-stream test-rules test-oldest test-store)

bench: install java
	$(V)/python -m bench

format: install
	$(V)/ruff format .
	$(V)/ruff check --fix .

docs: install           ## write the generated reference: OpenAPI, AsyncAPI, events, commands
	$(V)/python -m docs.generate

lock:                   ## after a change of dependencies in pyproject.toml
	$(V)/pip install --quiet uv
	$(V)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 --universal --extra dev pyproject.toml -o requirements/dev.lock
	$(V)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 --universal --constraints requirements/dev.lock pyproject.toml -o requirements/run.lock
	$(V)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 --no-deps requirements/demo.in -o requirements/demo.lock

clean:
	rm -rf .venv $(LOGS) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
