"""The parts of an article's page that changed, as HTML to be swapped in out of band.

Every root says by id where it goes. The socket sends these, and ``/articles/<id>/live`` answers with them where no socket
gets through: the page cannot tell the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.template.loader import render_to_string

from articles.article_view import ArticleView
from articles.models import Article, Event

PANELS = ("outline", "draft", "article", "seo", "image", "sources")
ENDINGS = ("completed", "failed", "skipped")


def fragments(article: Article, events: Sequence[Event]) -> str:
    """HTML for what ``events`` changed; ``article`` is as it is after the last of them."""
    view = ArticleView(article)
    parts = ["state", "timeline"]
    if any(event.type != Event.Type.AGENT_UPDATE for event in events):
        parts += ["header", "notices", *PANELS]
    else:
        parts += sorted({panel for event in events for panel in panels_of(event)}, key=PANELS.index)
    html = [render(part, view) for part in parts]
    if "draft" not in parts:
        html += [render("draft_section", view, section=section) for section in changed_sections(view, events)]
    html.append(render("log_added", view, events=events))
    if news := announcement(view, events):
        html.append(render("announcement", view, news=news))
    return "\n".join(html)


def render(part: str, view: ArticleView, **more: object) -> str:
    return render_to_string(f"articles/_{part}.html", {"view": view, "article": view.article, "oob": True, **more})


def panels_of(event: Event) -> Iterable[str]:
    """The panels a step of an agent changes as a whole."""
    key = str(event.payload.get("step", ""))
    ended = event.payload.get("status") in ENDINGS
    stage = key.partition(":")[0]
    if key == "outline:make":
        return ("outline", "draft")
    if key == "research:read" and ended:
        return ("sources",)
    return (stage,) if stage in ("seo", "image") else ()


def changed_sections(view: ArticleView, events: Iterable[Event]) -> list[object]:
    """The sections of the draft that a step began or finished. A section that is being written keeps what has come."""
    touched = {str(event.payload.get("step", "")).partition(":")[2] for event in events}
    return [section for section in view.sections if str(section.number) in touched]


def announcement(view: ArticleView, events: Iterable[Event]) -> str:
    """What a screen reader is told: stages that ended and changes of status, not every step."""
    news: list[str] = []
    ended = {stage.agent: stage for stage in view.stages if stage.status in ENDINGS}
    for event in events:
        message, agent = str(event.payload.get("message", "")), str(event.payload.get("agent", ""))
        if event.type != Event.Type.AGENT_UPDATE:
            news.append(message)
        elif agent in ended and event.payload.get("status") in ENDINGS:
            stage = ended.pop(agent)
            news.append(f"{stage.stage.capitalize() if stage.stage != 'seo' else 'SEO'} {stage.status}: {message}")
    return ". ".join(news)
