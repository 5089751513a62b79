"""A measurement, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from agents.text.length import length_score
from articles.quality import Piece
from bench.path import critical_path, seconds
from bench.processes import Spent
from bench.simulated_model import Call


@dataclass(frozen=True)
class Article:
    """What came of one brief: its Markdown, or why there is none."""

    content: str
    error: str = ""

    @property
    def words(self) -> int:
        return Piece(title="", content=self.content, asked=0).words


@dataclass(frozen=True)
class Run:
    """Articles of ``words`` words that were asked for at once.

    ``wall`` in seconds, ``cpu`` in seconds by part, ``memory`` in MiB an article at its peak, ``latencies`` in seconds from an
    event's timestamp to its arrival at a watcher.
    """

    words: int
    wall: float
    calls: Sequence[Call]
    cpu: Spent
    memory: float
    articles: Sequence[Article]
    latencies: Sequence[float] = field(default_factory=list)

    @property
    def completed(self) -> int:
        return sum(bool(article.content) for article in self.articles)

    @property
    def cpu_seconds(self) -> float:
        return sum(self.cpu.values())

    @property
    def path(self) -> float:
        """Seconds of the critical path: of one article only, as the log does not tell several apart."""
        return seconds(critical_path(self.calls))

    @property
    def written(self) -> float:
        """Words of the middle one of the articles that were completed."""
        return median([article.words for article in self.articles if article.content] or [0])

    @property
    def score(self) -> float:
        return length_score(round(self.written), self.words)
