"""The permission groups a new studio comes with. Writing one's own articles needs no permission."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models.signals import post_migrate

EDITORS = (
    *("view_article", "change_article", "delete_article"),
    *("view_voice", "add_voice", "change_voice", "delete_voice"),
)
CHIEF_EDITORS = (
    *EDITORS,
    *("view_agentprofile", "change_agentprofile"),
    *("view_spendinglimit", "add_spendinglimit", "change_spendinglimit", "delete_spendinglimit"),
    *("view_quota", "add_quota", "change_quota", "delete_quota"),
    *("view_user", "add_user", "change_user"),
)
GROUPS = {"Editors": EDITORS, "Chief editors": CHIEF_EDITORS}
APPS = ("articles", "auth")


def connect() -> None:
    post_migrate.connect(create_groups, sender=apps.get_app_config("articles"), dispatch_uid="permission-groups")


def create_groups(*, using: str, **signal: Any) -> None:
    """Create ``GROUPS`` after a migration, but only if there is no group at all: people may change or remove them."""
    if Group.objects.using(using).exists():
        return
    for app in APPS:  # Django creates them on the same signal, maybe later
        create_permissions(apps.get_app_config(app), using=using, verbosity=0)
    known = Permission.objects.using(using).filter(content_type__app_label__in=APPS)
    for name, codenames in GROUPS.items():
        Group.objects.using(using).create(name=name).permissions.set(known.filter(codename__in=codenames))
