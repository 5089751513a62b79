"""Backup and restore: complete, consistent while articles are written, and never overwriting data unasked."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from articles.models import Article, Event, Run, SchemaVersion, Status
from articles.operations.backup import databases
from articles.operations.backup.archive import MANIFEST, Manifest
from articles.runs.recovery import sweep
from tests.articles.archives import changed, contents, refused, written
from tests.environment import VAR
from tests.factories import UserFactory, do_step, make_completed_article, make_processing_article
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


def test_a_restored_studio_equals_the_backed_up_one(archive: Path, owner: User) -> None:
    article = Article.objects.get()
    text, events = article.content, list(article.events.values_list("seq", "type"))
    article.delete()
    default_storage.delete("covers/1/a.png")
    late = make_completed_article(UserFactory.create(username="late"))
    default_storage.save("covers/2/late.png", ContentFile(b"late"))
    call_command("restore", str(archive), "--replace")
    restored = Article.objects.get()
    assert (restored.content, restored.owner) == (text, owner)
    assert list(restored.events.values_list("seq", "type")) == events
    assert default_storage.open("covers/1/a.png").read() == b"a picture"
    assert storages["uploads"].open("1/survey.pdf").read() == b"a document"
    assert not User.objects.filter(username="late").exists()
    assert not default_storage.exists("covers/2/late.png")
    assert make_completed_article(owner).pk > restored.pk, "new ids follow those of the backup"
    assert late.pk is not None


def test_an_archive_has_a_manifest_and_is_private_to_its_owner(archive: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    files = contents(archive)
    manifest = Manifest.model_validate_json(files.pop(MANIFEST))
    assert (manifest.version, manifest.store) == ("0.1.0", connection.vendor)
    assert "articles.0001_initial" in manifest.migrations
    assert {name: part.sha256 for name, part in manifest.parts.items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert files.keys() == {"database", "settings.json", "media/covers/1/a.png", "uploads/1/survey.pdf"}


def test_the_manifest_names_the_version_of_the_tables(owner: User, tmp_path: Path) -> None:
    SchemaVersion.objects.update_or_create(pk=1, defaults={"version": "0.9.0", "oldest_compatible": "0.1.0"})
    call_command("backup", str(tmp_path / "a.tar.gz"), verbosity=0)
    assert Manifest.model_validate_json(contents(tmp_path / "a.tar.gz")[MANIFEST]).version == "0.9.0"


def test_settings_are_stored_without_secrets(owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL", "gpt-test")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hush")
    monkeypatch.setenv("SECRET_KEY", "hush")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hush")
    monkeypatch.setenv("REDIS_URL", "redis://:hush@127.0.0.1:6379/0")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example/v1?api-version=1&key=hush")
    monkeypatch.setenv("SEARXNG_URL", "https://hush@search.example/x?q=hush")
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "https://a.example,https://me:hush@b.example")
    call_command("backup", str(tmp_path / "a.tar.gz"))
    message = contents(tmp_path / "a.tar.gz")["settings.json"].decode()
    assert json.loads(message)["LLM_MODEL"] == "gpt-test"
    assert "redis://127.0.0.1:6379/0" in message
    assert "https://models.example/v1" in message
    assert "https://search.example/x" in message
    assert "https://a.example,https://b.example" in message
    assert "hush" not in message


@contextmanager
def articles_in_progress(articles: int) -> Iterator[list[int]]:
    """``articles`` articles, each with a thread that completes steps during the block."""
    stop, steps = threading.Event(), [0] * articles
    owners = [UserFactory.create() for _ in range(articles)]
    claims = [make_processing_article(owner)[1] for owner in owners]

    def write(place: int) -> None:
        while not stop.is_set():
            steps[place] += 1
            do_step(claims[place], f"write:{steps[place]}", "A paragraph that takes some room. " * 200)
        connections.close_all()

    threads = [threading.Thread(target=write, args=(place,)) for place in range(articles)]
    for thread in threads:
        thread.start()
    try:
        yield steps
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_backup_taken_while_articles_are_written_is_consistent(transactional_db: None, tmp_path: Path) -> None:
    with articles_in_progress(3) as steps:
        wait_until(lambda: min(steps) > 20)
        call_command("backup", str(tmp_path / "during.tar.gz"))
        at_backup = sum(steps)
        wait_until(lambda: sum(steps) > at_backup + 20)
    before = Event.objects.count()
    call_command("restore", str(tmp_path / "during.tar.gz"), "--replace")
    assert Event.objects.count() < before
    for article in Article.objects.all():
        assert list(article.events.values_list("seq", flat=True)) == list(range(1, article.last_seq + 1))
        done = article.runs.get().steps.done().filter(stage="write").count()
        assert done >= 20


def test_restored_active_runs_are_requeued(owner: User, tmp_path: Path) -> None:
    article, _ = make_processing_article(owner)
    call_command("backup", str(tmp_path / "a.tar.gz"))
    call_command("restore", str(tmp_path / "a.tar.gz"), "--replace")
    Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert sweep() == 1
    run = Run.objects.get()
    assert (run.status, run.steps.done().count()) == (Status.PENDING, 4)
    assert run.article_id == article.pk


def test_a_backup_of_an_older_version_is_migrated(owner: User, tmp_path: Path) -> None:
    graph = MigrationLoader(connection).graph
    [newest] = graph.leaf_nodes("articles")
    older = max(node for node in graph.node_map[newest].parents if node.key[0] == "articles").key
    call_command("migrate", *older, verbosity=0)
    try:
        call_command("backup", str(tmp_path / "old.tar.gz"))
        manifest = Manifest.model_validate_json(contents(tmp_path / "old.tar.gz")[MANIFEST])
        assert ".".join(newest) not in manifest.migrations
        call_command("restore", str(tmp_path / "old.tar.gz"), "--replace")
        assert newest in MigrationLoader(connection).applied_migrations
        assert make_completed_article(User.objects.get()).status == Status.COMPLETED
    finally:
        call_command("migrate", verbosity=0)


def test_a_studio_with_data_is_only_replaced_if_asked(archive: Path) -> None:
    assert "1 articles and 1 users" in refused(archive)
    assert Article.objects.count() == 1


def test_a_restore_is_refused_while_the_studio_runs(archive: Path) -> None:
    with (VAR / "studio.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "already running" in refused(archive, "--replace")


def test_a_restore_is_refused_while_workers_run(
    archive: Path, redis: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.REDIS_URL = settings.REDIS_ADDRESS
    monkeypatch.setattr("articles.runs.workers.QUEUE", "of-backups")
    redis.sadd("rq:workers:of-backups", "rq:worker:living")
    redis.hset("rq:worker:living", "last_heartbeat", timezone.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    try:
        assert "Workers are running" in refused(archive, "--replace")
    finally:
        redis.delete("rq:workers:of-backups", "rq:worker:living")


@pytest.mark.parametrize(
    "name", ["../outside", "/tmp/outside", "media/../../outside", "media//twice", "media/./here", "other/file", "extra"]
)
def test_a_member_with_an_unexpected_name_is_refused(archive: Path, name: str) -> None:
    hostile = written(archive.with_name("hostile.tar.gz"), {**contents(archive), name: b"x"})
    assert "not part of a backup" in refused(hostile, "--replace")
    assert not (VAR / "outside").exists()
    assert Article.objects.count() == 1


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_and_devices_are_refused(archive: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("media/way-out")
    member.type, member.linkname = kind, "/etc/passwd"
    hostile = written(archive.with_name("hostile.tar.gz"), contents(archive), member)
    assert "not part of a backup" in refused(hostile, "--replace")


def test_a_duplicate_member_is_refused(archive: Path) -> None:
    member = tarfile.TarInfo("database")
    assert "not part of a backup" in refused(
        written(archive.with_name("twice.tar.gz"), contents(archive), member), "--replace"
    )


@pytest.mark.parametrize("name", ["database", "settings.json", "media/covers/1/a.png"])
def test_a_changed_file_is_refused(archive: Path, name: str) -> None:
    files = contents(archive)
    broken = written(archive.with_name("broken.tar.gz"), {**files, name: files[name] + b"x"})
    assert f"changed: {name}" in refused(broken, "--replace")
    files.pop(name)
    assert f"changed: {name}" in refused(written(archive.with_name("less.tar.gz"), files), "--replace")
    assert Article.objects.count() == 1


def test_an_invalid_archive_is_refused(archive: Path) -> None:
    whole = archive.read_bytes()
    for content in (b"", b"words", whole[: len(whole) // 2], whole[:-1000] + bytes(1000)):
        archive.write_bytes(content)
        reasons = "not a( complete)? backup of a studio|cannot be unpacked|manifest cannot be read"
        assert re.search(reasons, refused(archive, "--replace"))
    assert "cannot be unpacked" in refused(archive.with_name("nowhere.tar.gz"), "--replace")
    assert "no manifest" in refused(written(archive, {"settings.json": b"{}"}), "--replace")
    assert Article.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("format", 2, "format 2, but this version supports 1"),
        (
            "migrations",
            ["articles.0001_initial", "articles.9999_later"],
            "does not have its migration articles.9999_later",
        ),
        ("made_at", "yesterday", "manifest cannot be read"),
    ],
)
def test_a_backup_of_an_unknown_version_is_refused(archive: Path, field: str, value: object, message: str) -> None:
    assert message in refused(changed(archive, lambda manifest: manifest.update({field: value})), "--replace")
    assert Article.objects.count() == 1


def test_a_backup_of_a_version_too_old_is_refused_by_name(archive: Path) -> None:
    old = changed(archive, lambda manifest: manifest.update(migrations=["articles.0001_initial"]))
    assert "The backup is of a version before 0.1.0. This version, 0.1.0, can upgrade" in refused(old, "--replace")
    assert Article.objects.count() == 1


def test_a_backup_of_another_kind_of_database_is_refused(archive: Path) -> None:
    other = "sqlite" if connection.vendor == "postgresql" else "postgresql"
    assert f"made on {other}" in refused(changed(archive, lambda manifest: manifest.update(store=other)), "--replace")


def test_links_among_the_images_are_left_out(owner: User, tmp_path: Path) -> None:
    default_storage.save("covers/1/a.png", ContentFile(b"a picture"))
    (VAR / "media" / "covers" / "link").symlink_to("/etc/hostname")
    call_command("backup", str(tmp_path / "a.tar.gz"))
    assert {name for name in contents(tmp_path / "a.tar.gz") if name.startswith("media")} == {"media/covers/1/a.png"}


@pytest.mark.parametrize(
    ("message", "version"),
    [("pg_dump (PostgreSQL) 17.2 (Debian 17.2-1)", 17), ("pg_dump (PostgreSQL) 18beta1", 18), ("", 0)],
)
def test_the_version_of_a_program_is_parsed(message: str, version: int) -> None:
    assert databases.major_version(message) == version


@pytest.mark.skipif(not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="PostgreSQL's programs")
class TestOnPostgreSQL:
    def test_a_missing_pg_dump_is_reported(self, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(CommandError, match=r"pg_dump is missing\. Install .*postgresql-client-\d+"):
            call_command("backup", str(tmp_path / "a.tar.gz"))
        assert list(tmp_path.iterdir()) == []

    def test_a_pg_dump_older_than_the_server_is_reported(
        self, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = tmp_path / "bin" / "pg_dump"
        old.parent.mkdir()
        old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
        old.chmod(0o755)
        monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
        with pytest.raises(CommandError, match="is version 9, but the server is PostgreSQL"):
            call_command("backup", str(tmp_path / "a.tar.gz"))

    def test_an_interrupted_restore_is_not_overwritten(self, archive: Path) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {databases.OLD_SCHEMA}")
        try:
            assert "An earlier restore was interrupted" in refused(archive, "--replace")
            assert Article.objects.count() == 1
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP SCHEMA {databases.OLD_SCHEMA}")

    @pytest.fixture
    def newer_pg_restore(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """pg_restore 17 with an older server: it cannot set a parameter, which ends a single transaction."""
        monkeypatch.setattr(databases, "TIMEOUT_SINCE", databases.server_version() + 1)
        program = tmp_path / "bin" / "pg_restore"
        program.parent.mkdir()
        program.write_text(
            "#!/bin/sh\n"
            'if [ "$1" = --version ]; then echo "pg_restore (PostgreSQL) 99.0"; exit; fi\n'
            "echo 'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter"
            ' "transaction_timeout"\' >&2\n'
            "echo 'Command was: SET transaction_timeout = 0;' >&2\n"
            'case "$*" in *--single-transaction*) exit 1;; esac\n'
            f'{shutil.which("pg_restore")} "$@" 2>/dev/null\n'
            'echo "pg_restore: warning: errors ignored on restore: 1" >&2; exit 1\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        return program

    def test_a_newer_pg_restore_is_used_with_an_older_server(self, archive: Path, newer_pg_restore: Path) -> None:
        UserFactory.create(username="late")
        call_command("restore", str(archive), "--replace")
        assert Article.objects.count() == 1
        assert not User.objects.filter(username="late").exists()

    def test_another_error_of_it_restores_the_old_tables(self, archive: Path, newer_pg_restore: Path) -> None:
        UserFactory.create(username="late")
        text = newer_pg_restore.read_text()
        newer_pg_restore.write_text(text.replace("pg_restore: warning", "pg_restore: error: no space left; warning"))
        assert "pg_restore failed" in refused(archive, "--replace")
        assert User.objects.filter(username="late").exists()
