"""The data that passes between the agents and the rest of the studio.

Plain pydantic models, without ORM, CrewAI or network. The recipe, the crew and the research package exchange them;
``articles.runs.journal`` stores them as JSON and reads them back when a run is resumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt

from agents.input_types import LanguageTag, Line, Prose, not_only_punctuation

Stage = Literal["research", "outline", "write", "edit", "seo", "image"]

AGENTS: dict[Stage, str] = {
    "research": "ResearchAgent",
    "outline": "OutlineAgent",
    "write": "WriterAgent",
    "edit": "EditorAgent",
    "seo": "SEOAgent",
    "image": "ImageAgent",
}
"""Stage → its agent, in the order in which they are shown."""

MIN_WORDS, MAX_WORDS = 300, 5000
MIN_TOPIC, MAX_TOPIC = 5, 500


class StoredModel(BaseModel):
    """Base of everything that is stored. Unknown keys are dropped, so that older runs can still be read."""

    model_config = ConfigDict(extra="ignore")


class LLMOutput(BaseModel):
    """Base of everything a model is asked for. Unknown keys are errors, as strict JSON Schema requires."""

    model_config = ConfigDict(extra="forbid")


# The brief


class BriefSource(StoredModel):
    """A source given with the brief: a ``text``, a ``url`` or a ``path``. Only ``text`` and ``url`` may be set together.

    The ``url`` of a text is its link and is not fetched. ``path`` is the absolute path of an uploaded .txt, .md, .pdf or .docx
    file. The other fields are what the person said about the source; ``date`` is ISO 8601, possibly without day or month.
    """

    id: int
    title: str = ""
    text: str = ""
    url: str = ""
    path: str = ""
    publisher: str = ""
    author: str = ""
    date: str = ""


class Voice(StoredModel):
    """A style of writing. ``samples`` are texts in that voice; ``prefer`` and ``avoid`` are words and phrases."""

    name: str
    description: str = ""
    samples: list[str] = []
    prefer: list[str] = []
    avoid: list[str] = []


class AgentConfig(StoredModel):
    """An agent as configured by an editor. Empty fields are taken from ``config/agents.yaml`` and the settings."""

    role: str = ""
    goal: str = ""
    backstory: str = ""
    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None


Keyword = Annotated[str, Field(min_length=1, max_length=100), Line]


class BriefHeader(StoredModel):
    """A brief without its notes, which can be long. Lists of articles show this."""

    topic: Annotated[str, Field(min_length=MIN_TOPIC, max_length=MAX_TOPIC), AfterValidator(not_only_punctuation), Line]
    tone: Annotated[str, Field(min_length=1, max_length=100), Line] = "professional"
    target_audience: Annotated[str, Field(min_length=1, max_length=200), Line] = "general"
    min_words: Annotated[StrictInt, Field(ge=MIN_WORDS, le=MAX_WORDS)] = 1000
    include_image: StrictBool = True
    seo_optimize: StrictBool = True
    language: LanguageTag = "en"
    keywords: Annotated[list[Keyword], Field(max_length=20)] = []
    approve_outline: Annotated[StrictBool, Field(description="Wait for approval once the outline is made")] = False
    allow_uncited: Annotated[StrictBool, Field(description="Write without citations if no source can be read")] = True


class BriefFields(BriefHeader):
    """What a person asks for. The page, the API, the admin and the command all validate by these rules."""

    notes: Annotated[str, Field(max_length=5000), Prose] = ""


class Brief(BriefFields):
    """The brief as the agents get it. ``outline_wish`` is what a person wants changed in a regenerated outline."""

    sources: list[BriefSource] = []
    voice: Voice | None = None
    outline_wish: str = ""


# Research


class SearchResult(StoredModel):
    """A page found by a search provider. It becomes a source once it was read."""

    title: str
    url: str
    snippet: str = ""


SourceKind = Literal["study", "press", "official", "advocacy", "vendor", "notes", ""]
"""What sort of publication a source is. Empty unless it is certain: a wrong kind misleads more than none."""


class Source(StoredModel):
    """A page or document that was read.

    ``number`` counts from 1 within the run; ``sha256`` is of its text; ``brief_source`` is the id of the brief's source it
    came from, None if the search found it. ``language`` is the detected BCP 47 tag. Unknown fields are empty.
    """

    number: int
    title: str
    url: str = ""
    publisher: str = ""
    author: str = ""
    date: str = ""
    kind: SourceKind = ""
    language: str = ""
    read_at: datetime
    sha256: str
    excerpt: str = ""
    words: int = 0
    brief_source: int | None = None


class Passage(StoredModel):
    """A part of a source's text that can be cited as ``[S3]``: ``text == source_text[start:end]``.

    ``page`` is the page of a PDF on which it begins, counted from 1; 0 for other documents.
    """

    id: str
    source: int
    start: int
    end: int
    text: str
    page: int = 0


class UnreadSource(StoredModel):
    """A source that could not be read, and the reason, for a person to read."""

    title: str
    url: str = ""
    brief_source: int | None = None
    reason: str


class Reading(StoredModel):
    """All that was read for a run. Passage ids ``S1, S2 …`` are unique in it.

    ``from_samples`` is set if the sample library was used, because nothing else could be read.
    """

    sources: list[Source] = []
    passages: list[Passage] = []
    unread: list[UnreadSource] = []
    from_samples: bool = False

    def with_problems(self, problems: Iterable[str]) -> Reading:
        """A copy that also reports problems of the search."""
        return self.model_copy(
            update={"unread": [*self.unread, *(UnreadSource(title="Search", reason=p) for p in problems)]}
        )


class Questions(LLMOutput):
    """``research:plan``: the questions readers have, each usable as a search query."""

    questions: list[str] = Field(min_length=1, max_length=6)


class Finding(LLMOutput):
    statement: str
    sources: list[str] = Field(description="ids of the passages that say so, such as S3")


class QuestionFindings(LLMOutput):
    """``research:find:N``: what the passages say about one question."""

    findings: list[Finding] = Field(max_length=4)


class Synthesis(LLMOutput):
    """``research:synthesis``: all findings in a few sentences."""

    synthesis: str


class Findings(StoredModel):
    """The findings of all questions."""

    synthesis: str = ""
    findings: list[Finding] = []


# Writing


MAX_SECTIONS = 30
MAX_HEADING = 120


class Headings(LLMOutput):
    """``outline:make``: title and headings, short enough to be written in a second or two."""

    title: str = Field(min_length=5, max_length=MAX_HEADING)
    sections: list[str] = Field(min_length=2, max_length=MAX_SECTIONS, description="the headings, in order")


class SectionPlan(LLMOutput):
    """``outline:N``: the plan of section N."""

    purpose: str = Field(description="what the reader knows after this section, in one sentence")
    points: list[str] = Field(max_length=6)
    sources: list[str] = Field(max_length=8, description="ids of the passages this section rests on, such as S3")


class OutlineSection(StoredModel):
    """``words`` is the section's share of the requested length; 0 in outlines of older versions."""

    heading: str = Field(min_length=2, max_length=MAX_HEADING)
    purpose: str = ""
    points: list[str] = []
    sources: list[str] = []
    words: int = Field(default=0, ge=0)


