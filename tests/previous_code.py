"""The code of the version before the newest migration, from the history of the repository."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.environment import ROOT

MIGRATIONS = ("accounts/migrations/0*.py", "articles/migrations/0*.py")


def git(*arguments: str) -> bytes:
    # In a container the repository may belong to another user, which git refuses by default.
    command: list[str | Path] = ["git", "-c", "safe.directory=*", "-C", ROOT, *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout


def require_history() -> None:
    """Skips the test in a release without history, and in a clone that has only the newest commits."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("the history of the repository is not here, as in a release")
    if git("rev-parse", "--is-shallow-repository").strip() == b"true":
        pytest.skip("the clone has only the newest commits")


def previous_commit() -> str:
    """The last one without the newest migration, which may not be committed yet."""
    if git("ls-files", "--others", "--exclude-standard", *MIGRATIONS) or git(
        "diff", "--name-only", "HEAD", *MIGRATIONS
    ):
        return "HEAD"
    added = git("log", "-1", "--diff-filter=A", "--format=%H", "--", *MIGRATIONS).decode().strip()
    return f"{added}^"


def check_out(directory: Path) -> Path:
    """The previous code, in ``directory``."""
    require_history()
    with tarfile.open(fileobj=io.BytesIO(git("archive", previous_commit()))) as tar:
        if hasattr(tarfile, "data_filter"):  # not before Python 3.11.4
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(directory)
    return directory


def version_of(code: Path) -> str:
    found = re.search(r'^VERSION = "(.*)"$', (code / "contentstudio" / "settings.py").read_text(), re.MULTILINE)
    assert found
    return found[1]
