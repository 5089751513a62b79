"""The shapes that pass between the agents and the rest of the studio.

Everything here is plain data: pydantic models, no ORM, no CrewAI, no network. The recipe, the crew and the
research package speak in these; ``articles.runs.journal`` stores them as JSON and hands them back when a run is resumed.
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
"""Stage → the agent that does it, in the order in which a person is told of them."""

MIN_WORDS, MAX_WORDS = 300, 5000
MIN_TOPIC, MAX_TOPIC = 5, 500


class StoredModel(BaseModel):
    """Base of everything that is stored: unknown keys are dropped, so that an older run can still be read back."""

    model_config = ConfigDict(extra="ignore")


class LLMOutput(BaseModel):
    """Base of everything a model is asked for: forbids other keys, as strict JSON Schema demands."""

    model_config = ConfigDict(extra="forbid")


# What is asked


class BriefSource(StoredModel):
    """A source the person brings. Exactly one of ``text``, ``url`` and ``path`` is set.

    ``path`` is the absolute path of an uploaded .txt, .md, .pdf or .docx file; ``title`` may be empty.
    """

    id: int
    title: str = ""
    text: str = ""
    url: str = ""
    path: str = ""


class Voice(StoredModel):
    """How a house or a person writes. ``samples`` are texts in that voice; ``prefer`` and ``avoid`` are words and phrases."""

    name: str
    description: str = ""
    samples: list[str] = []
    prefer: list[str] = []
    avoid: list[str] = []


class AgentConfig(StoredModel):
    """One of the six as an editor set it up. What is empty is taken from ``config/agents.yaml`` and the settings."""

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
    """What a search provider answers: a page that may be worth reading. It is not a source until it was read."""

    title: str
    url: str
    snippet: str = ""


class Source(StoredModel):
    """A page or document that was really read.

    ``number`` counts from 1 within the run; ``sha256`` is of its text; ``brief_source`` is the id of the brief's source it
    came from, None where the search found it.
    """

    number: int
    title: str
    url: str = ""
    author: str = ""
    date: str = ""
    read_at: datetime
    sha256: str
    excerpt: str = ""
    words: int = 0
    brief_source: int | None = None


class Passage(StoredModel):
    """A stretch of a source's text that can be cited as ``[S3]``: ``text == source_text[start:end]``."""

    id: str
    source: int
    start: int
    end: int
    text: str


class UnreadSource(StoredModel):
    """A source that could not be read, and why, in words for its reader."""

    title: str
    url: str = ""
    brief_source: int | None = None
    reason: str


class Reading(StoredModel):
    """All that was read for a run. Passage ids ``S1, S2 …`` are unique in it.

    ``from_samples`` tells that it is not the person's own material but the sample library's.
    """

    sources: list[Source] = []
    passages: list[Passage] = []
    unread: list[UnreadSource] = []
    from_samples: bool = False

    def with_problems(self, problems: Iterable[str]) -> Reading:
        """The same reading, telling also what went wrong with the search."""
        return self.model_copy(
            update={"unread": [*self.unread, *(UnreadSource(title="Search", reason=p) for p in problems)]}
        )


class Questions(LLMOutput):
    """``research:plan``: what a reader would want answered, each fit to be typed into a search engine."""

    questions: list[str] = Field(min_length=1, max_length=6)


class Finding(LLMOutput):
    statement: str
    sources: list[str] = Field(description="ids of the passages that say so, such as S3")


class QuestionFindings(LLMOutput):
    """``research:find:N``: what the passages say to one question."""

    findings: list[Finding] = Field(max_length=4)


class Synthesis(LLMOutput):
    """``research:synthesis``: all findings in a few sentences."""

    synthesis: str


class Findings(StoredModel):
    """All that was found, question by question."""

    synthesis: str = ""
    findings: list[Finding] = []


# Writing


MAX_SECTIONS = 30
MAX_HEADING = 120


class Headings(LLMOutput):
    """``outline:make``: the order of the article, short enough to be there in a second or two."""

    title: str = Field(min_length=5, max_length=MAX_HEADING)
    sections: list[str] = Field(min_length=2, max_length=MAX_SECTIONS, description="the headings, in order")


class SectionPlan(LLMOutput):
    """``outline:N``: what section N has to do."""

    purpose: str = Field(description="what the reader knows after this section, in one sentence")
    points: list[str] = Field(max_length=6)
    sources: list[str] = Field(max_length=8, description="ids of the passages this section rests on, such as S3")


