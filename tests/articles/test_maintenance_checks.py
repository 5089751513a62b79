"""The doctor's checks of versions, backups and disks, and the form of its report."""

from __future__ import annotations

import io
import json
import shutil
from collections import namedtuple
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django import Settings

from agents.contract import HealthCheck
from articles.models import Article, BackupState, SchemaVersion
from articles.operations import doctor, maintenance_checks
from articles.operations.backup_metrics import backup_metrics
from articles.operations.maintenance_checks import check_backup, check_programs, check_space, check_version
from tests.factories import UserFactory, make_completed_article

pytestmark = pytest.mark.django_db

IDS = {
    *("database", "database-version", "redis", "workers", "hosts", "secret", "static-files", "pictures", "uploads"),
    *("disk-space", "backup", "exports", "costs", "model", "search"),
}
OF_POSTGRESQL, OF_SQLITE = {"encoding", "postgresql-programs"}, {"write-ahead-log"}


def report() -> tuple[int, dict[str, Any]]:
    """The doctor's exit status, and what it prints for scripts."""
    out = io.StringIO()
    try:
        call_command("doctor", "--json", stdout=out)
    except SystemExit as ending:
        return int(ending.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


class TestReport:
    def test_its_keys_and_ids_are_those_that_scripts_know(self) -> None:
        _, found = report()
        assert found.keys() == {"version", "state", "checks"}
        for check in found["checks"]:
            assert list(check) == ["id", "name", "state", "message", "action", "subject"]
            assert check["state"] in ("ok", "warning", "error")
        ids = {check["id"] for check in found["checks"]}
        assert ids == IDS | (OF_SQLITE if connection.vendor == "sqlite" else OF_POSTGRESQL)

    def test_its_state_is_the_worst_and_decides_the_exit_status(self) -> None:
        code, found = report()
        assert (code, found["state"]) == (1, "error"), "there is no worker"
        good, doubtful = HealthCheck("A", "ok", ""), HealthCheck("B", "warning", "")
        assert [doctor.worst(checks) for checks in ([good], [doubtful, good])] == ["ok", "warning"]

    def test_what_is_not_ok_says_what_to_do(self) -> None:
        wrong = [check for check in report()[1]["checks"] if check["state"] != "ok"]
        assert wrong
        assert [check["id"] for check in wrong if not check["action"]] == []


class TestVersion:
    def test_unknown_migrations_are_an_error_unless_they_are_compatible(self) -> None:
        assert check_version().state == "ok"
        MigrationRecorder(connection).record_applied("articles", "0999_later")
        SchemaVersion.objects.update_or_create(pk=1, defaults={"version": "0.2.0", "oldest_compatible": "0.1.0"})
        assert check_version().state == "ok"
        SchemaVersion.objects.update(oldest_compatible="0.2.0")
        found = check_version()
        assert found.state == "error"
        assert "migrated by version 0.2.0; this is 0.1.0" in found.message

    def test_a_database_too_old_is_an_error(self) -> None:
        UserFactory.create()
        MigrationRecorder(connection).migration_qs.filter(app="articles", name__gte="0004").delete()
        assert "is of a version before 0.1.0" in check_version().message


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")
class TestPostgreSQL:
    def test_another_encoding_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert maintenance_checks.check_encoding().state == "ok"

        class Cursor:
            def execute(self, statement: str) -> None:
                assert statement == "SHOW server_encoding"

            def fetchone(self) -> tuple[str]:
                return ("SQL_ASCII",)

            def __enter__(self) -> Cursor:
                return self

            def __exit__(self, *_: object) -> None:
                pass

        monkeypatch.setattr(connection, "cursor", Cursor)
        found = maintenance_checks.check_encoding()
        assert (found.state, "It is SQL_ASCII" in found.message) == ("error", True)

    def test_missing_programs_are_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert check_programs().state == "ok"
        monkeypatch.setenv("PATH", "/nowhere")
        found = check_programs()
        assert (found.state, "pg_dump is missing" in found.action) == ("error", True)


class TestBackup:
    @pytest.fixture
    def state(self, owner: User) -> BackupState:
        make_completed_article(owner)
        return BackupState(pk=1, file="/backups/a.tar.gz", size=2_000_000, machine="one")

    def test_a_new_studio_needs_none(self) -> None:
        assert check_backup().message == "There is nothing to back up yet."

    def test_before_the_first_it_says_when_that_is_made(self, owner: User, settings: Settings) -> None:
        make_completed_article(owner)
        assert check_backup().state == "ok"
        assert "when an article is 24 hours old" in check_backup().message
        Article.objects.update(created_at=timezone.now() - timedelta(hours=49))
        assert (check_backup().state, check_backup().message) == ("warning", "None has been made.")
        settings.BACKUP_EVERY_HOURS = 0
        assert (check_backup().state, check_backup().message) == ("warning", "None has been made.")

    @pytest.mark.parametrize(
        ("every", "age", "expected"), [(24, 47, "ok"), (24, 49, "warning"), (0, 167, "ok"), (0, 169, "warning")]
    )
    def test_an_old_one_is_a_warning(
        self, state: BackupState, settings: Settings, every: int, age: int, expected: str
    ) -> None:
        settings.BACKUP_EVERY_HOURS = every
        state.succeeded_at = timezone.now() - timedelta(hours=age)
        state.save()
        found = check_backup()
        assert found.state == expected
        assert "on one: /backups/a.tar.gz, 1.9\xa0MB." in found.message

    def test_a_failed_one_is_an_error(self, state: BackupState) -> None:
        state.succeeded_at = state.failed_at = timezone.now()
        state.error = "On two: the disk is full."
        state.save()
        found = check_backup()
        assert found.state == "error"
        assert found.message.endswith("UTC. On two: the disk is full.")


def test_metrics_of_backups() -> None:
    def values() -> dict[str, float]:
        return {family.name: family.samples[0].value for family in backup_metrics()}

    assert values() == {"studio_last_backup_success": 1}
    made = timezone.now()
    state = BackupState.objects.create(succeeded_at=made, size=1000)
    assert values() == {
        "studio_last_backup_success": 1,
        "studio_last_backup_timestamp_seconds": made.timestamp(),
        "studio_last_backup_size_bytes": 1000,
    }
    state.failed_at = timezone.now()
    state.save()
    assert values()["studio_last_backup_success"] == 0


@pytest.mark.parametrize(("free", "state"), [(500, "error"), (1500, "warning"), (3000, "ok")])
def test_a_nearly_full_disk(
    free: int, state: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    megabyte = 1024**2
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100_000 * megabyte, 0, free * megabyte))
    settings.BACKUP_DIR = tmp_path / "not" / "yet"
    assert check_space().state == state
