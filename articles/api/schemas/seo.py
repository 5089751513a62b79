"""Response bodies for SEO."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from agents.contract import FAQItem
from articles.seo import CheckResult, Heading, LinkSuggestion, SeoAnalysis


class PointOut(BaseModel):
    """What a rule says of one place; ``advice`` is empty where all is well."""

    rule: str
    place: str
    verdict: Literal["good", "warn", "bad"]
    told: str
    advice: str

    @classmethod
    def of(cls, result: CheckResult) -> Self:
        return cls(
            rule=result.rule,
            place=result.place,
            verdict=result.verdict,
            told=result.message,
            advice=result.advice,
        )


class MetaTag(BaseModel):
    property: str
    content: str


class HeadingOut(BaseModel):
    """``words`` stand below it, up to the next heading."""

    level: int
    text: str
    words: int

    @classmethod
    def of(cls, heading: Heading) -> Self:
        return cls(**asdict(heading))


class InternalLinkOut(BaseModel):
    """A link that could be set from ``anchor_text``, which stands in the text at ``place``, to another of your articles."""

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
    """How the article is described for search, and what search engines make of its text as it is now."""

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
    json_ld: Annotated[
        dict[str, Any], Field(description="schema.org Article, with a FAQPage where questions are answered")
    ]
    open_graph: list[MetaTag]
    internal_links: list[InternalLinkOut]

    @classmethod
    def of(cls, examined: SeoAnalysis) -> Self | None:
        """None where the article was not described."""
        if (seo := examined.seo) is None:
            return None
        return cls(
            **seo.model_dump(exclude={"faq"}),
            primary_keyword=examined.parsed.primary_keyword,
            secondary_keywords=seo.keywords[1:],
            faq=seo.faq,
            score=examined.report.score,
            points=[PointOut.of(result) for result in examined.report.results],
            headings=[HeadingOut.of(heading) for heading in examined.headings],
            json_ld=examined.json_ld,
            open_graph=[MetaTag(property=name, content=content) for name, content in examined.open_graph],
            internal_links=[InternalLinkOut.of(link, examined.base_url) for link in examined.internal_links],
        )
