"""Splits text into sentences and decides which of them can be quoted.

Rule-based: pysbd, the only library without a downloaded model, had its last release in 2021. If a full stop is ambiguous the
sentences are not split, because a long quotation reads better than half of one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from agents.text.syntax import CLOSERS, PAUSES, STOPS, WIDE_STOPS
from agents.text.tokenizer import count_plain_words

# English, German, then French, Spanish, Italian, Dutch and Vietnamese. "e.g." and "z.B." are recognised by their form.
_ABBREVIATION_LIST = """
dr mr mrs ms prof st sr jr gen col capt lt sgt rev hon gov sen rep pres figs eds cf ca approx vs mt dept
est jan feb mar apr jun jul aug sep sept oct nov dec al viz
nr bzw evtl ggf inkl vgl hl dipl ing bspw sog zzgl mio mrd str bsp geb gest jh
mme mlle av env chap éd sra srta dra núm pág sig dott dhr mevr bijv ths ts pgs gs tp
"""
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())

_DOTTED_ORDINALS = frozenset(
    ["de", "da", "nb", "nn", "no", "fi", "cs", "sk", "pl", "hu", "sl", "hr", "sr", "et", "lv", "tr"]
)
"""Languages that write "3. Oktober" for the third of October."""

# After a stop, “ can only close a „German quotation“.
_OPENING = "\"'“‘„«(["
_BOUNDARY = re.compile(
    rf"(?<=[{STOPS}])(?<![{WIDE_STOPS}])[{CLOSERS}]*(?:\s»)?\s+|[{WIDE_STOPS}](?<!．(?=\d))[」』”’）]*\s*"
)
_ENDED = re.compile(rf"[{STOPS}][{CLOSERS}]*$")
_LAST_TOKEN = re.compile(r"([^\s(\[\"“„«]+)\.$")
_LINE_PARTS = re.compile(r"^((?:[-*+•–]|\(?\d{1,3}[.)])\s+)?(#{1,6}\s+)?(.*)$", re.DOTALL)

# Boilerplate of web pages. Only phrases that no subject uses: bakers write about cookies, too.
_BOILERPLATE = re.compile(
    r"\b(?:(?:use|uses|accept|of|our) cookies|cookie (?:policy|settings|consent)|enable javascript|click here|follow us|"
    r"subscribe (?:now|today|to our)|our newsletter|share (?:on|this (?:article|page|post|story|on))|copyright \d{4}|"
    r"all rights reserved|our (?:privacy policy|terms of)|leave a (?:reply|comment)|alle rechte vorbehalten|"
    r"tous droits réservés)\b|©|^(?:log in|sign (?:in|up)|read more|advertisement)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?:|www\.|\S@\S+\.\w")
_MARKDOWN_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s\"[^\"]*\")?\)")
_NOTE_MARK = re.compile(r"\[(?:\d{1,3}|[a-z]|citation needed|note \d+)\]")
_EMPHASIS = re.compile(r"(\*\*|__|\*|`)(?=\S)(.+?)(?<=\S)\1")
_PAIRS = (("(", ")"), ("[", "]"), ("«", "»"))
_FEWEST_WORDS, _MOST_WORDS = 5, 60
_MOST_WORDS_OF_A_HEADING = 9


@dataclass(frozen=True)
class _Line:
    text: str
    is_item: bool
    is_heading: bool


def split(text: str, language: str = "en") -> list[str]:
    """The sentences of ``text``, in order, free of Markdown and with single spaces. ``language`` is a BCP 47 tag."""
    return [sentence for _, sentence in read(text, language)]


def read(text: str, language: str, heading: str = "") -> Iterator[tuple[str, str]]:
    """The sentences of ``text``, each with the heading above it; before the first one that is ``heading``.

    A short line above a paragraph is a heading, too. List items are returned as sentences; ``is_quotable`` decides about them.
    """
    has_ordinals = language.partition("-")[0].lower() in _DOTTED_ORDINALS
    for paragraph in _paragraphs(text):
        if paragraph.is_heading:
            heading = paragraph.text
        else:
            yield from ((heading, sentence) for sentence in _sentences(paragraph.text, has_ordinals))


def is_quotable(sentence: str) -> bool:
    """Whether ``sentence`` is complete and no heading, menu, fragment, table row, address or call to subscribe."""
    if not _FEWEST_WORDS <= count_plain_words(sentence) <= _MOST_WORDS:
        return False
    if not _ENDED.search(sentence):
        return False
    first = sentence.lstrip(_OPENING)[:1]
    if not first.isalnum() or first.islower():
        return False
    if _BOILERPLATE.search(sentence) or _ADDRESS.search(sentence) or "|" in sentence:
        return False
    if any(sentence.count(opening) != sentence.count(closing) for opening, closing in _PAIRS):
        return False
    # German opens with the mark that closes in English, so quotation marks are only counted.
    if sentence.count('"') % 2 or sum(map(sentence.count, "“”„")) % 2:
        return False
    # Vowel signs of Hindi, Thai or Arabic are combining marks and make up a third of a text.
    words = sum(character.isspace() or unicodedata.category(character)[0] in "LM" for character in sentence)
    return words >= 0.75 * len(sentence)


def _paragraphs(text: str) -> Iterator[_Line]:
    """The paragraphs, headings and list items of ``text``; wrapped lines are joined."""
    gathered: list[str] = []
    for line, below in pairwise(map(_read_line, [*text.splitlines(), "", ""])):
        is_heading = line.is_heading or (bool(line.text) and _is_heading(line, below))
        if is_heading and gathered and not line.is_heading:
            is_heading = gathered[-1][-1] in STOPS + PAUSES  # else the line continues a wrapped paragraph
        if gathered and (not line.text or line.is_item or is_heading):
            yield _Line(" ".join(gathered), is_item=False, is_heading=False)
            gathered = []
        if is_heading:
            yield _Line(line.text, is_item=False, is_heading=True)
        elif line.text:
            gathered.append(line.text)


def _is_heading(line: _Line, below: _Line) -> bool:
    if line.is_item or not line.text[0].isalpha() or line.text[0].islower() or line.text[-1] in STOPS + PAUSES:
        return False
    return count_plain_words(line.text) <= _MOST_WORDS_OF_A_HEADING < count_plain_words(below.text)


def _read_line(line: str) -> _Line:
    bullet, heading, text = _LINE_PARTS.findall(line.strip())[0]
    return _Line(_plain(text), is_item=bool(bullet), is_heading=bool(heading))


def _plain(line: str) -> str:
    """``line`` without link targets, emphasis and note numbers."""
    line = _MARKDOWN_LINK.sub(lambda link: "" if link[0].startswith("!") else link[1], line)
    line = _NOTE_MARK.sub("", _EMPHASIS.sub(r"\2", line))
    return " ".join(unicodedata.normalize("NFC", line).split())


def _sentences(line: str, has_ordinals: bool) -> Iterator[str]:
    start = 0
    for boundary in _BOUNDARY.finditer(line):
        if _ends_here(line[start : boundary.start()], line[boundary.end() :], has_ordinals):
            yield line[start : boundary.end()].strip()
            start = boundary.end()
    if line[start:].strip():
        yield line[start:].strip()


def _ends_here(before: str, after: str, has_ordinals: bool) -> bool:
    """Whether the stop at the end of ``before`` ends a sentence, and not an abbreviation, an initial or an ordinal."""
    if after.lstrip(_OPENING)[:1].islower():
        return False
    match = _LAST_TOKEN.search(before)
    if match is None:
        return True
    token = match[1].lower()
    if len(token) <= 3 and after[:1].isdigit():  # No. 5, pp. 3-4, Abs. 2
        return False
    if token in _ABBREVIATIONS or (len(token) == 1 and token.isalpha()) or re.fullmatch(r"(?:\w\.)+\w", token):
        return False
    return not (has_ordinals and re.fullmatch(r"\d{1,2}", token))
