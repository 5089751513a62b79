"""Migrations after the baseline leave the previous version working; decision 0089 has the rules."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import models
from django.db.migrations import Migration, RunPython, RunSQL, SeparateDatabaseAndState, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.utils.version import get_version_tuple

from contentstudio.runtime.compatibility import OLDEST_COMPATIBLE, OLDEST_MIGRATION
from tests.migration_rules import COMPATIBLE_BECAUSE, UNUSED_SINCE, problems

BASELINE = {
    "account": "0009",
    "accounts": "0001",
    "admin": "0003",
    "articles": "0014",
    "auth": "0012",
    "contenttypes": "0002",
    "django_rq": "0003",
    "mfa": "0003",
    "sessions": "0001",
    "socialaccount": "0006",
    "usersessions": "0001",
}
"""The newest migration of each app when the rules were made. They are for later ones, also those of packages."""

ACCEPTED: dict[str, str] = {}
"""Migrations of packages that break a rule, as ``app.name``, and why the previous version works all the same."""


def test_later_migrations_leave_the_previous_version_working() -> None:
    loader, found = MigrationLoader(None), list[str]()
    for key, migration in sorted(loader.disk_migrations.items()):
        if key[1][:4] > BASELINE.get(key[0], "") and str(migration) not in ACCEPTED:
            before = loader.project_state(key, at_end=False)
            found += problems(migration, before, settings.VERSION)
    assert found == []


def test_what_is_removed_is_not_used_by_the_oldest_compatible_version() -> None:
    loader = MigrationLoader(None)
    since = [getattr(migration, UNUSED_SINCE, "0") for migration in loader.disk_migrations.values()]
    assert max(map(get_version_tuple, since)) <= get_version_tuple(OLDEST_COMPATIBLE)
    assert get_version_tuple(OLDEST_COMPATIBLE) <= get_version_tuple(settings.VERSION)


def test_the_oldest_supported_migration_exists() -> None:
    assert OLDEST_MIGRATION in MigrationLoader(None).disk_migrations


def migration(*made: Operation, **attributes: str) -> Migration:
    found: Migration = type("Next", (Migration,), {"operations": made})("0002_next", "library")
    for name, value in attributes.items():
        setattr(found, name, value)
    return found


def before() -> ProjectState:
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("title", models.CharField(max_length=100)),
        ("subtitle", models.CharField(max_length=100, null=True)),
        ("pages", models.IntegerField(db_default=0)),
    ]
    state = ProjectState()
    state.add_model(ModelState("library", "Book", fields))
    return state


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        (operations.RemoveField("book", "title"), "the previous version uses it"),
        (operations.DeleteModel("Book"), "the previous version uses it"),
        (operations.RenameField("book", "title", "name"), "the previous version uses the old name"),
        (operations.RenameModel("Book", "Volume"), "the previous version uses the old name"),
        (operations.AlterModelTable("Book", "books"), "the previous version uses the old name"),
        (operations.AddField("book", "isbn", models.CharField(default="")), "inserts rows without it"),
        (operations.AlterField("book", "subtitle", models.CharField(max_length=100)), "may write NULL"),
        (operations.AlterField("book", "title", models.CharField(max_length=100, unique=True)), "write duplicates"),
        (operations.AlterField("book", "pages", models.IntegerField(default=0)), "may insert rows without it"),
        (operations.AlterField("book", "title", models.CharField(max_length=50)), "its type changes from"),
        (operations.AlterField("book", "title", models.IntegerField(db_default=0)), "its type changes from"),
        (
            operations.AddConstraint("book", models.CheckConstraint(condition=models.Q(pages__gt=0), name="some")),
            "may not comply",
        ),
        (RunSQL("DELETE FROM library_book"), "may not comply"),
        (RunPython(RunPython.noop), "may not comply"),
        (SeparateDatabaseAndState([operations.RemoveField("book", "title")]), "the previous version uses it"),
    ],
)
def test_a_migration_that_breaks_the_previous_version_is_found(operation: Operation, problem: str) -> None:
    [found] = problems(migration(operation), before(), "0.2.0")
    assert problem in found
    assert problems(migration(operation, **{COMPATIBLE_BECAUSE: "nothing uses it"}), before(), "0.2.0") == []


@pytest.mark.parametrize(
    "operation",
    [
        operations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True))]),
        operations.AddField("book", "isbn", models.CharField(max_length=20, db_default="")),
        operations.AddField("book", "isbn", models.CharField(max_length=20, null=True)),
        operations.AlterField("book", "title", models.CharField(max_length=200)),
        operations.AlterField("book", "title", models.CharField(max_length=100, null=True)),
        operations.AddIndex("book", models.Index(fields=["title"], name="by_title")),
        SeparateDatabaseAndState(state_operations=[operations.RemoveField("book", "title")]),
    ],
)
def test_a_migration_that_only_adds_is_accepted(operation: Operation) -> None:
    assert problems(migration(operation), before(), "0.2.0") == []


@pytest.mark.parametrize(("since", "accepted"), [("0.1.0", True), ("0.2.0", False), ("", False)])
def test_what_an_earlier_version_ceased_to_use_may_be_removed(since: str, accepted: bool) -> None:
    removal = migration(operations.RemoveField("book", "title"), **{UNUSED_SINCE: since})
    assert (problems(removal, before(), "0.2.0") == []) is accepted


def test_constraints_of_a_new_table_are_accepted() -> None:
    table = operations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True))])
    constraint = models.CheckConstraint(condition=models.Q(id__gt=0), name="some")
    assert problems(migration(table, operations.AddConstraint("shelf", constraint)), before(), "0.2.0") == []
