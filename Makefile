# The front door: every task of a contributor, on a machine with what the README names. `make` lists them.

.POSIX:
.SUFFIXES:

PYTHON = python3
RUN = .venv/bin/python -m
PYTEST = $(RUN) pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)
# The same in one worker: one that dies or hangs names its test, and the run goes on and ends as it should.
PYTEST_ALONE = $(RUN) pytest -n 1 $(PYTEST_ARGS)
# More or less of pytest: make test PYTEST_ARGS="-x -k licence"
PYTEST_ARGS =
# Processes of the fast tests, each with embedded servers of its own; 0 runs them in pytest's own, as --pdb needs it.
WORKERS = 2
FAST = not kafka_only and not slow and not ops and not browser
# One half of the fast tests only.
HALF =
# Tests that take every branch of kernel and domain; orders of arrival take none that others do not.
PURE = tests/unit/kernel tests/unit/ledger tests/unit/licensing tests/unit/customs tests/unit/singlewindow \
  tests/unit/laboratory tests/property tests/acceptance tests/contract \
  -k 'not every_order and not orders_of_arrival and not again_and_again'
# Steps of generated histories in make simulation, and the seed of the first round; 0: a random one, which is printed.
STEPS = 200000
SEED = 0
# Advisories for make audit: a zip file or folder of OSV (ecosystem PyPI) or PyPA.
DB =
# Documents of each kind for each operation in make fuzz.
FUZZ_EXAMPLES = 1000
# Names of seeded bugs, or --slice; none: all, and the page of the results is written anew.
MUTANTS =
# Less of make attack: ATTACK_ARGS="--only wire --answers"
ATTACK_ARGS =

LOCKS = pyproject.toml requirements/uv.txt requirements/build.txt requirements/runtime.txt requirements/embedded.txt
RUNNABLE = .venv/ready-to-run
TESTABLE = .venv/ready-to-test
CHECKABLE = .venv/ready-to-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(RUNNABLE) ## a day of the Union on the embedded servers, proved at the end
	@.venv/bin/certex-bridge demo

setup: $(RUNNABLE) ## .venv with what the bridge and the demo need

setup-all: $(CHECKABLE) ## .venv with everything make check needs

test: $(TESTABLE) ## fast tests on embedded PostgreSQL and brokers, in two workers (make test WORKERS=0: in one process)
	@$(PYTEST) -m "$(FAST) $(HALF)"

test-slow: $(TESTABLE) ## the long ones left out of make test, on the embedded servers
	@$(PYTEST_ALONE) -m "slow and not kafka_only and not ops and not browser" || [ $$? = 5 ]  # 5: there are none

test-kafka: $(TESTABLE) ## tests that use a broker, on Apache Kafka 4.3.1 (needs Java and Maven; installed when root)
	@$(PYTHON) tools/fetch_kafka.py >/dev/null
	@CERTEX_TEST_KAFKA=apache $(PYTEST_ALONE) -m "(broker or kafka_only) and not ops and not browser"

check-ops: $(CHECKABLE) ## image, chart, rules and dashboards (needs Prometheus' and Alertmanager's tools; installed when root)
	@$(PYTHON) tools/fetch_ops.py >/dev/null
	@$(PYTEST_ALONE) -m ops tests/ops

test-console: $(CHECKABLE) ## the console in Chromium on a running demo (needs Chromium and npm; installed when root)
	@$(PYTHON) tools/fetch_console_tools.py >/dev/null
	@$(PYTEST_ALONE) -m browser tests/console

rehearse: $(CHECKABLE) ## the steps of the Dockerfile and the image's commands in bare Debian (root, debootstrap, two minutes)
	@.venv/bin/python tools/image_rehearsal.py

fuzz: $(TESTABLE) ## whatever can be sent to the live gateway, for long: make fuzz FUZZ_EXAMPLES=5000
	@CERTEX_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PYTEST_ALONE) tests/integration/singlewindow/test_gateway_live.py

simulation: $(TESTABLE) ## the ledger beside its model until the first difference: make simulation STEPS=200000 SEED=1
	@$(RUN) tests.simulation.campaign --steps $(STEPS) --seed $(SEED)

mutants: $(TESTABLE) ## seed bugs one by one and tell which test catches each: make mutants MUTANTS="relay-cursor split-against-limit"
	@.venv/bin/python tools/mutants.py --workers $(WORKERS) $(MUTANTS)

