"""The sentences of a source, and which of them can be quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.text.markdown import LINE_OPENING, visible_text
from agents.text.syntax import CLOSERS, PAUSES, SOURCE_NOTE, STOPS
from agents.text.tokenizer import MARKS, count_plain_words, lines, sentences

MIN_WORDS, MAX_WORDS, MAX_HEADING_WORDS = 5, 60, 9

# After these, and after any number of one or two digits, the sentence goes on: a long quotation reads better than half of one.
_UNFINISHED = re.compile(
    r"(?:^|[\s(\[“„«\"])(?:\d{1,2}|gen|col|capt|lt|sgt|rev|hon|gov|sen|rep|pres|figs|mt|dept|est|jan|feb|mar|apr|jun|jul|aug"
    r"|sept?|oct|nov|dec|dez|okt|viz|hl|dipl|ing|bspw|str|bsp|geb|gest|jh|abs|educ|mme|mlle|av|env|chap|éd|sra|srta|dra"
    r"|núm|pág|sig|dott|dhr|mevr|bijv|ths|ts|pgs|gs|tp)\.$",
    re.IGNORECASE,
)
_BEFORE_NUMBER = re.compile(r"(?:^|\W)[^\W\d_]{1,3}\.$")  # No. 5, pp. 3-4, Abs. 2
_OPENING = "\"'“‘„«(["
_ENDED = re.compile(rf"[{STOPS}][{CLOSERS}]*$")

# Boilerplate of web pages and addresses. Only phrases that no subject uses: bakers write about cookies, too.
_BOILERPLATE = re.compile(
    r"\b(?:(?:uses?|accept|of|our) cookies|cookie (?:policy|settings|consent)|enable javascript|click here|follow us|subscribe "
    r"(?:now|today|to our)|our (?:newsletter|privacy policy|terms of)|share (?:on|this (?:article|page|post|story|on))|copyright "
    r"\d{4}|all rights reserved|leave a (?:reply|comment)|alle rechte vorbehalten|tous droits réservés)\b"
    r"|©|^(?:log in|sign (?:in|up)|read more|advertisement)\b|\||https?:|www\.|\S@\S+\.\w",
    re.IGNORECASE,
)


def read(text: str, heading: str = "") -> Iterator[tuple[str, str]]:
    """The sentences of ``text``, each with the heading above it; before the first one that is ``heading``.

    A line is a paragraph, a list item or a heading: sources are unwrapped when they are read.
    """
    for start, end in lines(text):
        line = text[start:end]
        opening = LINE_OPENING.match(line)
        marker = opening[0] if opening else ""
        plain = SOURCE_NOTE.sub("", visible_text(line[len(marker) :]))
        if "#" in marker or (not marker and _is_heading(plain)):
            heading = plain
        else:
            yield from ((heading, sentence) for sentence in _sentences(plain))


def is_quotable(sentence: str) -> bool:
    """Whether ``sentence`` is complete and no heading, menu, fragment, table row, address or call to subscribe."""
    first = sentence.lstrip(_OPENING)[:1]
    odd = sum(not (sign.isalpha() or sign.isspace() or sign in MARKS) for sign in sentence)
    return (
        MIN_WORDS <= count_plain_words(sentence) <= MAX_WORDS
        and _ENDED.search(sentence) is not None
        and first.isalnum()
        and not first.islower()
        and _BOILERPLATE.search(sentence) is None
        and all(sentence.count(one) == sentence.count(other) for one, other in ("()", "[]", "«»"))
        # German opens with the mark that closes in English, so quotation marks are only counted.
        and sentence.count('"') % 2 == sum(map(sentence.count, "“”„")) % 2 == 0
        and odd <= 0.25 * len(sentence)
    )


def _is_heading(line: str) -> bool:
    begins = line[:1].isalpha() and not line[0].islower()
    is_short = count_plain_words(line) <= MAX_HEADING_WORDS
    return begins and is_short and line[-1] not in PAUSES and not any(stop in line for stop in STOPS)


def _sentences(line: str) -> Iterator[str]:
    """The sentences of a paragraph as the rest of the studio divides it, joined again where one is not finished."""
    line = line.replace(" »", "\u00a0»")  # otherwise the mark belongs to the next sentence
    gathered = ""
    for start, end in sentences(line):
        piece = " ".join(line[start:end].split())
        if gathered and not (_UNFINISHED.search(gathered) or (piece[:1].isdigit() and _BEFORE_NUMBER.search(gathered))):
            yield gathered
            gathered = ""
        gathered = f"{gathered} {piece}".strip()
    if gathered:
        yield gathered
