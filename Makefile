# make help says what there is.
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3 python3.14; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
HAS_PYTHON = test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing:  apt-get install python3 python3-venv" >&2; exit 1; }
# One more than there are processors: browsers and processes of tests/services are waited for.
WORKERS := $(shell echo $$(($$(nproc) + 1)))

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 - /p' Makefile | awk -F' - ' '{printf "make %-12s %s\n", $$1, $$2}'

.PHONY: help install setup packages run test deep unit coverage check lint year bench bench-pages crash screenshots simulate package bundle deb release lock sbom audit migration clean
.NOTPARALLEL:  # two installations at once would wait for each other's lock

install: $(VENV)/.version  ## what a server needs: .venv, nothing else

setup: packages $(VENV)/.version $(VENV)/.tools build/client-tool/.ready  ## what the tests need and the machine lacks: Debian packages, then .venv

# No stamp: packages come and go without this folder. Looking for them takes milliseconds.
packages:
	@$(HAS_PYTHON)
	@bash .ci/setup

# What generates a client of the API for a test: its pins differ from ours, so it has an environment of its own.
build/client-tool/.ready: tests/services/engine/api/client_generator.lock
	@$(HAS_PYTHON)
	@$(PYTHON) -m venv build/client-tool
	@build/client-tool/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

run: $(VENV)/.version  ## the demonstration: http://127.0.0.1:8188
	@exec $(BIN)/dondoc demo

PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Every test but those marked «deep».
test: setup  ## installs what is missing, then every test that is not marked «deep»
	@$(PYTEST) -m "not deep"

# The tests that need no database and no server.
unit: $(VENV)/.version $(VENV)/.tools  ## the tests without a database or a server
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n $$(nproc) --dist worksteal tests/unit

# Branch coverage by package. It runs everything once more, and slower; there is no bar to pass.
coverage: setup  ## branch coverage by file
	@$(PYTEST) --cov=config --cov=engine --cov=notifications --cov=workflows --cov-branch

lint: $(VENV)/.version $(VENV)/.tools  ## format, budget, spelling, types, imports
	@$(BIN)/python tests/budget.py
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file tests/mypy.ini tests
	@$(BIN)/lint-imports

check: lint test  ## lint and test
# Plan 188 lives its year, and every number of every page and letter is followed on every Monday of it (5 minutes).
year: setup  ## plan 188 lives its year (5 minutes)
	@DONDOC_TEST_LOOK=weekly $(BIN)/pytest -q -s tests/stories/test_year_of_plan_188.py

# Every test. CASES="-m deep": those alone that make test leaves out. EXAMPLES=1000: so many new examples of each property.
CASES :=
EXAMPLES :=
deep: setup  ## every test; CASES="-m deep" those alone that make test leaves out
	@DONDOC_TEST_EXAMPLES=$(EXAMPLES) $(PYTEST) $(CASES)

screenshots: setup  ## the pictures of docs/screenshots anew
	@PYTHONPATH=.:tests $(BIN)/python -m browser.screenshots

bench: setup  ## what a tick, letters, digests cost, beside a bare baseline
	@$(BIN)/python -m tests.bench.run

bench-pages: setup  ## the pages of a province on both databases
	@$(BIN)/python -m tests.bench.province

# Killed at every step of every pass, then the product as it is started, struck while a thousand letters leave.
# More: make crash SEEDS=2000 FAULTS=40 ROUNDS=25
SEEDS := 300
FAULTS := 20
ROUNDS := 1
CAMPAIGN = PYTHONPATH=tests $(BIN)/python -m tests.crash.campaign --faults $(FAULTS) --rounds $(ROUNDS)
crash: setup  ## killed at every step, then struck while letters leave
	@$(BIN)/python tests/crash/run.py --seeds $(SEEDS) --together 20
	@$(BIN)/python tests/crash/run.py --seeds $(SEEDS) --together 20 --postgres
	@$(CAMPAIGN)
	@$(CAMPAIGN) --postgres
	@$(CAMPAIGN) --workers 2
	@$(CAMPAIGN) --workers 2 --postgres
	@$(CAMPAIGN) --faults 5 --rounds 1 --fault term
	@$(CAMPAIGN) --faults 2 --rounds 1 --fault lock
	@$(CAMPAIGN) --faults 2 --rounds 1 --fault lock --postgres
	@$(CAMPAIGN) --faults 5 --rounds 1 --fault full
	@$(CAMPAIGN) --faults 5 --rounds 1 --fault away --postgres
	@$(CAMPAIGN) --faults 5 --rounds 1 --fault crash --postgres

