"""The shapes of the API: what it takes, checked and cleaned, and what it gives."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)

from agents.contract import MAX_TOPIC, MAX_WORDS, MIN_TOPIC, MIN_WORDS
from articles.api.schemas.evidence import TallyOut
from articles.api.schemas.seo import SeoOut
from articles.forms.articles import MAX_CONTENT
from articles.forms.brief import MAX_KEYWORD, MAX_KEYWORDS, MAX_PASTED
from articles.models import Status, Voice
from articles.services import NewSource

# Text as it comes in

NOT_TEXT = re.compile("[\0\ud800-\udfff]")
CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")  # PDFs and terminals leave them; no XML can hold them


def clean_text(value: Any) -> Any:
    """Line ends as LF, no control characters, nothing around. Raises ValueError for what no store can hold."""
    if not isinstance(value, str):
        return value
    if NOT_TEXT.search(value):
        raise ValueError("holds a NUL or half a surrogate pair, which is not text")
    return CONTROL.sub(" ", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def clean_line(value: Any) -> Any:
    """``clean_text`` in one line."""
    value = clean_text(value)
    return " ".join(value.split()) if isinstance(value, str) else value


def say_something(value: str) -> str:
    """Dots, spaces and characters without width are no topic. Letters, digits, marks and symbols (emoji) are."""
    if not any(unicodedata.category(character)[0] in "LNS" for character in value):
        raise ValueError("is blank")
    return value


def web_address(value: str) -> str:
    try:
        URLValidator(schemes=["http", "https"])(value)
    except ValidationError:
        raise ValueError("is not a web address; give it in full, such as https://example.org/page") from None
    return value


def language_tag(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", value):
        raise ValueError("should be a BCP 47 tag, such as en or pt-BR")
    return value


# The cleaners come last in each Annotated: they wrap what stands before them, so limits are held after the cleaning.
Line = BeforeValidator(clean_line)
Prose = BeforeValidator(clean_text)

Topic = Annotated[str, Field(min_length=MIN_TOPIC, max_length=MAX_TOPIC), AfterValidator(say_something), Line]
Address = Annotated[str, Field(max_length=2000), AfterValidator(web_address), Line]
Language = Annotated[
    str, Field(max_length=35, description="BCP 47, such as en or pt-BR"), AfterValidator(language_tag), Line
]
Keyword = Annotated[str, Field(min_length=1, max_length=MAX_KEYWORD), Line]


class In(BaseModel):
    """What comes in: a key that is not known is refused, so that a mistyped wish is not lost silently."""

    model_config = ConfigDict(extra="forbid")


class SourceIn(In):
    """Exactly one of ``text`` and ``url``."""

    title: Annotated[str, Field(max_length=300), Line] = ""
    text: Annotated[str, Field(max_length=MAX_PASTED), Prose] = ""
    url: Address | None = None

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        if bool(self.text) == bool(self.url):
            raise ValueError("give exactly one of text and url")
        return self

    def as_new_source(self) -> NewSource:
        return NewSource(title=self.title, text=self.text, url=self.url or "")


class BriefIn(In):
    """What is asked for. Only the topic is needed."""

    topic: Topic
    tone: Annotated[str, Field(min_length=1, max_length=100), Line] = "professional"
    target_audience: Annotated[str, Field(min_length=1, max_length=200), Line] = "general"
    min_words: Annotated[StrictInt, Field(ge=MIN_WORDS, le=MAX_WORDS)] = 1000
    include_image: StrictBool = True
    seo_optimize: StrictBool = True
    language: Language = "en"
    keywords: Annotated[list[Keyword], Field(max_length=MAX_KEYWORDS)] = []
    notes: Annotated[str, Field(max_length=5000), Prose] = ""
    voice: Annotated[str, Field(max_length=100, description="The name of a voice"), Line] | None = None
    approve_outline: Annotated[StrictBool, Field(description="Show the outline before it is written")] = False
    allow_uncited: Annotated[StrictBool, Field(description="Write without citations where nothing could be read")] = (
        True
    )
    sources: Annotated[list[SourceIn], Field(max_length=20)] = []

    def as_brief(self) -> dict[str, Any]:
        """What ``services.create_article`` takes as its brief. Raises UnknownVoice."""
        voice = Voice.objects.named(self.voice) if self.voice else None
        return self.model_dump(exclude={"sources"}) | {"voice": voice}


class TextIn(In):
    """An edited text. ``revision`` is the number of the revision it was made from: ``revision`` of the article as it was read."""

    title: Annotated[str, Field(min_length=1, max_length=300), Line] | None = None
    content: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT), Prose] | None = None
    revision: Annotated[StrictInt, Field(ge=0)]


class Page(BaseModel):
    """A stretch of a list."""

    skip: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class ListIn(Page):
    """Which articles to list, and in which order. ``q`` finds those whose title or topic has each of its words."""

    status: Status | None = None
    q: Annotated[str, Field(max_length=200)] = ""
    order: Literal["newest", "oldest", "changed", "title"] = "newest"


# What is given


class Problem(BaseModel):
    """Every error: a sentence that says what is wrong and what to do."""

    detail: str


class StatusOut(BaseModel):
    id: int
    status: Status
    current_agent: str
    progress_percentage: Annotated[int, Field(ge=0, le=100)]
    message: str


class TaskOut(StatusOut):
    topic: str
    created_at: datetime


class ActiveOut(BaseModel):
    active_count: int
    tasks: list[TaskOut]


def voice_name(voice: Any) -> Any:
    return voice.name if isinstance(voice, Voice) else voice


class ListedOut(StatusOut):
    """An article without its bodies."""

    topic: str
    tone: str
    target_audience: str
    min_words: int
    include_image: bool
    seo_optimize: bool
    language: str
    keywords: list[str]
    voice: Annotated[str | None, BeforeValidator(voice_name), Field(description="Its name")]
    approve_outline: bool
    allow_uncited: bool
    title: str
    word_count: int
    image_url: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


class ListOut(BaseModel):
    items: list[ListedOut]
    count: int


class Links(BaseModel):
    """Full addresses."""

    page: str
    status: str
    result: str
    events: str
    socket: str


class ArticleOut(ListedOut):
    """``revision`` is the number of its newest saved text, 0 before there is one. ``message`` of a failed one is its reason."""

    notes: str
    content: str
    notice: str
    revision: int
    cost: Annotated[float, Field(description="US dollars, of all its runs, by the prices of their day")]
    links: Links


class ResultOut(BaseModel):
    """A finished article with all that was made for it."""

    id: int
    topic: str
    title: str
    content: Annotated[str, Field(description="Markdown; references are footnotes")]
    outline: dict[str, Any] | None
    seo_meta: SeoOut | None
    image_url: str | None
    image_alt: str
    research_data: dict[str, Any] | None
    references: list[dict[str, Any]]
    evidence: Annotated[TallyOut, Field(description="What the check of its citations came to")]
    notice: str
    word_count: int
    created_at: datetime
    completed_at: datetime | None


class EventsOut(BaseModel):
    """``items`` as the socket tells them; ``last_seq`` is the number of the article's newest event."""

    items: list[dict[str, Any]]
    last_seq: int


class SourceOut(BaseModel):
    id: int
    kind: Literal["text", "page", "document"]
    title: str
    url: str
    created_at: datetime


class SourcesOut(BaseModel):
    items: list[SourceOut]


class RevisionOut(BaseModel):
    number: int
    title: str
    author: str
    created_at: datetime


class RevisionsOut(BaseModel):
    items: list[RevisionOut]
    count: int


class RevisionTextOut(RevisionOut):
    content: str
