"""Response bodies for SEO."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from agents.contract import FAQItem
from articles.seo import CheckResult, Heading, LinkSuggestion, SeoAnalysis


class PointOut(BaseModel):
    """What a rule found at one place; ``advice`` is empty if the check passed."""

    rule: str
    place: str
    verdict: Literal["good", "warn", "bad"]
    message: str
    advice: str

    @classmethod
    def of(cls, result: CheckResult) -> Self:
        return cls(**asdict(result))


class MetaTag(BaseModel):
    property: str
    content: str


class HeadingOut(BaseModel):
    """``words`` is the number of words below it, up to the next heading."""

    level: int
    text: str
    words: int

    @classmethod
    def of(cls, heading: Heading) -> Self:
        return cls(**asdict(heading))


class InternalLinkOut(BaseModel):
    """A suggested link to another of your articles, from ``anchor_text``, which is in the text at ``place``."""

    article_id: int
    title: str
    url: str
    anchor_text: str
    place: str
    why: str

    @classmethod
    def of(cls, link: LinkSuggestion, base_url: str) -> Self:
        other = link.article
        return cls(
            article_id=other.pk,
            title=str(other),
            url=base_url + other.get_absolute_url(),
            anchor_text=link.anchor_text,
            place=link.place,
            why=link.why,
        )


class SeoOut(BaseModel):
    """The SEO texts of the article, and the analysis of its current text."""

    title: str
    meta_description: str
    slug: str
    keywords: list[str]
    primary_keyword: str
    secondary_keywords: list[str]
    faq: list[FAQItem]
    score: Annotated[int, Field(ge=0, le=100)]
    points: list[PointOut]
    headings: list[HeadingOut]
    json_ld: Annotated[dict[str, Any], Field(description="schema.org Article, with a FAQPage if it answers questions")]
    open_graph: list[MetaTag]
    internal_links: list[InternalLinkOut]

    @classmethod
    def of(cls, analysis: SeoAnalysis) -> Self | None:
        """None if the article has no SEO texts."""
        if (seo := analysis.seo) is None:
            return None
        return cls(
            **seo.model_dump(exclude={"faq"}),
            primary_keyword=analysis.parsed.primary_keyword,
            secondary_keywords=seo.keywords[1:],
            faq=seo.faq,
            score=analysis.report.score,
            points=[PointOut.of(result) for result in analysis.report.results],
            headings=[HeadingOut.of(heading) for heading in analysis.headings],
            json_ld=analysis.json_ld,
            open_graph=[MetaTag(property=name, content=content) for name, content in analysis.open_graph],
            internal_links=[InternalLinkOut.of(link, analysis.base_url) for link in analysis.internal_links],
        )
