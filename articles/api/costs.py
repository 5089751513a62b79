"""Endpoints for costs: of an article, and estimated for a brief."""

from __future__ import annotations

from ninja import Router

from articles.api.requests import AuthedRequest, find
from articles.api.responses import INVALID, NOT_FOUND
from articles.api.schemas.articles import BriefIn
from articles.api.schemas.costs import CostOut, EstimateOut, RunCostOut, StageCostOut, estimate_out, sums_out
from articles.costs.reports import ArticleCosts, totals_by_run
from articles.models import Article, Status
from articles.services import estimate_cost

router = Router(tags=["costs"])


@router.post("/articles/estimate", response={200: EstimateOut, **INVALID})
def article_estimate(request: AuthedRequest, brief: BriefIn) -> EstimateOut:
    """Estimate the cost of an article. Nothing is stored."""
    return estimate_out(estimate_cost(brief))


@router.get("/articles/{int:article_id}/cost", response={200: CostOut, **NOT_FOUND})
def article_cost(request: AuthedRequest, article_id: int) -> CostOut:
    """Get the cost of an article so far, at the prices of the day of each call."""
    article = find(request, article_id, bodies=False)
    costs = ArticleCosts.of(article, article.latest_run())
    stages = [StageCostOut(stage=row.stage, agent=row.agent, **sums_out(row.totals)) for row in costs.stages]
    return CostOut(
        **sums_out(costs.article), stages=stages, runs=runs_out(article), estimate=estimate_out(costs.estimate)
    )


def runs_out(article: Article) -> list[RunCostOut]:
    totals = totals_by_run(article.pk)
    statuses = article.runs.filter(pk__in=totals).values_list("pk", "status")
    return [RunCostOut(run=run, status=Status(status), **sums_out(totals[run])) for run, status in sorted(statuses)]
