"""Spending limits of runs and of users, and the budget that enforces them while a run is in progress."""

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
    """US dollars; None for no limit."""

    per_run: Decimal | None
    per_month: Decimal | None


def limits_of(owner: User) -> SpendingLimits:
    """The user's own limits, with those of the settings for what is left empty."""
    own = SpendingLimit.objects.filter(user=owner).first() or SpendingLimit()
    per_run = settings.MAX_COST_PER_RUN if own.per_run is None else own.per_run
    per_month = settings.MAX_COST_PER_MONTH if own.per_month is None else own.per_month
    return SpendingLimits(per_run or None, per_month or None)


class RunBudget(Budget):
    """The budget of a claimed run: what its own limit and its owner's monthly limit leave.

    With a monthly limit, each reservation is stored, so that workers in other processes see it. Without one, calls need no
    query: what was spent is stored with the steps.
    """

    def __init__(self, owner: User, claim: Claim) -> None:
        self.owner, self.token, self.month = owner, claim.token, this_month()
        self.limits = limits_of(owner)
        super().__init__(limited=self.limits != SpendingLimits(None, None))
        self.advice = how_to_raise(owner) if self.limited else ""
        self.cost_before = total_cost(Step.objects.filter(run=claim.run_id))
        self.spent = self.reserved = Decimal(0)

    async def try_reserve(self, amount: Decimal) -> LimitStatus | None:
        if self.limits.per_month is not None:
            return await sync_to_async(self._try_reserve_locked)(amount)
        exceeded = self._exceeded_limit(amount)
        if exceeded is None:
            self.reserved += amount
        return exceeded

    async def settle(self, amount: Decimal, cost: Decimal) -> None:
        if self.limits.per_month is None:
            self._settle(amount, cost)
        else:  # in the thread that reserves: two threads would overwrite each other's sums
            await sync_to_async(self._settle_and_store)(amount, cost)

    def apply(self, tx: ArticleTransaction, run: Run) -> None:
        """A ``StepChange``: stores what was spent in the transaction of the step it was spent on."""
        if self.spent:
            self._store(self.reserved)

    @retry_on_outage
    def _try_reserve_locked(self, amount: Decimal) -> LimitStatus | None:
        """Locks the owner's row, so that two workers cannot both reserve what is left."""
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

    def _settle(self, amount: Decimal, cost: Decimal) -> None:
        self.reserved -= amount
        self.spent += cost

    def _store(self, reserved: Decimal) -> None:
        """Saves the whole row, because a retry may save it twice: the reply to the first commit can be lost."""
        owner, spent = self.owner, self.spent
        Spending(token=self.token, user=owner, month=self.month, spent=spent, reserved=reserved).save()

    def _exceeded_limit(self, amount: Decimal) -> LimitStatus | None:
        return next((limit for limit in self._limit_statuses() if not limit.fits(amount)), None)

    def _limit_statuses(self) -> Iterator[LimitStatus]:
        if self.limits.per_run is not None:
            yield run_limit_status(self.cost_before + self.spent, self.reserved, self.limits.per_run, self.advice)
        if self.limits.per_month is not None:
            spent, reserved = Spending.objects.of_month(self.owner, self.month).exclude(pk=self.token).totals()
            totals = spent + self.spent, reserved + self.reserved
            yield month_limit_status(self.owner, self.month, totals, self.limits.per_month, self.advice)


@retry_on_outage
def budget_for(claim: Claim) -> RunBudget:
    """Raises LeaseLost if the article was deleted."""
    owner = User.objects.filter(articles=claim.article_id).first()
    if owner is None:
        raise LeaseLost(claim.run_id)
    return RunBudget(owner, claim)


def run_limit_status(spent: Decimal, reserved: Decimal, limit: Decimal, advice: str) -> LimitStatus:
    message = f"This run has cost {dollars(spent)} of its {dollars(limit)} limit."
    return LimitStatus(limit - spent, reserved, message, advice)


def month_limit_status(
    owner: User, month: date, totals: tuple[Decimal, Decimal], limit: Decimal, advice: str
) -> LimitStatus:
    """``totals`` is the result of ``SpendingQuerySet.totals``."""
    spent, reserved = totals
    message = f"{owner.get_username()} has spent {dollars(spent)} of the {dollars(limit)} limit for {month:%B %Y}."
    return LimitStatus(limit - spent, reserved, message, advice)


def how_to_raise(user: User) -> str:
    """What ``user`` can do about a limit that is reached, as a sentence without its full stop."""
    if user.is_staff and user.has_perm("articles.change_spendinglimit"):
        return "Raise the limit in the admin under Spending limits"
    return "Ask an editor to raise your limit"


def refuse_used_up_month(owner: User, *, by: User | None = None) -> None:
    """Raises InvalidState if ``owner`` has reached the monthly limit. ``by`` is who asked, the owner by default."""
    limit, month = limits_of(owner).per_month, this_month()
    if limit is None:
        return
    totals = Spending.objects.of_month(owner, month).totals()
    status = month_limit_status(owner, month, totals, limit, how_to_raise(by or owner))
    if status.remaining <= 0:
        raise InvalidState(f"{status.message} {status.advice}.")


def spent_this_month(owner: User) -> Decimal:
    """Includes deleted articles."""
    spent, _ = Spending.objects.of_month(owner, this_month()).totals()
    return spent


def month_spent_by(user: str) -> Subquery:
    """What a user has spent this month, as an annotation; ``user`` is the row's path to the user."""
    spending = Spending.objects.filter(user=OuterRef(user), month=this_month()).order_by().values("user")
    return Subquery(spending.annotate(total=Sum("spent")).values("total"))


def this_month() -> date:
    """Its first day, in the time zone of the settings."""
    return timezone.localdate().replace(day=1)
