"""Removes secrets and personal data from text: values that are known, and whatever looks like one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from articles.operations.support.settings_shown import SHOWN
from contentstudio.environment import env
from contentstudio.logs import API_KEY, MIN_SECRET_LENGTH, secrets_in

REMOVED = "…"
NAME_OF_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASS|CREDENTIAL|AUTH|COOKIE|DSN|PRIVATE", re.IGNORECASE)

RANDOM = re.compile(r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{12,}")

PATTERNS = [
    re.compile(pattern, flags)
    for pattern, flags in (
        (API_KEY, 0),
        (r"-----BEGIN [^-]+-----.*?(-----END [^-]+-----|$)", re.DOTALL),
        (r"\b(?:sk|pk|rk|tvly|gsk|xai|hf|ghp|gho|ghs|github_pat|glpat|xox[abp]|AKIA|AIza)[-_]?[\w-]{12,}", 0),
        (r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?", 0),  # JSON web tokens
        (r"(?i)(?<=bearer )\S+|(?<=basic )[\w+/=-]{8,}", 0),
        (
            r"(?i)(?:api[_-]?key|secret|token|passw(?:or)?d|authorization|cookie|session(?:id)?)[\"']?\s*[=:]\s*[\"']?[^\s\"',;}]+",
            0,
        ),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", 0),  # addresses of people
        (r"\b(?!127\.0\.0\.1\b|0\.0\.0\.0\b)\d{1,3}(?:\.\d{1,3}){3}\b", 0),  # of clients
        (r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{32,}", 0),  # anything long and random
    )
]
URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://[^\s\"'<>)]*", re.IGNORECASE)
QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)")
"""Log lines and messages quote titles, answers of models and values of fields."""


class Redactor:
    """Replaces ``secrets``, credentials of any kind, and e-mail and network addresses of people by “…”."""

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted({found for found in secrets if len(found) >= MIN_SECRET_LENGTH}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        if self._known:
            text = self._known.sub(REMOVED, text)
        text = URL.sub(lambda found: shown_address(found[0]), text)
        for pattern in PATTERNS:
            text = pattern.sub(REMOVED, text)
        return text

    def line(self, text: str) -> str:
        """As ``text``, and without quotations, which may be of an article."""
        return QUOTED.sub(f"“{REMOVED}”", self.text(text))


def shown_address(address: str) -> str:
    """Its scheme, host and port: paths and queries may contain tokens."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return REMOVED
    return f"{parts.scheme}://{parts.hostname or REMOVED}{port}"


def known_secrets() -> set[str]:
    """The secrets of the settings, of files under VAR, and every variable that is not shown but is a setting or sounds secret."""
    found = {*settings.LOGGING["formatters"]["lines"]["secrets"], settings.SECRET_KEY}
    for name, value in os.environ.items():
        if name not in SHOWN and (name in env.dump() or NAME_OF_SECRET.search(name)):
            found |= parts_of(value)
    for path in (settings.FIRST_LOGIN_FILE, settings.VAR / "secret-key"):
        if path.exists():
            found |= set(re.findall(r"(?:^|: )(\S{8,})$", path.read_text(), re.MULTILINE))
    return {secret for secret in found if secret}


def parts_of(value: str) -> set[str]:
    """The value, and parts of it that may be printed alone: items of a list, credentials and tokens in an address."""
    found = {value, *value.split(",")}
    for address in (part for part in value.split(",") if "://" in part):
        found |= secrets_in(address)
        found |= {part for part in re.split(r"[/?&=@:]", address) if RANDOM.fullmatch(part)}
    return found
