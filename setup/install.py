"""Creates ``.venv`` and installs into it exactly what a lock file names.

``python -m setup.install`` installs what the studio needs to run; ``--dev`` also what its checks need. If that is installed
already, it returns within milliseconds. Runs before the virtual environment exists: only the standard library is imported.
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
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # the system's, possibly with a company's own
RUN_LOCK, DEV_LOCK = "requirements.lock", "requirements-dev.lock"  # the second includes the first


class Installation:
    """The virtual environment of the project in ``root``. Its stamp file says which lock was installed last."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.stamp = self.venv / "installed"
        self.python = self.venv / "bin" / "python"

    def is_complete(self, *locks: str) -> bool:
        """Whether the last installation was of one of ``locks`` as it is now, and was not interrupted."""
        return self.python.exists() and self.stamp.exists() and self.stamp.read_text() in map(self.fingerprint, locks)

    def fingerprint(self, lock: str) -> str:
        """Changes with the lock, the version of Python, and the path of the environment, which its scripts contain."""
        parts = [f"{sys.version_info.major}.{sys.version_info.minor}", str(self.venv)]
        digest = hashlib.sha256("\n".join(parts).encode() + (self.root / lock).read_bytes())
        return f"{lock} {digest.hexdigest()}\n"

    def install(self, lock: str) -> None:
        """Create ``.venv`` with what ``lock`` names and nothing else. Raises CalledProcessError if that fails."""
        self.create()
        pip: list[str | Path] = [
            self.python,
            "-m",
            "pip",
            "--no-input",
            "--disable-pip-version-check",
            "install",
            "--quiet",
        ]
        uv: list[str | Path] = [self.venv / "bin" / "uv", "pip", "sync", "--python", self.python, "--compile-bytecode"]
        for command in ([*pip, "--require-hashes", "-r", "setup/bootstrap.txt"], [*uv, "--require-hashes", lock]):
            subprocess.run(command, cwd=self.root, env=installer_environment(), check=True)
        self.stamp.write_text(self.fingerprint(lock))

    def create(self) -> None:
        """Create an empty environment, replacing an older or incomplete one; packages come from uv's cache again."""
        if self.venv.is_symlink():  # venv would empty the directory it points to, then fail
            sys.exit(f"{self.venv} is a link to {self.venv.resolve()}, which may serve another copy. Remove the link.")
        if importlib.util.find_spec("ensurepip") is None:
            package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
            debian.install(package, reason="Python's own venv module is incomplete without it")
        venv.create(self.venv, clear=True, symlinks=True, with_pip=True)


def installer_environment() -> dict[str, str]:
    """The environment for pip and uv: trusts the system's certificates, and writes bytecode.

    Importing CrewAI takes 8 s without bytecode, so a shell's PYTHONDONTWRITEBYTECODE is ignored.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    if CERTIFICATES.exists():
        environment.setdefault("PIP_CERT", str(CERTIFICATES))
    return environment


def main(arguments: list[str]) -> None:
    lock, sufficient = (DEV_LOCK, [DEV_LOCK]) if "--dev" in arguments else (RUN_LOCK, [RUN_LOCK, DEV_LOCK])
    installation = Installation()
    if installation.is_complete(*sufficient):
        return
    print(f"Installing {lock} into .venv; this takes a minute or two the first time.", flush=True)
    try:
        installation.install(lock)
    except subprocess.CalledProcessError as error:
        sys.exit(f"The set-up failed: {error.cmd[0]} exited with code {error.returncode}; see its output above.")


if __name__ == "__main__":
    main(sys.argv[1:])
