# `make run` starts the studio, `make test` checks it. Both install what they need the first time.
.DEFAULT_GOAL := help
.PHONY: help run test coverage bench load chaos machines judge quality image image-test release lint lock clean

python := .venv/bin/python

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run:  ## Run the studio; options: PORT, HOST, WORKERS
	@setup/python -m setup.install
	@exec $(python) manage.py studio

test:  ## Check style, types and imports; run the tests on PostgreSQL and SQLite
	@setup/python -m setup.install --dev
	@exec $(python) -m setup.checks

coverage:  ## Run the tests on SQLite and report their coverage
	@setup/python -m setup.install --dev
	@exec $(python) -m setup.checks --coverage

bench:  ## Measure articles and the API, and write docs/benchmarks.md; options: RUNS, QUICK=1
	@setup/python -m setup.install --dev
	@exec $(python) -m bench $(if $(RUNS),--runs $(RUNS)) $(if $(QUICK),--quick)

load:  ## Load a studio with 200 users and 50 articles, and 2,000 more for its memory; options: QUICK=1, ARGS="--day 200"
	@setup/python -m setup.install --dev
	@exec $(python) -m bench.load $(if $(QUICK),--quick) $(ARGS)

chaos:  ## Kill processes of a working studio N times (200), and check that no work is lost, paid twice or resumed late
	@setup/python -m setup.install --dev
	@CHAOS_KILLS=$(or $(N),200) $(python) -m pytest tests/chaos -q -s

machines:  ## Run a studio on four network namespaces: slow and cut links, a killed machine, an upgrade; needs root; option: PREVIOUS
	@setup/python -m setup.install --dev
	@MACHINES=1 $(if $(PREVIOUS),PREVIOUS=$(PREVIOUS)) $(python) -m pytest tests/machines -q -s

judge:  ## Compare articles with other systems, judged blind; SOURCES=folder, ARGS="write --system studio" (docs/quality.md)
	@setup/python -m setup.install --dev
	@$(python) -m bench.judge $(or $(ARGS),prepare) $(SOURCES)

quality:  ## Score finished articles without a model
	@setup/python -m setup.install
	@exec $(python) manage.py quality --all

image:  ## Build the container image with docker, podman or buildah; options: TAG, BASE, BUILDER
	@BUILDAH_FORMAT=docker $(or $(BUILDER),$(shell command -v docker podman buildah | head -1),docker) build \
		--tag $(or $(TAG),content-studio) $(if $(BASE),--build-arg BASE=$(BASE)) \
		--build-arg REVISION=$$(git rev-parse HEAD) .

image-test:  ## Build the image and write articles in it; needs root on Debian; option: BASE, else one is made
	@setup/python -m setup.install --dev
	@IMAGE_BASE=$(or $(BASE),made) $(python) -m pytest tests/image -q -s

release:  ## Write SBOM and licence list to dist/; fails on copyleft licences and known vulnerabilities
	@setup/python -m setup.install --dev
	@exec $(python) -m setup.release dist

lint:  ## Fix the style; check style, types and imports
	@setup/python -m setup.install --dev
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .
	@$(python) -m mypy
	@.venv/bin/lint-imports

lock:  ## Lock the newest versions that the requirements allow, with their hashes
	@setup/python -m setup.install --dev
	@$(python) -m uv pip compile requirements-dev.txt --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command "make lock" --quiet --output-file requirements-dev.lock
	@$(python) -m uv pip compile requirements.txt --constraints requirements-dev.lock --universal --python-version 3.11 \
		--generate-hashes --upgrade --custom-compile-command "make lock" --quiet --output-file requirements.lock

clean:  ## Remove installed and cached files, but not var/ with your articles
	@rm -rf .venv .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
