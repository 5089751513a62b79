"""The result of one measurement, and the figures computed from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from agents.text.length import length_score
from articles.quality import ScoredText
from bench.critical_path import critical_path, total_seconds
from bench.processes import CpuSeconds
from bench.simulated_model import Call
from bench.watchers import Latencies


@dataclass(frozen=True)
class Article:
    """The Markdown of a finished article; if it was not finished, the reason in ``error``."""

    content: str
    error: str = ""

    @property
    def words(self) -> int:
        return ScoredText(title="", content=self.content, asked=0).words


@dataclass(frozen=True)
class Run:
    """Articles of ``words`` words that were requested at once.

    ``wall`` is in seconds, ``cpu`` in seconds by role, ``memory`` the peak in MiB per article.
    """

    words: int
    wall: float
    calls: Sequence[Call]
    cpu: CpuSeconds
    memory: float
    articles: Sequence[Article]
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def completed(self) -> int:
        return sum(bool(article.content) for article in self.articles)

    @property
    def cpu_seconds(self) -> float:
        return sum(self.cpu.values())

    @property
    def critical_path_seconds(self) -> float:
        """Only meaningful for a single article: the log does not distinguish the calls of several."""
        return total_seconds(critical_path(self.calls))

    @property
    def median_words(self) -> float:
        """Of the articles that were completed."""
        return median([article.words for article in self.articles if article.content] or [0])

    @property
    def length_score(self) -> float:
        return length_score(round(self.median_words), self.words)
