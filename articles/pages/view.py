"""The view model of an article's page.

While a run is active its parts are read from the finished steps; afterwards from the article.
"""

from __future__ import annotations

from functools import cached_property

from django.core.files.storage import default_storage
from django.utils.safestring import SafeString

from agents.contract import (
    SEO,
    OutlineSection,
    Picture,
    Reading,
    Reference,
    UnreadSource,
    UnusedSource,
)
from agents.pipeline.steps import StepKey
from agents.text.seo import DESCRIPTION, TITLE
from articles.costs.reports import ArticleCosts
from articles.evidence.results import (
    CheckedSentence,
    EvidenceSummary,
    checked_sentences,
    footnote_labels,
    renumbered,
    run_of_the_text,
)
from articles.evidence.standing import CheckedText, RunResults, check_text
from articles.evidence.stored import stored_reading
from articles.models import Event, Evidence, Run, Status
from articles.models import Source as BriefSource
from articles.pages.drafts import (
    DraftSection,
    check_counts,
    draft_introduction,
    draft_section,
    evidence_heading,
    latest_check,
)
from articles.pages.evidence import EvidenceRow, EvidenceSection, text_annotations
from articles.pages.outlines import PlanRow
from articles.pages.parts import ACTIVITIES, Cover, MeasuredText, Notice
from articles.pages.run_view import RunView
from articles.pages.sources import ReadSource, UnusedSources, read_sources
from articles.rendering.annotations import Annotation
from articles.rendering.markdown import AnnotatedHtml, to_annotated_html
from articles.runs.stages import StageView
from articles.seo import SeoAnalysis

LOG_LENGTH = 500
"""How many of the newest events a page lists; the API has all of them."""


