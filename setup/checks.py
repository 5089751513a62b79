"""``make test``: everything that must hold, told in one go. Ends with pytest's own closing line.

What touches the store is tested on PostgreSQL first, then everything on SQLite. ``make coverage`` does the second with a tally of
the lines that are reached, which takes a quarter longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from setup import debian
from setup.postgres import private_cluster

RULES = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "migrations": ["manage", "makemigrations", "--check", "--dry-run"],
    "deployment": ["manage", "check", "--deploy", "--fail-level", "ERROR"],
}
# Five at a time, for many wait; a file's tests stay together, so that workers and browser are started once for them.
PYTEST = ["pytest", "-q", "-n", "5", "--dist", "loadfile", "--no-loadscope-reorder"]

# What touches the store; the rest would go the same way. So would these, whose time goes to the crew, to sockets and to words.
ALIKE = [
    "agents/test_approval.py",
    "agents/test_edited_agents.py",
    "agents/test_provider_faults.py",
    "articles/test_costs_of_runs.py",
    "articles/test_exports_hold.py",
    "articles/test_seo.py",
    "articles/test_seo_links.py",
    "articles/test_seo_pages.py",
    "articles/test_socket_access.py",
    "articles/test_sockets.py",
    "articles/test_watchers.py",
    "test_imports.py",
    "test_logs.py",
    "test_outage.py",
]
ON_EACH_STORE = ["-m", "(django_db or each_store) and not browser", *(f"--ignore=tests/{file}" for file in ALIKE)]


def passes(name: str, module: list[str], **settings: str) -> bool:
    """Run one check; does it pass? It gets no terminal to ask on, and no store but one that is named here."""
    print(f"\n== {name}", flush=True)
    environment = {**os.environ, **settings}
    if "DATABASE_URL" not in settings:
        environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", *module]
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode == 0


def broken_rules() -> list[str]:
    with TemporaryDirectory() as var:  # the settings make what they need; not in the developer's own
        return [name for name, module in RULES.items() if not passes(name, module, VAR=var, ENV_FILE=os.devnull)]


def passes_on_postgresql() -> bool:
    debian.driver_library()
    with private_cluster() as url:
        return passes("tests on PostgreSQL", [*PYTEST, *ON_EACH_STORE], DATABASE_URL=url)


def passes_on_sqlite(*options: str) -> bool:
    return passes("tests on SQLite, with the browser", [*PYTEST, *options], CHROMIUM=debian.chromium())


def main() -> None:
    failed = broken_rules()
    if not passes_on_postgresql():
        failed.append("tests on PostgreSQL")
    if not passes_on_sqlite():
        failed.append("tests on SQLite")
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


def measure_coverage() -> None:
    if not passes_on_sqlite("--cov", "--cov-report=term"):
        sys.exit("Failed, or fewer lines are reached than pyproject.toml asks for.")


if __name__ == "__main__":
    measure_coverage() if "--coverage" in sys.argv else main()
