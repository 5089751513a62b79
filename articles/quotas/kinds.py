"""The quotas of a user: where each limit comes from, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from articles.models import Quota

MB = 1_000_000  # bytes


@dataclass(frozen=True)
class QuotaKind:
    """``field`` of ``Quota``, with the ``setting`` that holds for users without an own value."""

    field: str
    setting: str
    label: str

    def limit(self, user_id: int) -> int:
        """0 for no limit."""
        own = Quota.objects.filter(user=user_id).values_list(self.field, flat=True).first()
        return int(getattr(settings, self.setting) if own is None else own)


REQUESTS = QuotaKind("requests_per_minute", "REQUESTS_PER_MINUTE", "Requests in a minute")
ACTIVE_ARTICLES = QuotaKind("active_articles", "MAX_ACTIVE_ARTICLES", "Articles waiting or being written")
UPLOADS = QuotaKind("uploads_per_day", "UPLOADS_PER_DAY", "Documents in a day")
UPLOAD_MB = QuotaKind("upload_mb_per_day", "UPLOAD_MB_PER_DAY", "MB of documents in a day")
STORAGE = QuotaKind("storage_mb", "STORAGE_MB_PER_USER", "MB stored")
EXPORTS = QuotaKind("exports_per_minute", "EXPORTS_PER_MINUTE", "Exports in a minute")
SOCKETS = QuotaKind("sockets", "MAX_SOCKETS_PER_USER", "Live connections")
API_KEYS = QuotaKind("api_keys", "MAX_API_KEYS_PER_USER", "API keys")

KINDS = (ACTIVE_ARTICLES, STORAGE, UPLOADS, UPLOAD_MB, REQUESTS, EXPORTS, SOCKETS, API_KEYS)
