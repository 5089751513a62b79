"""The evidence panel: each cited sentence with its passages and the verdict."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from html import escape
from itertools import groupby
from typing import NamedTuple, cast

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from articles.evidence.results import CheckedSentence, CitedPassage
from articles.evidence.standing import OPEN, CheckedText, TextSentence
from articles.rendering.annotations import Annotation, Verdict, normalized_words

ICONS: Mapping[str, str] = {
    "supported": "check",
    "partly": "half",
    "not": "warning",
    "edited": "pen",
    "removed": "minus",
}
LABELS: Mapping[str, str] = {
    "supported": "Supported",
    "partly": "Partly supported",
    "not": "Not supported",
    "edited": "Edited since the check",
    "removed": "No longer in the text",
}

MIN_WORD_LENGTH = 5
"""A word of at least this many letters is highlighted if the sentence and the passage share it; so is any number."""
NGRAM = 4
"""This many words in a row are highlighted if the sentence and the passage share them, whatever the words."""
LONGEST = 20_000  # characters; a longer sentence or passage is shown without highlights
LONGEST_DIFF = 400  # words


@dataclass(frozen=True)
class EvidenceRow:
    """A check and what became of its sentence.

    ``stands``: its verdict holds; otherwise ``edited_state`` is what holds instead: ``edited``, ``removed`` or a verdict by code.
    ``place`` is the id of the sentence's mark in the text, or empty. ``edited_to`` is its wording in the text if that is another,
    and ``problem`` what code finds wrong with it.
    """

    checked: CheckedSentence
    place: str = ""
    stands: bool = True
    edited_to: str = ""
    problem: str = ""
    edited_state: str = ""

    @classmethod
    def of(cls, checked: CheckedSentence, now: TextSentence | None, place: str) -> EvidenceRow:
        if now is None:
            return cls(checked, place, stands=False, edited_state="removed")
        if now.stands:
            return cls(checked, place)
        return cls(checked, place, stands=False, edited_to=now.plain, problem=now.problem, edited_state=now.state)

    @property
    def state(self) -> str:
        return self.edited_state or self.checked.verdict

    @property
    def icon(self) -> str:
        return ICONS[self.state]

    @property
    def label(self) -> str:
        return LABELS[self.state]

    @property
    def edit(self) -> SafeString:
        """How the sentence was edited since the check, as deletions and insertions."""
        return diff(self.checked.row.sentence, self.edited_to)

    @cached_property
    def passages(self) -> list[tuple[CitedPassage, SafeString]]:
        """Each passage, and its text with the words it shares with the sentence highlighted."""
        sentence = self.checked.row.sentence
        return [(cited, highlight_shared(cited.passage.text, sentence)) for cited in self.checked.cited]

    @property
    def change(self) -> SafeString:
        """How the sentence was reworded, as deletions and insertions."""
        return diff(self.checked.row.was, self.checked.row.sentence)


@dataclass(frozen=True)
class EvidenceSection:
    """``state`` is the state of the section's draft."""

    number: int
    heading: str
    state: str
    rows: list[EvidenceRow]

    @cached_property
    def supported(self) -> int:
        return sum(row.state == "supported" for row in self.rows)


def text_annotations(text: CheckedText) -> list[Annotation]:
    """What the text shows at its sentences: their verdicts, and which were edited since."""
    return [annotation_of(found, found.check) for found in text.sentences if found.check and not found.is_title]


def annotation_of(found: TextSentence, check: CheckedSentence) -> Annotation:
    if found.stands:
        return check.annotation
    state = "edited" if found.state in OPEN else found.state
    return replace(check.annotation, sentence=found.plain, verdict=cast("Verdict", state))


def highlight_shared(passage: str, sentence: str) -> SafeString:
    """``passage`` as safe HTML with shared numbers, long words and n-grams highlighted."""
    if len(passage) > LONGEST or len(sentence) > LONGEST:
        return format_html("{}", passage)
    at, parts = 0, []
    for start, end in shared_stretches(passage, sentence):
        parts += [escape(passage[at:start]), "<mark>", escape(passage[start:end]), "</mark>"]
        at = end
    return mark_safe("".join([*parts, escape(passage[at:])]))  # noqa: S308 — each part is escaped


def shared_stretches(passage: str, sentence: str) -> Iterator[tuple[int, int]]:
    """Start and end of what ``passage`` shares with ``sentence``. Adjacent words are one stretch."""
    found, theirs = stems_of(passage), stems_of(sentence).words
    telling = {word for word in theirs if len(word) >= MIN_WORD_LENGTH or any(map(str.isdigit, word))}
    marked = [word in telling for word in found.words]
    # Two in a row count only in scripts without spaces, in which each character is a word.
    pairs = {pair for pair in ngrams(theirs, 2) if all(map(is_cjk_character, pair))}
    for length, shared in ((NGRAM, set(ngrams(theirs, NGRAM))), (2, pairs)):
        if shared:
            for at, row in enumerate(ngrams(found.words, length)):
                if row in shared:
                    marked[at : at + length] = [True] * length
    for is_marked, group in groupby(range(len(marked)), key=marked.__getitem__):
        if is_marked:
            numbers = list(group)
            yield found.starts[numbers[0]], found.ends[numbers[-1]]


class Stems(NamedTuple):
    """The words of a text without a plural s, and where each starts and ends in it."""

    words: tuple[str, ...]
    starts: array[int]
    ends: array[int]


@lru_cache(maxsize=256)
def stems_of(text: str) -> Stems:
    """Kept: each sentence that cites a passage is compared with it."""
    found = list(normalized_words(text))
    # Interned and in arrays, a passage of 200 words takes 3 kB instead of 30.
    words = tuple(sys.intern(stem(word)) for word, _, _ in found)
    return Stems(words, array("I", [start for _, start, _ in found]), array("I", [end for _, _, end in found]))


def ngrams(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[skip:] for skip in range(length)), strict=False)


def stem(word: str) -> str:
    """The word without a plural s."""
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def is_cjk_character(word: str) -> bool:
    return len(word) == 1 and word >= "\u3040"


def diff(old: str, new: str) -> SafeString:
    """Safe HTML: ``new`` with the changed words as ``del`` and ``ins``."""
    was, now = old.split(), new.split()
    if len(was) > LONGEST_DIFF or len(now) > LONGEST_DIFF:
        return format_html("<del>{}</del> <ins>{}</ins>", old, new)
    parts: list[SafeString] = []
    for kind, from_, to, start, end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(format_html("{}", " ".join(now[start:end])))
        if kind in ("delete", "replace"):
            parts.append(format_html("<del>{}</del>", " ".join(was[from_:to])))
        if kind in ("insert", "replace"):
            parts.append(format_html("<ins>{}</ins>", " ".join(now[start:end])))
    return format_html_join(" ", "{}", ((part,) for part in parts))
