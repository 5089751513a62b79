"""Roles from the groups that the OpenID Connect provider names."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User


def update_roles(user: User, data: dict[str, Any]) -> None:
    """Make the user staff or superuser, or take that from them, if a setting says which groups are."""
    groups = groups_in(data)
    fields = {}
    if settings.OIDC_SUPERUSER_GROUPS:
        fields["is_superuser"] = bool(groups & set(settings.OIDC_SUPERUSER_GROUPS))
    if settings.OIDC_STAFF_GROUPS or settings.OIDC_SUPERUSER_GROUPS:
        fields["is_staff"] = bool(groups & {*settings.OIDC_STAFF_GROUPS, *settings.OIDC_SUPERUSER_GROUPS})
    changed = [name for name, value in fields.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, fields[name])
    if changed:
        user.save(update_fields=changed)


def groups_in(data: dict[str, Any]) -> set[str]:
    """From the claims of the user or of the id token; one group may be given without a list."""
    for claims in (data.get("userinfo"), data.get("id_token")):
        found = (claims or {}).get(settings.OIDC_GROUPS_CLAIM)
        if found is not None:
            return {found} if isinstance(found, str) else {str(group) for group in found}
    return set()
