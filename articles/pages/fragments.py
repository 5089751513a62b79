"""The parts of an article's page that changed, as HTML for out-of-band swaps.

The socket sends these, and ``/articles/<id>/live`` answers with the same to pages that cannot open a socket.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from django.template.loader import render_to_string

from agents.contract import Stage
from agents.pipeline.steps import StepKey
from articles.models import Article, Event
from articles.pages import ArticleView, section_number, work_of
from articles.pages.step_outputs import CHOOSE, StepFilter

PANELS = (
    "outline",
    "plan",
    "draft",
    "findings",
    "article",
    "evidence",
    "seo",
    "image",
    "questions",
    "sources",
    "brief",
    "cost",
)
PANEL_STAGES: dict[str, Stage] = {
    "questions": "research",
    "sources": "research",
    "seo": "seo",
    "image": "image",
}
ENDINGS = ("completed", "failed", "skipped")
STAGE_NAMES: dict[Stage, str] = {
    "research": "Research",
    "outline": "Outline",
    "write": "Writing",
    "edit": "Editing",
    "seo": "SEO",
    "image": "Image",
}


def fragments(article: Article, events: Sequence[Event]) -> str:
    """HTML for what ``events`` changed. ``article`` is its state after the last of them."""
    parts, touched = ["state", "timeline"], touched_sections(events)
    outputs_of: StepFilter | None = None
    if not article.is_active or any(event.type != Event.Type.AGENT_UPDATE for event in events):
        parts += ["header", "notices", *PANELS]
    else:
        panels = {panel for event in events for panel in changed_panels(event)}
        parts += sorted(panels, key=PANELS.index)
        outputs_of = steps_shown_by(panels, touched)
    view = ArticleView(article, outputs_of)
    html = [render(part, view) for part in parts]
    if "plan" not in parts:
        html += [render("plan_row", view, row=each) for each in map(view.plan_row, sorted(touched)) if each]
    if "draft" not in parts:
        html += [render("draft_section", view, section=each) for each in map(view.section, sorted(touched)) if each]
    if "evidence" not in parts:
        html += evidence_fragments(view, {number for number, works in touched.items() if "check" in works})
    html.append(render("log_added", view, events=events))
    if news := announcement(view, events):
        html.append(render("announcement", view, news=news))
    return "\n".join(html)


def outcome_fragments(article: Article, events: Sequence[Event]) -> str:
    """How a run ended: its events, its status and its stages, but no panels. Of 5,000 words these take 20 times as long.

    It does not count as a state of the page, and has no ``data-seq``: ``fragments`` of the same events have to follow.
    """
    view = ArticleView(article, outputs_of=lambda key: False)
    parts = ("header", "notices", "timeline")
    return "\n".join([render("log_added", view, events=events), *(render(part, view) for part in parts)])


def render(part: str, view: ArticleView, **more: object) -> str:
    return render_to_string(f"articles/_{part}.html", {"view": view, "article": view.article, "oob": True, **more})


def changed_panels(event: Event) -> Iterable[str]:
    """The panels a step's event changes as a whole."""
    key, ended = step_key(event), event.payload.get("status") in ENDINGS
    if key is None:
        return ()
    if key.stage == "outline":
        return outline_panels(key, ended=ended)
    if key.stage == "research" and ended:
        return ("questions", "sources") if key.kind == "read" else ("questions", "findings")
    if key.stage == "research":
        return ("findings",) if key.kind == "find" else ()
    if (key.stage, key.kind) == ("write", "draft"):
        return ("plan", "draft", "evidence") if ended else ("plan", "draft")
    if key == CHOOSE:  # the second draft has a title and sections of its own
        return ("outline", "plan", "draft", "findings", "evidence", "questions") if ended else ()
    return (key.stage,) if key.stage in ("seo", "image") else ()


def outline_panels(key: StepKey, *, ended: bool) -> Iterable[str]:
    """The panels a step of the outline changes. While the plan is made it only streams; its answer may be corrected later."""
    if key.kind == "answer":
        return ("outline", "plan", "questions") if ended else ()
    if key.kind == "plan" and not ended:
        return ("plan",)
    return ("outline", "plan", "draft", "findings", "evidence", "questions")


def steps_shown_by(panels: Collection[str], sections: Collection[int]) -> StepFilter:
    """Selects the steps whose outputs these panels and sections show.

    Neither the reading nor the outline are among them: they come from a cache.
    """
    shown = set(panels)
    stages = {PANEL_STAGES[panel] for panel in panels if panel in PANEL_STAGES}
    all_sections = bool({"plan", "draft", "evidence"} & shown)
    all_findings = bool({"findings", "questions"} & shown)

    def is_shown(key: StepKey) -> bool:
        if key.kind == "read" or key.stage == "outline":
            return False
        if (key.stage, key.kind) == ("research", "find"):
            return all_findings
        if key.stage in stages:
            return True
        if key.stage == "write" and key.kind in ("draft", "second"):
            return all_sections or bool(sections)
        return key.stage in ("write", "edit") and (all_sections or section_number(key) in sections)

    return is_shown


def step_key(event: Event) -> StepKey | None:
    """The step an event is about; events hold its key as text."""
    try:
        return StepKey.parse(str(event.payload.get("step", "")))
    except ValueError:  # a change of status, or an event of a later version
        return None


def touched_sections(events: Iterable[Event]) -> dict[int, set[str]]:
    """The sections whose steps started or ended, with the kinds of work. Other sections keep their streamed text."""
    touched: dict[int, set[str]] = {}
    for event in events:
        key = step_key(event)
        if key and (number := section_number(key)) is not None:
            touched.setdefault(number, set()).add(work_of(key))
    return touched


def evidence_fragments(view: ArticleView, checked: Collection[int]) -> list[str]:
    """The summary, and the sections whose check started or ended."""
    if not checked:
        return []
    sections = [each for each in map(view.evidence_section, sorted(checked)) if each]
    return [
        render("evidence_summary", view),
        *(render("evidence_section", view, section=section) for section in sections),
    ]


def announcement(view: ArticleView, events: Sequence[Event]) -> str:
    """The text for the live region: ended stages and changes of status, not every step."""
    news: list[str] = []
    ended = {stage.agent: stage for stage in view.stages if stage.status in ENDINGS}
    changes = [event for event in events if event.type == Event.Type.STATUS_CHANGE]
    for event in events:
        message, agent = str(event.payload.get("message", "")), str(event.payload.get("agent", ""))
        if event.type == Event.Type.STATUS_CHANGE:
            news.append(f"{view.article.get_status_display()}: {message}" if event is changes[-1] else message)
        elif event.type == Event.Type.AGENT_UPDATE:
            if agent in ended and event.payload.get("status") in ENDINGS:
                stage = ended.pop(agent)  # its summary: the event's message is that of one step
                news.append(f"{STAGE_NAMES[stage.stage]} {stage.status}: {stage.message}")
        elif not changes:  # a run that ends saves its text: its status says so
            news.append(message)
    return ". ".join(news)
