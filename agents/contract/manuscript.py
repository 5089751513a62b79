"""The finished article with its search description, picture, references and evidence."""

from __future__ import annotations

from pydantic import Field

from agents.contract.base import LLMOutput, StoredModel
from agents.contract.evidence import SentenceEvidence
from agents.contract.findings import Findings
from agents.contract.outline import Outline
from agents.contract.reading import Reading


class FAQItem(LLMOutput):
    """A question of readers with an answer of one or two sentences."""

    question: str
    answer: str


class FAQ(LLMOutput):
    """Empty if the subject is not one people ask questions about."""

    faq: list[FAQItem] = Field(max_length=5)


class SearchDescription(LLMOutput):
    """How search results describe a page. Code enforces the limits, not this schema: models count badly."""

    title: str = Field(description="30 to 60 characters")
    meta_description: str = Field(description="120 to 160 characters")
    slug: str
    keywords: list[str] = Field(min_length=1, max_length=10)


class SEO(SearchDescription):
    """``seo:describe``. The first of ``keywords`` is the primary one."""

    faq: list[FAQItem] = []


class FramedArticle(StoredModel):
    """``edit:frame``: what stands around the text, after its check. ``evidence`` is that of title and lead."""

    title: str
    lead: str = ""
    headings: list[str]
    faq: list[FAQItem] = []
    evidence: list[SentenceEvidence] = []


class UnusedSource(StoredModel):
    """A source that was read and is cited nowhere, and why."""

    source: int
    title: str
    reason: str


class PicturePrompt(LLMOutput):
    """``image:prompt``: what to draw, and the alternative text."""

    prompt: str
    alt: str = Field(max_length=200)


DRAWN_BY_STUDIO = "the studio"
"""``Picture.drawn_by`` of a cover that is typeset without an image model."""


class Picture(StoredModel):
    """A stored image. ``drawn_by`` is the name of a model, or DRAWN_BY_STUDIO.

    ``name`` is its name in the media storage; ``share_name`` that of the same image cropped to 1200 × 630 for link previews,
    empty if it has these proportions anyway.
    """

    name: str
    share_name: str = ""
    alt: str
    prompt: str = ""
    drawn_by: str


class Reference(StoredModel):
    """An entry of the list of references, under the number the reader sees.

    ``passages`` are the ids the text cites; ``pages`` has the page of each that comes from a PDF. ``date`` is ISO 8601, possibly
    without day or month, or as the source states it. Unknown fields are empty, as are those that older versions did not store.
    """

    number: int
    source: int
    title: str
    url: str = ""
    publisher: str = ""
    author: str = ""
    date: str = ""
    passages: list[str] = []
    pages: dict[str, int] = {}


class Manuscript(StoredModel):
    """A finished article. ``content`` is Markdown with numbered references.

    ``repeated`` are pairs of sections, counted from 1, that still say nearly the same after editing; ``foreign`` are sections
    that are still not in the language of the brief after a correction.
    """

    title: str
    content: str
    outline: Outline
    seo: SEO | None = None
    picture: Picture | None = None
    picture_problem: str = ""
    reading: Reading
    findings: Findings | None = None
    questions: list[str] = []
    references: list[Reference] = []
    unused_sources: list[UnusedSource] = []
    evidence: list[SentenceEvidence] = []
    repeated: list[tuple[int, int]] = []
    foreign: list[int] = []
    notices: list[str] = []

    def research_data(self) -> dict[str, object]:
        """As JSON: ``questions sources passages unread synthesis findings unused_sources``."""
        found = self.findings or Findings()
        unused = [each.model_dump(mode="json") for each in self.unused_sources]
        return {
            "questions": self.questions,
            **self.reading.model_dump(mode="json"),
            **found.model_dump(mode="json"),
            "unused_sources": unused,
        }
