"""A backup includes the bucket's files; a restore replaces them, or changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from pytest_django import Settings

from articles.models import Article
from articles.operations.backup import restore as restoring
from contentstudio import storage_settings
from contentstudio.s3_storage import PrivateS3Storage
from tests.articles.archives import contents, refused
from tests.articles.bucket import put, storage
from tests.environment import VAR
from tests.factories import make_completed_article
from tests.s3_server import S3Server

pytestmark = pytest.mark.django_db(transaction=True)

BACKED_UP = {
    "media/covers/1/a.png": b"a picture",
    "media/covers/1/b.png": b"another picture",
    "uploads/survey.pdf": b"a document",
}


@pytest.fixture
def archive_of_bucket(owner: User, bucket: S3Server, tmp_path: Path) -> Path:
    """A backup of a studio with one article, two images and a document."""
    make_completed_article(owner)
    put("covers/1/a.png", b"a picture", tmp_path=tmp_path)
    put("covers/1/b.png", b"another picture", tmp_path=tmp_path)
    put("survey.pdf", b"a document", tmp_path=tmp_path, to="uploads")
    call_command("backup", str(tmp_path / "studio.tar.gz"))
    return tmp_path / "studio.tar.gz"


@pytest.fixture
def changed_since(archive_of_bucket: Path, tmp_path: Path) -> dict[str, bytes]:
    """What is in the bucket after changes since the backup."""
    storage("default").delete("covers/1/a.png")
    put("covers/1/b.png", b"changed", tmp_path=tmp_path)
    put("covers/2/late.png", b"late", tmp_path=tmp_path)
    return {
        "media/covers/1/b.png": b"changed",
        "media/covers/2/late.png": b"late",
        "uploads/survey.pdf": b"a document",
    }


def objects(bucket: S3Server) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in bucket.objects().items()}


def test_a_restored_bucket_equals_the_backed_up_one(
    bucket: S3Server, archive_of_bucket: Path, changed_since: dict[str, bytes]
) -> None:
    assert contents(archive_of_bucket).items() >= BACKED_UP.items()
    assert objects(bucket) == changed_since
    call_command("restore", str(archive_of_bucket), "--replace")
    assert objects(bucket) == BACKED_UP
    assert not (VAR / "backup-in-progress").exists()


def test_files_that_are_the_same_are_not_stored_again(
    bucket: S3Server, archive_of_bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(PrivateS3Storage, "write", lambda _, name, __: written.append(name))
    call_command("restore", str(archive_of_bucket), "--replace")
    assert written == []
    assert objects(bucket) == BACKED_UP


def fail_in_migration(monkeypatch: pytest.MonkeyPatch) -> type[Exception]:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("a migration that fails")

    monkeypatch.setattr(restoring, "call_command", fail)
    return LookupError


def fail_in_second_upload(monkeypatch: pytest.MonkeyPatch) -> type[Exception]:
    write = PrivateS3Storage.write
    names: list[str] = []

    def fail(self: PrivateS3Storage, name: str, content: object) -> None:
        names.append(name)
        if len(names) == 2:
            raise ConnectionError("the file storage does not answer")
        write(self, name, content)  # type: ignore[arg-type]

    monkeypatch.setattr(PrivateS3Storage, "write", fail)
    return CommandError


@pytest.mark.parametrize("failure", [fail_in_migration, fail_in_second_upload])
def test_a_restore_that_fails_changes_nothing(
    bucket: S3Server,
    archive_of_bucket: Path,
    changed_since: dict[str, bytes],
    failure: Callable[[pytest.MonkeyPatch], type[Exception]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(failure(monkeypatch)):
        call_command("restore", str(archive_of_bucket), "--replace")
    assert objects(bucket) == changed_since
    assert Article.objects.count() == 1


def test_a_restore_during_an_outage_is_refused(bucket: S3Server, archive_of_bucket: Path, tmp_path: Path) -> None:
    with bucket.stopped():
        assert "does not answer" in refused(archive_of_bucket, "--replace")
        with pytest.raises(CommandError, match="cannot be read: the file storage does not answer"):
            call_command("backup", str(tmp_path / "during.tar.gz"))
    assert not (tmp_path / "during.tar.gz").exists()
    assert objects(bucket) == BACKED_UP


@pytest.mark.usefixtures("own_files")
def test_a_backup_moves_files_from_folders_into_a_bucket_and_back(
    bucket: S3Server, archive_of_bucket: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    in_bucket = settings.STORAGES
    monkeypatch.setattr(storage_settings, "S3_BUCKET", "")
    settings.STORAGES = {**in_bucket, **storage_settings.file_storages(VAR)}
    call_command("restore", str(archive_of_bucket), "--replace")
    assert storages["default"].open("covers/1/a.png").read() == b"a picture"
    assert (VAR / "uploads" / "survey.pdf").read_bytes() == b"a document"
    call_command("backup", str(archive_of_bucket))
    settings.STORAGES = in_bucket
    for name in ("covers/1/a.png", "covers/1/b.png"):
        storage("default").delete(name)
    call_command("restore", str(archive_of_bucket), "--replace")
    assert objects(bucket) == BACKED_UP
