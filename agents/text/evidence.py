"""Sentences that cite: finding them, comparing them with their passages, replacing them.

One mark stands for a run of sentences: all those since the mark before it, or since the start of the paragraph. Code decides
only what it can decide exactly: the very words, a number, a quotation. A model judges the rest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agents.contract import Passage, Verdict
from agents.text.arithmetic import correct_results
from agents.text.citations import cited_ids
from agents.text.escaping import escape_prose
from agents.text.markdown import LINE_OPENING
from agents.text.marked_sentences import EMPHASIS, plain_text, sentences_with_marks, visible_sentence
from agents.text.numbers import changes_of_ratios, known_values, missing_numbers
from agents.text.quantities import Quantity, parse_quantities
from agents.text.quotations import is_verbatim, missing_quotations, normalize
from agents.text.syntax import SENTENCE_END, citation_mark
from agents.text.tokenizer import count_plain_words, sentences

MAX_NEW_WORDS = 80
MAX_GROWTH = 3
LONGEST_KEPT = 5000  # characters of a text whose comparable form is kept

_REFERS_BACK = re.compile(
    r"(?:it|its|they|their|this|that|these|those|he|his|she|her|both|such|there|the (?:latter|former|same)"
    r"|er|sie|es|ihre?[mnrs]?|seine?[mnrs]?|dies(?:e[mnrs]?)?|das|dabei|dadurch|damit|davon|beide[ns]?|dort|letztere[nrs]?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class CitedSentence:
    """A sentence that cites: ``markdown[start:end] == text``, with its marks; ``plain`` is what a reader sees of it.

    ``number`` counts from 1 within the text; ``passages`` are the ids of its run, each once. Without ``own_mark`` the mark
    stands behind a later sentence of the paragraph. ``before`` is the sentence before it, empty for the first of the text:
    "It fell slightly" cannot be judged without it.
    """

    number: int
    start: int
    end: int
    text: str
    plain: str
    passages: list[str]
    own_mark: bool = True
    before: str = ""

    @property
    def marked(self) -> str:
        """``text`` with the marks of its run, for a prompt that shows single sentences."""
        return self.text if self.own_mark else f"{self.text} {citation_mark(self.passages)}"


@dataclass(frozen=True)
class UncitedSentence:
    """A sentence of prose outside every run: ``markdown[start:end] == text``."""

    start: int
    end: int
    text: str
    plain: str
    is_heading: bool
    before: str = ""


def cited_sentences(markdown: str) -> list[CitedSentence]:
    """Every sentence of prose, list item or table cell that belongs to a mark. Code is not prose.

    A mark belongs to the sentence before it, whether it stands before or after the full stop, and to the one after it only
    if a paragraph begins with it. A mark in a paragraph or cell of its own belongs to the last sentence before. The sentences
    without a mark before a marked one belong to the same run, never across paragraphs, items or cells; labelled reasoning or
    arithmetic of the author's own belongs to none.
    """
    found = sentences_with_marks(markdown)
    cited = [(place, sentence) for place, sentence in enumerate(found) if sentence.run]
    return [
        CitedSentence(
            number=number,
            start=sentence.start,
            end=sentence.end,
            text=markdown[sentence.start : sentence.end],
            plain=plain_text(markdown, sentence),
            passages=list(dict.fromkeys(sentence.run)),
            own_mark=bool(sentence.ids),
            before=plain_text(markdown, found[place - 1]) if place else "",
        )
        for number, (place, sentence) in enumerate(cited, start=1)
    ]


def uncited_sentences(markdown: str) -> list[UncitedSentence]:
    """The sentences, headings and table cells that belong to no mark, in order."""
    found = sentences_with_marks(markdown)
    return [
        UncitedSentence(
            start=sentence.start,
            end=sentence.end,
            text=markdown[sentence.start : sentence.end],
            plain=plain_text(markdown, sentence),
            is_heading=sentence.is_heading,
            before=plain_text(markdown, found[place - 1]) if place else "",
        )
        for place, sentence in enumerate(found)
        if not sentence.run
    ]


def verdict_key(sentence: str, passages: Iterable[Passage], before: str = "") -> str:
    """A hash of what a verdict depends on: the texts of the sentence and its passages, not their ids, order or places.

    The sentence ``before`` counts only if this one begins with a word that refers to it: such a verdict does not survive a move.
    """
    words = [comparable(sentence)]
    if before and _REFERS_BACK.match(sentence.lstrip(f"{EMPHASIS} ")):
        words.append(comparable(before))
    texts = sorted({comparable(passage.text) for passage in passages})
    content = "\x00".join(["\x01".join(words), *texts])
    return hashlib.sha256(content.encode(errors="replace")).hexdigest()[:32]


def comparable(text: str) -> str:
    """``text`` in the form in which two texts are the same: without marks, emphasis and kinds of quotation marks."""
    return _comparable(text) if len(text) <= LONGEST_KEPT else _comparable.__wrapped__(text)


@lru_cache(maxsize=1024)
def _comparable(text: str) -> str:
    """Kept: each sentence that cites a passage needs it, and a text is compared again after each edit."""
    return " ".join(normalize(visible_sentence(text)).split())


def compare_with_passages(cited: CitedSentence, passages: Mapping[str, Passage]) -> tuple[Verdict, str] | None:
    """The verdict code can give on a sentence, and its reason; None if a model has to judge.

    ``supported`` if one of its passages contains the sentence word for word; ``not`` if none contains one of its numbers or
    quotations. The presence of all of them proves nothing. Ignored are numbers up to twelve in words ("two reasons"), which are
    too common to be claims, ordinals, decades, numbers in names (CO2, Covid-19), and signs: "five degrees below zero" has none.
    """
    texts = [passages[id].text for id in cited.passages if id in passages]
    if not texts:
        return "not", "It cites no passage that was read."
    if any(is_verbatim(cited.plain, text) for text in texts):
        return "supported", ""
    if quotations := missing_quotations(cited.plain, texts):
        return "not", f"The quotation “{quotations[0]}” does not appear in the passages it cites."
    if numbers := unstated_numbers(cited.plain, texts):
        plural = len(numbers) > 1
        return "not", (
            f"The number{'s' if plural else ''} {' and '.join(numbers)} {'do' if plural else 'does'}"
            " not appear in the passages it cites."
        )
    return None


def unstated_numbers(claim: str, texts: Sequence[str]) -> list[str]:
    """The numbers of ``claim`` that ``texts`` do not state, nor in another unit, and that no calculation in it gives.

    A ratio may be given as the change it means: 0.78 times the risk is a risk 22 % lower.
    """
    missing = missing_numbers(claim, texts, also=correct_results(claim))
    if missing and (changes := changes_of_ratios(known_values(texts))):
        missing = [number for number in missing if number not in changes or not _is_percentage(number, claim)]
    if not missing:
        return []
    stated = [quantity for text in texts for quantity in stated_quantities(text)]
    converted = [
        quantity.text
        for quantity in parse_quantities(claim).quantities
        if any(quantity.is_conversion_of(other) for other in stated)
    ]
    return [number for number in missing if not any(number in text for text in converted)]


@lru_cache(maxsize=512)
def stated_quantities(text: str) -> tuple[Quantity, ...]:
    """The figures of a passage. Kept: many sentences are compared with the same passages."""
    return tuple(parse_quantities(text).quantities)


def _is_percentage(number: str, claim: str) -> bool:
    return re.search(rf"(?<![\d.,]){re.escape(number)}\s?(?:%|per\s?cent\b|percent\b|Prozent\b)", claim) is not None


def replace_sentences(markdown: str, replacements: Mapping[int, str]) -> str:
    """``markdown`` with the sentences of these numbers (as ``cited_sentences`` counts) replaced, one line each.

    A sentence keeps its own marks, before its final stop. Marks in the replacement are dropped, and its Markdown is escaped.
    A replacement is ignored if it is empty, longer than 80 words or three times the original, or more than one sentence, of
    which the first would cite nothing.
    """
    text = markdown
    for cited in reversed(cited_sentences(markdown)):
        if words := _acceptable(replacements.get(cited.number, ""), cited):
            text = text[: cited.start] + _with_marks_of(cited, words) + text[cited.end :]
    return text


# Replacing sentences


def _acceptable(words: str, cited: CitedSentence) -> str:
    """A replacement as plain text on one line, without marks; empty if it is not acceptable."""
    line = " ".join(words.split())
    if "```" in line or "~~~" in line:
        return ""
    new = visible_sentence(LINE_OPENING.sub("", line, count=1))
    most = min(MAX_NEW_WORDS, MAX_GROWTH * max(count_plain_words(cited.plain), 1))
    return new if 0 < count_plain_words(new) <= most and len(sentences(new)) == 1 else ""


_LABEL = re.compile(r"(?P<mark>\*\*|__)(?P<text>[^*_\n]{1,80}[:.])(?P=mark)(?=\s)")
"""A label in bold that opens a list item or a paragraph."""


def _with_marks_of(cited: CitedSentence, words: str) -> str:
    """``words`` as Markdown, with the marks of ``cited``, its final stop, and emphasis that begins or ends outside of it."""
    seen = visible_sentence(cited.text)
    opening = seen[: len(seen) - len(seen.lstrip(EMPHASIS))]
    closing = seen[len(seen.rstrip(EMPHASIS)) :]
    end, usual_end = SENTENCE_END.search(words), SENTENCE_END.search(cited.plain)
    if end is None:
        body, stop = words, usual_end["stop"] if usual_end else ""
    elif end["closers"]:  # a stop within closing quotation marks stays
        body, stop = words, ""
    else:
        body, stop = words[: end.start()], end["stop"]
    if label := _LABEL.match(cited.text):
        opening, body = f"{label[0]} ", body.removeprefix(label["text"]).lstrip()
    ids = dict.fromkeys(cited_ids(cited.text))  # none if its only marks stand apart from it
    return f"{opening}{escape_prose(body)}{f' {citation_mark(ids)}' if ids else ''}{stop}{closing}"
