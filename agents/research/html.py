"""Extracts the main text of an HTML page: ``{"title", "text", "author", "date", "publisher", "kind"}``, or null if it has none.

Also runs as a program of its own (``python -I html.py URL``, HTML on stdin, JSON on stdout) for pages that could take the
parser minutes or gigabytes: only a process can be stopped. It therefore imports nothing of the studio.
"""

from __future__ import annotations

import json
import logging
import re
import sys

MEMORY = 1024**3
CPU_SECONDS = 30

# The parser is quadratic in the number of attributes of a tag: 80,000 take 43 s, 700 about 5 ms.
MAX_GAPS = 2_000  # about 700 attributes
MAX_TAGS = 20_000
MAX_MARKUP = 1_500_000
ATTRIBUTE_GAP = re.compile(r"[\s/=\"']+")

# schema.org types in JSON-LD, and the tags that journals set for search engines of scholarly texts.
NEWS_ARTICLE = re.compile(r"[\"']@type[\"']\s*:\s*\[?\s*[\"'](?:Reportage)?NewsArticle[\"']")
SCHOLARLY_ARTICLE = re.compile(
    r"[\"']@type[\"']\s*:\s*\[?\s*[\"'](?:Medical)?ScholarlyArticle[\"']"
    r"|<meta\s+name=[\"']?citation_(?:doi|journal_title)\b",
    re.IGNORECASE,
)


def is_harmless(markup: str) -> bool:
    """Whether the page can be parsed in this process: it takes less than about a second."""
    if len(markup) > MAX_MARKUP or markup.count("<") > MAX_TAGS:
        return False
    # Text after a tag counts as well: a hostile page can hide where a tag ends.
    return all(
        len(part) < MAX_GAPS or sum(1 for _ in ATTRIBUTE_GAP.finditer(part)) <= MAX_GAPS for part in markup.split("<")
    )


def extract(markup: str, url: str) -> dict[str, str] | None:
    """Hostile markup may make the parser raise anything."""
    from trafilatura import bare_extraction
    from trafilatura.settings import Document

    found = bare_extraction(
        markup,
        url=url or None,
        with_metadata=True,
        include_comments=False,
        # Otherwise any date on the page is taken for its own.
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if not isinstance(found, Document) or not found.text:
        return None
    return {
        "title": found.title or "",
        "text": found.text,
        "author": found.author or "",
        "date": found.date or "",
        "publisher": found.sitename or "",
        "kind": stated_kind(markup),
    }


def stated_kind(markup: str) -> str:
    """``press`` or ``study`` if the page's metadata calls it a news article or a scholarly one; else empty."""
    if NEWS_ARTICLE.search(markup):
        return "press"
    return "study" if SCHOLARLY_ARTICLE.search(markup) else ""


def main() -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    logging.disable()
    sys.stdout.write(json.dumps(extract(sys.stdin.buffer.read().decode(), sys.argv[1])))


if __name__ == "__main__":
    main()
