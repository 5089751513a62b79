"""Makes ``.venv`` and puts into it exactly what a lock names. Only the standard library is imported here.

``python -m setup.install`` installs what runs the studio, with ``--dev`` what checks it, too. Does nothing, in milliseconds,
where that was done before.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

from setup import debian

ROOT = Path(__file__).resolve().parent.parent
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # the system's, with a company's own among them


class Installation:
    """A virtual environment at ``place`` for the locks of ``root``."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.place = root / ".venv"
        self.stamp = self.place / "installed"
        self.python = self.place / "bin" / "python"

    def has(self, *locks: str) -> bool:
        """Was one of ``locks`` the last thing to be installed here, to its end?"""
        return self.python.exists() and self.stamp.exists() and self.stamp.read_text() in map(self.fingerprint, locks)

    def fingerprint(self, lock: str) -> str:
        """What an installation depends on: this Python, this place (scripts name it), and each byte of the lock."""
        parts = [f"{sys.version_info.major}.{sys.version_info.minor}", str(self.place)]
        digest = hashlib.sha256("\n".join(parts).encode() + (self.root / lock).read_bytes())
        return f"{lock} {digest.hexdigest()}\n"

    def install(self, lock: str) -> None:
        """Leave ``.venv`` with what ``lock`` names and nothing else; raises CalledProcessError where that fails."""
        self.create()
        environment = surroundings()
        pip = [str(self.python), "-m", "pip", "--no-input", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run(
            [*pip, "--require-hashes", "-r", "setup/bootstrap.txt"], cwd=self.root, env=environment, check=True
        )
        uv = [str(self.place / "bin" / "uv"), "pip", "sync", "--python", str(self.python)]
        subprocess.run(
            [*uv, "--require-hashes", "--compile-bytecode", lock], cwd=self.root, env=environment, check=True
        )
        self.stamp.write_text(self.fingerprint(lock))

    def create(self) -> None:
        """A fresh environment: what an interrupted or older one holds is not worth the doubt, and uv's cache is quick."""
        if importlib.util.find_spec("ensurepip") is None:
            package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
            debian.install(package, reason="Python's own venv module is incomplete without it")
        venv.create(self.place, clear=True, symlinks=True, with_pip=True)


def surroundings() -> dict[str, str]:
    """The environment for the installers: trusts the system's certificates, and lets bytecode be written.

    CrewAI takes 8 s to import without its ``.pyc`` files, however the shell has set PYTHONDONTWRITEBYTECODE.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    if CERTIFICATES.exists():
        environment.setdefault("PIP_CERT", str(CERTIFICATES))
    return environment


def main(arguments: list[str]) -> None:
    dev = "requirements-dev.lock"  # holds all of requirements.lock, in the same versions
    lock, enough = (dev, [dev]) if "--dev" in arguments else ("requirements.lock", ["requirements.lock", dev])
    installation = Installation()
    if installation.has(*enough):
        return
    print(f"Installing what {lock} names into .venv; a minute or two the first time.", flush=True)
    try:
        installation.install(lock)
    except subprocess.CalledProcessError as error:
        sys.exit(f"The set-up failed: {error.cmd[0]} ended with {error.returncode}. Its lines above say why.")


if __name__ == "__main__":
    main(sys.argv[1:])
