"""Searches for pages that may answer the questions of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import zip_longest
from urllib.parse import parse_qsl, urlencode, urlsplit

from agents.contract import SearchResult
from agents.exceptions import SearchFailed
from agents.research.search import Search

# Query parameters that track readers and do not change the page.
TRACKING_PARAMETERS = {"fbclid", "gclid", "mc_cid", "mc_eid", "msclkid", "ref_src", "srsltid"}


async def find_pages(questions: Sequence[str], search: Search, limit: int) -> tuple[list[SearchResult], list[str]]:
    """At most ``limit`` pages for all questions, the best of each question first, and the messages of failed searches."""
    answers = await asyncio.gather(*(_ask(search, question, limit) for question in questions))
    problems = dict.fromkeys(answer for answer in answers if isinstance(answer, str))
    pages: dict[str, SearchResult] = {}
    for rank in zip_longest(*(answer for answer in answers if not isinstance(answer, str))):
        for hit in rank:
            if hit is not None and (key := page_key(hit.url)):
                pages.setdefault(key, hit)
    return list(pages.values())[:limit], list(problems)


async def _ask(search: Search, question: str, limit: int) -> list[SearchResult] | str:
    try:
        return await search.search(question, limit)
    except SearchFailed as problem:
        return str(problem)


def page_key(url: str) -> str:
    """Equal for two URLs of the same page; empty if ``url`` is invalid.

    Ignores the scheme, ``www.``, a trailing slash, the fragment and tracking parameters.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    host = parts.hostname.removeprefix("www.") + (f":{port}" if port not in (None, 80, 443) else "")
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in TRACKING_PARAMETERS and not name.startswith("utm_")
    ]
    query = f"?{urlencode(sorted(kept))}" if kept else ""
    return host + (parts.path.rstrip("/") or "/") + query
