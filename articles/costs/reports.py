"""What articles cost: summed up from the steps by stage, run, article, user and month; and estimated before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from django.db.models import DurationField, ExpressionWrapper, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth

from agents.contract import AGENTS, Stage
from agents.costs.budget import SIX_PLACES
from agents.costs.estimate import Estimate, estimate
from agents.costs.prices import prices
from articles.models import Article, Run, Spending, Step
from articles.runs.agent_settings import models_for

SUMS = {
    "calls": Sum("model_calls"),
    "prompt_tokens": Sum("prompt_tokens"),
    "completion_tokens": Sum("completion_tokens"),
    "cached_tokens": Sum("cached_tokens"),
    "cost": Sum("cost"),
    "unpriced_calls": Sum("unpriced_calls"),
    "time": Sum(ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())),
}
MADE_AT = Coalesce("finished_at", "started_at")
"""When a step cost what it cost: one that is begun anew keeps the cost of its first try."""


@dataclass(frozen=True)
class UsageTotals:
    """Model calls summed up. ``cost`` is in US dollars, without ``unpriced_calls``; ``time`` is of all steps, added."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced_calls: int = 0
    time: timedelta = timedelta(0)

    @classmethod
    def of(cls, sums: Mapping[str, Any]) -> Self:
        """From ``SUMS``, which are None over no steps."""
        told = {field.name: sums[field.name] for field in fields(cls) if sums[field.name] is not None}
        return cls(**told | {"cost": Decimal(told.get("cost", 0)).quantize(SIX_PLACES)})

    @property
    def seconds(self) -> float:
        return self.time.total_seconds()

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class StageUsage:
    stage: Stage
    agent: str
    totals: UsageTotals


@dataclass(frozen=True)
class MonthUsage:
    """``month`` is its first day."""

    month: date
    username: str
    totals: UsageTotals


# Sums, each in one query but the months


def totals_of(steps: QuerySet[Step]) -> UsageTotals:
    return UsageTotals.of(steps.aggregate(**SUMS))


def total_cost(steps: QuerySet[Step]) -> Decimal:
    """US dollars alone, for those who ask before each call."""
    return Decimal(steps.aggregate(cost=Sum("cost"))["cost"] or 0).quantize(SIX_PLACES)


def run_totals(run: Run) -> UsageTotals:
    return totals_of(Step.objects.filter(run=run))


def article_totals(article_id: int) -> UsageTotals:
    """On all runs of the article."""
    return totals_of(Step.objects.filter(run__article=article_id))


def totals_by_stage(run: Run) -> list[StageUsage]:
    """Of the stages that have started, in their order."""
    rows = Step.objects.filter(run=run).order_by().values("stage").annotate(**SUMS)
    found = {row["stage"]: UsageTotals.of(row) for row in rows}
    return [StageUsage(stage, agent, found[stage]) for stage, agent in AGENTS.items() if stage in found]


def totals_by_run(article_id: int) -> dict[int, UsageTotals]:
    """Number of the run → what it cost, oldest first."""
    steps = Step.objects.filter(run__article=article_id).values("run").annotate(**SUMS).order_by("run")
    return {row["run"]: UsageTotals.of(row) for row in steps}


def totals_by_month() -> list[MonthUsage]:
    """What each user's articles cost in each month, newest first: in dollars with deleted ones, the rest of those there are."""
    steps = Step.objects.order_by().annotate(month=TruncMonth(MADE_AT), username=F("run__article__owner__username"))
    rows = steps.values("month", "username").annotate(**SUMS)
    used = {(row["month"].date(), row["username"]): UsageTotals.of(row) for row in rows}
    paid = Spending.objects.values_list("month", "user__username").annotate(Sum("spent"))
    costs = {(month, username): Decimal(cost).quantize(SIX_PLACES) for month, username, cost in paid}
    months = sorted(used.keys() | costs.keys(), key=lambda key: (-key[0].toordinal(), key[1]))
    return [MonthUsage(*key, replace(used.get(key, UsageTotals()), cost=costs.get(key, Decimal(0)))) for key in months]


def cost_subquery(owning: str) -> Subquery:
    """What each row cost, as an annotation; ``owning`` is a step's key to it (``run``, ``run__article``)."""
    steps = Step.objects.filter(**{owning: OuterRef("pk")}).order_by().values(owning)
    return Subquery(steps.annotate(total=Sum("cost")).values("total"))


# What it will be


def estimate_for(article: Article, run: Run | None) -> Estimate:
    """What a ``run`` of the article's brief was, or is, to cost."""
    models = models_for(run)
    return estimate(article.min_words, image=article.include_image, seo=article.seo_optimize, models=models)


@dataclass(frozen=True)
class ArticleCosts:
    """What an article's page tells of its cost: of its latest run by stage, of that run, of all its runs, and beforehand."""

    stages: list[StageUsage]
    run: UsageTotals
    article: UsageTotals
    estimate: Estimate

    @classmethod
    def of(cls, article: Article, run: Run | None) -> Self:
        return cls(
            stages=totals_by_stage(run) if run else [],
            run=run_totals(run) if run else UsageTotals(),
            article=article_totals(article.pk),
            estimate=estimate_for(article, run),
        )

    @property
    def by_source(self) -> str:
        """By which prices it is counted."""
        table = prices()
        return f"{table.source}, {table.date:%-d %B %Y}"
