"""What a user has spent this month, their limits, and whether an estimate fits them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import User

from agents.costs.estimate import Estimate
from agents.costs.prices import dollars
from articles.costs.limits import SpendingLimits, how_to_raise, limits_of, spent_this_month


@dataclass(frozen=True)
class SpendingView:
    """``advice`` is what the reader can do about a limit."""

    spent: Decimal
    limits: SpendingLimits
    advice: str

    @classmethod
    def of(cls, owner: User, reader: User) -> SpendingView:
        return cls(spent_this_month(owner), limits_of(owner), how_to_raise(reader))

    @property
    def month(self) -> str:
        limit = self.limits.per_month
        return f"{dollars(self.spent)} of {dollars(limit)}" if limit is not None else f"{dollars(self.spent)}, no limit"

    @property
    def per_article(self) -> str:
        return dollars(self.limits.per_run) if self.limits.per_run is not None else "no limit"

    def warning(self, estimate: Estimate | None) -> str:
        """Why a run of this estimate would be paused; empty if it fits, or if the estimate is unknown."""
        if estimate is None or estimate.high is None:
            return ""
        remaining = [
            (self.limits.per_run, "Your limit per article is {}."),
            (self._left_this_month, "You have {} left this month."),
        ]
        for amount, sentence in remaining:
            if amount is not None and amount < estimate.high:
                verb = "will" if estimate.low is not None and amount < estimate.low else "may"
                return f"{sentence.format(dollars(amount))} The run {verb} pause when it is reached. {self.advice}."
        return ""

    @property
    def _left_this_month(self) -> Decimal | None:
        limit = self.limits.per_month
        return None if limit is None else max(limit - self.spent, Decimal(0))
