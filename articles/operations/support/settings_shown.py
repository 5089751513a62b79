"""The settings whose values a support bundle shows. Of all others it says only that they are set."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from agents.contract import AGENTS
from contentstudio.environment import env

SHOWN = {
    *("LLM_MODEL", "IMAGE_MODEL", "LLM_TIMEOUT", "LLM_PATIENCE", "LLM_MAX_CONCURRENCY"),
    *(f"LLM_MODEL_{stage.upper()}" for stage in AGENTS),
    *("MAX_COST_PER_RUN", "MAX_COST_PER_MONTH"),
    *("SEARCH_PROVIDER", "RESEARCH_SECONDS", "READING_TOKENS"),
    *("ROLE", "PORT", "WORKERS", "WEB_PROCESSES", "HTTPS", "BEHIND_PROXY", "TRUSTED_PROXIES"),
    *("MAX_CONNECTIONS_PER_CLIENT", "MAX_SOCKETS_PER_USER", "TIME_ZONE"),
    *("PASSWORD_MIN_LENGTH", "SIGN_IN_ATTEMPTS", "SIGN_IN_ATTEMPTS_PER_ADDRESS", "SIGN_IN_SECONDS"),
    *("INVALID_KEYS_PER_MINUTE", "REQUIRE_TWO_FACTOR", "AUDIT_DAYS"),
    *("EMAIL_PORT", "EMAIL_USE_TLS", "OIDC_SIGN_UP", "OIDC_LINK_BY_EMAIL", "LOCAL_LOGIN"),
    *("BACKUP_EVERY_HOURS", "BACKUP_KEEP", "BACKUP_BEFORE_MIGRATION", "DATABASE_POOL"),
    *("LEASE_SECONDS", "MAX_ATTEMPTS", "ARTICLES_PER_WORKER", "RUNS_PER_USER"),
    *("LOG_LEVEL", "LOG_FORMAT", "DEBUG"),
}
ADDRESSES = {"DATABASE_URL", "REDIS_URL", "OPENAI_BASE_URL", "SEARXNG_URL", "OIDC_ISSUER"}
SET = "(set)"


def settings_shown() -> dict[str, str]:
    """The settings that are set, by name. An address is shown by its scheme."""
    return {name: shown(name, os.environ[name]) for name in sorted(env.dump()) if os.environ.get(name)}


def shown(name: str, value: str) -> str:
    if name in SHOWN:
        return value
    if name in ADDRESSES:
        return f"{urlsplit(value).scheme}://{SET}"
    return SET
