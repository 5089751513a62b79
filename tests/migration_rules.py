"""Which migrations the previous version can live with: its processes go on working while a new version is installed.

The rules look at Django's operations, not at SQL: SQL differs between databases, and SQLite's copies whole tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field
from django.db.models.fields import NOT_PROVIDED
from django.utils.version import get_version_tuple

UNUSED_SINCE = "unused_since"
"""Attribute of a migration that removes something: the version whose code ceased to use it, an earlier one than this."""

COMPATIBLE_BECAUSE = "compatible_because"
"""Attribute of a migration that these rules cannot judge: why code of the previous version works with its result."""

HARMLESS = (
    operations.CreateModel,
    operations.AddIndex,
    operations.RemoveIndex,
    operations.RenameIndex,
    operations.RemoveConstraint,
    operations.AlterModelOptions,
    operations.AlterModelManagers,
    operations.AlterModelTableComment,
)
REMOVING = (operations.RemoveField, operations.DeleteModel)
RENAMING = (operations.RenameField, operations.RenameModel, operations.AlterModelTable)


def problems(migration: Migration, before: ProjectState, version: str) -> list[str]:
    """Why the previous version does not work after ``migration``; ``before`` is the state it starts from."""
    if getattr(migration, COMPATIBLE_BECAUSE, ""):
        return []
    found, state = list[str](), before.clone()
    created = {
        operation.name_lower for operation in migration.operations if isinstance(operation, operations.CreateModel)
    }
    for operation in migration.operations:
        for part in database_operations(operation):
            if getattr(part, "model_name_lower", None) not in created:
                found += problems_of(part, migration, state, version)
        operation.state_forwards(migration.app_label, state)
    return found


def database_operations(operation: Operation) -> list[Operation]:
    if isinstance(operation, operations.SeparateDatabaseAndState):
        return [part for inner in operation.database_operations for part in database_operations(inner)]
    return [operation]


def problems_of(operation: Operation, migration: Migration, state: ProjectState, version: str) -> Iterator[str]:
    what = f"{migration}: {operation.describe()}"
    if isinstance(operation, HARMLESS):
        return
    if isinstance(operation, REMOVING):
        since = getattr(migration, UNUSED_SINCE, "")
        if not since or get_version_tuple(since) >= get_version_tuple(version):
            yield f"{what}: the previous version uses it. Remove it one version after the code: {UNUSED_SINCE}."
    elif isinstance(operation, RENAMING):
        yield f"{what}: the previous version uses the old name. Add the new one and copy; remove the old one later."
    elif isinstance(operation, operations.AddField):
        if is_required(operation.field):
            yield f"{what}: the previous version inserts rows without it. Give it a db_default, or allow NULL."
    elif isinstance(operation, operations.AlterField):
        old = state.models[migration.app_label, operation.model_name_lower].get_field(operation.name)
        yield from (f"{what}: {problem}" for problem in altered(old, operation.field))
    else:
        yield f"{what}: the previous version may not comply with it. If it does, say why: {COMPATIBLE_BECAUSE}."


def is_required(field: Field[Any, Any]) -> bool:
    return not (field.null or field.many_to_many or field.db_default is not NOT_PROVIDED)


def altered(old: Field[Any, Any], new: Field[Any, Any]) -> Iterator[str]:
    if old.null and not new.null:
        yield "the previous version may write NULL."
    if new.unique and not old.unique:
        yield "the previous version may write duplicates."
    if old.db_default is not NOT_PROVIDED and is_required(new):
        yield "the previous version may insert rows without it."
    wider = old.max_length and new.max_length and new.max_length >= old.max_length
    if old.get_internal_type() != new.get_internal_type() or not (wider or old.max_length == new.max_length):
        yield f"its type changes from {old.db_type(connection)} to {new.db_type(connection)}."
