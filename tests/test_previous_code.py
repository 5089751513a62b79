"""Which code counts as the previous version, and when there is none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import previous_code
from tests.previous_code import check_out, previous_commit, require_history

COMMIT = ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--allow-empty", "--message")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits that add migrations, and one after them."""
    monkeypatch.setattr(previous_code, "ROOT", tmp_path / "repository")
    migrations = tmp_path / "repository" / "articles" / "migrations"
    migrations.mkdir(parents=True)
    run(tmp_path / "repository", "init", "--quiet")
    for name in ("0001_initial.py", "0002_more.py"):
        (migrations / name).touch()
        run(tmp_path / "repository", "add", "--all")
        run(tmp_path / "repository", *COMMIT, f"Add {name}")
    run(tmp_path / "repository", *COMMIT, "Change something else")
    return tmp_path / "repository"


def run(directory: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", directory, *arguments], check=True)


def migrations(code: Path) -> list[str]:
    return sorted(path.name for path in (code / "articles" / "migrations").iterdir())


def test_it_is_the_code_before_the_newest_migration(repository: Path, tmp_path: Path) -> None:
    assert migrations(check_out(tmp_path / "old")) == ["0001_initial.py"]


def test_a_migration_that_is_not_committed_is_the_newest(repository: Path, tmp_path: Path) -> None:
    (repository / "articles" / "migrations" / "0003_new.py").touch()
    assert previous_commit() == "HEAD"
    assert migrations(check_out(tmp_path / "old")) == ["0001_initial.py", "0002_more.py"]


def test_without_history_the_tests_are_skipped(repository: Path, tmp_path: Path) -> None:
    require_history()
    run(tmp_path, "clone", "--quiet", "--depth", "1", repository.as_uri(), "shallow")
    for directory, reason in ((tmp_path / "shallow", "newest commits"), (tmp_path, "as in a release")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(previous_code, "ROOT", directory)
            with pytest.raises(pytest.skip.Exception, match=reason):
                require_history()
