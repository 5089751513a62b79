"""Cleans a pasted text: reads the lines at its head that say where it is from, and drops captions and share buttons.

Forms are strict: what might be a sentence of the text stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlsplit

from agents.research.dates import iso_date

HEAD_LINES = 15
TITLE_WORDS = 25
MAX_KIND = 80
CAPTION_WORDS = 12

_LABELS = {
    "url": "source|url|link|quelle",
    "title": "title|titel",
    "kind": "kind|kind of source|art der quelle",
    "publisher": "publisher|herausgeber|published by",
    "author": "authors?|autor|autorin|autoren",
    "date": "published|published on|date|publication date|datum|veröffentlicht|veröffentlicht am|erschienen am",
}
_LABELLED = {
    name: re.compile(rf"(?:{labels})\s*:\s*(?P<value>\S.{{0,2000}})", re.IGNORECASE) for name, labels in _LABELS.items()
}
_DATED = re.compile(r"(?:published(?: on)?|veröffentlicht am|erschienen am)\s+(?P<value>\S.{3,30})", re.IGNORECASE)
_NAME = r"(?:[A-ZÀ-Þ][\w.'’-]*)(?: (?:(?:de|van|von|der|den|la|du|di) )*[A-ZÀ-Þ][\w.'’-]*){1,3}"
_BYLINE = re.compile(rf"(?:[Bb]y|[Vv]on|BY|VON):? (?P<value>{_NAME}(?:(?:, | and | und | & ){_NAME}){{0,4}})")
_CAPTION = re.compile(
    r"\(?(?:(?:photo|photograph|image|picture|foto|bild)s?(?: credit| by)?|credit|bildquelle|bildnachweis|fotoquelle"
    r"|symbolfoto|symbolbild)\s*[:©]\s*\S.*|©\s*\S.{0,60}",
    re.IGNORECASE,
)
_SHARE_SEPARATOR = re.compile(r"[\s|/·•,]+")
_SHARE_NETWORKS = {
    *(
        "facebook",
        "twitter",
        "linkedin",
        "whatsapp",
        "pinterest",
        "reddit",
        "telegram",
        "xing",
        "x",
        "bluesky",
        "mastodon",
    ),
}
_SHARE_WORDS = _SHARE_NETWORKS | {
    *("share", "tweet", "on", "this", "article", "via", "email", "e-mail", "mail", "print", "copy", "link"),
    *("teilen", "auf", "drucken", "per", "kopieren", "artikel", "merken"),
}


@dataclass(frozen=True)
class PastedText:
    """``text`` without what was read from its head; fields that the head does not name are empty."""

    text: str
    title: str = ""
    url: str = ""
    kind: str = ""
    publisher: str = ""
    author: str = ""
    date: str = ""


def clean_pasted_text(text: str, title: str = "") -> PastedText:
    """``text`` has clean lines, as from ``tidy``. If nothing but a head would be left of it, it is returned as it is."""
    lines = text.split("\n")
    stated, at = _read_head(lines, title)
    body = "\n".join(_without_share_buttons(line for line in lines[at:] if not _is_caption(line))).strip()
    if not any(map(str.isalnum, body)):
        return PastedText(text)
    return PastedText(body, **stated)


def _read_head(lines: list[str], title: str) -> tuple[dict[str, str], int]:
    """What the head states, and the place of the first line after it."""
    stated: dict[str, str] = {}
    known_title = _folded(title)
    places = [at for at, line in enumerate(lines[:HEAD_LINES]) if line]
    for position, at in enumerate(places):
        line = lines[at]
        following = lines[places[position + 1]] if position + 1 < len(places) else ""
        found = _stated_by(line)
        if found and found[0] not in stated:
            stated[found[0]] = found[1]
            known_title = known_title or _folded(stated.get("title", ""))
        elif known_title and _folded(line) == known_title:
            continue
        elif not known_title and _is_title(line) and (_folded(line) == _folded(following) or _stated_by(following)):
            stated["title"], known_title = line.lstrip("# "), _folded(line)
        else:
            return stated, at
    return stated, places[-1] + 1 if places else 0


def _stated_by(line: str) -> tuple[str, str] | None:
    """The field that a line of the head states, and its value."""
    if _is_address(line):
        return "url", line
    for name, form in _LABELLED.items():
        if found := form.fullmatch(line):
            value = found["value"]
            if name == "url":
                return (name, value) if _is_address(value) else None
            if name == "date":
                return (name, iso_date(value)) if iso_date(value) else None
            if name == "kind":  # a German dialogue may begin with “Kind: …”, a child that speaks
                return (name, value) if len(value) <= MAX_KIND and value[-1] not in ".!?…" else None
            return (name, value) if len(value) <= 200 else None
    if (found := _DATED.fullmatch(line)) and iso_date(found["value"]):
        return "date", iso_date(found["value"])
    return ("author", found["value"]) if (found := _BYLINE.fullmatch(line)) else None


def _is_address(text: str) -> bool:
    if not re.fullmatch(r"https?://[^\s<>\"]{3,1990}", text):
        return False
    try:
        return "." in (urlsplit(text).hostname or "")
    except ValueError:
        return False


def _is_title(line: str) -> bool:
    return len(line.split()) <= TITLE_WORDS and line[-1] not in ".:;,"


def _folded(line: str) -> str:
    return " ".join(line.lstrip("# ").casefold().split())


def _is_caption(line: str) -> bool:
    """A credit of a photograph. One that ends like a sentence is dropped only if it is as short as a name."""
    words = len(line.split())
    ends_sentence = line.rstrip(")").endswith((".", "!", "?"))
    return bool(_CAPTION.fullmatch(line)) and words <= (5 if ends_sentence else CAPTION_WORDS)


def _without_share_buttons(lines: Iterable[str]) -> list[str]:
    """Drops runs of lines that name nothing but ways of sharing, with at least one network and two words."""
    kept: list[str] = []
    for _, run in groupby(lines, key=lambda line: not line or bool(_share_words(line))):
        block = list(run)
        words = [word for line in block for word in _share_words(line)]
        if len(words) < 2 or not _SHARE_NETWORKS & set(words):
            kept += block
        elif "" in (block[0], block[-1]):
            kept.append("")  # the paragraphs around it stay apart
    return kept


def _share_words(line: str) -> list[str]:
    """The words of ``line`` if it has no other than those of share buttons."""
    words = [word for word in _SHARE_SEPARATOR.split(line.casefold().rstrip(":")) if word]
    return words if set(words) <= _SHARE_WORDS else []
