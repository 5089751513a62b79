"""Assigns passages to sections by theme, and each quote to one section."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from agents.contract import Brief, Outline, OutlineSection, Passage
from agents.extractive.material import Material, Quote, relevance
from agents.extractive.terms import similarity

_MIN_SECTION_WORDS = 60
_MAX_SECTION_PASSAGES = 8
_SURPLUS = 1.8  # words kept for each word of the brief, so that sections can select
_NEIGHBOUR_BONUS = 0.3  # similarity added for adjacent passages of a source


def sections_carried(material: Material, sections: int) -> int:
    """How many of ``sections`` the material can fill, at least two."""
    return max(2, min(sections, material.words // _MIN_SECTION_WORDS, len(material.quotes)))


def group_passages(brief: Brief, material: Material, passages: Sequence[Passage], sections: int) -> list[list[str]]:
    """Passage ids by section, in reading order: at least two groups, at most ``sections``.

    If there are fewer passages than sections, a passage is in several groups, which share its sentences. ``material`` must have
    at least two quotes.
    """
    wanted = sections_carried(material, sections)
    quotes = material.by_passage()
    kept = _most_relevant(brief, material, [passage for passage in passages if passage.id in quotes], wanted)
    if len(kept) < wanted:
        return _spread([passage.id for passage in kept], quotes, wanted)
    groups = _merge(kept, material, wanted)
    ends: dict[int, int] = defaultdict(int)
    for passage in passages:
        ends[passage.source] = max(ends[passage.source], passage.end)

    def depth(group: list[Passage]) -> float:
        """Average position of the passages of ``group`` in their sources, so that introductory passages come first."""
        return sum(passage.start / max(1, ends[passage.source]) for passage in group) / len(group)

    ordered = sorted(groups, key=depth)
    introduction = _introduction(brief, material, ordered, passages)
    ordered.sort(key=lambda group: group is not introduction)
    return [[passage.id for passage in group][:_MAX_SECTION_PASSAGES] for group in ordered]


def share_quotes(outline: Outline, material: Material) -> list[list[Quote]]:
    """The quotes of each section of ``outline``; every quote belongs to one section at most.

    A passage named by several sections is divided among them, in order. A section without a known passage (a person may have
    added it), or without sentences left, takes the passage that is most similar to its heading.
    """
    quotes = material.by_passage()
    claims: dict[str, list[int]] = defaultdict(list)
    claimless = []
    for index, section in enumerate(outline.sections):
        known = [id for id in dict.fromkeys(section.sources) if id in quotes]
        for id in known:
            claims[id].append(index)
        if not known:
            claimless.append(index)
    for index in claimless:
        claims[_nearest(outline.sections[index], quotes, material, taken=claims)].append(index)
    shares: list[list[Quote]] = [[] for _ in outline.sections]
    for id in quotes:
        for index, part in zip(sorted(claims[id]), _divide(quotes[id], len(claims[id])), strict=True):
            shares[index] += part
    for index, share in enumerate(shares):
        if not share and (unclaimed := {id: found for id, found in quotes.items() if not claims[id]}):
            nearest = _nearest(outline.sections[index], unclaimed, material, taken=claims)
            claims[nearest].append(index)
            share += quotes[nearest]
    return shares


def _introduction(
    brief: Brief, material: Material, groups: list[list[Passage]], passages: Sequence[Passage]
) -> list[Passage]:
    """The first group: of those with the opening of a source, the most relevant to the topic."""
    weights = relevance(brief, material)
    quotes = material.by_passage()
    openings = {passage.source: passage.id for passage in sorted(passages, key=lambda passage: -passage.start)}

    def merit(group: list[Passage]) -> tuple[bool, float]:
        opens = any(openings[passage.source] == passage.id for passage in group)
        return opens, max(weights[quote] for passage in group for quote in quotes[passage.id])

    return max(groups, key=merit)


def _nearest(
    section: OutlineSection, quotes: dict[str, list[Quote]], material: Material, *, taken: dict[str, list[int]]
) -> str:
    """The passage most similar to ``section``; one that another section uses counts half.

    A passage without a sentence left for another section is only taken if all are like that.
    """
    asked = material.vector(" ".join([section.heading, section.purpose, *section.points]))

    def merit(id: str) -> tuple[bool, float]:
        claims = len(taken.get(id, ()))
        return claims < len(quotes[id]), similarity(asked, material.vector_of(quotes[id])) * (0.5 if claims else 1)

    return max(quotes, key=merit)


def _most_relevant(brief: Brief, material: Material, passages: list[Passage], sections: int) -> list[Passage]:
    """The passages to use, in their order: the best of each source, then the best of all until there are enough words."""
    weights = relevance(brief, material)
    quotes = material.by_passage()
    weight = {id: sum(weights[quote] for quote in found) / len(found) for id, found in quotes.items()}
    ranked = sorted(passages, key=lambda passage: -weight[passage.id])
    firsts = {passage.source: passage.id for passage in reversed(ranked)}.values()
    ranked.sort(key=lambda passage: passage.id not in firsts)
    kept: set[str] = set()
    words = 0
    for passage in ranked[: sections * _MAX_SECTION_PASSAGES]:
        if words >= _SURPLUS * brief.min_words and len(kept) >= sections:
            break
        kept.add(passage.id)
        words += sum(quote.words for quote in quotes[passage.id])
    return [passage for passage in passages if passage.id in kept]


def _spread(ids: list[str], quotes: dict[str, list[Quote]], sections: int) -> list[list[str]]:
    """One group per section if passages are few: the passage with the most sentences per section gets the next one."""
    counts = dict.fromkeys(ids, 1)
    while sum(counts.values()) < sections:
        fullest = max(ids, key=lambda id: len(quotes[id]) / (counts[id] + 1))
        counts[fullest] += 1
    return [[id] for id in ids for _ in range(counts[id])]


def _merge(passages: list[Passage], material: Material, sections: int) -> list[list[Passage]]:
    """Agglomerative clustering (average linkage) into ``sections`` groups, none much larger than its share."""
    quotes = material.by_passage()
    words = {passage.id: sum(quote.words for quote in quotes[passage.id]) for passage in passages}
    most_words = max(1.6 * sum(words.values()) / sections, 1)
    alike = _similarities(passages, material)
    groups = [[index] for index in range(len(passages))]

    def closeness(one: list[int], other: list[int]) -> tuple[bool, float]:
        size = sum(words[passages[index].id] for index in one + other)
        fits = size <= most_words and len(one) + len(other) <= _MAX_SECTION_PASSAGES
        average = sum(alike[a, b] for a in one for b in other) / (len(one) * len(other))
        return fits, average if fits else -size

    while len(groups) > sections:
        pairs = ((a, b) for a in range(len(groups)) for b in range(a + 1, len(groups)))
        first, second = max(pairs, key=lambda pair: closeness(groups[pair[0]], groups[pair[1]]))
        groups[first] = sorted(groups[first] + groups.pop(second))
    return [[passages[index] for index in group] for group in groups]


def _similarities(passages: list[Passage], material: Material) -> dict[tuple[int, int], float]:
    quotes = material.by_passage()
    vectors = [material.vector_of(quotes[passage.id]) for passage in passages]
    alike = {}
    for a, one in enumerate(passages):
        for b, other in enumerate(passages):
            gap = abs(a - b) if one.source == other.source else 0
            alike[a, b] = similarity(vectors[a], vectors[b]) + (_NEIGHBOUR_BONUS / gap if gap else 0)
    return alike


def _divide(quotes: list[Quote], parts: int) -> list[list[Quote]]:
    """``quotes`` divided evenly into ``parts``; the last are empty if there are fewer quotes than parts."""
    bounds = [-(-len(quotes) * part // parts) for part in range(parts + 1)] if parts else []
    return [quotes[start:end] for start, end in pairwise(bounds)]
