"""What a user uses of their quotas, for the account page and the admin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User

from articles.quotas import rates, totals
from articles.quotas.kinds import (
    ACTIVE_ARTICLES,
    API_KEYS,
    EXPORTS,
    KINDS,
    MB,
    REQUESTS,
    SOCKETS,
    STORAGE,
    UPLOAD_MB,
    UPLOADS,
    QuotaKind,
)
from articles.quotas.sockets import count_sockets

USED: dict[QuotaKind, Callable[[User], int]] = {
    ACTIVE_ARTICLES: totals.active_articles,
    STORAGE: lambda user: -(-totals.stored_bytes(user) // MB),
    UPLOADS: lambda user: rates.upload_limit(0).used(str(user.pk)),
    UPLOAD_MB: lambda user: -(-rates.upload_size_limit(0).used(str(user.pk)) // MB),
    REQUESTS: lambda user: rates.request_limit(0).used(str(user.pk)),
    EXPORTS: lambda user: rates.export_limit(0).used(str(user.pk)),
    SOCKETS: lambda user: count_sockets(user.pk),
    API_KEYS: totals.usable_keys,
}


@dataclass(frozen=True)
class Usage:
    label: str
    used: int
    limit: int
    """0 for no limit."""

    def __str__(self) -> str:
        return f"{self.used:,} of {self.limit:,}" if self.limit else f"{self.used:,}, no limit"


def usage_of(user: User) -> list[Usage]:
    return [Usage(kind.label, min(used, limit) if limit else used, limit) for kind, used, limit in counted(user)]


def counted(user: User) -> list[tuple[QuotaKind, int, int]]:
    return [(kind, USED[kind](user), kind.limit(user.pk)) for kind in KINDS]