attack: $(TESTABLE) ## send hostile inputs to gateway, console and decoders, and report answers, work and memory by kind
	@$(RUN) tests.attack.campaign $(ATTACK_ARGS)

faults: $(TESTABLE) ## try every fault of docs/reference/faults.md on Apache Kafka and PostgreSQL, and report each
	@$(PYTHON) tools/fetch_kafka.py >/dev/null
	@.venv/bin/python tools/faults.py

lint: $(CHECKABLE) ## style
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

format: $(CHECKABLE) ## put the style right where a tool can
	@$(RUN) ruff check --fix-only .
	@$(RUN) ruff format .

types: $(CHECKABLE) ## mypy, strict
	@$(RUN) mypy
	@$(RUN) mypy tests/support tools bench

layers: $(CHECKABLE) ## who may import whom
	@.venv/bin/lint-imports --no-cache

tidy: $(TESTABLE) ## rules of the repository itself
	@$(PYTEST) tests/tidy

coverage: $(TESTABLE) ## branch coverage of the fast tests
	@$(PYTEST) -m "$(FAST)" --cov --cov-report=term

pure: $(TESTABLE) ## every branch of kernel and domain was taken in the last run with coverage
	@$(RUN) coverage report --include="*/kernel/*,*/domain/*" --fail-under=100 --skip-covered

codes: $(TESTABLE) ## each code of the reference was raised in the runs before, and none is raised that it does not know
	@.venv/bin/python tools/raised_codes.py

check: ## everything CI runs
	@rm -f out/catalogue.json out/raised.json
	@$(MAKE) test
	@$(MAKE) check-rest

check-rest: $(CHECKABLE) ## what make check runs after make test
	@$(MAKE) lint
	@$(MAKE) types
	@$(MAKE) layers
	@$(MAKE) docs
	@# Tracing takes twice the time and more: those are run once more under it that are enough for the pure code.
	@$(MAKE) test HALF="and not postgres and not broker" PYTEST_ARGS="$(PYTEST_ARGS) $(PURE) --cov --cov-report="
	@$(MAKE) pure
	@$(MAKE) codes
	@$(MAKE) mutants MUTANTS=--slice
	@$(PYTHON) tools/side_by_side.py "test-slow test-console" "test-kafka check-ops"  # they mostly wait

bench: $(CHECKABLE) ## measure, beside the naive baseline
	@$(RUN) bench

contracts: $(RUNNABLE) ## write the generated files anew (schemas, contracts, reference pages)
	@.venv/bin/certex-bridge contracts

guards: $(CHECKABLE) ## after a change of a migration: write the list anew that journal verify compares the schema with
	@.venv/bin/python tools/schema_guards.py

docs: $(CHECKABLE) ## the documentation as a site in out/site, its drawings written anew
	@.venv/bin/python tools/docs_drawings.py
	@NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict --quiet  # the notice of the theme's end: pyproject.toml says more
	@echo "out/site/index.html"

chart: $(CHECKABLE) ## write the generated parts of the chart anew (schema, rules, dashboards)
	@.venv/bin/python tools/chart_schema.py
	@.venv/bin/python tools/watch_files.py

audit: $(CHECKABLE) ## known weaknesses of the locked packages, offline: make audit DB=all.zip (an export of OSV or PyPA)
	@[ -n "$(DB)" ] || { echo "name the database: make audit DB=all.zip" >&2; exit 2; }
	@.venv/bin/python tools/audit.py "$(DB)"

lock: ## resolve the dependencies anew; make lock LOCK_ARGS=--upgrade takes newer versions
	@$(PYTHON) tools/lock.py $(LOCK_ARGS)

clean: ## remove what was built or cached here
	rm -rf .venv .cache out dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find services tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(RUNNABLE): tools/bootstrap.py $(LOCKS)
	@$(PYTHON) tools/bootstrap.py runtime build embedded
	@touch $@

$(TESTABLE): $(RUNNABLE) requirements/test.txt
	@$(PYTHON) tools/bootstrap.py runtime build embedded test
	@touch $@

$(CHECKABLE): $(TESTABLE) requirements/lint.txt requirements/bench.txt requirements/docs.txt requirements/ops.txt requirements/browser.txt
	@$(PYTHON) tools/bootstrap.py
	@touch $@

.PHONY: help demo setup setup-all test test-slow test-kafka check-ops test-console rehearse fuzz simulation mutants attack faults lint format types layers tidy coverage pure codes check check-rest bench contracts guards docs chart audit lock clean
