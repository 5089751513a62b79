"""Cleans up what a model wrote: removes its heading, preface and reference list, and an incomplete last sentence."""

from __future__ import annotations

import re
from functools import partial

from agents.text.citations import strip_stray_citations, strip_unknown_marks
from agents.text.markdown import map_prose, split_blocks
from agents.text.syntax import CITATION, CLOSERS, FOOTNOTE, PAUSES, STOPS, TRAILING_MARKS
from agents.text.tokenizer import LIST_NUMBER, STOP, UNSPACED, count_plain_words, sentences

PARAGRAPH_BREAK = "\n\n"

HEADING_WORDS = 12
"""A longer line is not taken for a heading."""

LOOSE_WORDS, LOOSE_SHARE = 40, 0.25
"""An incomplete end is removed if it is shorter than this many words or this share of the text. More is a text without stops."""

_TRAILING_MARKS = re.compile(TRAILING_MARKS)
_PICTURES = "\u2600-\u27bf\U0001f300-\U0001faff\ufe0f"
_COMPLETE = re.compile(rf"(?:[{STOPS}:;：；][{CLOSERS}*_]*|(?<=[^`])`+|[{_PICTURES}]){TRAILING_MARKS}$|{CITATION}$")
_NEEDS_NO_STOP = re.compile(r"\s*(?:[-*+]\s|\d{1,3}[.)]\s|\||>|`{3}|~{3}|\$\$|!\[)")
_HEADING = re.compile(r"\s*#{1,6}\s")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_OTHER_LETTER = re.compile(rf"[^\W\d_{UNSPACED}]")

_FENCED = re.compile(r"\s*```(?:markdown|md)?\n(.*?)\n```\s*", re.DOTALL)
_PREFACE = re.compile(
    r"\A(?:[^\n.!:]{1,20}[.!,]\s)?here(?:['’]s| is)\b[^\n]{0,80}\b(?:section|text|draft|version|rewrite|revision)\b[^\n]{0,80}"
    r":[*_]*\s*\n\s*\n",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\A(?:\d{1,2}[.)]|(?:section|chapter|part)\s\d{1,2}\s?[:.–—-])\s+", re.IGNORECASE)
_HASHES = re.compile(r"\A(?:\s*#{1,6} [^\n]*\n+)+")
_UNDERLINED = re.compile(r"(?:\A|(?<=\n\n))(?P<heading>[^\s#>|`][^\n]*)\n(?:=+|-+)[ \t]*(?=\n|\Z)")
_FIRST_LINE = re.compile(r"\A(?P<line>[^\n]+)\n\s*\n(?=\S)")
_ALL_STRONG = re.compile(r"\A(?P<sign>\*\*|__)(?P<words>[^*_]+)(?P=sign):?\Z")
_EMPHASIS = re.compile(r"(?<![\\\w*])(\*{1,3}|_{1,3})(?=[^\s*_])(.{1,200}?)(?<=[^\s*_])\1(?![\w*])")
_FOOTNOTE = re.compile(rf"\s?{FOOTNOTE}")
_ABBREVIATED = re.compile(r"(?:\b[^\W\d_]\.){2,}\Z|\b(?:Inc|Ltd|Co|Jr|Sr|St)\.\Z")
_REFERENCES = re.compile(
    r"^(?:#{1,6}[ ]|\*\*|__)?(?:references|sources|bibliography|works cited|citations|quellen|literatur|références|fuentes"
    r"|referencias|fonti|bronnen|nguồn|tài liệu tham khảo|источники|参考文献|参考资料|參考資料|出典|참고 문헌|संदर्भ|المراجع|อ้างอิง)"
    r"[:：]?(?:\*\*|__)?[:：]?[ \t]*#*$",
    re.IGNORECASE | re.MULTILINE,
)
_REFERENCE = re.compile(r"\s*(?:[-*+]\s|\(?\d{1,3}[.)]\s|\[)")


def clean_section(answer: str) -> str:
    """A writer's answer as the text of a section.

    Removes a heading at the top, a list of references at the end, and remarks to whoever asked; moves further headings below
    the level of the section's own.
    """
    text = _PREFACE.sub("", answer.strip())
    fenced = _FENCED.fullmatch(text)
    body = _without_heading((fenced[1] if fenced else text).strip())
    blocks = split_blocks(body, {"fence", "code_block"})
    body = "".join(block if is_code else _demote_headings(block) for block, is_code in blocks)
    return _without_references(body).strip()


