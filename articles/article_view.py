"""What a page shows of an article and of its latest run: stages, outline, draft, SEO, picture and sources.

While a run is at work its parts are read from the steps that are done; later from the article. Pages and fragments render
the same object, so that a page loaded anew and one that was kept up to date look the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from django.core.files.storage import default_storage
from django.db.models import prefetch_related_objects
from django.utils.safestring import SafeString, mark_safe
from pydantic import BaseModel, ValidationError

from agents.contract import SEO, Outline, Passage, Picture, Reading, Reference, Source, Stage, Text, Unread
from articles.models import Article, Event, Run, Step, StepStatus
from articles.models import Source as BroughtSource
from articles.models.run import StageView
from articles.rendering import to_html, word_count

Output = TypeVar("Output", bound=BaseModel)

LOG_LENGTH = 500
"""The newest events a page lists; the API has all of them."""

CITATION = re.compile(r"\[(S\d+(?:, ?S\d+)*)\]")


@dataclass(frozen=True)
class DraftSection:
    """A section as it stands: ``state`` is waiting, writing, written, mending, mended, stopped or failed; ``step`` writes it."""

    number: int
    heading: str
    purpose: str
    state: str
    step: str
    html: SafeString
    words: int


@dataclass(frozen=True)
class Measured:
    """A text that search engines cut, beside the length they show in full, in characters."""

    label: str
    text: str
    low: int
    high: int

    @property
    def length(self) -> int:
        return len(self.text)

    @property
    def verdict(self) -> str:
        if self.length < self.low:
            return f"{self.low - self.length} short of {self.low}"
        if self.length > self.high:
            return f"{self.length - self.high} over {self.high}"
        return f"fits {self.low}–{self.high}"

    @property
    def fits(self) -> bool:
        return self.low <= self.length <= self.high


@dataclass(frozen=True)
class Cover:
    url: str
    alt: str
    prompt: str = ""
    drawn_by: str = ""


@dataclass(frozen=True)
class ReadSource:
    """A source that was read, with its passages and the numbers of the references that cite it."""

    source: Source
    passages: list[Passage] = field(default_factory=list)
    cited_as: list[int] = field(default_factory=list)


class ArticleView:
    """Read once, rendered many times: every part is worked out when a template first asks for it."""

    def __init__(self, article: Article) -> None:
        self.article = article
        self.run: Run | None = article.latest_run()
        if self.run:
            prefetch_related_objects([self.run], "steps")

    # How the run stands

    @cached_property
    def steps(self) -> dict[str, Step]:
        return {step.key: step for step in self.run.steps.all()} if self.run else {}

    @cached_property
    def stages(self) -> list[StageView]:
        return self.run.stages() if self.run else []

    @property
    def seo_stage(self) -> StageView | None:
        return self._stage("seo")

    @property
    def image_stage(self) -> StageView | None:
        return self._stage("image")

    @property
    def stages_done(self) -> int:
        return sum(stage.status in ("completed", "skipped") for stage in self.stages)

    @property
    def first_panel(self) -> str:
        """The panel to open where the reader chose none."""
        return "article" if self.article.content and not self.article.is_active else "draft"

    @cached_property
    def log(self) -> list[Event]:
        return list(reversed(self.article.events.order_by("-seq")[:LOG_LENGTH]))

    # What was made

    @cached_property
    def outline(self) -> Outline | None:
        return self._made("outline:make", Outline) or self._kept(self.article.outline, Outline)

    @cached_property
    def sections(self) -> list[DraftSection]:
        if self.outline is None:
            return []
        return [
            self._section(number, part.heading, part.purpose) for number, part in enumerate(self.outline.sections, 1)
        ]

    @cached_property
    def body(self) -> SafeString:
        return to_html(self.article.content)

    @cached_property
    def seo(self) -> SEO | None:
        return self._made("seo:describe", SEO) or self._kept(self.article.seo_meta, SEO)

    @property
    def seo_lengths(self) -> list[Measured]:
        if self.seo is None:
            return []
        return [
            Measured("Title", self.seo.title, 30, 60),
            Measured("Description", self.seo.meta_description, 120, 160),
        ]

    @cached_property
    def cover(self) -> Cover | None:
        drawn = self._made("image:draw", Picture)
        if drawn:
            return Cover(default_storage.url(drawn.name), drawn.alt, drawn.prompt, drawn.drawn_by)
        if self.article.image and self._shows_earlier:
            return Cover(self.article.image_url, self.article.image_alt)
        return None

    @cached_property
    def reading(self) -> Reading:
        made = self._made("research:read", Reading) or self._kept(self.article.research_data, Reading)
        return made or Reading()

    @property
    def sources(self) -> list[ReadSource]:
        passages: dict[int, list[Passage]] = defaultdict(list)
        for passage in self.reading.passages:
            passages[passage.source].append(passage)
        cited: dict[int, list[int]] = defaultdict(list)
        for reference in self.references:
            cited[reference.source].append(reference.number)
        return [ReadSource(source, passages[source.number], cited[source.number]) for source in self.reading.sources]

    @property
    def unread(self) -> list[Unread]:
        return self.reading.unread

    @cached_property
    def brought(self) -> list[BroughtSource]:
        """What the person gave with the brief."""
        return list(self.article.sources.all())

    @property
    def synthesis(self) -> str:
        kept: dict[str, Any] = self.article.research_data or {}
        return str(kept.get("synthesis", "")) if self._shows_earlier else ""

    @property
    def references(self) -> list[Reference]:
        """Numbered as in the article's text; none while a new text is being written."""
        found = (self._kept(reference, Reference) for reference in self.article.references)
        return [reference for reference in found if reference]

    # Where it is read from

    @property
    def _shows_earlier(self) -> bool:
        """Whether what is kept on the article may be shown: while a run is at work, it is an earlier run's."""
        return not self.article.is_active

    def _stage(self, name: Stage) -> StageView | None:
        return next((stage for stage in self.stages if stage.stage == name), None)

    def _made(self, key: str, shape: type[Output]) -> Output | None:
        step = self.steps.get(key)
        return fitting(step.output, shape) if step and step.status == StepStatus.COMPLETED else None

    def _kept(self, stored: Any, shape: type[Output]) -> Output | None:
        return fitting(stored, shape) if stored and self._shows_earlier else None

    def _section(self, number: int, heading: str, purpose: str) -> DraftSection:
        write, edit = self.steps.get(f"write:{number}"), self.steps.get(f"edit:{number}")
        text = self._made(f"edit:{number}", Text) or self._made(f"write:{number}", Text)
        markdown = text.markdown if text else ""
        return DraftSection(
            number=number,
            heading=heading,
            purpose=purpose,
            state=section_state(write, edit, at_work=self.article.is_active),
            step=f"write:{number}",
            html=draft_html(markdown, prefix=f"d{number}"),
            words=word_count(markdown),
        )


def fitting(stored: Any, shape: type[Output]) -> Output | None:
    """``stored`` as ``shape``; None where another version of the studio stored it otherwise: a page can do without it."""
    try:
        return shape.model_validate(stored)
    except ValidationError:
        return None


def section_state(write: Step | None, edit: Step | None, *, at_work: bool) -> str:
    """Where a section stands, of the step that wrote it and the one that mends it, in a run that is at work or not."""
    step, words = (edit, ("mending", "mended")) if edit else (write, ("writing", "written"))
    if step is None:
        return "waiting"
    if step.status == StepStatus.FAILED:
        return "failed"
    if step.status == StepStatus.STARTED and not at_work:
        return "stopped"
    return words[step.status == StepStatus.COMPLETED]


def draft_html(markdown: str, *, prefix: str) -> SafeString:
    """Rendered like any text, with the marks of passages (``[S3]``) made small.

    What is put in holds neither a quote nor an attribute, so that it can break out of nothing, wherever a mark stands.
    """
    return mark_safe(CITATION.sub(r"<sup>\1</sup>", to_html(markdown, prefix=prefix)))  # noqa: S308 — see above
