"""Backups that the studio makes by itself: before migrations, and on a schedule by one of several machines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from pytest_django import Settings

from articles.exceptions import BackupRefused
from articles.management.commands import studio
from articles.models import Article, BackupState
from articles.operations.backup import automatic, space
from articles.operations.backup.archive import MANIFEST, Manifest
from articles.operations.backup.automatic import Reason, delete_old, is_due, make_scheduled_backup, new_file
from articles.operations.backup.databases import store_of
from articles.operations.backup.process import BackupProcess
from tests.articles.archives import contents
from tests.environment import ROOT
from tests.factories import UserFactory, make_completed_article
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


@pytest.fixture(autouse=True)
def directory(settings: Settings, tmp_path: Path) -> Path:
    settings.BACKUP_DIR = tmp_path / "backups"
    return tmp_path / "backups"


def made(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.exists() else []


@pytest.fixture
def old_article(owner: User) -> Article:
    """An article that is older than the interval."""
    article = make_completed_article(owner)
    Article.objects.update(created_at=timezone.now() - timedelta(days=2))
    return article


class TestBeforeMigrating:
    @pytest.fixture
    def newest(self) -> Iterator[tuple[str, str]]:
        """The newest migration, which is not applied."""
        graph = MigrationLoader(connection).graph
        [newest] = graph.leaf_nodes("articles")
        older = max(node for node in graph.node_map[newest].parents if node.key[0] == "articles").key
        call_command("migrate", *older, verbosity=0)
        yield newest
        call_command("migrate", verbosity=0)

    def test_a_studio_with_data_is_backed_up(
        self, owner: User, newest: tuple[str, str], directory: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        studio.Command().prepare_database()
        [archive] = made(directory)
        assert archive.name.endswith("-before-migration.tar.gz")
        manifest = Manifest.model_validate_json(contents(archive)[MANIFEST])
        assert ".".join(newest) not in manifest.migrations
        assert newest in MigrationLoader(connection).applied_migrations
        printed = capsys.readouterr().out
        assert f"Backing up the studio to {archive}, before 1 migration." in printed
        assert "The backup is complete: " in printed
        assert BackupState.objects.get().file == str(archive)

    def test_the_backup_brings_the_old_state_back(self, owner: User, newest: tuple[str, str], directory: Path) -> None:
        studio.Command().prepare_database()
        UserFactory.create(username="late")
        call_command("restore", str(made(directory)[0]), "--replace", verbosity=0)
        assert list(User.objects.all()) == [owner]

    def test_a_new_studio_is_not(self, newest: tuple[str, str], directory: Path) -> None:
        studio.Command().prepare_database()
        assert made(directory) == []
        assert newest in MigrationLoader(connection).applied_migrations

    def test_a_studio_without_new_migrations_is_not(self, owner: User, directory: Path) -> None:
        studio.Command().prepare_database()
        assert made(directory) == []

    def test_it_can_be_switched_off(
        self, owner: User, newest: tuple[str, str], directory: Path, settings: Settings
    ) -> None:
        settings.BACKUP_BEFORE_MIGRATION = False
        studio.Command().prepare_database()
        assert made(directory) == []
        assert newest in MigrationLoader(connection).applied_migrations

    def test_without_a_backup_nothing_is_migrated(
        self, owner: User, newest: tuple[str, str], settings: Settings, tmp_path: Path
    ) -> None:
        (tmp_path / "taken").write_text("a file where a directory should be")
        settings.BACKUP_DIR = tmp_path / "taken"
        with pytest.raises(CommandError) as refusal:
            studio.Command().prepare_database()
        message = str(refusal.value)
        assert message.startswith("The database was not migrated, because the backup before it failed: BACKUP_DIR is")
        assert message.endswith("start once with BACKUP_BEFORE_MIGRATION=false.")
        assert newest not in MigrationLoader(connection).applied_migrations

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's programs")
    def test_a_missing_pg_dump_is_reported(
        self, owner: User, newest: tuple[str, str], monkeypatch: pytest.MonkeyPatch, directory: Path
    ) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(
            CommandError, match=r"was not migrated.*pg_dump is missing\. Install .*postgresql-client-\d+"
        ):
            studio.Command().prepare_database()
        assert newest not in MigrationLoader(connection).applied_migrations
        assert made(directory) == []


class TestSchedule:
    def test_the_first_is_due_when_the_oldest_article_has_the_age_of_the_interval(
        self, owner: User, settings: Settings
    ) -> None:
        assert not is_due()
        make_completed_article(owner)
        assert not is_due()
        Article.objects.update(created_at=timezone.now() - timedelta(hours=25))
        assert is_due()
        settings.BACKUP_EVERY_HOURS = 0
        assert not is_due()

    def test_the_next_is_due_after_the_interval(self, old_article: Article, directory: Path) -> None:
        path = make_scheduled_backup()
        assert made(directory) == [path]
        state = BackupState.objects.get()
        assert (state.file, state.size, state.error) == (str(path), path and path.stat().st_size, "")
        assert make_scheduled_backup() is None
        BackupState.objects.update(succeeded_at=timezone.now() - timedelta(hours=25))
        assert is_due()

    def test_one_of_several_machines_makes_it(self, old_article: Article, monkeypatch: pytest.MonkeyPatch) -> None:
        together, claims = threading.Barrier(4), list[bool]()
        due = automatic.is_due

        def due_for_all() -> bool:
            found = due()
            together.wait(10)
            return found

        def claim() -> None:
            claims.append(automatic.claim())
            connections.close_all()

        monkeypatch.setattr(automatic, "is_due", due_for_all)
        threads = [threading.Thread(target=claim) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(claims) == [False, False, False, True]

    def test_a_failure_is_recorded_and_tried_again_later(
        self, old_article: Article, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(target: Path) -> None:
            raise BackupRefused("The disk is full.")

        with monkeypatch.context() as patch:
            patch.setattr(automatic, "make_backup", fail)
            with pytest.raises(SystemExit):
                call_command("backup", "--scheduled")
        state = BackupState.objects.get()
        assert state.failed_at is not None
        assert state.error.endswith(": The disk is full.")
        assert "The scheduled backup failed and will be tried again: The disk is full." in caplog.text
        assert make_scheduled_backup() is None
        BackupState.objects.update(not_before=timezone.now())
        assert make_scheduled_backup()
        assert BackupState.objects.get().failed_at is None

    def test_one_that_died_is_tried_again(self, old_article: Article) -> None:
        assert automatic.claim()
        assert make_scheduled_backup() is None
        BackupState.objects.update(not_before=timezone.now() - timedelta(seconds=1))
        assert make_scheduled_backup()

    def test_a_restore_ends_the_claim_under_which_the_backup_was_made(self, old_article: Article) -> None:
        path = make_scheduled_backup()
        call_command("restore", str(path), "--replace", verbosity=0)
        assert BackupState.objects.get().not_before is None

    def test_the_command_takes_no_file_with_it(self) -> None:
        with pytest.raises(CommandError, match="one or the other"):
            call_command("backup", "a.tar.gz", "--scheduled")


class TestFiles:
    def test_the_newest_of_each_reason_are_kept(self, directory: Path, settings: Settings) -> None:
        settings.BACKUP_KEEP = 2
        directory.mkdir()
        for reason in Reason:
            for day in range(1, 5):
                (directory / f"studio-2026-12-0{day}T000000Z-{reason}.tar.gz").touch()
        delete_old(Reason.SCHEDULED)
        delete_old(Reason.MIGRATION)
        kept = [path.name.removeprefix("studio-2026-12-").removesuffix(".tar.gz") for path in made(directory)]
        assert sorted(kept) == [
            "01T000000Z-on-request",
            "02T000000Z-on-request",
            "03T000000Z-before-migration",
            "03T000000Z-on-request",
            "03T000000Z-scheduled",
            "04T000000Z-before-migration",
            "04T000000Z-on-request",
            "04T000000Z-scheduled",
        ]
        settings.BACKUP_KEEP = 0
        delete_old(Reason.SCHEDULED)
        assert len(made(directory)) == 8

    def test_without_a_name_the_command_writes_to_the_directory(self, owner: User, directory: Path) -> None:
        call_command("backup", verbosity=0)
        [path] = made(directory)
        assert path.name.endswith("-on-request.tar.gz")
        assert BackupState.objects.get().file == str(path)

    def test_leftovers_of_killed_backups_are_removed(self, directory: Path) -> None:
        directory.mkdir()
        running, abandoned = directory / ".studio-a.part", directory / ".studio-b.part"
        running.touch()
        abandoned.touch()
        os.utime(abandoned, (time.time(), time.time() - 2 * automatic.ABANDONED_AFTER))
        new_file(Reason.REQUEST)
        assert made(directory) == [running]

    def test_a_backup_that_would_fill_the_disk_is_refused(
        self, owner: User, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = namedtuple("usage", "total used free")
        gigabyte = 1024**3
        needed = 2 * store_of(connection.vendor).size() + space.size_of_files()  # the copy and the archive
        monkeypatch.setattr(space, "size_of_files", lambda: needed)
        free = gigabyte + 2 * needed - 1
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100 * gigabyte, 0, free))
        with pytest.raises(CommandError, match=r"must leave 1\.0.GB\. Free some space, keep fewer backups"):
            call_command("backup")
        assert made(directory) == []
        free += 1
        call_command("backup", verbosity=0)


def test_the_sweeper_makes_it_in_another_process(
    old_article: Article, program_environment: dict[str, str], directory: Path
) -> None:
    environment = {**program_environment, "BACKUP_DIR": str(directory)}
    sweeper = subprocess.Popen([sys.executable, str(ROOT / "manage.py"), "sweep"], env=environment)
    wait_until(lambda: BackupState.objects.filter(succeeded_at__isnull=False).exists(), seconds=60)
    sweeper.terminate()
    assert sweeper.wait(30) == 0
    [path] = made(directory)
    assert path.name.endswith("-scheduled.tar.gz")
    assert Manifest.model_validate_json(contents(path)[MANIFEST]).store == connection.vendor


def test_a_stopped_sweeper_stops_its_backup(old_article: Article, settings: Settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "manage.py").write_text("import time; time.sleep(600)")
    backups = BackupProcess()
    backups.start_if_due()
    assert backups.is_running
    [process] = [child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline())]
    assert process.nice() == min(19, os.nice(0) + 10), "it leaves the processors to pages and articles"
    backups.stop()
    assert not backups.is_running
