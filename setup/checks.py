"""``make test``: everything that must hold, told in one go. Ends with pytest's own closing line.

What touches the store is tested on PostgreSQL first, then everything on SQLite, which tells the coverage.
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
# Three at a time, as many wait for other processes; a file's tests stay together, so that workers and browser start once for them.
PYTEST = ["pytest", "-q", "-n", "3", "--dist", "loadfile"]

# What touches the store; the rest would go the same way.
ON_EACH_STORE = ["-m", "(django_db or each_store) and not browser"]


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


def failed_tests() -> list[str]:
    browser = debian.chromium()
    debian.driver_library()
    with private_cluster() as url:
        runs = {"tests on PostgreSQL": passes("tests on PostgreSQL", [*PYTEST, *ON_EACH_STORE], DATABASE_URL=url)}
    on_sqlite = [*PYTEST, "--cov", "--cov-report=term"]
    runs["tests on SQLite"] = passes("tests on SQLite, with the browser", on_sqlite, CHROMIUM=browser)
    return [name for name, passed in runs.items() if not passed]


def main() -> None:
    if failed := broken_rules() + failed_tests():
        sys.exit(f"Failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