def clean_fragment(put: str) -> str:
    """What an editor puts into a section: its headings are below that of the section, and all else stays."""
    return "".join(
        block if is_code else _demote_headings(block) for block, is_code in split_blocks(put, {"fence", "code_block"})
    )


def clean_heading(answer: str) -> str:
    """A heading a model gave, on one line, without number, marks, emphasis and final full stop."""
    line = strip_stray_citations(strip_unknown_marks(_FOOTNOTE.sub("", one_line(answer)), ()))
    line = re.sub(r"\s#+\Z", "", map_prose(line, partial(_EMPHASIS.sub, r"\2")).strip())
    line = _NUMBER.sub("", line)
    return (line if _ABBREVIATED.search(line) else line.rstrip(" .。")) or one_line(answer)


def one_line(text: str) -> str:
    return " ".join(text.split()).lstrip("# ")


def is_complete(text: str) -> bool:
    """Whether ``text`` ends where a sentence ends. Lists, tables and code need no stop, nor do some scripts."""
    return _ends_complete(text) or not STOP.search(text)


def without_incomplete_end(text: str) -> str:
    """``text`` up to its last complete sentence or list item; unchanged if it has none, or if too much would be lost."""
    if is_complete(text):
        return text
    for _, stop in reversed(sentences(text)):
        marks = _TRAILING_MARKS.match(text, stop)
        end = marks.end() if marks else stop
        if _ends_complete(text[:end]):
            loose = count_plain_words(text, end)
            return text[:end] if loose <= max(LOOSE_WORDS, LOOSE_SHARE * count_plain_words(text)) else text
    return text


def _without_heading(text: str) -> str:
    if hashes := _HASHES.match(text + "\n"):
        return text[hashes.end() :].strip()
    underlined = _UNDERLINED.match(text)
    if underlined and count_plain_words(underlined["heading"]) <= HEADING_WORDS:
        return text[underlined.end() :].strip()
    first = _FIRST_LINE.match(text)
    return text[first.end() :] if first and _is_heading(first["line"].strip(), text[first.end() :]) else text


def _is_heading(line: str, below: str) -> bool:
    """Whether a line of its own is a heading: all bold, numbered, or without a final stop and above prose."""
    strong = _ALL_STRONG.match(line)
    words = strip_unknown_marks(strong["words"] if strong else line, ()).strip()
    if not words or count_plain_words(words) > HEADING_WORDS or _NEEDS_NO_STOP.match(words):
        return False
    if strong or _NUMBER.match(words):
        return words[-1] not in ".!…"
    has_stop = words[-1] in f"{STOPS}{PAUSES}*_`)]”’»"
    is_above_prose = not _NEEDS_NO_STOP.match(below) and not _HEADING.match(below)
    return not has_stop and is_above_prose and not _UNSPACED.search(words)


def _demote_headings(block: str) -> str:
    """``block`` with its headings at level 3, below that of the section."""

    def with_hashes(found: re.Match[str]) -> str:
        is_short = count_plain_words(found["heading"]) <= HEADING_WORDS
        return f"### {found['heading']}" if is_short else found[0]

    return re.sub(r"^#{1,2} ", "### ", _UNDERLINED.sub(with_hashes, block), flags=re.MULTILINE)


def _without_references(text: str) -> str:
    """``text`` without a list of references at its end. A section in prose that is called "Sources" stays."""
    headings = list(_REFERENCES.finditer(text))
    if not headings or not headings[-1].start():
        return text
    listed = [line for line in text[headings[-1].end() :].split("\n") if line.strip()]
    return text[: headings[-1].start()] if listed and all(map(_REFERENCE.match, listed)) else text


def _ends_complete(text: str) -> bool:
    last = text.rstrip().rpartition("\n")[2]
    if _HEADING.match(last) or LIST_NUMBER.fullmatch(last):
        return False
    # Thai, Lao, Burmese and Khmer may end a sentence with nothing but a space.
    is_unspaced = len(_UNSPACED.findall(last)) > len(_OTHER_LETTER.findall(last))
    return is_unspaced or bool(_COMPLETE.search(last) or _NEEDS_NO_STOP.match(last))
