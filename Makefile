# Content Studio in two commands: `make run` and `make test`. Both do all set-up; the second time it takes no time.
.DEFAULT_GOAL := help
.PHONY: help run test coverage bench chaos quality lint lock clean

python := .venv/bin/python

help:  ## Tell what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run:  ## Run the studio: PORT, HOST and WORKERS may be given
	@setup/python -m setup.install
	@exec $(python) manage.py studio

test:  ## Check everything: style, types, imports, tests on SQLite and PostgreSQL
	@setup/python -m setup.install --dev
	@exec $(python) -m setup.checks

coverage:  ## Tell which lines the tests reach: a pass on SQLite
	@setup/python -m setup.install --dev
	@exec $(python) -m setup.checks --coverage

bench:  ## Measure the studio beside a plain sequential crew, into docs/benchmarks.md: RUNS or QUICK=1 may be given
	@setup/python -m setup.install --dev
	@exec $(python) -m bench $(if $(RUNS),--runs $(RUNS)) $(if $(QUICK),--quick)

chaos:  ## Kill processes of a studio at work, N times (200), and see that nothing is lost, paid for twice, or goes on late
	@setup/python -m setup.install --dev
	@CHAOS_KILLS=$(or $(N),200) $(python) -m pytest tests/chaos -q -s

quality:  ## Score the finished articles, without a model
	@setup/python -m setup.install
	@exec $(python) manage.py quality --all

lint:  ## Mend the style, then check style, types and imports
	@setup/python -m setup.install --dev
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .
	@$(python) -m mypy
	@.venv/bin/lint-imports

lock:  ## Find the newest versions the requirements allow, and lock them with their hashes
	@setup/python -m setup.install --dev
	@$(python) -m uv pip compile requirements-dev.txt --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command "make lock" --quiet --output-file requirements-dev.lock
	@$(python) -m uv pip compile requirements.txt --constraints requirements-dev.lock --universal --python-version 3.11 \
		--generate-hashes --upgrade --custom-compile-command "make lock" --quiet --output-file requirements.lock

clean:  ## Remove what was installed and cached; var/, which holds your articles, stays
	@rm -rf .venv .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
