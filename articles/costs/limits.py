"""How much may be spent: the ceilings over a run and over a user's month, and the budget of a run that is taken up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import OuterRef, Subquery, Sum
from django.utils import timezone

from agents.costs.budget import Budget, LimitStatus
from agents.costs.prices import dollars
from articles.costs.reports import total_cost
from articles.exceptions import InvalidState, LeaseLost
from articles.models import Run, Spending, SpendingLimit, Step
from articles.runs.db_retry import retry_on_outage
from articles.runs.event_log import ArticleTransaction
from articles.runs.lease import Claim


@dataclass(frozen=True)
class SpendingLimits:
    """US dollars; None where there is none."""

    per_run: Decimal | None
    per_month: Decimal | None


def limits_of(owner: User) -> SpendingLimits:
    """A user's own, else those of the settings."""
    own = SpendingLimit.objects.filter(user=owner).first() or SpendingLimit()
    per_run = settings.MAX_COST_PER_RUN if own.per_run is None else own.per_run
    per_month = settings.MAX_COST_PER_MONTH if own.per_month is None else own.per_month
    return SpendingLimits(per_run or None, per_month or None)


class RunBudget(Budget):
    """The budget of a run that is taken up: what its own ceiling leaves, and its owner's of the month.

    Where the month has a ceiling, the run's row in the store tells other processes before and after each call. Else the store
    is asked nothing, and told with the steps.
    """

    def __init__(self, owner: User, claim: Claim) -> None:
        self.owner, self.token, self.month = owner, claim.token, this_month()
        self.limits = limits_of(owner)
        super().__init__(limited=self.limits != SpendingLimits(None, None))
        self.before = total_cost(Step.objects.filter(run=claim.run_id))
        self.spent = self.reserved = Decimal(0)

    async def try_reserve(self, amount: Decimal) -> LimitStatus | None:
        if self.limits.per_month is not None:
            return await sync_to_async(self._try_reserve_locked)(amount)
        return self._try_reserve(amount)

    async def settle(self, amount: Decimal, cost: Decimal) -> None:
        if self.limits.per_month is not None:
            await sync_to_async(self._settle_and_store)(amount, cost)
        else:
            self._settle(amount, cost)

    def apply(self, tx: ArticleTransaction, run: Run) -> None:
        """Stores what was spent, in the transaction of the step it was spent on (a ``StepChange``)."""
        if self.spent:
            self._store(self.reserved)

    @retry_on_outage
    def _try_reserve_locked(self, amount: Decimal) -> LimitStatus | None:
        """Look and store as one: who would set aside for the same owner meanwhile waits for the owner's row."""
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=self.owner.pk)
            exceeded = self._exceeded_limit(amount)
            if exceeded is None:
                self._store(self.reserved + amount)
        if exceeded is None:
            self.reserved += amount
        return exceeded

    def _settle_and_store(self, amount: Decimal, cost: Decimal) -> None:
        self._settle(amount, cost)
        retry_on_outage(self._store)(self.reserved)

    def _try_reserve(self, amount: Decimal) -> LimitStatus | None:
        exceeded = self._exceeded_limit(amount)
        if exceeded is None:
            self.reserved += amount
        return exceeded

    def _settle(self, amount: Decimal, cost: Decimal) -> None:
        self.reserved -= amount
        self.spent += cost

    def _store(self, reserved: Decimal) -> None:
        """The whole row, so that it may be stored twice: where an answer of the store's was lost it is."""
        owner, spent = self.owner, self.spent
        Spending(token=self.token, user=owner, month=self.month, spent=spent, reserved=reserved).save()

    def _exceeded_limit(self, amount: Decimal) -> LimitStatus | None:
        return next((limit for limit in self._limit_statuses() if not limit.fits(amount)), None)

    def _limit_statuses(self) -> Iterator[LimitStatus]:
        if self.limits.per_run is not None:
            yield limit_of_run(self.before + self.spent, self.reserved, self.limits.per_run)
        if self.limits.per_month is not None:
            spent, reserved = Spending.objects.of_month(self.owner, self.month).exclude(pk=self.token).totals()
            totals = spent + self.spent, reserved + self.reserved
            yield limit_of_month(self.owner, self.month, totals, self.limits.per_month)


@retry_on_outage
def budget_for(claim: Claim) -> RunBudget:
    """Raises LeaseLost where the article is gone."""
    owner = User.objects.filter(articles=claim.article_id).first()
    if owner is None:
        raise LeaseLost(claim.run_id)
    return RunBudget(owner, claim)


def limit_of_run(spent: Decimal, reserved: Decimal, ceiling: Decimal) -> LimitStatus:
    told = f"This run has cost {dollars(spent)} of the {dollars(ceiling)} that one run may cost."
    return LimitStatus(ceiling - spent, reserved, told)


def limit_of_month(owner: User, month: date, totals: tuple[Decimal, Decimal], ceiling: Decimal) -> LimitStatus:
    """``totals`` as ``SpendingQuerySet`` gives them."""
    spent, reserved = totals
    told = (
        f"The articles of {owner.get_username()} have cost {dollars(spent)} of the {dollars(ceiling)}"
        f" that {month:%B %Y} may cost."
    )
    return LimitStatus(ceiling - spent, reserved, told)


def refuse_used_up_month(owner: User) -> None:
    """Raises InvalidState where a user's articles have cost what they may in this month."""
    ceiling, month = limits_of(owner).per_month, this_month()
    if ceiling is None:
        return
    limit = limit_of_month(owner, month, Spending.objects.of_month(owner, month).totals(), ceiling)
    if limit.remaining <= 0:
        raise InvalidState(f"{limit.message} Raise it in the admin under Spending limits.")


def spent_this_month(owner: User) -> Decimal:
    """Deleted articles are counted too."""
    spent, _ = Spending.objects.of_month(owner, this_month()).totals()
    return spent


def month_spent_by(user: str) -> Subquery:
    """What a user has spent this month, as an annotation; ``user`` is the row's path to the user."""
    spending = Spending.objects.filter(user=OuterRef(user), month=this_month()).order_by().values("user")
    return Subquery(spending.annotate(total=Sum("spent")).values("total"))


def this_month() -> date:
    """Its first day, in the studio's own time zone."""
    return timezone.localdate().replace(day=1)
