"""Divides the quotes into sections by theme; every quote belongs to one section at the most."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agents.contract import OutlineSection
from agents.extractive.material import Material, Quote

LIKENESS, POINT, FINDING, PARAGRAPH, SOURCE = 2, 3, 3, 1, 0.3
"""Weights beside relevance, which is 1 at the most: likeness of section and paragraph; a quote that is one of its points or its
purpose, or the best finding of a source; a paragraph with a finding, or with a point; a quote from one of its sources."""

MIN_SHARE = 0.6
"""Of its words, or of those the sources have for it, each section takes as many before any takes more."""


def choose_seeds(material: Material, count: int) -> list[Quote]:
    """The first sentences of up to ``count`` paragraphs around which sections form: relevant, and different.

    The first introduces the topic: it is the best of those that open a source. The others are in the order of the sources.
    """
    quotes, paragraphs = material.quotes, material.paragraphs
    merits = material.by_paragraph(material.relevance)
    firsts = [at for at, paragraph in enumerate(paragraphs) if paragraph not in paragraphs[at - 1 : at]]
    openings = [at for at in firsts if at == 0 or quotes[at].source != quotes[at - 1].source]
    seeds = [max(openings, key=lambda at: material.relevance[at] + merits[at])]
    likeness = [0.0] * len(quotes)
    while len(seeds) < min(count, len(firsts)):
        text = " ".join(
            quote.text for quote, own in zip(quotes, paragraphs, strict=True) if own == paragraphs[seeds[-1]]
        )
        likeness = list(map(max, likeness, material.matches(text)))
        seeds.append(max((at for at in firsts if at not in seeds), key=lambda at: merits[at] * (1 - likeness[at])))
    return [quotes[at] for at in (seeds[0], *sorted(seeds[1:]))]


def share_quotes(
    sections: Sequence[OutlineSection], material: Material, findings: Sequence[Quote] = ()
) -> list[list[Quote]]:
    """The quotes of each section: about as many words as it has, and in all at least as many as they have together.

    Best matches of section and paragraph come first, and before them the first of the ``findings`` of each source. A paragraph
    is divided among sections only if nothing else is left. A section begins with the passage of its purpose.
    """
    quotes, paragraphs = material.quotes, material.paragraphs
    firsts = {quote.source: quote for quote in reversed(findings)}.values()
    found = [(quote in findings) + (quote in firsts) for quote in quotes]
    pairs = zip(material.relevance, found, strict=True)
    relevance = material.by_paragraph(score + FINDING * count for score, count in pairs)
    openings = [{quote.passage for quote in quotes if quote.text == section.purpose} for section in sections]
    ranked = sorted(
        (-merit - relevance[at] - POINT * (found[at] == 2), number, at)
        for number, (section, opening) in enumerate(zip(sections, openings, strict=True))
        for at, merit in enumerate(_merits(section, opening, material))
    )
    owners: dict[int, int] = {}
    of_paragraphs: dict[int, int] = {}
    wanted, lengths = [section.words for section in sections], [0] * len(sections)
    missing = total = sum(wanted)
    fair = MIN_SHARE * min(1, sum(quote.words for quote in quotes) / total)
    for limits in [words * fair for words in wanted], wanted, [total] * len(sections):
        full: set[int] = set()
        for may_divide in False, True:
            for _, number, at in ranked:
                if at in owners or number in full or missing <= 0:
                    continue
                if of_paragraphs.get(paragraphs[at], number) != number and not may_divide:
                    continue
                if lengths[number] and lengths[number] + quotes[at].words / 2 > limits[number]:
                    full.add(number)
                    continue
                owners[at] = of_paragraphs[paragraphs[at]] = number
                lengths[number] += quotes[at].words
                missing -= quotes[at].words
    shares = [[quotes[at] for at in sorted(owners) if owners[at] == number] for number in range(len(sections))]
    return [
        sorted(share, key=lambda quote: quote.passage not in opening)
        for share, opening in zip(shares, openings, strict=True)
    ]


def _merits(section: OutlineSection, opening: Collection[str], material: Material) -> list[float]:
    """How well each quote fits ``section``, which forms around the passages ``opening``."""
    stated = " ".join([*section.points, section.purpose])
    theme = [section.heading, stated, *(quote.text for quote in material.quotes if quote.passage in opening)]
    places = list(zip(material.quotes, material.paragraphs, material.matches(" ".join(theme)), strict=True))
    named = {paragraph for quote, paragraph, _ in places if quote.text in stated}
    return [
        LIKENESS * likeness
        + POINT * (quote.text in stated)
        + PARAGRAPH * (paragraph in named)
        + SOURCE * (quote.passage in section.sources)
        for quote, paragraph, likeness in places
    ]
