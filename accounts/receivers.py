"""Records in the audit log what Django and the studio announce by signals."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.signals import password_reset
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.http import HttpRequest

from accounts.audit import known_name, record
from accounts.limits import reset_account
from accounts.models import AuditAction
from accounts.notices import send_notice
from articles.models import ApiKey
from articles.signals import api_key_created, api_keys_revoked

ACCESS_FIELDS = ("username", "email", "is_active", "is_staff", "is_superuser")
ADMIN_VERBS = {ADDITION: "added", CHANGE: "changed", DELETION: "deleted"}


def connect() -> None:
    for signal, receiver, sender in (
        (user_logged_in, signed_in, None),
        (user_login_failed, sign_in_failed, None),
        (user_logged_out, signed_out, None),
        (authenticator_added, factor_added, None),
        (authenticator_removed, factor_removed, None),
        (authentication_failed, factor_failed, None),
        (password_reset, password_was_reset, None),
        (api_key_created, key_created, None),
        (api_keys_revoked, keys_revoked, None),
        (pre_save, remember_user, User),
        (post_save, user_saved, User),
        (post_delete, user_deleted, User),
        (m2m_changed, groups_changed, User.groups.through),
        (m2m_changed, permissions_changed, User.user_permissions.through),
        (post_save, admin_acted, LogEntry),
    ):
        signal.connect(receiver, sender=sender, dispatch_uid=f"audit.{receiver.__name__}")


# Sign-in


def signed_in(request: HttpRequest | None, user: User, **signal: Any) -> None:
    records = get_authentication_records(request, user) if request is not None else []
    methods = [entry.get("type") or entry["method"] for entry in records]
    record(AuditAction.SIGNED_IN, user=user, request=request, by=methods)


def sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **signal: Any) -> None:
    record(AuditAction.SIGN_IN_FAILED, request=request, account=known_name(str(credentials.get("username", ""))))


def signed_out(request: HttpRequest | None, user: User | None, **signal: Any) -> None:
    if user is not None:
        record(AuditAction.SIGNED_OUT, user=user, request=request)


def factor_added(user: User, authenticator: Authenticator, **signal: Any) -> None:
    record(AuditAction.TWO_FACTOR_ADDED, user=user, kind=authenticator.type)
    send_notice(user, f"A second factor was added: {authenticator.get_type_display()}.")


def factor_removed(user: User, authenticator: Authenticator, **signal: Any) -> None:
    record(AuditAction.TWO_FACTOR_REMOVED, user=user, kind=authenticator.type)
    send_notice(user, f"A second factor was removed: {authenticator.get_type_display()}.")


def factor_failed(user: User, authenticator: Authenticator, **signal: Any) -> None:
    record(AuditAction.SIGN_IN_FAILED, account=user.get_username(), factor=authenticator.type)


def password_was_reset(user: User, **signal: Any) -> None:
    record(AuditAction.PASSWORD_RESET, user=user)
    reset_account(user)


# API keys


def key_created(key: ApiKey, **signal: Any) -> None:
    record(AuditAction.KEY_CREATED, of=key.user.get_username(), name=key.name, hint=key.hint)
    send_notice(key.user, f"An API key was created: {key.name}.")


def keys_revoked(keys: list[ApiKey], **signal: Any) -> None:
    for key in keys:
        record(AuditAction.KEY_REVOKED, of=key.user.get_username(), name=key.name, hint=key.hint)


# Users


def remember_user(instance: User, update_fields: Any = None, **signal: Any) -> None:
    """Keep what is stored, to compare it after the change. A sign-in changes ``last_login`` alone."""
    if update_fields is None or set(update_fields) & {*ACCESS_FIELDS, "password"}:
        instance._stored = User.objects.filter(pk=instance.pk).first()  # type: ignore[attr-defined]


def user_saved(instance: User, created: bool, **signal: Any) -> None:
    stored: User | None = instance.__dict__.pop("_stored", None)
    name = instance.get_username()
    if created:
        record(AuditAction.USER_CREATED, account=name, staff=instance.is_staff, superuser=instance.is_superuser)
    elif stored is not None:
        changed = [field for field in ACCESS_FIELDS if getattr(stored, field) != getattr(instance, field)]
        if changed:
            values = {field: getattr(instance, field) for field in changed if field != "email"}
            record(AuditAction.USER_CHANGED, account=name, changed=changed, **values)
            if "email" in changed:
                send_notice(instance, "The e-mail address of your account was changed.", address=stored.email)
        # `_password` is None while Django only renews the hash of an unchanged password at a sign-in.
        if stored.password != instance.password and vars(instance).get("_password") is not None:
            record(AuditAction.PASSWORD_CHANGED, account=name)
            send_notice(instance, "Your password was changed.")


def user_deleted(instance: User, **signal: Any) -> None:
    record(AuditAction.USER_DELETED, account=instance.get_username(), deleted=instance)


def groups_changed(instance: Any, action: str, pk_set: set[int] | None = None, **signal: Any) -> None:
    if isinstance(instance, User) and action in ("post_add", "post_remove", "post_clear"):
        names = sorted(Group.objects.filter(pk__in=pk_set or ()).values_list("name", flat=True))
        verb = action.removeprefix("post_")
        record(AuditAction.USER_CHANGED, account=instance.get_username(), groups=verb, names=names)


def permissions_changed(instance: Any, action: str, pk_set: set[int] | None = None, **signal: Any) -> None:
    if isinstance(instance, User) and action in ("post_add", "post_remove", "post_clear"):
        verb = action.removeprefix("post_")
        record(AuditAction.USER_CHANGED, account=instance.get_username(), permissions=verb, count=len(pk_set or ()))


# Administration


def admin_acted(instance: LogEntry, created: bool, **signal: Any) -> None:
    """What the admin logs itself, with the address."""
    if created:
        what = instance.content_type.name if instance.content_type else ""
        verb = ADMIN_VERBS.get(instance.action_flag, "changed")
        record(AuditAction.ADMINISTRATION, act=f"{verb} {what}", object=instance.object_repr)
