"""Programs and libraries that pip cannot install: found on the system, or installed from Debian.

Runs before the virtual environment exists, so it may import only the standard library.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Missing(SystemExit):
    """A program or library is missing and could not be installed; the message says how to install it."""


def chromium() -> str:
    """The path of a Chromium for the browser tests: ``$CHROMIUM``, else one on the PATH."""
    if named := os.environ.get("CHROMIUM"):
        return named
    if not (found := installed_browser()):
        install("chromium", reason="the tests drive a real browser")
        found = installed_browser()
    return found or fail("Chromium was installed but is not on the PATH. Set CHROMIUM to its path.")


def installed_browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def browser_driver_library() -> None:
    """Install libatomic, which Playwright's driver is linked against, if it is missing as on a minimal Debian."""
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        install("libatomic1", reason="the driver of the browser tests needs it")


def wrk() -> str:
    """The path of wrk, an HTTP load generator."""
    if not (found := shutil.which("wrk")):
        install("wrk", reason="the benchmark measures request throughput with it")
        found = shutil.which("wrk")
    return found or fail("wrk was installed but is not on the PATH.")


def postgres_programs() -> Path:
    """The directory of PostgreSQL's ``initdb`` and ``postgres``."""
    if not (found := installed_postgres()):
        install("postgresql-common", reason="the tests run on PostgreSQL, too")
        # Installing postgresql would otherwise create and start a server on this system; the tests need only the programs.
        command = ["pg_conftool", "/etc/postgresql-common/createcluster.conf", "set", "create_main_cluster", "off"]
        subprocess.run(command, check=True)
        install("postgresql", reason="the tests run on PostgreSQL, too")
        found = installed_postgres()
    return found or fail("PostgreSQL was installed but its initdb is neither in /usr/lib/postgresql nor on the PATH.")


def installed_postgres() -> Path | None:
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if found:
        return max(found, key=lambda path: float(path.parent.name))
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def install(package: str, *, reason: str) -> None:
    """Install a Debian package. Raises Missing if this process is not root, if there is no apt-get, or if it fails."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        fail(f"{package} is missing: {reason}. On Debian, run: sudo apt-get install {package}")
    print(f"Installing {package}: {reason}.", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        command = ["apt-get", "--quiet", *arguments]
        if subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            fail(f"apt-get could not install {package} ({reason}); see its output above.")


def fail(message: str) -> NoReturn:
    raise Missing(message)
