"""Response bodies for costs. Amounts are in US dollars."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from agents.contract import Stage
from agents.costs.estimate import Estimate
from articles.costs.reports import UsageTotals
from articles.models import Status


class SpentOut(BaseModel):
    """Model calls summed up. ``cost`` does not know what ``unpriced_calls`` cost: their models have no price."""

    cost: float
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: Annotated[int, Field(description="of the prompt tokens")]
    unpriced_calls: int
    seconds: Annotated[float, Field(description="of all steps, added up, though many are done side by side")]


class StageCostOut(SpentOut):
    stage: Stage
    agent: str


class RunCostOut(SpentOut):
    run: int
    status: Status


class EstimateOut(BaseModel):
    """``low`` and ``high`` are null where a model has no price; ``unpriced`` names those."""

    low: float | None
    high: float | None
    calls: int
    tokens: int
    unpriced: list[str]
    message: str


class CostOut(SpentOut):
    """The article's cost over all its ``runs``; ``stages`` are of the latest one, ``estimate`` is what one was to cost."""

    stages: list[StageCostOut]
    runs: list[RunCostOut]
    estimate: EstimateOut


def sums_out(spent: UsageTotals) -> dict[str, Any]:
    """The fields of a SpentOut."""
    counts = {name: getattr(spent, name) for name in SpentOut.model_fields if name not in ("cost", "seconds")}
    return counts | {"cost": float(spent.cost), "seconds": round(spent.seconds, 2)}


def estimate_out(made: Estimate) -> EstimateOut:
    low, high = (None if amount is None else round(float(amount), 6) for amount in (made.low, made.high))
    return EstimateOut(
        low=low, high=high, calls=made.calls, tokens=made.tokens, unpriced=list(made.unpriced), message=made.message
    )
