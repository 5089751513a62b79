"""The cost of articles, by stage, run, article, user and month, and estimated before a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db.models import DurationField, ExpressionWrapper, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Length, TruncMonth

from agents.contract import AGENTS, Stage
from agents.costs.budget import SIX_PLACES
from agents.costs.estimate import READING, Estimate, estimate
from agents.costs.prices import prices
from articles.models import Article, Run, Spending, Step
from articles.runs.agent_settings import models_for

CHARACTERS_PER_TOKEN = 4
TOKENS_OF_A_PAGE = 1200
"""Of a page or a file, which is not read before the run."""

SUMS = {
    "calls": Sum("model_calls"),
    "prompt_tokens": Sum("prompt_tokens"),
    "completion_tokens": Sum("completion_tokens"),
    "cached_tokens": Sum("cached_tokens"),
    "cost": Sum("cost"),
    "unpriced_calls": Sum("unpriced_calls"),
    "time": Sum(ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())),
}
SPENT_AT = Coalesce("finished_at", "started_at")
"""The time a step's cost is counted to. A step that starts again keeps the cost of its first attempt."""


@dataclass(frozen=True)
class UsageTotals:
    """``cost`` is in US dollars and does not include ``unpriced_calls``; ``time`` is the sum over all steps."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced_calls: int = 0
    time: timedelta = timedelta(0)

    @classmethod
    def of(cls, sums: Mapping[str, Any]) -> Self:
        """From the aggregates ``SUMS``, which are None if there are no steps."""
        values = {field.name: sums[field.name] for field in fields(cls) if sums[field.name] is not None}
        return cls(**values | {"cost": Decimal(values.get("cost", 0)).quantize(SIX_PLACES)})

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


def totals_of(steps: QuerySet[Step]) -> UsageTotals:
    return UsageTotals.of(steps.aggregate(**SUMS))


def total_cost(steps: QuerySet[Step]) -> Decimal:
    """US dollars."""
    return Decimal(steps.aggregate(cost=Sum("cost"))["cost"] or 0).quantize(SIX_PLACES)


def run_totals(run: Run) -> UsageTotals:
    return totals_of(Step.objects.filter(run=run))


def article_totals(article_id: int) -> UsageTotals:
    """Of all its runs."""
    return totals_of(Step.objects.filter(run__article=article_id))


def totals_by_stage(run: Run) -> list[StageUsage]:
    """Of the stages that have started, in their order."""
    rows = Step.objects.filter(run=run).order_by().values("stage").annotate(**SUMS)
    found = {row["stage"]: UsageTotals.of(row) for row in rows}
    return [StageUsage(stage, agent, found[stage]) for stage, agent in AGENTS.items() if stage in found]


def totals_by_run(article_id: int) -> dict[int, UsageTotals]:
    """By id of the run, oldest first."""
    steps = Step.objects.filter(run__article=article_id).values("run").annotate(**SUMS).order_by("run")
    return {row["run"]: UsageTotals.of(row) for row in steps}


def totals_by_month() -> list[MonthUsage]:
    """By month and user, newest first. Costs include deleted articles; calls, tokens and time do not."""
    steps = Step.objects.order_by().annotate(month=TruncMonth(SPENT_AT), username=F("run__article__owner__username"))
    rows = steps.values("month", "username").annotate(**SUMS)
    used = {(row["month"].date(), row["username"]): UsageTotals.of(row) for row in rows}
    paid = Spending.objects.values_list("month", "user__username").annotate(Sum("spent"))
    costs = {(month, username): Decimal(cost).quantize(SIX_PLACES) for month, username, cost in paid}
    months = sorted(used.keys() | costs.keys(), key=lambda key: (-key[0].toordinal(), key[1]))
    return [MonthUsage(*key, replace(used.get(key, UsageTotals()), cost=costs.get(key, Decimal(0)))) for key in months]


def cost_subquery(owning: str) -> Subquery:
    """The cost of each row, as an annotation. ``owning`` is the path from a step to the row (``run``, ``run__article``)."""
    steps = Step.objects.filter(**{owning: OuterRef("pk")}).order_by().values(owning)
    return Subquery(steps.annotate(total=Sum("cost")).values("total"))


def estimate_for(article: Article, run: Run | None) -> Estimate:
    """With the models of ``run``, or those that a new run would use."""
    return estimate(
        article.min_words,
        image=article.include_image,
        seo=article.seo_optimize,
        models=models_for(run),
        reading=reading_tokens(article),
        approval=article.approve_outline,
    )


def total_estimate(articles: Iterable[Article]) -> Estimate:
    """Of writing all of these articles again."""
    estimates = [estimate_for(article, None) for article in articles]
    low, high = Decimal(0), Decimal(0)
    for each in estimates:
        low, high = low + (each.low or 0), high + (each.high or 0)
    unpriced = tuple(sorted({model for each in estimates for model in each.unpriced}))
    calls, tokens = sum(each.calls for each in estimates), sum(each.tokens for each in estimates)
    return Estimate(None if unpriced else low, None if unpriced else high, calls, tokens, unpriced)


def reading_tokens(article: Article) -> int:
    """About the tokens of the article's sources that a prompt shows."""
    lengths = article.sources.annotate(length=Length("text")).values_list("length", flat=True)
    tokens = sum(length // CHARACTERS_PER_TOKEN or TOKENS_OF_A_PAGE for length in lengths)
    return min(tokens, settings.READING_TOKENS) if tokens else READING


@dataclass(frozen=True)
class ArticleCosts:
    """``stages`` and ``run`` are of the latest run, ``article`` of all its runs."""

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
    def price_source(self) -> str:
        """The source and date of the prices."""
        table = prices()
        return f"{table.source}, {table.date:%-d %B %Y}"
