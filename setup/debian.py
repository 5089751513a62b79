"""What the studio takes from the system where Python has no package for it. Only the standard library is imported here."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Missing(SystemExit):
    """Something is missing that only the system can bring; says what, and what to type."""


def chromium() -> str:
    """A Chromium for the browser tests: ``$CHROMIUM``, else an installed one, else Debian's, installed now."""
    named = os.environ.get("CHROMIUM") or installed_browser()
    if not named:
        install("chromium", reason="the tests drive a real browser")
        named = installed_browser()
    return named or fail("Chromium was installed but is not on the PATH. Name it: CHROMIUM=/path/to/chromium make test")


def installed_browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def wrk() -> str:
    """The path of wrk, which measures request throughput; installed now if it is missing."""
    found = shutil.which("wrk")
    if not found:
        install("wrk", reason="the benchmark measures request throughput with it")
        found = shutil.which("wrk")
    return found or fail("wrk was installed but is not on the PATH.")


def driver_library() -> None:
    """What Playwright's driver, a program in its wheel, is linked against, and a bare Debian does not have."""
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        install("libatomic1", reason="what drives the browser in the tests needs it")


def postgres_programs() -> Path:
    """The directory of PostgreSQL's ``initdb`` and ``postgres``; installed now where it is not there."""
    if not (found := installed_postgres()):
        install("postgresql-common", reason="the tests run on PostgreSQL, too")
        # Debian would make and start a server of the system's own; the tests bring their own and want only the programs.
        command = ["pg_conftool", "/etc/postgresql-common/createcluster.conf", "set", "create_main_cluster", "off"]
        subprocess.run(command, check=True)
        install("postgresql", reason="the tests run on PostgreSQL, too")
        found = installed_postgres()
    return found or fail("PostgreSQL was installed but its initdb is not under /usr/lib/postgresql nor on the PATH.")


def installed_postgres() -> Path | None:
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if found:
        return max(found, key=lambda path: float(path.parent.name))
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def install(package: str, *, reason: str) -> None:
    """Install a Debian package, or say what to type where we may not.

    Raises Missing where we are not root, there is no apt-get, or it fails.
    """
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        fail(f"{package} is missing, and {reason}. On Debian: sudo apt-get install {package}")
    print(f"Installing {package}: {reason}.", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        if run(["apt-get", "--quiet", *words], quiet) != 0:
            fail(f"apt-get could not install {package}, and {reason}. Its lines above say why.")


def run(command: Iterable[str], environment: dict[str, str]) -> int:
    return subprocess.run(list(command), env=environment, stdin=subprocess.DEVNULL, check=False).returncode


def fail(message: str) -> NoReturn:
    raise Missing(message)
