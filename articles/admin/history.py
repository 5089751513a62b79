"""The read-only history of an article: runs, steps, events, evidence, sources, revisions."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.admin.costs import CostColumn, with_costs
from articles.models import Article, Event, Evidence, Revision, Run, Source, Step


def folded(text: str) -> SafeString | str:
    """A long text as its first words, with the rest to unfold."""
    if len(text) <= 80:
        return text
    return format_html("<details><summary>{}…</summary><pre>{}</pre></details>", text[:60], text)


def as_json(value: object) -> SafeString | str:
    """An indented JSON value; a dash if it is empty."""
    if value in (None, [], {}):
        return "–"
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))


class ReadOnly:
    """No one edits history: the journal writes it."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class HistoryInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    """Visible to everyone who may see the article or the run."""

    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True


class RunInline(CostColumn, HistoryInline):
    model = Run
    fields = ("status", "reason", "model", "cost", "requested_by", "attempts", "started_at", "finished_at")
    readonly_fields = ("cost",)
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        runs: QuerySet[Any] = super().get_queryset(request).select_related("requested_by")
        return with_costs(runs, "run")


class SourceInline(HistoryInline):
    model = Source
    fields = readonly_fields = ("type", "title", "kind", "publisher", "author", "date", "url", "document", "excerpt")

    @admin.display(description="Document")
    def document(self, source: Source) -> str:
        """The name only: uploads are read by workers and never served."""
        return source.upload.name or "–"

    @admin.display(description="Text")
    def excerpt(self, source: Source) -> SafeString | str:
        return folded(source.text) or "–"


class RevisionInline(HistoryInline):
    model = Revision
    fields = readonly_fields = ("number", "author", "title", "text", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("saved_by")

    @admin.display(description="Text")
    def text(self, revision: Revision) -> SafeString | str:
        return folded(revision.content)


class StepInline(HistoryInline):
    model = Step
    fields = readonly_fields = ("key", "status", "message", "seconds", "model_calls", "tokens", "cost", "made_output")

    @admin.display(description="Input, output tokens")
    def tokens(self, step: Step) -> str:
        return f"{step.prompt_tokens:,}, {step.completion_tokens:,}"

    @admin.display(description="Output")
    def made_output(self, step: Step) -> SafeString | str:
        return folded(json.dumps(step.output, indent=2, ensure_ascii=False)) if step.output is not None else "–"


class EventInline(HistoryInline):
    model = Event
    fields = readonly_fields = ("seq", "created_at", "type", "message", "progress")
    ordering = ("seq",)

    @admin.display(description="Message")
    def message(self, event: Event) -> str:
        return str(event.payload.get("message", ""))


class EvidenceInline(HistoryInline):
    model = Evidence
    fields = readonly_fields = (
        "number",
        "section",
        "verdict",
        "judged_by",
        "shown_sentence",
        "original",
        "cited",
        "reason",
    )

    @admin.display(description="Sentence")
    def shown_sentence(self, row: Evidence) -> SafeString | str:
        return folded(row.sentence)

    @admin.display(description="Original wording")
    def original(self, row: Evidence) -> SafeString | str:
        return folded(row.was) or "–"

    @admin.display(description="Passages")
    def cited(self, row: Evidence) -> str:
        return ", ".join(row.passages) or "–"


@admin.register(Run)
class RunAdmin(CostColumn, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    list_display = ("__str__", "status", "model", "cost", "attempts", "worker", "created_at", "finished_at")
    list_filter = ("status", "model")
    date_hierarchy = "created_at"
    fields = (
        ("article", "requested_by"),
        ("status", "reason"),
        ("model", "cost", "attempts", "worker"),
        ("created_at", "enqueued_at", "started_at", "finished_at"),
        "planned",
    )
    readonly_fields = ("planned", "cost")
    inlines = (StepInline, EvidenceInline, EventInline)

    class Media:
        css = {"all": ("css/admin.css",)}

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A run is part of its article: one permission covers both."""
        return bool(request.user.has_perm("articles.view_article") or request.user.has_perm("articles.change_article"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_costs(super().get_queryset(request), "run")

    @admin.display(description="Plan")
    def planned(self, run: Run) -> str:
        return ", ".join(f"{stage} {count}" for stage, count in run.plan.items()) or "–"


def latest_history(article: Article) -> dict[str, Any]:
    """The latest run with its steps and events, for the article's change page."""
    run = article.latest_run()
    return {"run": run, "steps": run.steps.all() if run else (), "events": run.events.order_by("seq") if run else ()}
