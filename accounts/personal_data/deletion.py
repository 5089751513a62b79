"""Deletes a person with everything that belongs to them. What others need, such as the audit log, keeps a pseudonym."""

from __future__ import annotations

import logging
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q

from accounts.models import AuditEntry
from accounts.personal_data.collect import entries_about, names_of_objects
from accounts.personal_data.exports import delete_exports
from articles import services
from articles.exceptions import InvalidState
from articles.models import Revision

log = logging.getLogger(__name__)

LAST_ADMIN = "You are the only administrator of this studio. Make somebody else a superuser first."


def pseudonym_of(user: User) -> str:
    return f"deleted user {user.pk}"


def refuse_last_admin(user: User) -> None:
    """Raises InvalidState: without an administrator nobody could create one."""
    if user.is_superuser and not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists():
        raise InvalidState(LAST_ADMIN)


def delete_person(user: User, *, by: User | None) -> None:
    """Delete the user. Raises InvalidState for the last administrator.

    Keys and sessions end first, and sockets with them, so that nothing new is made. Then articles go one by one, each with its
    runs and files. If that is interrupted, the user is inactive, and it can be called again.
    """
    with transaction.atomic():
        list(User.objects.select_for_update().filter(is_superuser=True).order_by("pk"))  # two must not both be last
        refuse_last_admin(user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        user.api_keys.all().revoke()
        end_sessions(user)
    services.delete_articles(articles=user.articles.without_large_fields(), by=by)
    exports = list(user.data_exports.all())
    with transaction.atomic():
        replace_name(user)
        user.username = pseudonym_of(user)  # not saved: what is recorded of the deletion shall not name them
        user.delete()
    delete_exports(exports)
    log.info("Deleted %s with everything that belonged to them", user.username)


def end_sessions(user: User) -> None:
    Session.objects.filter(session_key__in=UserSession.objects.filter(user=user).values("session_key")).delete()


def replace_name(user: User) -> None:
    """In the audit log, the log of the administration, and revisions of others' articles."""
    name, pseudonym = user.get_username(), pseudonym_of(user)
    for entry in entries_about(user):
        entry.details = renamed(entry.details, name, pseudonym)
        if entry.user_id == user.pk or entry.username == name:
            entry.username, entry.address = pseudonym, None
        AuditEntry.objects.filter(pk=entry.pk).update(
            details=entry.details, username=entry.username, address=entry.address
        )
    about = Q(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    about |= Q(object_repr__in=names_of_objects(name)[1:])
    LogEntry.objects.filter(about).update(object_repr=pseudonym)
    Revision.objects.filter(saved_by=user).update(former_author=pseudonym)


def renamed(details: dict[str, Any], name: str, pseudonym: str) -> dict[str, Any]:
    """Without the name of an API key, too, which the person has chosen."""
    if details.get("of") == name:
        return {"of": pseudonym}
    names = names_of_objects(name)
    return {key: pseudonym if value in names else value for key, value in details.items()}
