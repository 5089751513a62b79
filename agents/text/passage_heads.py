"""Shows passages in a prompt under a head that says where they come from: ``[S8] title — publisher, author, date, kind``."""

from __future__ import annotations

import re

from agents.contract import Passage, Source
from agents.text.quoting import boundary

TITLE_CHARACTERS, NAME_CHARACTERS = 120, 60

KINDS = {
    "study": "study",
    "press": "press",
    "official": "official",
    "advocacy": "advocacy",
    "vendor": "vendor",
    "notes": "own notes",
    "": "",
}
"""Names of the kinds of source for a model."""

_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SEPARATORS = str.maketrans("[]<>【】［］—", "()()()()–")
_LINE_OPENING_MARK = re.compile(r"^(\s*)\[(?=\s*[Ss]\d)", re.MULTILINE)


def passage_head(passage: Passage, source: Source) -> str:
    """Such as ``[S8] Heat pumps in old houses — Institute of Roofs, A. Writer, 2024-05-31, study, en, p. 4``.

    Unknown parts are left out. Titles and names come from the web: on one line, shortened, and without brackets and separators,
    so that they cannot look like another head, another part of it, or the boundary of the material.
    """
    parts = [
        _name(source.publisher),
        _name(source.author),
        _name(source.date),
        KINDS.get(source.kind) or _name(source.kind),
        _name(source.language),
        f"p. {passage.page}" if passage.page else "",
    ]
    details = ", ".join(filter(None, parts))
    about = " — ".join(filter(None, (_one_line(source.title, TITLE_CHARACTERS), details)))
    return f"[{passage.id}] {about}".rstrip()


def headed_passage(passage: Passage, source: Source) -> str:
    """The passage under its head. A line of its text that begins like a head is changed so that it does not."""
    text = _LINE_OPENING_MARK.sub(r"\1(", passage.text)
    return f"{passage_head(passage, source)}\n{text}"


def _name(text: str) -> str:
    """Without commas, which separate the parts of a head."""
    return _one_line(text.replace(",", ";"), NAME_CHARACTERS)


def _one_line(text: str, limit: int) -> str:
    line = _INVISIBLE.sub(" ", text[: 4 * limit]).translate(_SEPARATORS).replace(boundary(), "…")
    line = " ".join(line.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
