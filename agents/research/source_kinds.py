"""Says what sort of publication a source is, if its address or its own metadata leaves no doubt."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urlsplit

_STUDY_HOSTS = re.compile(
    r"(^|\.)(doi\.org|arxiv\.org|biorxiv\.org|medrxiv\.org|europepmc\.org|(pubmed|pmc)\.ncbi\.nlm\.nih\.gov)$"
)
_OFFICIAL_HOSTS = re.compile(
    r"(^|\.)(gov|mil|(gov|gouv|gob)\.[a-z]{2}|go\.(jp|kr|id|th)|govt\.nz|gc\.ca|gv\.at|bund\.de|admin\.ch|europa\.eu)$"
)


def kind_of_source(url: str, stated: str = "") -> str:
    """The kind by the host of ``url``, else the one the document states."""
    host = ""
    with suppress(ValueError):
        host = (urlsplit(url).hostname or "").rstrip(".")
    if _STUDY_HOSTS.search(host):
        return "study"
    return "official" if _OFFICIAL_HOSTS.search(host) else stated
