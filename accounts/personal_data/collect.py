"""What the studio stores of a person, as plain data for JSON. Hashes, secrets and what identifies others are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db.models import Model, Q
from django.db.models.fields.files import FieldFile

from accounts.models import AuditEntry
from articles.models import Article, Quota, Revision, Run, SpendingLimit, UnsavedText

NEVER = {"password", "key_hash", "token", "session_key", "lease_expires_at", "user", "owner", "article", "run"}
"""Columns that are secret, internal, or say what the place in the archive says."""

Plain = dict[str, Any]


def plain(row: Model, *, without: Iterable[str] = ()) -> Plain:
    """The row's columns by their names. Relations are ids, files are names."""
    hidden = NEVER | set(without)
    fields = [field for field in row._meta.concrete_fields if field.name not in hidden]
    values = {field.name: field.value_from_object(row) for field in fields}
    return {name: value.name if isinstance(value, FieldFile) else value for name, value in values.items()}


def rows(found: Iterable[Model], *, without: Iterable[str] = ()) -> list[Plain]:
    return [plain(row, without=without) for row in found]


def account_of(user: User) -> Plain:
    return {
        "user": plain(user) | {"groups": [group.name for group in user.groups.all()]},
        "sign_in_elsewhere": rows(SocialAccount.objects.filter(user=user)),
        "second_factors": rows(Authenticator.objects.filter(user=user), without=["data"]),
        "sessions": rows(UserSession.objects.filter(user=user), without=["data"]),
        "api_keys": rows(user.api_keys.all()),
        "spending_limit": rows(SpendingLimit.objects.filter(user=user)),
        "quota": rows(Quota.objects.filter(user=user)),
        "spending": rows(user.spending.all()),
        "exports_of_this_data": rows(user.data_exports.all(), without=["file"]),
    }


def audit_of(user: User) -> list[Plain]:
    """What the person did, and what was done to their account; others only by their names."""
    return rows(entries_about(user).order_by("at"))


def entries_about(user: User) -> Any:
    name = user.get_username()
    about = Q(details__account=name) | Q(details__of=name) | Q(details__object__in=names_of_objects(name))
    return AuditEntry.objects.filter(Q(user=user) | Q(username=name) | about)


def names_of_objects(username: str) -> list[str]:
    """What the administration calls the user, and rows that belong to them."""
    return [username, f"Quota of {username}", f"Spending limit of {username}"]


def article_of(article: Article) -> Plain:
    return plain(article, without=["content"]) | {
        "sources": rows(article.sources.all()),
        "runs": [run_of(run) for run in article.runs.all()],
        "events": [event.as_message() for event in article.events.all()],
    }


def run_of(run: Run) -> Plain:
    steps, evidence = rows(run.steps.all()), rows(run.evidence.all())
    return plain(run, without=["worker"]) | {"steps": steps, "evidence": evidence}


def edits_of_others(user: User) -> Iterator[Plain]:
    """Texts that the person saved in articles of others."""
    for revision in Revision.objects.filter(saved_by=user).exclude(article__owner=user).iterator():
        yield plain(revision, without=["saved_by"]) | {"article": revision.article_id}


def unsaved_texts(user: User) -> Iterator[Plain]:
    """What the person has typed into the editor and not saved."""
    for text in UnsavedText.objects.filter(user=user).iterator(chunk_size=10):
        yield plain(text, without=["version"]) | {"article": text.article_id}