class ArticleView(RunView):
    """An article's page: what its run found and planned, and the texts made from it."""

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
        """The panel to open when the address names none."""
        if self.article.status == Status.AWAITING_APPROVAL:
            return "outline"
        return "article" if not self.article.is_active and self.article.content else "draft"

    @property
    def window_title(self) -> str:
        status = ""
        if self.article.status == Status.AWAITING_APPROVAL:
            status = "Needs approval · "
        elif self.article.is_active:
            status = f"{self.article.progress} % · "
        return f"{status}{self.article} – Content Studio"

    @property
    def notices(self) -> list[Notice]:
        """What readers of the text should know: the first sentence of each notice, the rest folded."""
        return [Notice.of(line) for line in self.article.notice.splitlines() if line.strip()]

    @property
    def activity(self) -> str:
        """What the run is doing now. The article's own message is of the last step that changed, whichever stage it was of."""
        working = [stage for stage in self.stages if stage.status == "working"]
        if self.article.status != Status.PROCESSING or not working:
            return self.article.message or "Waiting for a worker"
        return " · ".join(
            ACTIVITIES[stage.stage]
            + (f" ({stage.done} of {stage.planned})" if stage.stage in ("write", "edit") else "")
            for stage in working
        )

    @cached_property
    def log(self) -> list[Event]:
        return list(reversed(self.article.events.order_by("-seq")[:LOG_LENGTH]))

    @cached_property
    def costs(self) -> ArticleCosts:
        return ArticleCosts.of(self.article, self.run)

    # Its results

    @property
    def plan_rows(self) -> list[PlanRow]:
        """The sections of the outline with the states of their drafts."""
        planned = self.outline.sections if self.outline else []
        return [self._plan_row(section, draft) for section, draft in zip(planned, self.sections, strict=True)]

    def plan_row(self, number: int) -> PlanRow | None:
        """One of ``plan_rows``, without reading the outputs of the other sections."""
        draft = self.section(number) if number else None
        return self._plan_row(self.outline.sections[number - 1], draft) if draft and self.outline else None

    def _plan_row(self, planned: OutlineSection, draft: DraftSection) -> PlanRow:
        return PlanRow(planned, draft, [each.question for each in self.questions if each.section == draft.number])

    @cached_property
    def introduction(self) -> DraftSection | None:
        """What stands above the first section, as section 0."""
        if self.outline is None:
            return None
        return draft_introduction(
            self.outline,
            self.steps,
            self._annotations(0) if self._steps_match_text else [],
            at_work=self._is_processing,
            approved=self.article.approve_outline,
        )

    @cached_property
    def sections(self) -> list[DraftSection]:
        planned = self.outline.sections if self.outline else []
        return [self._draft_section(number, section) for number, section in enumerate(planned, 1)]

    def section(self, number: int) -> DraftSection | None:
        """One of ``sections``, or the introduction as 0, of an active run, without reading the outputs of the others."""
        if not number:
            return self.introduction
        planned = self.outline.sections if self.outline else []
        return self._draft_section(number, planned[number - 1]) if number <= len(planned) else None

    def _draft_section(self, number: int, planned: OutlineSection) -> DraftSection:
        if number not in self._draft_sections:  # an event needs one for the plan, for the draft and for the evidence
            annotations = self._annotations(number) if self._steps_match_text else []
            self._draft_sections[number] = draft_section(
                number,
                planned,
                self.steps,
                annotations,
                at_work=self._is_processing,
                approved=self.article.approve_outline,
            )
        return self._draft_sections[number]

    @cached_property
    def _draft_sections(self) -> dict[int, DraftSection]:
        return {}

    @property
    def body(self) -> SafeString:
        return self._annotated_body.html

    @cached_property
    def _annotated_body(self) -> AnnotatedHtml:
        """The text, without annotations while a new text is being written."""
        annotations = [] if self.article.is_active else text_annotations(self.text_evidence)
        return to_annotated_html(self.article.content, annotations, language=self.article.language)

    @cached_property
    def seo(self) -> SEO | None:
        return self.seo_analysis.seo if self.seo_analysis else self._step_output(StepKey("seo", "describe"), SEO)

    @cached_property
    def seo_analysis(self) -> SeoAnalysis | None:
        """The analysis of the current text; None while a run is active or if the article has no SEO texts."""
        known = self.article.content and self._stored(self.article.seo_meta, SEO)
        return SeoAnalysis(self.article) if known else None

    @property
    def seo_measurements(self) -> list[MeasuredText]:
        if self.seo is None:
            return []
        return [
            MeasuredText("Title", self.seo.title, *TITLE),
            MeasuredText("Description", self.seo.meta_description, *DESCRIPTION),
        ]

    @cached_property
    def cover(self) -> Cover | None:
        drawn = self._step_output(StepKey("image", "draw"), Picture)
        if drawn:
            return Cover(default_storage.url(drawn.name), drawn.alt, drawn.prompt, drawn.drawn_by)
        if self.article.image and self._may_show_stored:
            return Cover(self.article.image_url, self.article.image_alt)
        return None

    @cached_property
    def sources(self) -> list[ReadSource]:
        cited = {passage.passage.id for row in self.checked_sentences for passage in row.cited}
        return read_sources(self.reading, self.references, cited if self._steps_match_text else set())

    @property
    def unused_sources(self) -> list[UnusedSource]:
        """The sources the text does not cite, with the reasons; none while a new text is being written."""
        kept = self._stored(self.article.research_data, UnusedSources)
        return kept.unused_sources if kept else []

    @property
    def unread(self) -> list[UnreadSource]:
        return self.reading.unread

    @cached_property
    def brief_sources(self) -> list[BriefSource]:
        """The sources given with the brief."""
        return list(self.article.sources.all())

    @cached_property
    def references(self) -> list[Reference]:
        """What the text cites, with the numbers it shows; none while a new text is being written."""
        return renumbered(self._stored_references, self._footnote_labels, self._annotated_body.footnotes)

    @cached_property
    def _stored_references(self) -> list[Reference]:
        """The references as the run compiled them. Edits may have changed their order since."""
        found = (self._stored(reference, Reference) for reference in self.article.references)
        return [reference for reference in found if reference]

    @cached_property
    def _footnote_labels(self) -> dict[int, str]:
        return footnote_labels(self.article.content, self._stored_references)

    # The evidence

    @cached_property
    def checked_sentences(self) -> list[CheckedSentence]:
        """The cited sentences of the article's text; of the run's draft while it is active, or if there is no text."""
        if self._text_run is None:
            return self._draft_sentences(*sorted(self.steps.by_section))
        return checked_sentences(self._text_run.evidence.all(), self._text_reading, self._footnote_labels)

    @cached_property
    def _text_reading(self) -> Reading:
        return stored_reading(self.article)

    def _draft_sentences(self, *sections: int) -> list[CheckedSentence]:
        rows = self._draft_evidence(*sections)
        return checked_sentences(rows, self.reading) if rows else []  # parsing a long reading for nothing is slow

    def _draft_evidence(self, *sections: int) -> list[Evidence]:
        """What the latest checks of these sections found, as unsaved rows."""
        if sections not in self._evidence_of:
            checks = (latest_check(self.steps.by_section[number]) for number in sections)
            found = (row for check in checks if check for row in check.evidence)
            self._evidence_of[sections] = [
                Evidence(number=number, **row.model_dump()) for number, row in enumerate(found, 1)
            ]
        return self._evidence_of[sections]

    @cached_property
    def _evidence_of(self) -> dict[tuple[int, ...], list[Evidence]]:
        return {}

    @cached_property
    def evidence_summary(self) -> EvidenceSummary:
        if self._text_run is None:
            return EvidenceSummary.of_counts([check_counts(steps) for steps in self.steps.by_section.values()])
        return self.text_evidence.summary

    @cached_property
    def text_evidence(self) -> CheckedText:
        """The checks of the saved text as it is now; empty while a run is active, and before there is a text."""
        if self._text_run is None:
            return CheckedText()
        results = RunResults(self.checked_sentences, self._text_reading, self._stored_references)
        return check_text(self.article, self.article.title, self.article.content, results)

    @cached_property
    def evidence(self) -> list[EvidenceSection]:
        """By section, including sections that are not checked yet."""
        rows: dict[int, list[EvidenceRow]] = {}
        for found in self.checked_sentences:
            rows.setdefault(found.row.section, []).append(self._row(found))
        shown = [*([self.introduction] if self.introduction else []), *self.sections]
        drafts = {section.number: section for section in shown} if self._steps_match_text else {}
        return [
            EvidenceSection(
                number=number,
                heading=evidence_heading(number, drafts.get(number)),
                state=drafts[number].state if number in drafts else "checked",
                rows=rows.get(number, []),
            )
            for number in sorted({*drafts, *rows})
        ]

    @property
    def loads_evidence_later(self) -> bool:
        """Whether the page leaves the evidence out until its tab is opened: that of a text, which no event changes."""
        return self._text_run is not None and bool(self.checked_sentences)

    def evidence_section(self, number: int) -> EvidenceSection | None:
        """One of ``evidence``, of an active run, without reading the outputs of the other sections."""
        section = self.section(number)
        if section is None:
            return None
        rows = [self._row(found) for found in self._draft_sentences(number)]
        return EvidenceSection(number=number, heading=evidence_heading(number, section), state=section.state, rows=rows)

    def _row(self, found: CheckedSentence) -> EvidenceRow:
        if self._text_run is None:
            return EvidenceRow(found)
        place = f"a-ev{found.ref}" if found.ref in self._annotated_body.found else ""
        now = self.text_evidence.by_ref.get(found.ref)
        return EvidenceRow.of(found.numbered(self._annotated_body.footnotes), now, place)

    def _annotations(self, section: int) -> list[Annotation]:
        if self._text_run is None:  # a draft has no footnotes, so its annotations quote no passages
            return [row.annotation for row in checked_sentences(self._draft_evidence(section), Reading())]
        return [row.annotation for row in self.checked_sentences if row.row.section == section]

    @cached_property
    def _text_run(self) -> Run | None:
        """The run that wrote the text shown; None while a run is active, and before there is a text."""
        if self.article.is_active or self.run is None:
            return None
        return self.run if self.run.status == Status.COMPLETED else run_of_the_text(self.article)

    @property
    def _steps_match_text(self) -> bool:
        """Whether the latest run wrote the text. False if it failed after an earlier run that completed."""
        return self._text_run in (None, self.run)
