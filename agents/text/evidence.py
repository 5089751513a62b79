"""Sentences that cite: finding them, judging by code what code can judge, putting other words in their place.

Code decides only what it can decide exactly: the very words, a number, a quotation. The rest is for a model to judge.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agents.contract import Passage, Verdict
from agents.text.citations import CitationMark, cited_ids, escape_markdown, find_marks, strip_unknown_marks
from agents.text.markdown import LINE_OPENING, split_blocks, visible_text
from agents.text.numbers import missing_numbers
from agents.text.quotations import is_verbatim, missing_quotations
from agents.text.tokenizer import STOPS, count_words, sentences

MOST_WORDS = 80
MOST_TIMES_LONGER = 3

_CONTINUED = re.compile(r"(?:\r\n?|\n)[ \t>]*")
# What opens a line that goes on with a paragraph, and emphasis that ends behind a full stop.
_UNSAID = re.compile(rf"(?<=\n)[ \t>]+|(?<=[{STOPS}])[*_]+(?=\s|\Z)")
_RULE_OF_TABLE = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_LINE = re.compile(r"[^\n]+")
_CELL = re.compile(r"(?:\\.|[^\\|\n])+")
_ENDING = re.compile(rf"([{STOPS}]+)([\"'”’»)\]」』）]*)\Z")
_EMPHASIS = "*_"


@dataclass(frozen=True)
class CitedSentence:
    """A sentence that cites: ``markdown[start:end] == text``, with its marks; ``plain`` is what a reader sees of it.

    ``number`` counts from 1 within the text; ``passages`` are the ids it cites, each once.
    """

    number: int
    start: int
    end: int
    text: str
    plain: str
    passages: list[str]


def cited_sentences(markdown: str) -> list[CitedSentence]:
    """Every sentence of prose, item of a list or cell of a table that carries at least one mark. Code is no prose.

    A mark belongs to the sentence before it, whether it stands before or after the full stop, and to the one after it only
    where a paragraph begins with it. A mark in a paragraph or cell of its own belongs to what was said last.
    """
    found = (sentence for sentence in _sentences(markdown) if sentence.ids)
    return [
        CitedSentence(
            number=number,
            start=sentence.start,
            end=sentence.end,
            text=markdown[sentence.start : sentence.end],
            plain=_seen(markdown[sentence.start : sentence.end]).strip(f"{_EMPHASIS} "),
            passages=list(dict.fromkeys(sentence.ids)),
        )
        for number, sentence in enumerate(found, start=1)
    ]


def compare_with_passages(cited: CitedSentence, passages: Mapping[str, Passage]) -> tuple[Verdict, str] | None:
    """What code can tell of a sentence and the passages it cites, and why; None where a model has to judge.

    It is ``supported`` where it stands in one of them word for word, ``not`` where a number or a quotation of it stands in
    none. That all of them do stand there proves nothing. Not looked at are numbers up to twelve in words ("two reasons"), too
    common to be claims, ordinals, decades, numbers that are part of a name (CO2, Covid-19), and signs: "five degrees below zero"
    has none.
    """
    texts = [passages[id].text for id in cited.passages if id in passages]
    if not texts:
        return "not", "It cites no passage that was read."
    if any(is_verbatim(cited.plain, text) for text in texts):
        return "supported", ""
    if quotations := missing_quotations(cited.plain, texts):
        return "not", f"The quotation “{quotations[0]}” stands in none of the passages it cites."
    if figures := missing_numbers(cited.plain, texts):
        one = len(figures) == 1
        return "not", (
            f"The number{'' if one else 's'} {' and '.join(figures)} {'stands' if one else 'stand'}"
            " in none of the passages it cites."
        )
    return None


def replace_sentences(markdown: str, rewordings: Mapping[int, str]) -> str:
    """``markdown`` with the sentences of these numbers (as ``cited_sentences`` counts) in other words, one line each.

    A sentence keeps its own marks, before its final stop; marks in the new words are dropped, and what would be Markdown is
    shown as it stands. New words are ignored where there are none, more than 80, or more than three times as many as before,
    and where they are more than one sentence, of which the first would cite nothing.
    """
    text = markdown
    for cited in reversed(cited_sentences(markdown)):
        if words := _acceptable(rewordings.get(cited.number, ""), cited):
            text = text[: cited.start] + _in_place_of(cited, words) + text[cited.end :]
    return text


# Finding sentences


@dataclass
class _Sentence:
    start: int
    end: int
    ids: list[str] = field(default_factory=list)


def _sentences(markdown: str) -> list[_Sentence]:
    """All sentences of prose in their order, each with the ids of its marks and reaching as far as its marks do."""
    text = markdown.replace("\r\n", " \n").replace("\r", "\n")  # as long as before
    found = list(find_marks(text))
    told: list[_Sentence] = []
    for start, end in _stretches(text):
        own = [mark for mark in found if start <= mark.start < end]
        new = _split(text, start, end, own)
        if not new and told:
            for mark in own:
                _add_lone(mark, told[-1], text)
        told += new
    return told


def _split(text: str, start: int, end: int, own: Sequence[CitationMark]) -> list[_Sentence]:
    """The sentences of ``text[start:end]``, which are told apart as if its marks and the openings of its lines were not there."""
    hidden = {place for mark in own for place in range(mark.start, mark.end)}
    for unsaid in _UNSAID.finditer(text, start, end):
        hidden.update(range(*unsaid.span()))
    shown = [place for place in range(start, end) if place not in hidden]
    bare = "".join(text[place] for place in shown).replace("\n", " ")
    places = [bisect_left(shown, mark.start) for mark in own]
    spans = [span for span in _spans(bare, places) if any(map(str.isalnum, bare[slice(*span)]))]
    told = [_Sentence(shown[begin], shown[finish - 1] + 1) for begin, finish in spans]
    for mark, place in zip(own, places, strict=True) if told else ():
        sentence = told[max(bisect_left([begin for begin, _ in spans], place) - 1, 0)]
        sentence.ids += mark.ids
        sentence.start = min(sentence.start, _first_sign(text, mark))
        sentence.end = max(sentence.end, mark.end)
    return told


def _spans(bare: str, places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where the sentences of ``bare`` begin and end. A full stop with a mark behind it ends one, even an abbreviation's."""
    ends = (
        place for place in places if bare[:place].endswith(tuple(STOPS)) and not bare[place:].lstrip()[:1].islower()
    )
    for start, end in pairwise([0, *ends, len(bare)]):
        yield from sentences(bare, start, end)


