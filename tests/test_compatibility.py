"""Databases that this version cannot use are refused by name, before anything is changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from articles.exceptions import IncompatibleDatabase
from articles.management.commands import studio
from articles.models import SchemaVersion
from contentstudio.runtime import compatibility
from contentstudio.runtime.compatibility import refuse_too_new, refuse_too_old
from tests.environment import ROOT
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def newer() -> Iterator[None]:
    """The database of a newer version, with a migration that this one does not have."""
    recorder = MigrationRecorder(connection)
    recorder.record_applied("articles", "0999_later")
    yield
    recorder.record_unapplied("articles", "0999_later")
    compatibility.record_version(using="default")


def declare(version: str, oldest_compatible: str) -> None:
    SchemaVersion.objects.update(version=version, oldest_compatible=oldest_compatible)


def test_the_version_is_recorded_when_migrations_are_applied() -> None:
    SchemaVersion.objects.all().delete()
    call_command("migrate", verbosity=0)
    found = SchemaVersion.objects.get()
    assert (found.version, found.oldest_compatible) == ("0.1.0", compatibility.OLDEST_COMPATIBLE)


def test_a_newer_version_is_not_overwritten() -> None:
    declare("9.9.0", "9.0.0")
    call_command("migrate", verbosity=0)
    assert SchemaVersion.objects.get().version == "9.9.0"
    declare("0.0.9", "0.0.1")
    call_command("migrate", verbosity=0)
    assert SchemaVersion.objects.get().version == "0.1.0"


class TestTooNew:
    def test_it_is_refused_with_both_versions(self, newer: None) -> None:
        declare("9.9.0", "9.0.0")
        with pytest.raises(CommandError) as refusal:
            studio.Command().prepare_database()
        assert str(refusal.value) == (
            "The database was migrated by version 9.9.0; this is 0.1.0, which does not have its migration articles.0999_later"
            " and cannot use its tables. Start 9.0.0 or newer, or restore the backup that was made before the migration."
            " Nothing was changed."
        )
        assert SchemaVersion.objects.get().version == "9.9.0"

    @pytest.mark.parametrize("oldest", ["0.1.0", "0.0.9"])
    def test_it_is_used_if_the_newer_version_declared_it_compatible(self, newer: None, oldest: str) -> None:
        declare("0.2.0", oldest)
        refuse_too_new()
        studio.Command().prepare_database()
        assert SchemaVersion.objects.get().version == "0.2.0"

    def test_versions_are_compared_as_numbers(self, newer: None, settings: Settings) -> None:
        settings.VERSION = "0.10.0"
        declare("0.11.0", "0.9.0")
        refuse_too_new()

    def test_a_database_of_another_line_of_versions_is_refused(
        self, newer: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        declare("0.2.0", "0.1.0")
        monkeypatch.setattr(compatibility, "missing_migrations", lambda: 2)
        with pytest.raises(IncompatibleDatabase, match="lacks 2 of the migrations of this one"):
            refuse_too_new()

    def test_without_a_declaration_it_is_refused(self, newer: None) -> None:
        SchemaVersion.objects.all().delete()
        with pytest.raises(IncompatibleDatabase, match=r"migrated by another version; this is 0\.1\.0"):
            refuse_too_new()

    def test_a_role_does_not_start(self, newer: None, program_environment: dict[str, str]) -> None:
        if connection.vendor == "sqlite":
            pytest.skip("roles need PostgreSQL")
        declare("9.9.0", "9.0.0")
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "studio", "--role", "sweeper"],
            env=program_environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("CommandError: The database was migrated by version 9.9.0; this is 0.1.0")


class TestTooOld:
    @pytest.fixture
    def older(self) -> Iterator[None]:
        """A database with the migrations that came before the oldest that is supported."""
        applied = MigrationRecorder(connection).migration_qs.filter(app="articles")
        later = list(applied.exclude(name__lte="0003_spending").values_list("name", flat=True))
        applied.filter(name__in=later).delete()
        yield
        for name in later:
            MigrationRecorder(connection).record_applied("articles", name)

    def test_it_is_refused_with_its_version(self, older: None, monkeypatch: pytest.MonkeyPatch) -> None:
        UserFactory.create()
        commands: list[str] = []
        monkeypatch.setattr(studio, "call_command", lambda name, **_: commands.append(name))
        with pytest.raises(CommandError) as refusal:
            studio.Command().prepare_database()
        assert str(refusal.value) == (
            "The database is of a version before 0.1.0: its newest migration is articles.0003_spending. This version, 0.1.0,"
            " can upgrade 0.1.0 and newer: start or restore it with 0.1.0 first. Nothing was changed."
        )
        assert commands == []

    def test_one_without_data_is_migrated(self, older: None) -> None:
        refuse_too_old()
