"""Divides passages into sections by theme, and gives every quote to one section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from agents.contract import OutlineSection, Passage
from agents.extractive.material import Material, Quote
from agents.extractive.terms import similarity

_NEIGHBOUR_BONUS = 0.3  # similarity added for adjacent passages of a source
_MOST_OF_AVERAGE = 1.6  # size of the largest section, in sizes of the average one


def choose_seeds(
    passages: Sequence[Passage], material: Material, weights: Mapping[Quote, float], sections: int
) -> list[str]:
    """The passages around which at most ``sections`` themes form: relevant, of many sources, different.

    The first introduces the topic: it is the best of those that open a source. The others are in the order of their sources.
    """
    quotes = material.by_passage()
    usable = [passage for passage in passages if passage.id in quotes]
    best = {id: max(weights[quote] for quote in found) for id, found in quotes.items()}
    vectors = {id: material.vector_of(found) for id, found in quotes.items()}
    ends = {passage.source: passage.end for passage in usable}
    openings = {passage.source: passage for passage in reversed(usable)}.values()
    first = max(openings, key=lambda passage: best[passage.id])
    likeness = dict.fromkeys(quotes, 0.0)
    seeds = [first]
    while len(seeds) < min(sections, len(usable)):
        for id in quotes:
            likeness[id] = max(likeness[id], similarity(vectors[id], vectors[seeds[-1].id]))
        left = [passage for passage in usable if passage not in seeds]
        new = {passage.source for passage in left} - {passage.source for passage in seeds}
        candidates = [passage for passage in left if passage.source in new] or left
        seeds.append(max(candidates, key=lambda passage: best[passage.id] * (1 - likeness[passage.id])))
    others = sorted(seeds[1:], key=lambda passage: passage.start / max(1, ends[passage.source]))
    return [first.id, *(passage.id for passage in others)]


def share_quotes(sections: Sequence[OutlineSection], material: Material) -> list[list[Quote]]:
    """The quotes of each section, in the order of the passages; every quote belongs to one section.

    A section claims its sources and the passage its purpose quotes; without either, the passage most similar to it. A passage
    claimed by several is divided among them, in order. Passages nobody claims go to the most similar section.
    """
    quotes = material.by_passage()
    claims: dict[str, set[int]] = {id: set() for id in quotes}
    for index, section in enumerate(sections):
        quoted = [quote.passage for quote in material.quotes if quote.text == section.purpose]
        for id in {*section.sources, *quoted} & quotes.keys():
            claims[id].add(index)
    for index, section in enumerate(sections):
        if not any(index in sorted(claimed)[: len(quotes[id])] for id, claimed in claims.items()):
            claims[_nearest(section, quotes, material, claims)].add(index)
    _assign_unclaimed(claims, quotes, material, len(sections))
    shares: list[list[Quote]] = [[] for _ in sections]
    for id, found in quotes.items():
        claimed = sorted(claims[id])
        bounds = [-(-len(found) * part // len(claimed)) for part in range(len(claimed) + 1)]
        for index, (start, end) in zip(claimed, pairwise(bounds), strict=True):
            shares[index] += found[start:end]
    return shares


def _nearest(
    section: OutlineSection, quotes: Mapping[str, list[Quote]], material: Material, claims: Mapping[str, set[int]]
) -> str:
    """The passage most similar to ``section``; of those that others claim, only one with a sentence left for it."""
    asked = material.vector(" ".join([section.heading, section.purpose, *section.points]))

    def merit(id: str) -> tuple[bool, float, float]:
        likeness = similarity(asked, material.vector_of(quotes[id])) * (0.5 if claims[id] else 1)
        return len(claims[id]) < len(quotes[id]), likeness, len(quotes[id]) / (1 + len(claims[id]))

    return max(quotes, key=merit)


def _assign_unclaimed(
    claims: dict[str, set[int]], quotes: Mapping[str, list[Quote]], material: Material, sections: int
) -> None:
    """Adds one claim for each passage without any; a section beyond its size counts half."""
    words = {id: sum(quote.words for quote in found) for id, found in quotes.items()}
    most_words = _MOST_OF_AVERAGE * material.words / sections
    claimed: list[list[str]] = [[id for id in quotes if index in claims[id]] for index in range(sections)]
    centres = [material.vector_of([quote for id in ids for quote in quotes[id]]) for ids in claimed]
    sizes = [sum(words[id] / len(claims[id]) for id in ids) for ids in claimed]
    places = {id: (found[0].source, place) for place, (id, found) in enumerate(quotes.items())}
    for id in [id for id in quotes if not claims[id]]:
        own = material.vector_of(quotes[id])

        def merit(index: int, id: str = id, own: dict[str, float] = own) -> float:
            source, place = places[id]
            next_to_it = any(places[other] in ((source, place - 1), (source, place + 1)) for other in claimed[index])
            likeness = similarity(centres[index], own) + (_NEIGHBOUR_BONUS if next_to_it else 0)
            return likeness * (0.5 if sizes[index] + words[id] > most_words else 1)

        nearest = max(range(sections), key=merit)
        claims[id].add(nearest)
        claimed[nearest].append(id)
        sizes[nearest] += words[id]
