"""The evidence panel: each sentence that cites, beside the passages it cites and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles.evidence.results import CheckedSentence, CitedPassage
from articles.rendering.annotations import words

MIN_WORD_LENGTH = 5
"""A word of so many letters tells something where a sentence and a passage share it; so does any number."""
NGRAM = 4
"""So many words in a row that a sentence and a passage share are marked whatever they are."""
LONGEST = 20_000  # characters of a sentence or a passage that are compared; a longer one is shown unmarked
LONGEST_DIFF = 400  # words


@dataclass(frozen=True)
class EvidenceRow:
    """``stands``: the text was not changed at this sentence since. ``place`` is the id of its mark there, empty before it."""

    judged: CheckedSentence
    place: str
    stands: bool

    @cached_property
    def passages(self) -> list[tuple[CitedPassage, SafeString]]:
        """Each passage, and its text with what the sentence takes from it marked. A template asks for it several times."""
        sentence = self.judged.row.sentence
        return [(cited, highlight_shared(cited.passage.text, sentence)) for cited in self.judged.cited]

    @property
    def change(self) -> SafeString:
        """How the sentence was reworded, as text taken out and put in."""
        return diff(self.judged.row.was, self.judged.row.sentence)


@dataclass(frozen=True)
class EvidenceSection:
    """``state`` is that of the section's draft."""

    number: int
    heading: str
    state: str
    rows: list[EvidenceRow]

    @cached_property
    def supported(self) -> int:
        return sum(row.judged.verdict == "supported" for row in self.rows)


def highlight_shared(passage: str, sentence: str) -> SafeString:
    """``passage`` as safe HTML in which the numbers, the telling words and the stretches it shares are marked."""
    if len(passage) > LONGEST or len(sentence) > LONGEST:
        return format_html("{}", passage)
    at, parts = 0, []
    for start, end in shared_stretches(passage, sentence):
        parts += [format_html("{}", passage[at:start]), format_html("<mark>{}</mark>", passage[start:end])]
        at = end
    return format_html_join("", "{}", ((part,) for part in [*parts, format_html("{}", passage[at:])]))


def shared_stretches(passage: str, sentence: str) -> Iterator[tuple[int, int]]:
    """Where in ``passage`` there stands what ``sentence`` shares with it: neighbouring words as one stretch."""
    found = list(words(passage))
    theirs, ours = [stem(word) for word, _, _ in words(sentence)], [stem(word) for word, _, _ in found]
    known, runs, pairs = set(theirs), ngrams(theirs, NGRAM), ngrams(theirs, 2)
    marked = [word in known and (len(word) >= MIN_WORD_LENGTH or any(map(str.isdigit, word))) for word in ours]
    for length, shared in ((NGRAM, runs), (2, pairs)):
        for at, row in enumerate(zip(*(ours[skip:] for skip in range(length)), strict=False)):
            # Two in a row mean something only in scripts without spaces, whose signs are words by themselves.
            if row in shared and (length == NGRAM or all(map(is_cjk_character, row))):
                marked[at : at + length] = [True] * length
    begun: int | None = None
    for number, (_, start, end) in enumerate(found):
        if marked[number]:
            begun = start if begun is None else begun
            if number + 1 == len(found) or not marked[number + 1]:
                yield begun, end
                begun = None


def ngrams(found: list[str], length: int) -> set[tuple[str, ...]]:
    return set(zip(*(found[skip:] for skip in range(length)), strict=False))


def stem(word: str) -> str:
    """A plural's s is no difference."""
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def is_cjk_character(word: str) -> bool:
    return len(word) == 1 and word >= "\u3040"


def diff(old: str, new: str) -> SafeString:
    """Safe HTML: ``new``, with the words that were taken out and put in as ``del`` and ``ins``."""
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
