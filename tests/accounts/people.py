"""A person with something in every table, and exports of their data."""

from __future__ import annotations

from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import AuditAction, AuditEntry, DataExport
from accounts.personal_data.exports import make_next_export, request_export
from articles.models import ApiKey, Article, Quota, SpendingLimit
from articles.services import NewSource, keep_unsaved, save_text
from tests.factories import UserFactory, make_article, make_completed_article


def text(response: Any) -> str:
    html: str = response.content.decode()
    return html


def person(name: str) -> User:
    """A user with a row in every table that belongs to users."""
    user = UserFactory.create(username=name, email=f"{name}@example.com", first_name=name.title())
    upload = ContentFile(f"notes of {name}".encode(), "notes.txt")
    make_article(user, topic=f"Waiting {name}", sources=(NewSource(upload=upload), NewSource(text=f"pasted by {name}")))
    finished = make_completed_article(user)
    picture = default_storage.save(f"covers/{finished.pk}/a.png", ContentFile(b"a picture"))
    Article.objects.filter(pk=finished.pk).update(image=picture)
    save_text(article=finished, by=user, title=f"By {name}", content=f"## Edited by {name}", opened_at=1)
    keep_unsaved(article=finished, by=user, title="", content=f"typed by {name}", opened_at=2, version=None)
    ApiKey.objects.issue(user, f"key of {name}")
    Quota.objects.create(user=user, sockets=7)
    SpendingLimit.objects.create(user=user, per_run=3)
    TOTP.activate(user, generate_totp_secret())
    AuditEntry.objects.create(action=AuditAction.SIGNED_IN, user=user, username=name, address="192.0.2.7")
    return user


def ready_export(user: User) -> DataExport:
    request_export(user, by=user)
    assert make_next_export()
    return DataExport.objects.get(user=user)
