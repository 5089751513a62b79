"""What the run of an article found and planned, for its page: stages, reading, findings and outline."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from agents.contract import Outline, Reading, Stage
from agents.pipeline.steps import StepKey
from articles.evidence.results import run_of_the_text
from articles.evidence.stored import parse_or_none
from articles.models import Article, Revision, Run, Status
from articles.pages.findings import FoundSoFar, groups_from_steps
from articles.pages.outlines import AnsweredQuestion, PlanStream, answered_questions, outline_from_steps, plan_stream
from articles.pages.sources import Research, research_from_article, research_from_steps
from articles.pages.step_outputs import Output, StepFilter, StepLog, load_steps
from articles.runs.stages import StageView, stages_of


def shown_run(article: Article) -> Run | None:
    """The latest run, or that of the text if a person kept it after a later run did not finish."""
    kept = run_of_the_text(article) if article.status == Status.COMPLETED else None
    return kept or article.latest_run()


class RunView:
    """Every part is computed when a template first uses it, and kept.

    ``outputs_of`` selects the steps whose outputs are read at once; see ``load_steps``.
    """

    def __init__(self, article: Article, outputs_of: StepFilter | None = None) -> None:
        self.article = article
        self.run = shown_run(article)
        self._steps = load_steps(self.run, outputs_of) if self.run else []

    @cached_property
    def steps(self) -> StepLog:
        return StepLog(self._steps)

    @cached_property
    def stages(self) -> list[StageView]:
        return stages_of(self.run, self._steps) if self.run else []

    @property
    def made_in(self) -> str:
        """How long the run took, such as ``6 min 48 s``; empty if it has not finished."""
        if self.run is None or self.run.started_at is None or self.run.finished_at is None:
            return ""
        minutes, seconds = divmod(int((self.run.finished_at - self.run.started_at).total_seconds()), 60)
        return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

    @cached_property
    def edit(self) -> Revision | None:
        """The newest revision, if a person saved it."""
        newest = self.article.revisions.select_related("saved_by").defer("content").first()
        return newest if newest and (newest.saved_by_id or newest.former_author) else None

    @cached_property
    def reading(self) -> Reading:
        return self.steps.reading() or self._stored(self.article.research_data, Reading) or Reading()

    # Findings and plan

    @cached_property
    def research(self) -> Research:
        """Questions, findings and the answer in short."""
        if self._stage_steps("research") or self.article.is_active:
            return research_from_steps(self.steps, self.reading, self.outline, year=self._year)
        kept: dict[str, Any] = self.article.research_data or {}
        return research_from_article(kept, self.reading, self.outline, year=self._year)

    @cached_property
    def found(self) -> FoundSoFar:
        """The findings by group of sources, as they are found."""
        if not self.steps.find_steps:
            return FoundSoFar()
        return FoundSoFar(
            groups_from_steps(self.steps, self.reading, self.outline, year=self._year, at_work=self._is_processing)
        )

    @cached_property
    def outline(self) -> Outline | None:
        """The outline that waits for approval; that of a finished text, with checked headings; else the run's so far."""
        is_final = self.run is not None and self.run.status in (Status.AWAITING_APPROVAL, Status.COMPLETED)
        stored = parse_or_none(self.article.outline, Outline) if is_final else None
        if stored:
            return stored
        made = outline_from_steps(self.steps, self.article.min_words)
        return made or self._stored(self.article.outline, Outline)

    @cached_property
    def questions(self) -> list[AnsweredQuestion]:
        """The questions of the readers, with the sections that answer them."""
        return answered_questions(self.outline) if self.outline else []

    @property
    def plan_stream(self) -> PlanStream | None:
        return plan_stream(self.steps, at_work=self._is_processing)

    # Where parts are read from

    @property
    def _is_processing(self) -> bool:
        """Whether a worker is executing the started steps. A run that waits for a worker will restart them."""
        return self.article.status == Status.PROCESSING

    @property
    def _may_show_stored(self) -> bool:
        """Whether the article's stored parts may be shown: during a run they are an earlier run's."""
        return not self.article.is_active

    @property
    def _year(self) -> int:
        """The year of the run."""
        return (self.run.created_at if self.run else self.article.created_at).year

    def _stage_steps(self, name: Stage) -> bool:
        return any(step.stage == name for step in self._steps)

    def _stage(self, name: Stage) -> StageView | None:
        return next((stage for stage in self.stages if stage.stage == name), None)

    def _step_output(self, key: StepKey, shape: type[Output]) -> Output | None:
        return self.steps.output(key, shape)

    def _stored(self, stored: Any, shape: type[Output]) -> Output | None:
        return parse_or_none(stored, shape) if stored and self._may_show_stored else None
