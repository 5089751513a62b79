"""A backup or restore that fails or is killed loses no data and leaves no files."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from articles.models import Article
from articles.operations.backup import restore as restoring
from articles.operations.backup.archive import MANIFEST
from articles.operations.backup.storages import work_folder
from tests.articles.archives import contents, refused, written
from tests.environment import VAR
from tests.factories import UserFactory, make_completed_article

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


@pytest.fixture
def changes_since(archive: Path) -> Iterator[None]:
    """Changes since the backup. A failing restore must keep them."""
    UserFactory.create(username="late")
    default_storage.delete("covers/1/a.png")
    default_storage.save("covers/2/late.png", ContentFile(b"late"))
    yield
    assert User.objects.filter(username="late").exists()
    assert {path.relative_to(VAR / "media").as_posix() for path in (VAR / "media").rglob("*.png")} == {
        "covers/2/late.png"
    }
    assert not (VAR / "backup-in-progress").exists()


def test_a_restore_that_cannot_write_files_changes_nothing(archive: Path, changes_since: None) -> None:
    shutil.rmtree(VAR / "uploads")
    (VAR / "uploads").write_text("a file where a folder should be")
    try:
        assert "Nothing was changed." in refused(archive, "--replace")
    finally:
        (VAR / "uploads").unlink()


@pytest.mark.parametrize("error", [OSError("the disk is gone"), LookupError("a migration that fails")])
def test_a_restore_that_fails_during_migration_is_undone(
    archive: Path, changes_since: None, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        assert not User.objects.filter(username="late").exists()
        assert default_storage.exists("covers/1/a.png")
        raise error

    monkeypatch.setattr(restoring, "call_command", fail)
    with pytest.raises(CommandError if isinstance(error, OSError) else LookupError):
        call_command("restore", str(archive), "--replace")


def test_files_left_by_a_killed_backup_or_restore_are_deleted(archive: Path) -> None:
    remains = [VAR / "backup-in-progress", VAR / "media" / ".restore-new", VAR / "uploads" / ".restore-old"]
    for directory in remains:
        directory.mkdir()
        (directory / "half").write_bytes(b"half a file")
    part = archive.with_name(f".{archive.name}.x_7fa0.part")
    part.write_bytes(b"half an archive")
    call_command("backup", str(archive))
    assert [path for path in (*remains, part) if path.exists()] == []
    assert not any("half" in name for name in contents(archive))


def test_one_backup_or_restore_runs_at_a_time(archive: Path, tmp_path: Path) -> None:
    with work_folder():
        assert "Another backup or restore is running" in refused(archive, "--replace")
        with pytest.raises(CommandError, match="is running"):
            call_command("backup", str(tmp_path / "second.tar.gz"))
    assert not (tmp_path / "second.tar.gz").exists()


def test_a_database_that_cannot_be_loaded_changes_nothing(archive: Path) -> None:
    files = contents(archive)
    content = files["database"][:2000] + bytes(2000)
    manifest = json.loads(files[MANIFEST])
    manifest["parts"]["database"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    damaged = {**files, "database": content, MANIFEST: json.dumps(manifest).encode()}
    message = refused(written(archive.with_name("damaged.tar.gz"), damaged), "--replace")
    assert "database" in message or "pg_restore failed" in message
    assert Article.objects.count() == 1
    assert default_storage.exists("covers/1/a.png")
    assert make_completed_article(User.objects.get()).events.count() > 20


def test_a_failed_backup_leaves_no_files(owner: User, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("backup", str(tmp_path / "nowhere" / "a.tar.gz"))
    (tmp_path / "taken").mkdir()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("backup", str(tmp_path / "taken"))
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
