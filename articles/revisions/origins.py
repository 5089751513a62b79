"""Where each sentence of a revision is from.

A sentence keeps its origin as long as its words stay the same, wherever it is moved, and gets it back when it is restored. Its
citations, emphasis and list marker may change.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal

from django.db.models import QuerySet

from agents.text.syntax import FOOTNOTE_REFERENCE
from articles.models import Article, Revision
from articles.revisions.units import Unit, Units
from articles.revisions.word_diff import shared

Origin = Literal["crew", "crew_edited", "person", "import"]
"""``crew_edited``: the crew's sentence, changed by a person, or the crew's suggestion, accepted by one."""

Stretch = tuple[int, int, Origin]
"""Start and end of consecutive sentences with one origin, as they are stored."""

MIN_SIMILAR = 0.5
"""Two sentences that share this part of their words are one sentence before and after an edit."""
COMMON = 50
"""A word of more sentences than this does not identify the one a changed sentence was made from."""
CANDIDATES = 5
EARLIER = 20
"""Earlier revisions in which a sentence is looked for that the revision before does not have."""

_MARKER = re.compile(r"[ \t]*(?:[*+-]|\d{1,9}[.)]|>|#{1,6})[ \t]+")
_EMPHASIS = re.compile(r"[*_`]")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class TracedSentence:
    """A sentence, or a whole heading or table row, with its origin."""

    unit: Unit
    origin: Origin

    @cached_property
    def words(self) -> str:
        return words_of(self.unit)


def words_of(unit: Unit) -> str:
    """The sentence without citations, emphasis and marker; of a table row, its cells."""
    marker = _MARKER.match(unit.text) if unit.opens_block else None
    text = unit.text[marker.end() :] if marker else unit.text
    text = " · ".join(cell.strip() for cell in text.strip(" |").split("|")) if unit.kind == "row" else text
    return " ".join(_EMPHASIS.sub("", FOOTNOTE_REFERENCE.sub("", text)).split())


def origins_of(revision: Revision) -> list[TracedSentence]:
    """The sentences of a revision with their origins, which are computed for revisions of older versions."""
    return _History(revision.article).of(revision)


def origin_of_text(article: Article, content: str, *, new: Origin) -> list[Stretch]:
    """Where a text would be from, if it were the article's next revision. Sentences that no revision has are ``new``."""
    newest = article.revisions.first()
    if newest is None or new == "crew":
        return stretches([TracedSentence(unit, new) for unit in units_of(content)])
    return stretches(_History(article).trace(content, newest.number + 1, new))


def units_of(content: str) -> list[Unit]:
    """All but footnotes and the rules of tables."""
    return [unit for unit in Units(content).all if unit.kind != "note" and _WORD.search(unit.text)]


def stretches(sentences: Sequence[TracedSentence]) -> list[Stretch]:
    found: list[Stretch] = []
    for origin, group in groupby(sentences, key=lambda each: each.origin):
        same = list(group)
        found.append((same[0].unit.start, same[-1].unit.end, origin))
    return found


def read_stretches(content: str, stored: Sequence[Stretch]) -> list[TracedSentence]:
    """The opposite of ``stretches``. A sentence belongs to the last stretch that begins before its end."""
    found, at = [], 0
    for unit in units_of(content):
        while at + 1 < len(stored) and stored[at + 1][0] < unit.end:
            at += 1
        found.append(TracedSentence(unit, stored[at][2] if stored else "person"))
    return found


