"""The built-in writer's answers, one function per task of the crew.

All are pure and deterministic: the same passages and outline give the same text. So sections can be written concurrently, or
again after a crash, and no sentence is used twice.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    ProposedOutline,
    ProposedSection,
    Questions,
    SearchDescription,
    SectionText,
)
from agents.exceptions import ManuscriptIncomplete, NothingToRead
from agents.extractive.material import Material, Quote, gather, in_paragraphs
from agents.extractive.naming import heading_of, keywords, name_sections, title_of
from agents.extractive.themes import choose_seeds, share_quotes
from agents.text.citations import strip_unknown_marks
from agents.text.escaping import escape_markdown
from agents.text.factual import fact_kind
from agents.text.length import even_shares
from agents.text.markdown import paragraphs
from agents.text.planned_outline import with_words
from agents.text.planning import MIN_SECTION_WORDS, distribute_words
from agents.text.quantities import parse_quantities
from agents.text.seo import Range, slug_of, truncate
from agents.text.syntax import citation_mark

ANSWER_SENTENCES = 2
MAX_FINDINGS = 20


def plan_questions(brief: Brief) -> Questions:
    """Search queries: the topic, alone and with each keyword of the brief."""
    topic = " ".join(brief.topic.split())
    with_keywords = [f"{topic} {keyword}" for keyword in brief.keywords if keyword.casefold() not in topic.casefold()]
    return Questions(questions=[topic, *with_keywords][:6])


def find(brief: Brief, passages: Sequence[Passage], count: int) -> FoundFacts:
    """Up to ``count`` of the most relevant statements: first the best one of every source, then the best of all."""
    ranked = [quote for quote in gather(brief, passages).ranked() if not quote.text.endswith("?")]
    firsts = {quote.source: quote for quote in reversed(ranked)}.values()
    ranked.sort(key=lambda quote: quote not in firsts)
    return FoundFacts(findings=[_fact(quote) for quote in ranked[: min(count, MAX_FINDINGS)]])


class QuotedSection(ProposedSection):
    """With the words of its quotes, and the numbers of the findings among them."""

    words: int
    findings: list[int]


class QuotedOutline(ProposedOutline):
    """``dismissed`` are the findings that no section quotes."""

    dismissed: list[DismissedFinding]


def plan(brief: Brief, findings: Sequence[Finding], passages: Sequence[Passage], sections: int) -> QuotedOutline:
    """Two to ``sections`` sections, as many as the passages can fill, and an answer of one or two quoted findings.

    A finding belongs to the section that quotes it. Raises NothingToRead if the passages do not contain two quotable sentences.
    """
    material = _material(brief, passages)
    statements = {finding.statement for finding in findings}
    stated = [quote for quote in material.ranked() if quote.text in statements]
    themes = _themes(brief, material, sections)
    chosen = share_quotes(themes, material, stated)
    texts = [{quote.text for quote in quotes} for quotes in chosen]
    owned = [[finding.number for finding in findings if finding.statement in own] for own in texts]
    words = distribute_words([sum(quote.words for quote in quotes) for quotes in chosen], brief.min_words)
    title = title_of(brief.topic)
    headings = name_sections(chosen, material.ranked(), title)
    stated.sort(key=lambda quote: quote in chosen[0][:2])  # the answer repeats the opening only if it must
    return QuotedOutline(
        answer=" ".join(quote.text for quote in stated[:ANSWER_SENTENCES]),
        title=title,
        sections=[
            QuotedSection(heading=heading, purpose=theme.purpose, words=share, findings=numbers)
            for heading, theme, share, numbers in zip(headings, themes, words, owned, strict=True)
        ],
        dismissed=[
            DismissedFinding(finding=finding.number, reason="Not among the sentences quoted.")
            for finding in findings
            if not any(finding.number in numbers for numbers in owned)
        ],
    )


def _themes(brief: Brief, material: Material, sections: int) -> list[OutlineSection]:
    """Sections without a name. The purpose of each is the sentence it forms around, so that it takes the same when written."""
    length = sum(quote.words for quote in material.quotes)
    count = max(2, min(sections, length // MIN_SECTION_WORDS, len(material.quotes)))
    seeds = choose_seeds(material, count)
    words = even_shares(brief.min_words, count)
    return [
        OutlineSection(heading=heading_of(seed.text), purpose=seed.text, words=share)
        for seed, share in zip([*seeds, *seeds[-1:] * (count - len(seeds))], words, strict=True)
    ]


def write_section(brief: Brief, outline: Outline, index: int, passages: Sequence[Passage]) -> SectionText:
    """Section ``index`` (from 0) of ``outline``: paragraphs of quoted sentences in the order of their sources.

    The sentences its points quote are among them. Raises ManuscriptIncomplete if no sentence is left for it.
    """
    sections = with_words(outline, brief.min_words).sections
    chosen = share_quotes(sections, _material(brief, passages))[index]
    if not chosen:
        raise ManuscriptIncomplete(
            f"The sources have no sentence for the section “{sections[index].heading}”. Remove it from the outline, or add "
            "a source."
        )
    return SectionText(markdown="\n\n".join(map(_cited, in_paragraphs(chosen))))


def lead(brief: Brief, outline: Outline, texts: Sequence[str]) -> Lead:
    """The title of the outline, and no lead: sentences quoted from different places do not make a paragraph that opens a text."""
    return Lead(title=outline.title, lead="")


def describe_seo(brief: Brief, title: str, text: str) -> SearchDescription:
    """The search description in words of the article, whose Markdown is ``text``. The pipeline fits it to its limits."""
    found = list(paragraphs(strip_unknown_marks(text, ())))
    return SearchDescription(
        title=title,
        meta_description=found[0] if found else title,
        slug=slug_of(title),
        keywords=keywords("\n".join(found), brief.keywords, brief.language) or [brief.topic[:80]],
    )


def picture_prompt(brief: Brief, outline: Outline) -> PicturePrompt:
    """A prompt that consists of the title and the headings."""
    headings = "; ".join(section.heading for section in outline.sections)
    return PicturePrompt(
        prompt=f"{outline.title}. {headings}.", alt=truncate(f"Cover of the article “{outline.title}”", Range(0, 200))
    )


def _material(brief: Brief, passages: Sequence[Passage]) -> Material:
    material = gather(brief, passages)
    if len(material.quotes) < 2:
        raise NothingToRead(
            "The sources have fewer than two complete sentences, too few for the built-in writer. "
            "Add a source with running text, or configure a model."
        )
    return material


def _cited(paragraph: Sequence[Quote]) -> str:
    """The sentences of a paragraph, which is a run from one passage, with one mark at the end."""
    text = " ".join(escape_markdown(quote.text) for quote in paragraph)
    return f"{text} {citation_mark([paragraph[0].passage])}"


def _fact(quote: Quote) -> FoundFact:
    years = [date.year for date in parse_quantities(quote.text).dates if date.year]
    exact = [year for year in years if year % 100]  # 2000 is rather an amount
    is_figure = fact_kind(quote.text) == "figure" or len(exact) < len(years)
    date = str(exact[0]) if exact else ""
    return FoundFact(statement=quote.text, kind="figure" if is_figure else "claim", date=date, sources=[quote.passage])