class Outline(StoredModel):
    """``outline:approved`` if a person approved it; else assembled from ``outline:make`` and each ``outline:N``."""

    title: str = Field(min_length=5, max_length=MAX_HEADING)
    sections: list[OutlineSection] = Field(min_length=2, max_length=MAX_SECTIONS)


class SectionText(StoredModel):
    """Markdown of the writer or the editor, with citation marks ``[S3]``."""

    markdown: str


ReviewKind = Literal["repetition", "contradiction", "gap", "term", "transition", "tone", "unsupported claim"]


class Remark(LLMOutput):
    section: Annotated[int, Field(ge=1, le=30)]
    kind: ReviewKind
    instruction: str


class Review(LLMOutput):
    """``edit:review``: what to revise, with the section, counted from 1. Other sections stay unchanged."""

    remarks: list[Remark] = Field(max_length=12)


Verdict = Literal["supported", "partly", "not"]


class SentenceEvidence(StoredModel):
    """A sentence that cites, and whether the passages it cites support it.

    ``sentence`` is plain text of the article without marks; ``passages`` are the ids it cites. ``judged_by`` is ``code`` (for a
    number, a quotation or a verbatim sentence) or ``model``. ``reason`` is empty if the verdict is ``supported``; ``was`` is the
    sentence before it was reworded, else empty.
    """

    section: int
    sentence: str
    passages: list[str]
    verdict: Verdict
    judged_by: Literal["code", "model"]
    reason: str = ""
    was: str = ""


class CheckedText(StoredModel):
    """``edit:evidence:N``: a section with citation marks ``[S3]``, and the verdicts on its sentences."""

    markdown: str
    evidence: list[SentenceEvidence] = []


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


class PicturePrompt(LLMOutput):
    """``image:prompt``: what to draw, and the alternative text."""

    prompt: str
    alt: str = Field(max_length=200)


class Picture(StoredModel):
    """A stored image. ``drawn_by`` is a model or the studio.

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
    evidence: list[SentenceEvidence] = []
    repeated: list[tuple[int, int]] = []
    foreign: list[int] = []
    notices: list[str] = []

    def research_data(self) -> dict[str, object]:
        """Questions, reading and findings as JSON: ``sources passages unread questions synthesis findings``."""
        found = self.findings or Findings(synthesis="", findings=[])
        return {"questions": self.questions, **self.reading.model_dump(mode="json"), **found.model_dump(mode="json")}


# Health


@dataclass(frozen=True)
class HealthCheck:
    """The result of one health check, and advice if it is not ``ok``."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    finding: str
    advice: str = ""
