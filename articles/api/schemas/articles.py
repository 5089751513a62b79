"""Request and response bodies for articles, their texts and sources."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, create_model

from agents.contract import DRAWN_BY_STUDIO, BriefHeader, Reference
from articles.api.schemas.evidence import TallyOut
from articles.api.schemas.seo import SeoOut
from articles.exceptions import InvalidSource
from articles.models import Article, Status, Voice
from articles.services import BriefInput, Content, NewSource, SourceInput, Title, check_text_total

# Requests


def fits_one_request(sources: list[SourceIn]) -> list[SourceIn]:
    try:
        check_text_total(len(source.text) for source in sources)
    except InvalidSource as error:
        raise ValueError(str(error).rstrip(".")) from error
    return sources


def as_new_sources(sources: list[SourceIn]) -> list[NewSource]:
    return [NewSource(**source.model_dump()) for source in sources]


class In(BaseModel):
    """Refuses unknown keys, so that a typo is not ignored."""

    model_config = ConfigDict(extra="forbid")


class SourceIn(SourceInput, In):
    """A `text`, a `url`, or both: the `url` of a text is its link and is not fetched."""


Sources = Annotated[list[SourceIn], Field(max_length=settings.MAX_SOURCES), AfterValidator(fits_one_request)]


class BriefIn(BriefInput, In):
    """Only `topic` is required."""

    sources: Sources = []


def all_optional(brief: type[BaseModel]) -> dict[str, Any]:
    return {name: (field.rebuild_annotation() | None, None) for name, field in brief.model_fields.items()}


class WriteAgainBase(In):
    """Fields of the brief that are not sent stay as they are. `remove_sources` are ids of the article's sources."""

    add_sources: Sources = []
    remove_sources: Annotated[list[StrictInt], Field(max_length=settings.MAX_SOURCES)] = []

    def brief_of(self, article: Article) -> BriefInput:
        """The article's brief with the changes. Raises InvalidInput."""
        return BriefInput.of(article, **self.model_dump(exclude_unset=True, exclude={"add_sources", "remove_sources"}))


WriteAgainIn: Any = create_model("WriteAgainIn", __base__=WriteAgainBase, **all_optional(BriefInput))


class TextIn(In):
    """An edited text. `revision` is the number of the revision it is based on: `revision` of the article as it was read."""

    title: Title | None = None
    content: Content | None = None
    revision: Annotated[StrictInt, Field(ge=0)]


class Page(BaseModel):
    """A page of a list."""

    skip: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class ListIn(Page):
    """`q` finds articles whose title or topic contains each of its words."""

    status: Status | None = None
    q: Annotated[str, Field(max_length=200)] = ""
    order: Literal["newest", "oldest", "changed", "title"] = "newest"


# Responses


class Problem(BaseModel):
    """An error: `detail` says what is wrong and what to do."""

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


class ListedOut(BriefHeader, StatusOut):
    """An article without its text."""

    voice: Annotated[str | None, BeforeValidator(voice_name), Field(description="Its name")]
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
    """Absolute URLs."""

    page: str
    status: str
    result: str
    events: str
    socket: str


class ArticleOut(ListedOut):
    """`revision` is the number of the newest saved text, or 0. `message` of a failed article is the reason."""

    notes: str
    content: str
    notice: str
    revision: int
    cost: Annotated[float, Field(description="US dollars, over all runs, at the prices of their day")]
    links: Links


class ResultOut(BaseModel):
    """A finished article with everything made for it. `status` may be that of a later run."""

    id: int
    status: Status
    topic: str
    title: str
    content: Annotated[str, Field(description="Markdown; references are footnotes")]
    outline: Annotated[
        dict[str, Any] | None,
        Field(
            description="`title`, `answer` in two sentences, `caveat` on it, `position` (what the article recommends),"
            " `questions` of the readers and `terms` to explain, each with the number of its `section`, `sections`"
            " (`heading`, `purpose`, `form`, `points`, `findings`, `sources`, `words`), `dismissed`"
            " findings with the reason. `form` is prose, table, chart, steps or list"
        ),
    ]
    seo_meta: SeoOut | None
    image_url: str | None
    image_alt: str
    image_drawn_by: Annotated[
        str, Field(description=f"The image model, or “{DRAWN_BY_STUDIO}” for a typeset cover; empty if unknown")
    ]
    research_data: Annotated[
        dict[str, Any] | None,
        Field(
            description="`questions`; `sources` (with `publisher`, `author`, `date`, `kind`, `language`); their `passages`"
            " (`page` of a PDF, else 0); `unread` sources with the reason; `findings` (`number`, `statement`, `kind`, `date`,"
            " `sources`: ids of passages);"
            " `synthesis`: the checked answer; `unused_sources` (`source`: number, `title`, `reason`): read but not cited."
            " `kind` of a finding is figure, claim, condition, disagreement or open. Articles of older versions lack some"
            " of these"
        ),
    ]
    references: list[Reference]
    evidence: Annotated[TallyOut, Field(description="Summary of the evidence check")]
    notice: str
    word_count: int
    created_at: datetime
    completed_at: datetime | None


class VoiceOut(BaseModel):
    name: str
    description: str


class VoicesOut(BaseModel):
    items: list[VoiceOut]


class EventsOut(BaseModel):
    """`items` as sent over the socket; `last_seq` is the number of the article's newest event."""

    items: list[dict[str, Any]]
    last_seq: int


class SourceOut(BaseModel):
    id: int
    type: Literal["text", "page", "document"]
    title: str
    url: str
    kind: str
    publisher: str
    author: str
    date: str
    created_at: datetime


class SourcesOut(BaseModel):
    items: list[SourceOut]
