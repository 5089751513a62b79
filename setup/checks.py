"""``make test``: runs all checks, and ends with pytest's own summary line.

Tests that use the database run on PostgreSQL first; then all tests run on SQLite. ``make coverage`` runs the second part with
coverage, which takes a quarter longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from setup import debian
from setup.postgres import private_server

CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "migrations": ["manage", "makemigrations", "--check", "--dry-run"],
    "deployment": ["manage", "check", "--deploy", "--fail-level", "ERROR"],
}
# Five processes, because many tests wait. All tests of a file run in one, so that its workers and browser start only once.
PYTEST = ["pytest", "-q", "-n", "5", "--dist", "loadfile", "--no-loadscope-reorder"]

# These use the database like other tests do, but spend their time on the crew, sockets or texts: once, on SQLite, is enough.
SQLITE_ONLY = [
    "agents/test_approval.py",
    "agents/test_edited_agents.py",
    "agents/test_provider_faults.py",
    "agents/test_provider_refusals.py",
    "articles/test_costs_of_runs.py",
    "articles/test_exports_hostile.py",
    "articles/test_seo.py",
    "articles/test_seo_links.py",
    "articles/test_seo_pages.py",
    "articles/test_socket_access.py",
    "articles/test_sockets.py",
    "articles/test_socket_lifecycle.py",
    "articles/test_socket_lost_access.py",
    "test_imports.py",
    "test_logs.py",
    "test_outage.py",
]
ON_POSTGRESQL = ["-m", "(django_db or each_store) and not browser", *(f"--ignore=tests/{file}" for file in SQLITE_ONLY)]


def run_check(name: str, module: list[str], **settings: str) -> bool:
    """Whether a check passes. It cannot ask for input, and uses no database but one that is given here."""
    print(f"\n== {name}", flush=True)
    environment = {**os.environ, **settings}
    if "DATABASE_URL" not in settings:
        environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", *module]
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode == 0


def failed_checks() -> list[str]:
    with TemporaryDirectory() as var:  # the settings create files there
        return [name for name, module in CHECKS.items() if not run_check(name, module, VAR=var, ENV_FILE=os.devnull)]


def passes_on_postgresql() -> bool:
    debian.browser_driver_library()
    with private_server() as url:
        return run_check("tests on PostgreSQL", [*PYTEST, *ON_POSTGRESQL], DATABASE_URL=url)


def passes_on_sqlite(*options: str) -> bool:
    return run_check("tests on SQLite, with the browser", [*PYTEST, *options], CHROMIUM=debian.chromium())


def main() -> None:
    failed = failed_checks()
    if not passes_on_postgresql():
        failed.append("tests on PostgreSQL")
    if not passes_on_sqlite():
        failed.append("tests on SQLite")
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


def measure_coverage() -> None:
    if not passes_on_sqlite("--cov", "--cov-report=term"):
        sys.exit("Tests failed, or the coverage is below the minimum in pyproject.toml.")


if __name__ == "__main__":
    measure_coverage() if "--coverage" in sys.argv else main()