# Several machines with clocks, relays and a database that fail, from one seed a run; on PostgreSQL a fifth of the seeds.
# What fails is printed as a script:  make simulate SCRIPT="17: host1@312:die email@36000:dead/7200"
SCRIPT :=
SIMULATE = PYTHONHASHSEED=0 PYTHONPATH=tests $(BIN)/python -m simulated.run
simulate: setup  ## seeded runs of several machines, clocks and failing databases
	@$(SIMULATE) --seeds $(SEEDS) $(if $(SCRIPT),--script "$(SCRIPT)")
	@$(if $(SCRIPT),,$(SIMULATE) --seeds $$(( $(SEEDS) / 5 )) --postgres)

# The image of packaging/Dockerfile, built for real and started. Root only.
package:  ## the image of packaging/Dockerfile, built and started
	@bash packaging/build

# For an office without the internet, made on a machine like its server's (packaging/bundle).
bundle:  ## all that an office without the internet installs
	@packaging/bundle

deb: bundle  ## the Debian package of that; needs debhelper
	@packaging/deb

# Wheel, source, bundle, SBOM and checksums of the version that CHANGELOG.md dates; tags nothing.
release: $(VENV)/.version $(VENV)/.tools  ## the files of the version that CHANGELOG.md dates
	@packaging/release

# What this is made of, as CycloneDX: build/sbom.cdx.json. The tool has an environment of its own.
sbom: build/server/.ready  ## what it is made of, as CycloneDX
	@$(PYTHON) -m venv build/sbom-tool
	@build/sbom-tool/bin/pip install -q --disable-pip-version-check cyclonedx-bom==7.5.0
	@build/sbom-tool/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  -o build/sbom.cdx.json build/server/bin/python
	@build/sbom-tool/bin/python packaging/release_dates.py build/sbom.cdx.json
	@echo build/sbom.cdx.json

# An environment as a server has it, without the tools of the tests.
build/server/.ready: requirements.lock setup.py CHANGELOG.md $(wildcard .git/logs/HEAD)
	@$(HAS_PYTHON)
	@$(PYTHON) -m venv build/server
	@build/server/bin/pip install -q --disable-pip-version-check --no-deps -r requirements.lock
	@build/server/bin/pip install -q --disable-pip-version-check --no-deps .
	@touch $@

# The pinned parts against known weaknesses (packaging/audit).
audit:  ## the pinned parts against known weaknesses
	@$(HAS_PYTHON)
	@$(PYTHON) -m venv build/audit-tool
	@build/audit-tool/bin/pip install -q --disable-pip-version-check pip-audit==2.9.0
	@packaging/audit

migration: $(VENV)/.version  ## a new step of the schema: what="letters carry a language"
	@$(BIN)/python -m engine.store.migrations $(what)

clean:  ## takes away what was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info build

# One way to write both locks: every version is kept but what pyproject.toml asks anew (UPGRADE=1: the newest of each).
COMPILE = build/lock-tool/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --no-header $(if $(UPGRADE),--upgrade) pyproject.toml
lock:  ## both locks anew from pyproject.toml; UPGRADE=1: the newest versions
	@$(HAS_PYTHON)
	@$(PYTHON) -m venv build/lock-tool
	@build/lock-tool/bin/pip install -q --disable-pip-version-check uv==0.13.9
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(HAS_PYTHON)
	@test -x $(BIN)/pip || $(PYTHON) -c 'import ensurepip' 2>/dev/null || bash .ci/setup venv
	@test -x $(BIN)/pip || { echo "Making $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing what requirements.lock names (a minute or two the first time)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -r requirements.lock
	@touch $@

# The version is made by the build from git: another commit is another version.
$(VENV)/.version: $(VENV)/.ready setup.py CHANGELOG.md $(wildcard .git/logs/HEAD)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.tools: requirements-dev.lock | $(VENV)/.ready
	@echo "Installing what requirements-dev.lock adds for the tests"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -r requirements-dev.lock
	@touch $@