class _History:
    """The origins of an article's revisions, each computed once."""

    def __init__(self, article: Article) -> None:
        self._article = article
        self._known: dict[int, list[TracedSentence]] = {}

    def of(self, revision: Revision) -> list[TracedSentence]:
        waiting = [revision]  # from the newest on; iterated, as there may be more than Python may recurse
        while not is_stored(waiting[-1]) and (before := self._before(waiting[-1].number).first()):
            waiting.append(before)
        for each in reversed(waiting):
            self._known[each.number] = stored_origins(each) or self.trace(each.content, each.number, "person")
        return self._known[revision.number]

    def trace(self, content: str, number: int, new: Origin) -> list[TracedSentence]:
        """The sentences of revision ``number``, by those of the revisions before it."""
        units = units_of(content)
        found: dict[int, Origin] = {}
        latest: list[TracedSentence] | None = None
        for revision in self._earlier(number):
            left = [index for index in range(len(units)) if index not in found]
            is_latest = latest is None
            if not is_latest and not any(units[index].text in revision.content for index in left):
                continue  # much faster than to cut it into sentences
            sentences = self._known[revision.number] if revision.number in self._known else self.of(revision)
            latest = sentences if latest is None else latest
            found |= unchanged(units, left, sentences)
        replaced = replaced_sentences(units, latest or [])
        for index, unit in enumerate(units):
            if index not in found:
                before = replaced.most_similar(words_of(unit))
                found[index] = "crew_edited" if before in ("crew", "crew_edited") else new
        return [TracedSentence(unit, found[index]) for index, unit in enumerate(units)]

    def _before(self, number: int) -> QuerySet[Revision]:
        return self._article.revisions.filter(number__lt=number).order_by("-number")

    def _earlier(self, number: int) -> Iterator[Revision]:
        """The revisions before, newest first, and the crew's latest."""
        oldest = number
        for revision in self._before(number)[:EARLIER].iterator(chunk_size=5):
            yield revision
            oldest = revision.number
        yield from self._before(oldest).filter(saved_by=None, former_author="")[:1]


def is_stored(revision: Revision) -> bool:
    return revision.origin is not None or is_of_the_crew(revision)


def is_of_the_crew(revision: Revision) -> bool:
    return revision.saved_by_id is None and not revision.former_author


def stored_origins(revision: Revision) -> list[TracedSentence] | None:
    if revision.origin is not None:
        return read_stretches(revision.content, revision.origin)
    if is_of_the_crew(revision):
        return [TracedSentence(unit, "crew") for unit in units_of(revision.content)]
    return None


def unchanged(units: Sequence[Unit], left: Collection[int], before: Sequence[TracedSentence]) -> dict[int, Origin]:
    """The origins of those that ``before`` has, by index. Equal sentences have theirs in the order of the text."""
    origins: dict[str, deque[Origin]] = {}
    for sentence in before:
        origins.setdefault(sentence.words, deque()).append(sentence.origin)
    found: dict[int, Origin] = {}
    for index in left:
        if same := origins.get(words_of(units[index])):
            found[index] = same.popleft() if len(same) > 1 else same[0]
    return found


def replaced_sentences(units: Sequence[Unit], before: Sequence[TracedSentence]) -> _Replaced:
    """Those that are not in the text any more."""
    kept = {words_of(unit) for unit in units}
    return _Replaced([sentence for sentence in before if sentence.words not in kept])


class _Replaced:
    """Sentences that an edit took away, to be found by the words of what may have been made from them."""

    def __init__(self, sentences: Sequence[TracedSentence]) -> None:
        self._sentences = [(counted(sentence.words), sentence.origin) for sentence in sentences]
        self._places: dict[str, list[int]] = {}
        for place, (words, _) in enumerate(self._sentences):
            for word in words:
                self._places.setdefault(word, []).append(place)

    def most_similar(self, sentence: str) -> Origin | None:
        words = counted(sentence)
        votes: Counter[int] = Counter()
        for word in words:
            places = self._places.get(word, [])
            if len(places) <= COMMON:
                votes.update(places)
        best = max(
            ((shared(words, self._sentences[place][0]), place) for place, _ in votes.most_common(CANDIDATES)),
            default=(0.0, -1),
        )
        return self._sentences[best[1]][1] if best[0] >= MIN_SIMILAR else None


def counted(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.casefold()))
