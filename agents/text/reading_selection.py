"""Selects the passages of a reading that planning, writing and review see: all of them while they fit into a budget of tokens.

Beyond the budget, every source of the brief keeps at least one passage and every question its best ones, in each language.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest

from agents.contract import Passage, Reading, Source
from agents.text.language import detect_language
from agents.text.passage_heads import headed_passage
from agents.text.ranking import rank_by_language
from agents.text.tokenizer import CJK

FUSION_CONSTANT = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): a passage gets 1 / (k + rank) from each ranking."""

HITS_SHARE = 2 / 3
"""Share of the budget for passages that answer questions; their neighbours come next, then the remaining hits."""

SAMPLE_PASSAGES = 5
"""Passages by which the language of a source is detected if the reading, of an older run, does not name it."""

MARK_TOKENS = 14
"""Tokens of the marks around a passage and of the blank line after it."""

_DENSE = re.compile(f"[{CJK}]")
_OTHER_SCRIPT = re.compile(f"[^\x00-\u024f\u1e00-\u1eff\u2000-\u206f{CJK}]")


def estimate_tokens(text: str) -> int:
    """Tokens of ``text`` in a typical model: four Latin characters each, one Chinese or Japanese one, two of other scripts."""
    dense, other = len(_DENSE.findall(text)), len(_OTHER_SCRIPT.findall(text))
    return round(dense + other / 2 + (len(text) - dense - other) / 4)


def passage_tokens(passage: Passage, source: Source) -> int:
    """Tokens of the passage as a prompt shows it: with its head and marks."""
    return estimate_tokens(headed_passage(passage, source)) + MARK_TOKENS


def select_passages(reading: Reading, questions: Sequence[str], tokens: int) -> list[Passage]:
    """The passages to show, in reading order: all if they fit into ``tokens``, else those that serve the questions best.

    Each source given with the brief keeps a passage even if ``tokens`` do not suffice for that. Deterministic.
    """
    sources = {source.number: source for source in reading.sources}
    costs = {passage.id: passage_tokens(passage, sources[passage.source]) for passage in reading.passages}
    if sum(costs.values()) <= tokens:
        return list(reading.passages)
    rankings = question_rankings(reading, questions)
    fused = _fused(rankings)
    selection = _Selection(reading, costs, tokens)
    for passage in _best_of_each_given_source(reading, fused):
        selection.add(passage, within_limits=False)
    best_of_each_ranking = [ranking[0] for ranking in rankings if ranking]
    selection.add_all([*best_of_each_ranking, *fused], until=round(tokens * HITS_SHARE))
    selection.add_all(_neighbours(reading, [passage for passage in fused if passage.id in selection.ids]))
    selection.add_all(fused)
    selection.add_all(_in_turns(reading))
    return [passage for passage in reading.passages if passage.id in selection.ids]


class _Selection:
    """Selected passages, limited by the budget and by what one source may take of it."""

    def __init__(self, reading: Reading, costs: dict[str, int], tokens: int) -> None:
        self.ids: set[str] = set()
        self._costs, self._tokens = costs, tokens
        self._limit = _source_limit(_tokens_by_source(reading.passages, costs), tokens)
        self._used = Counter[int]()

    def add(self, passage: Passage, *, within_limits: bool = True) -> None:
        cost = self._costs[passage.id]
        fits = self._used.total() + cost <= self._tokens and self._used[passage.source] + cost <= self._limit
        if passage.id not in self.ids and (fits or not within_limits):
            self.ids.add(passage.id)
            self._used[passage.source] += cost

    def add_all(self, passages: Iterable[Passage], until: int | None = None) -> None:
        """Adds the passages that fit, in this order, ``until`` so many tokens are used."""
        for passage in passages:
            if until is not None and self._used.total() >= until:
                return
            self.add(passage)


def _tokens_by_source(passages: Iterable[Passage], costs: dict[str, int]) -> list[int]:
    sizes = Counter[int]()
    for passage in passages:
        sizes[passage.source] += costs[passage.id]
    return list(sizes.values())


def _source_limit(sizes: Sequence[int], tokens: int) -> int:
    """Tokens that one source may take, so that a book does not crowd out the others.

    Twice its fair share but at most half of the budget; if the others need less than that, all they leave.
    """
    left, share = tokens, 0
    for place, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - place)
        left -= min(size, share)
    return max(share, min(2 * share, tokens // 2))


def question_rankings(reading: Reading, questions: Sequence[str]) -> list[list[Passage]]:
    """One ranking for each question and each language of the sources."""
    texts: defaultdict[int, list[str]] = defaultdict(list)
    for passage in reading.passages:
        texts[passage.source].append(passage.text)
    spoken = {
        source.number: source.language or detect_language(" ".join(texts[source.number][:SAMPLE_PASSAGES]))
        for source in reading.sources
    }
    languages = [spoken[passage.source] for passage in reading.passages]
    return [
        ranking
        for question in questions
        for ranking in rank_by_language(reading.passages, languages, question).values()
    ]


def _fused(rankings: Iterable[Sequence[Passage]]) -> list[Passage]:
    """The passages of all rankings by reciprocal rank fusion, best first; ties keep their order of appearance."""
    scores: defaultdict[str, float] = defaultdict(float)
    passages: dict[str, Passage] = {}
    for ranking in rankings:
        for rank, passage in enumerate(ranking, 1):
            passages[passage.id] = passage
            scores[passage.id] += 1 / (FUSION_CONSTANT + rank)
    return sorted(passages.values(), key=lambda passage: -scores[passage.id])


def _best_of_each_given_source(reading: Reading, fused: Sequence[Passage]) -> list[Passage]:
    """The best passage of each source that the brief brings, or its first one if none answers a question."""
    best: dict[int, Passage] = {}
    for passage in [*fused, *reading.passages]:
        best.setdefault(passage.source, passage)
    given = [source.number for source in reading.sources if source.brief_source is not None]
    return [best[number] for number in given if number in best]


def _neighbours(reading: Reading, selected: Iterable[Passage]) -> Iterator[Passage]:
    """What follows and precedes each of the ``selected`` passages in its source."""
    place = {passage.id: at for at, passage in enumerate(reading.passages)}
    for passage in selected:
        for at in (place[passage.id] + 1, place[passage.id] - 1):
            if 0 <= at < len(reading.passages) and reading.passages[at].source == passage.source:
                yield reading.passages[at]


def _in_turns(reading: Reading) -> Iterator[Passage]:
    """All passages, the first of each source, then the second of each, and so on."""
    by_source: defaultdict[int, list[Passage]] = defaultdict(list)
    for passage in reading.passages:
        by_source[passage.source].append(passage)
    return filter(None, chain.from_iterable(zip_longest(*by_source.values())))
