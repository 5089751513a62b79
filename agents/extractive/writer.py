"""The built-in writer's answers, one function per task of the crew.

All are pure and deterministic: the same passages and outline give the same text. So sections can be written concurrently, or
again after a crash, and no sentence is used twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, groupby, pairwise
from threading import Lock

from agents.contract import (
    Brief,
    Finding,
    Headings,
    Outline,
    OutlineSection,
    Passage,
    PicturePrompt,
    QuestionFindings,
    Questions,
    Review,
    SearchDescription,
    SectionPlan,
    SectionText,
    Synthesis,
)
from agents.exceptions import ManuscriptIncomplete, NothingToRead
from agents.extractive.material import Material, Quote, gather, relevance
from agents.extractive.naming import clip, keywords, name_sections, own_headings, title_of
from agents.extractive.sentences import split
from agents.extractive.themes import group_passages, sections_carried, share_quotes
from agents.text.citations import strip_unknown_marks
from agents.text.escaping import escape_markdown
from agents.text.markdown import strip_footnotes
from agents.text.seo import slug_of
from agents.text.syntax import citation_mark

_PARAGRAPH_SENTENCES = 4
_SYNTHESIS_SENTENCES = 5
_FINDINGS = 3
_TITLE, _DESCRIPTION = 60, (120, 160)

_HEADING = re.compile(r"^#{1,6}\s.*$", re.MULTILINE)


def plan_questions(brief: Brief) -> Questions:
    """Search queries: the topic, alone and with each keyword of the brief."""
    topic = " ".join(brief.topic.split())
    with_keywords = [f"{topic} {keyword}" for keyword in brief.keywords if keyword.casefold() not in topic.casefold()]
    return Questions(questions=[topic, *with_keywords][:6])


def find(brief: Brief, passages: Sequence[Passage], question: str) -> QuestionFindings:
    """The sentences most relevant to ``question``, each with its passage."""
    material = gather(passages, brief.language)
    weights = relevance(brief, material, question)
    best = sorted(material.quotes, key=lambda quote: -weights[quote])[:_FINDINGS]
    return QuestionFindings(findings=[Finding(statement=quote.text, sources=[quote.passage]) for quote in best])


def synthesise(brief: Brief, findings: Sequence[Finding]) -> Synthesis:
    """A few of the findings, evenly spaced, without duplicates."""
    distinct = list({finding.statement: finding for finding in findings}.values())
    few = distinct[:: max(1, -(-len(distinct) // _SYNTHESIS_SENTENCES))]
    return Synthesis(synthesis=" ".join(_cited(finding.statement, *finding.sources) for finding in few))


def headings(brief: Brief, passages: Sequence[Passage], sections: int) -> Headings:
    """The title and two to ``sections`` headings, as many as the passages can fill.

    Raises NothingToRead if the passages do not contain two quotable sentences.
    """
    outline = make_outline(brief, passages, sections)
    return Headings(title=outline.title, sections=[section.heading for section in outline.sections])


def plan_section(brief: Brief, passages: Sequence[Passage], sections: int, number: int) -> SectionPlan:
    """The plan of section ``number`` (from 1) of the outline with ``sections`` sections."""
    section = make_outline(brief, passages, sections).sections[number - 1]
    return SectionPlan(purpose=section.purpose, points=section.points, sources=section.sources)


def make_outline(brief: Brief, passages: Sequence[Passage], sections: int) -> Outline:
    """The outline that ``headings`` and ``plan_section`` return parts of. Cached, so it is made once for all of them."""
    material = _material(brief, passages)
    asked = _OutlineRequest(
        (brief.topic, tuple(brief.keywords), brief.language, brief.min_words),
        tuple((passage.id, passage.source, passage.start, passage.text) for passage in passages),
        sections_carried(material, sections),
        brief,
        passages,
    )
    with _planning:  # sections are planned concurrently, in threads
        return _outline(asked)


@dataclass(frozen=True)
class _OutlineRequest:
    """The arguments of an outline with a hashable key for the cache."""

    brief_key: tuple[str, tuple[str, ...], str, int]
    passage_keys: tuple[tuple[str, int, int, str], ...]
    sections: int
    brief: Brief = field(compare=False)
    passages: Sequence[Passage] = field(compare=False)


_planning = Lock()


@lru_cache(maxsize=2)
def _outline(asked: _OutlineRequest) -> Outline:
    brief = asked.brief
    material = _material(brief, asked.passages)
    title = title_of(brief.topic, brief.language)
    groups = group_passages(brief, material, asked.passages, asked.sections)
    bare = [OutlineSection(heading="unnamed", sources=group) for group in groups]
    shares = share_quotes(Outline(title=title, sections=bare), material)
    chosen = _choose(brief, material, shares, -(-brief.min_words // len(shares)))
    return Outline(
        title=title,
        sections=[
            OutlineSection(
                heading=heading,
                purpose=quotes[0].text,
                points=_points(quotes, heading, brief.language),
                sources=group,
            )
            for group, quotes, heading in zip(groups, chosen, name_sections(chosen, title, brief.language), strict=True)
        ],
    )


def write_section(brief: Brief, outline: Outline, index: int, passages: Sequence[Passage], words: int) -> SectionText:
    """Section ``index`` (from 0) of ``outline``: paragraphs of cited sentences in the order of their sources.

    It has ``words`` words and up to one sentence more, if its share of the quotes has so many. It also makes up for sections
    that are too short. Raises ManuscriptIncomplete if no sentence is left for it.
    """
    material = _material(brief, passages)
    shares = share_quotes(outline, material)
    if not shares[index]:
        heading = outline.sections[index].heading
        raise ManuscriptIncomplete(
            f"The sources have no sentence for the section “{heading}”. Remove it from the outline, or add a source."
        )
    chosen = _choose(brief, material, shares, words)[index]
    return SectionText(markdown="\n\n".join(" ".join(map(_quoted, paragraph)) for paragraph in _paragraphs(chosen)))


def review(brief: Brief, outline: Outline, sections: Sequence[SectionText]) -> Review:
    """No remarks: the sentences are quoted, and none is used twice."""
    return Review(remarks=[])


def describe_seo(brief: Brief, title: str, text: str) -> SearchDescription:
    """The search description in words of the article. ``text`` is its Markdown, with or without marks and footnotes."""
    plain = strip_unknown_marks(strip_footnotes(_HEADING.sub("", text)), ()).replace("\\", "")
    sentences = split(plain, brief.language)
    description = ""
    for sentence in sentences:
        if len(description) >= _DESCRIPTION[0]:
            break
        description = f"{description} {sentence}".strip()
    return SearchDescription(
        title=clip(title, _TITLE),
        meta_description=clip(description or title, _DESCRIPTION[1]),
        slug=slug_of(title),
        keywords=keywords(sentences, brief.keywords, brief.language) or [brief.topic[:80]],
    )


def picture_prompt(brief: Brief, outline: Outline) -> PicturePrompt:
    """A prompt that consists of the title and the headings."""
    headings = "; ".join(section.heading for section in outline.sections)
    return PicturePrompt(
        prompt=f"{outline.title}. {headings}.", alt=clip(f"Cover of the article “{outline.title}”", 200)
    )


def _material(brief: Brief, passages: Sequence[Passage]) -> Material:
    material = gather(passages, brief.language)
    if len(material.quotes) < 2:
        raise NothingToRead(
            "The sources have fewer than two complete sentences, too few for the built-in writer. "
            "Add a source with running text, or configure a model."
        )
    return material


def _level(carried: Sequence[int], words: int) -> int:
    """The maximum length of a section with which all reach ``words`` per section on average, though some have less."""
    missing = words * len(carried)
    level = 0
    for position, amount in enumerate(sorted(carried)):
        level = -(-missing // (len(carried) - position))
        if amount >= level:
            break
        missing -= amount
    return level


def _choose(brief: Brief, material: Material, shares: Sequence[Sequence[Quote]], words: int) -> list[list[Quote]]:
    """The most relevant paragraphs of each share, in reading order, up to an average of ``words`` per section."""
    weights = relevance(brief, material)
    level = _level([sum(quote.words for quote in share) for share in shares], words)
    return [_choose_of(share, weights, level) for share in shares]


def _choose_of(share: Sequence[Quote], weights: Mapping[Quote, float], words: int) -> list[Quote]:
    ranked = sorted(
        _paragraphs(share), key=lambda paragraph: -sum(weights[quote] for quote in paragraph) / len(paragraph)
    )
    chosen: set[Quote] = set()
    length = 0
    for quote in chain.from_iterable(ranked):
        if length >= words:
            break
        chosen.add(quote)
        length += quote.words
    return [quote for quote in share if quote in chosen]


def _paragraphs(quotes: Sequence[Quote]) -> list[list[Quote]]:
    """``quotes`` in paragraphs of three to five sentences if possible, each from one passage and below one heading."""
    paragraphs = []
    for _, group in groupby(quotes, key=lambda quote: (quote.passage, quote.heading)):
        group_quotes = list(group)
        parts = max(1, round(len(group_quotes) / _PARAGRAPH_SENTENCES))
        bounds = [len(group_quotes) * part // parts for part in range(parts + 1)]
        paragraphs += [group_quotes[start:end] for start, end in pairwise(bounds)]
    return paragraphs


def _points(quotes: Sequence[Quote], heading: str, language: str) -> list[str]:
    """Up to four topics of a section other than its heading."""
    own = [other for other in own_headings(quotes) if other != heading]
    return (own or keywords([quote.text for quote in quotes], (), language))[:4]


def _quoted(quote: Quote) -> str:
    return _cited(quote.text, quote.passage)


def _cited(sentence: str, *passages: str) -> str:
    return f"{escape_markdown(sentence)} {citation_mark(passages)}"