def _add_lone(mark: CitationMark, sentence: _Sentence, text: str) -> None:
    """Give ``sentence`` a mark that stands alone behind it; it reaches there only if nothing but space lies between."""
    sentence.ids += mark.ids
    if not text[sentence.end : _first_sign(text, mark)].strip():
        sentence.end = mark.end


def _first_sign(text: str, mark: CitationMark) -> int:
    return mark.end - len(text[mark.start : mark.end].lstrip())


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Where each paragraph, heading, item of a list or cell of a table begins and ends, without what opens its first line."""
    at = 0
    for block, kind in split_blocks(text, {"fence", "code_block", "inline"}):
        if kind == "inline":
            yield from ((at + start, at + end) for start, end in _cells(block))
        at += len(block)


def _cells(block: str) -> Iterator[tuple[int, int]]:
    """The cells of a block's table, after what stands before it; the whole block where it holds none."""
    lines = block.split("\n")
    rule = next((place for place, line in enumerate(lines) if place and _is_rule(line)), len(lines) + 1)
    head = "\n".join(lines[: rule - 1])
    if head.strip():
        yield len(block) - len(LINE_OPENING.sub("", block, count=1)), len(head)
    for row in _LINE.finditer(block, min(len(head), len(block))):
        if not _is_rule(row[0]):
            yield from (cell.span() for cell in _CELL.finditer(block, *row.span()))


def _is_rule(line: str) -> bool:
    """Whether ``line`` is the one below a table's head, such as ``|---|:-:|``."""
    return "|" in line and _RULE_OF_TABLE.fullmatch(line) is not None


# Putting other words in place


def _seen(text: str) -> str:
    """``text`` as a reader sees it, without marks."""
    return visible_text(strip_unknown_marks(_CONTINUED.sub(" ", text), ()))


def _acceptable(words: str, cited: CitedSentence) -> str:
    """New words as plain text on one line, without marks and what opens a block; empty where they cannot stand there."""
    line = " ".join(words.split())
    if "```" in line or "~~~" in line:
        return ""
    new = _seen(LINE_OPENING.sub("", line, count=1))
    most = min(MOST_WORDS, MOST_TIMES_LONGER * max(count_words(cited.plain), 1))
    return new if 0 < count_words(new) <= most and len(sentences(new)) == 1 else ""


def _in_place_of(cited: CitedSentence, words: str) -> str:
    """``words`` as Markdown, with the marks of ``cited``, its final stop, and emphasis that begins or ends outside of it."""
    seen = _seen(cited.text)
    opening = seen[: len(seen) - len(seen.lstrip(_EMPHASIS))]
    closing = seen[len(seen.rstrip(_EMPHASIS)) :]
    body, stop = _without_stop(words, instead=cited.plain)
    ids = ", ".join(dict.fromkeys(cited_ids(cited.text)))
    return f"{opening}{escape_markdown(body)}{f' [{ids}]' if ids else ''}{stop}{closing}"


def _without_stop(words: str, instead: str) -> tuple[str, str]:
    """``words`` and their final stop, or that of ``instead`` where they have none; one within closing quotation marks stays."""
    if ending := _ENDING.search(words):
        return (words, "") if ending[2] else (words[: ending.start()], ending[1])
    usual = _ENDING.search(instead)
    return words, usual[1] if usual else ""
