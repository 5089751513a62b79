"""The brief: what a person asks for, and what they give with it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt

from agents.contract.base import StoredModel
from agents.input_types import LanguageTag, Line, Prose, not_only_punctuation

MIN_WORDS, MAX_WORDS = 300, 5000
MIN_TOPIC, MAX_TOPIC = 5, 500


class BriefSource(StoredModel):
    """A source given with the brief: a ``text``, a ``url`` or a ``path``. Only ``text`` and ``url`` may be set together.

    The ``url`` of a text is its link and is not fetched. ``path`` names an uploaded .txt, .md, .pdf or .docx file in the
    storage of uploads. The other fields are what the person said about the source; ``date`` is ISO 8601, possibly without day
    or month, and ``kind`` in their words, such as "press release of a manufacturer".
    """

    id: int
    title: str = ""
    text: str = ""
    url: str = ""
    path: str = ""
    kind: str = ""
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
    writing: Annotated[
        Literal["parallel", "whole"],
        Field(description="parallel: sections side by side, fastest; whole: one draft, for up to 1,500 words"),
    ] = "parallel"
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
