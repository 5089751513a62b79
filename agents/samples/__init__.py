"""A small library of our own essays, read where there is no source, no network and no model, so that the studio can be tried.

They are a last resort, and whatever is made of them must say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agents.extractive.material import terms

# A word is what an essay is about if it is in its title, or comes up this often.
_OFTEN = 4


@dataclass(frozen=True)
class Sample:
    """An essay: ``text`` is Markdown without its title."""

    title: str
    text: str


def titles() -> list[str]:
    """What the essays are about: topics a newcomer may try."""
    return [sample.title for sample in _library()]


def closest(topic: str, limit: int = 2) -> list[Sample]:
    """The essays that speak of ``topic``, best first; none where no essay does. They are in English."""
    asked = set(terms(topic, "en"))
    scores = [sum(subject.get(term, 0) for term in asked) for subject in _subjects(_library())]
    ranked = sorted(zip(scores, _library(), strict=True), key=lambda pair: -pair[0])
    return [sample for score, sample in ranked if score > 0][:limit]


@cache
def _library() -> tuple[Sample, ...]:
    return tuple(_read(path) for path in sorted(Path(__file__).parent.glob("*.md")))


def _read(path: Path) -> Sample:
    title, _, text = path.read_text(encoding="utf-8").partition("\n")
    return Sample(title.removeprefix("# ").strip(), text.strip())


@cache
def _subjects(samples: Sequence[Sample]) -> list[dict[str, int]]:
    """For each sample the terms it is about, and how much: one that most samples use says nothing of any."""
    counts = [Counter(terms(sample.text, "en")) for sample in samples]
    in_title = [set(terms(sample.title, "en")) for sample in samples]
    spread = Counter(term for count in counts for term in count)
    return [
        {
            term: amount + 100 * (term in title)
            for term, amount in count.items()
            if term in title or (amount >= _OFTEN and spread[term] <= len(samples) // 2)
        }
        for count, title in zip(counts, in_title, strict=True)
    ]
