"""The built-in writer's answers, one function per task of the crew.

All are pure and deterministic: the same passages and outline give the same text. So sections can be written concurrently, or
again after a crash, and no sentence is used twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise

from agents.contract import (
    Brief,
    DismissedFinding,
    Finding,
    FoundFact,
    FoundFacts,
    Lead,
    Outline,
    OutlineSection,
    Passage,
    PicturePrompt,
    Plan,
    PlannedSection,
    Questions,
    SearchDescription,
    SectionText,
)
from agents.exceptions import ManuscriptIncomplete, NothingToRead
from agents.extractive.material import Material, Quote, gather, relevance
from agents.extractive.naming import clip, keywords, name_sections, title_of
from agents.extractive.sentences import split
from agents.extractive.themes import choose_seeds, share_quotes
from agents.text.citations import strip_unknown_marks
from agents.text.escaping import escape_markdown
from agents.text.markdown import strip_footnotes
from agents.text.planning import distribute_words
from agents.text.seo import slug_of
from agents.text.syntax import citation_mark

_PARAGRAPH_SENTENCES = 4
_ANSWER_SENTENCES = 2
_MIN_SECTION_WORDS = 60
_TITLE, _DESCRIPTION = 60, (120, 160)
MAX_FINDINGS = 20

_YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d%]|[.,]\d)")
_HEADING = re.compile(r"^#{1,6}\s.*$", re.MULTILINE)


def plan_questions(brief: Brief) -> Questions:
    """Search queries: the topic, alone and with each keyword of the brief."""
    topic = " ".join(brief.topic.split())
    with_keywords = [f"{topic} {keyword}" for keyword in brief.keywords if keyword.casefold() not in topic.casefold()]
    return Questions(questions=[topic, *with_keywords][:6])


def find(brief: Brief, passages: Sequence[Passage], count: int) -> FoundFacts:
    """Up to ``count`` of the most relevant sentences: first the best one of every source, then the best of all."""
    material = gather(passages, brief.language)
    weights = relevance(brief, material)
    ranked = sorted(material.quotes, key=lambda quote: -weights[quote])
    firsts = {quote.source: quote for quote in reversed(ranked)}.values()
    ranked.sort(key=lambda quote: quote not in firsts)
    return FoundFacts(findings=[_fact(quote) for quote in ranked[: min(count, MAX_FINDINGS)]])


def plan(brief: Brief, findings: Sequence[Finding], passages: Sequence[Passage], sections: int) -> Plan:
    """Two to ``sections`` sections, as many as the passages can fill, and an answer of one or two quoted findings.

    A finding belongs to the section that quotes it. Raises NothingToRead if the passages do not contain two quotable sentences.
    """
    material = _material(brief, passages)
    weights = relevance(brief, material)
    wanted = max(2, min(sections, material.words // _MIN_SECTION_WORDS, len(material.quotes)))
    seeds = choose_seeds(passages, material, weights, wanted)
    sources = [[id] for id in seeds] + [[] for _ in range(wanted - len(seeds))]
    shares = share_quotes([OutlineSection(heading="unnamed", sources=ids) for ids in sources], material)
    words = distribute_words(_reachable([brief.min_words // wanted] * wanted, shares), brief.min_words)
    stated = [finding.statement for finding in findings]
    chosen = [_choose(share, weights, number, stated) for share, number in zip(shares, words, strict=True)]
    owned = _owned(findings, chosen)
    title = title_of(brief.topic, brief.language)
    named = name_sections(chosen, title)
    return Plan(
        position="",
        questions=[],
        terms=[],
        answer=_answer(findings, material, weights, opening=chosen[0][:2]),
        title=title,
        sections=[
            PlannedSection(heading=heading, purpose=_purpose(quotes, ids), form="prose", words=number, findings=numbers)
            for heading, quotes, ids, number, numbers in zip(named, chosen, sources, words, owned, strict=True)
        ],
        dismissed=[
            DismissedFinding(finding=finding.number, reason="Not among the sentences quoted.")
            for finding in findings
            if not any(finding.number in numbers for numbers in owned)
        ],
    )


def write_section(brief: Brief, outline: Outline, index: int, passages: Sequence[Passage], words: int) -> SectionText:
    """Section ``index`` (from 0) of ``outline``: paragraphs of quoted sentences in the order of their sources.

    It has ``words`` words and up to one sentence more, if its share of the quotes has so many, and makes up for sections that
    are too short. The sentences its points quote are among them. Raises ManuscriptIncomplete if no sentence is left for it.
    """
    material = _material(brief, passages)
    section = outline.sections[index]
    shares = share_quotes(outline.sections, material)
    if not shares[index]:
        raise ManuscriptIncomplete(
            f"The sources have no sentence for the section “{section.heading}”. Remove it from the outline, or add a source."
        )
    wanted = [each.words or brief.min_words // len(shares) for each in outline.sections]
    wanted[index] = words or wanted[index]
    chosen = _choose(shares[index], relevance(brief, material), _reachable(wanted, shares)[index], section.points)
    return SectionText(markdown="\n\n".join(map(_cited, _paragraphs(chosen))))


def lead(brief: Brief, outline: Outline, texts: Sequence[str]) -> Lead:
    """The title of the outline, and no lead: sentences quoted from different places do not make a paragraph that opens a text."""
    return Lead(title=outline.title, lead="")


def describe_seo(brief: Brief, title: str, text: str) -> SearchDescription:
    """The search description in words of the article. ``text`` is its Markdown, with or without marks and footnotes."""
    plain = strip_unknown_marks(strip_footnotes(_HEADING.sub("", text)), ()).replace("\\", "")
    sentences = split(plain)
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


def _purpose(quotes: Sequence[Quote], sources: Sequence[str]) -> str:
    """The first sentence of the passage the section formed around, so that the section claims it again when it is written."""
    return next((quote.text for quote in quotes if quote.passage in sources), quotes[0].text)


def _owned(findings: Sequence[Finding], chosen: Sequence[Sequence[Quote]]) -> list[list[int]]:
    """The numbers of the findings each section quotes."""
    quoted = [{quote.text for quote in quotes} for quotes in chosen]
    return [[finding.number for finding in findings if finding.statement in texts] for texts in quoted]


def _answer(
    findings: Sequence[Finding], material: Material, weights: Mapping[Quote, float], opening: Sequence[Quote]
) -> str:
    """The two most relevant findings that are quotes; not the ``opening`` of the article if there are others."""
    stated = {finding.statement for finding in findings}
    ranked = sorted(
        (quote for quote in material.quotes if quote.text in stated),
        key=lambda quote: (quote in opening, -weights[quote]),
    )
    return " ".join(quote.text for quote in ranked[:_ANSWER_SENTENCES])


def _reachable(wanted: Sequence[int], shares: Sequence[Sequence[Quote]]) -> list[int]:
    """``wanted`` words of each section, of which the sections with more quotes take over what the others lack."""
    carried = [sum(quote.words for quote in share) for share in shares]
    reached = [min(words, amount) for words, amount in zip(wanted, carried, strict=True)]
    spare = [amount - words for words, amount in zip(reached, carried, strict=True)]
    missing = min(sum(wanted) - sum(reached), sum(spare))
    return [words + -(-missing * more // (sum(spare) or 1)) for words, more in zip(reached, spare, strict=True)]


def _choose(share: Sequence[Quote], weights: Mapping[Quote, float], words: int, points: Sequence[str]) -> list[Quote]:
    """About ``words`` words of ``share``, in its order: the sentences in ``points``, then the most relevant paragraphs."""
    paragraphs = sorted(_paragraphs(share), key=lambda quotes: -sum(weights[quote] for quote in quotes) / len(quotes))
    ranked = [quote for paragraph in paragraphs for quote in paragraph]
    ranked.sort(key=lambda quote: not any(quote.text in point for point in points))
    chosen: set[Quote] = set()
    length = 0
    for quote in ranked:
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


def _cited(paragraph: Sequence[Quote]) -> str:
    """The sentences of a paragraph, which is a run from one passage, with one mark at the end."""
    text = " ".join(escape_markdown(quote.text) for quote in paragraph)
    return f"{text} {citation_mark([paragraph[0].passage])}"


def _fact(quote: Quote) -> FoundFact:
    years = [year for year in _YEAR.findall(quote.text) if not year.endswith("00")]  # rather an amount
    has_figure = any(map(str.isdecimal, _YEAR.sub("", quote.text))) or len(years) < len(_YEAR.findall(quote.text))
    return FoundFact(
        statement=quote.text,
        kind="figure" if has_figure else "claim",
        date=years[0] if years else "",
        sources=[quote.passage],
    )