class OutlineSection(StoredModel):
    """``words`` is the section's share of the length asked for; 0 in outlines of older versions."""

    heading: str = Field(min_length=2, max_length=MAX_HEADING)
    purpose: str = ""
    points: list[str] = []
    sources: list[str] = []
    words: int = Field(default=0, ge=0)


class Outline(StoredModel):
    """``outline:approved``, where a person approved it; else put together of ``outline:make`` and each ``outline:N``."""

    title: str = Field(min_length=5, max_length=MAX_HEADING)
    sections: list[OutlineSection] = Field(min_length=2, max_length=MAX_SECTIONS)


class SectionText(StoredModel):
    """Markdown written by the writer or the editor; citations are still ``[S3]`` marks."""

    markdown: str


ReviewKind = Literal["repetition", "contradiction", "gap", "term", "transition", "tone", "unsupported claim"]


class Remark(LLMOutput):
    section: Annotated[int, Field(ge=1, le=30)]
    kind: ReviewKind
    instruction: str


class Review(LLMOutput):
    """``edit:review``: what to mend, each with its section, counted from 1. Sections it does not name stay as they are."""

    remarks: list[Remark] = Field(max_length=12)


Verdict = Literal["supported", "partly", "not"]


class SentenceEvidence(StoredModel):
    """One sentence that cites, and whether what it cites says so.

    ``sentence`` is plain text without marks, as it stands in the article; ``passages`` the ids it cites; ``judged_by`` the
    ``code`` (a number, a quotation, the very words) or the ``model``; ``was`` the sentence before it was reworded, else empty;
    ``reason`` is told where the verdict is not ``supported``.
    """

    section: int
    sentence: str
    passages: list[str]
    verdict: Verdict
    judged_by: Literal["code", "model"]
    reason: str = ""
    was: str = ""


class CheckedText(StoredModel):
    """``edit:evidence:N``: a section after its evidence was checked, and what was found. ``[S3]`` marks are still in it."""

    markdown: str
    evidence: list[SentenceEvidence] = []


class FAQItem(LLMOutput):
    """A question readers ask, and its answer in a sentence or two."""

    question: str
    answer: str


class FAQ(LLMOutput):
    """Empty where questions do not fit the subject."""

    faq: list[FAQItem] = Field(max_length=5)


class SearchDescription(LLMOutput):
    """How a page is told of. Limits that are shown to a person are enforced in code, not here: models count badly."""

    title: str = Field(description="30 to 60 characters")
    meta_description: str = Field(description="120 to 160 characters")
    slug: str
    keywords: list[str] = Field(min_length=1, max_length=10)


class SEO(SearchDescription):
    """``seo:describe``. The first of ``keywords`` is the primary one."""

    faq: list[FAQItem] = []


class PicturePrompt(LLMOutput):
    """``image:prompt``: what to draw, and how to tell it to someone who cannot see it."""

    prompt: str
    alt: str = Field(max_length=200)


class Picture(StoredModel):
    """A picture that was stored. ``drawn_by`` is a model or the studio.

    ``name`` is its name in the media storage; ``share_name`` of the same picture cut to 1200 × 630, for cards that link to
    it, empty where it has these proportions anyway.
    """

    name: str
    share_name: str = ""
    alt: str
    prompt: str = ""
    drawn_by: str


class Reference(StoredModel):
    """One entry of the list of references: the number the reader sees, and what it stands for."""

    number: int
    source: int
    title: str
    url: str = ""
    passages: list[str] = []


class Manuscript(StoredModel):
    """A finished article: what a run is for. ``content`` is Markdown with numbered references.

    ``repeated`` are pairs of sections, counted from 1, that still say nearly the same after they were edited; ``foreign`` are
    those that a model wrote in another language than the brief's, though it was told.
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
        """What was asked, read and found, as JSON: ``sources passages unread questions synthesis findings``."""
        found = self.findings or Findings(synthesis="", findings=[])
        return {"questions": self.questions, **self.reading.model_dump(mode="json"), **found.model_dump(mode="json")}


# The studio's health


@dataclass(frozen=True)
class HealthCheck:
    """One thing that was looked at: how it is, and what to do where that is not well."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    finding: str
    advice: str = ""
