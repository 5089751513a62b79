"""Who wrote what: the sentences of a text with their origins."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from agents.text.markdown import count_words
from articles.models import Revision
from articles.revisions.origins import Origin, TracedSentence, origins_of, words_of

LABELS: dict[Origin, str] = {
    "crew": "The crew",
    "crew_edited": "The crew, edited by a person",
    "person": "A person",
    "import": "Imported",
}


@dataclass(frozen=True)
class Share:
    origin: Origin
    label: str
    words: int
    percent: int


@dataclass(frozen=True)
class Block:
    """A paragraph, heading, list item or table row. ``tag`` is its element in HTML."""

    tag: str
    sentences: list[TracedSentence]


class OriginsView:
    def __init__(self, revision: Revision) -> None:
        self.revision = revision

    @cached_property
    def sentences(self) -> list[TracedSentence]:
        return origins_of(self.revision)

    @cached_property
    def words(self) -> dict[Origin, int]:
        """How many words are of each origin."""
        found: Counter[Origin] = Counter(dict.fromkeys(LABELS, 0))
        for sentence in self.sentences:
            found[sentence.origin] += count_words(words_of(sentence.unit))
        return dict(found)

    @property
    def shares(self) -> list[Share]:
        total = sum(self.words.values()) or 1
        return [
            Share(origin, LABELS[origin], words, round(100 * words / total))
            for origin, words in self.words.items()
            if words
        ]

    @property
    def blocks(self) -> list[Block]:
        found: list[Block] = []
        for sentence in self.sentences:
            if sentence.unit.opens_block or not found:
                found.append(Block("h2" if sentence.unit.kind == "heading" else "p", []))
            found[-1].sentences.append(sentence)
        return found
