"""SpendingLimits over a run and over a user's month, held against runs side by side, deletion, and workers that die."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from agents.costs.budget import LimitStatus
from agents.exceptions import SpendingLimitReached
from articles.costs import limits
from articles.exceptions import InvalidState
from articles.models import Article, Run, Spending, SpendingLimit, Status
from articles.runs.journal import pause_run
from articles.runs.lease import Claim
from articles.runs.step_writer import PlanChanged, write_changes
from articles.services import create_article, delete_article, retry_run, start_run
from tests.articles.cost_samples import written
from tests.environment import ROOT
from tests.factories import UserFactory, claim, make_article

pytestmark = pytest.mark.django_db

CENT = Decimal("0.01")


class TestCeilings:
    @pytest.fixture(autouse=True)
    def of_the_settings(self, settings: Settings) -> None:
        settings.MAX_COST_PER_RUN, settings.MAX_COST_PER_MONTH = Decimal("0.50"), Decimal(10)

    def test_they_are_those_of_the_settings(self, owner: User) -> None:
        assert limits.limits_of(owner) == limits.SpendingLimits(Decimal("0.50"), Decimal(10))

    def test_a_users_own_come_first_and_what_is_empty_is_the_settings(self, owner: User) -> None:
        SpendingLimit.objects.create(user=owner, per_run=Decimal(2))
        assert limits.limits_of(owner) == limits.SpendingLimits(Decimal(2), Decimal(10))

    def test_nought_is_none(self, owner: User) -> None:
        SpendingLimit.objects.create(user=owner, per_run=Decimal(0), per_month=Decimal(0))
        assert limits.limits_of(owner) == limits.SpendingLimits(None, None)

    def test_a_month_that_is_used_up_refuses_to_start_and_to_resume(self, owner: User) -> None:
        article, held = written(owner)
        pause_run(held, "Enough.")
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.05"))
        told = (
            rf"^The articles of {owner.username} have cost \$0\.050? of the \$0\.050? that \w+ \d{{4}} may cost\."
            r" Raise it in the admin under Spending limits\.$"
        )
        with pytest.raises(InvalidState, match=told):
            start_run(article=article, by=owner)
        with pytest.raises(InvalidState, match=told):
            retry_run(article=article, by=owner)
        with pytest.raises(InvalidState, match=told):
            create_article(by=owner, brief={"topic": "Roofs and gardens"})
        assert Article.objects.get() == article, "nothing is written of an article that cannot begin"

    def test_deleting_what_was_written_does_not_give_the_month_back(self, owner: User) -> None:
        article, _ = written(owner)
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.05"))
        delete_article(article=article, by=owner)
        assert limits.spent_this_month(owner) == Decimal("0.05")
        with pytest.raises(InvalidState, match="may cost"):
            make_article(owner)

    def test_another_users_month_is_their_own(self, owner: User) -> None:
        written(owner)
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.01"))
        assert make_article(UserFactory()).status == Status.PENDING

    def test_earlier_months_do_not_count(self, owner: User) -> None:
        written(owner)
        Spending.objects.update(month=date(2025, 1, 1))
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.01"))
        assert make_article(owner).status == Status.PENDING


class TestPurses:
    """What they set aside is seen by budgets of other runs, whoever holds them."""

    @pytest.fixture(autouse=True)
    def three_cents(self, owner: User) -> None:
        SpendingLimit.objects.create(user=owner, per_month=3 * CENT)

    def test_runs_of_one_user_share_the_month(self, owner: User) -> None:
        one, other = budget(owner), budget(owner)
        assert try_reserve(one, 2 * CENT) is None
        assert try_reserve(other, 2 * CENT) == LimitStatus(3 * CENT, 2 * CENT, told(owner, "$0.00"))
        settle(one, 2 * CENT, CENT)
        assert try_reserve(other, 2 * CENT) is None
        assert try_reserve(one, CENT) == LimitStatus(2 * CENT, 2 * CENT, told(owner, "$0.010"))

    def test_what_cannot_fit_when_the_others_are_done_is_refused_at_once(self, owner: User) -> None:
        one, other = budget(owner), budget(owner)
        assert try_reserve(one, 3 * CENT) is None
        with pytest.raises(SpendingLimitReached, match=r"The next call may cost up to \$0\.040\."):
            async_to_sync(other.reserve)(4 * CENT)

    def test_users_do_not_share_theirs(self, owner: User) -> None:
        other = UserFactory()
        SpendingLimit.objects.create(user=other, per_month=3 * CENT)
        assert try_reserve(budget(owner), 3 * CENT) is None
        assert try_reserve(budget(other), 3 * CENT) is None

    def test_a_run_is_held_to_its_own_ceiling_with_what_it_cost_before(self, owner: User) -> None:
        SpendingLimit.objects.update(per_month=None, per_run=Decimal("0.06"))
        _, held = written(owner)
        one = limits.budget_for(held)
        assert try_reserve(one, CENT) is None
        limit = LimitStatus(CENT, CENT, "This run has cost $0.050 of the $0.060 that one run may cost.")
        assert try_reserve(one, CENT) == limit

    def test_a_call_in_flight_is_counted_though_its_article_is_deleted(self, owner: User) -> None:
        article = make_article(owner)
        one = limits.budget_for(claim(article))
        assert try_reserve(one, 2 * CENT) is None
        delete_article(article=article, by=owner)
        settle(one, 2 * CENT, CENT)
        assert limits.spent_this_month(owner) == CENT

    def test_a_run_that_goes_on_after_its_month_counts_to_the_one_it_was_taken_up_in(self, owner: User) -> None:
        one = budget(owner)
        one.month = date(2025, 1, 1)
        settle(one, Decimal(0), CENT)
        assert limits.spent_this_month(owner) == 0
        assert try_reserve(one, 3 * CENT) == LimitStatus(2 * CENT, Decimal(0), told(owner, "$0.010", "January 2025"))

    def test_without_a_ceiling_of_the_month_the_store_is_told_with_the_steps_and_asked_nothing(
        self, owner: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        SpendingLimit.objects.update(per_month=None, per_run=3 * CENT)
        held = claim(make_article(owner))
        one = limits.budget_for(held)
        with django_assert_num_queries(0):
            assert try_reserve(one, 2 * CENT) is None
            assert try_reserve(one, 2 * CENT) is not None
            settle(one, 2 * CENT, CENT)
        for _ in range(2):
            write_changes(held, [PlanChanged({"research": 1}), one])
            assert limits.spent_this_month(owner) == CENT


def budget(owner: User) -> limits.RunBudget:
    """Of a run that was just taken up."""
    return limits.budget_for(claim(make_article(owner)))


def try_reserve(budget: limits.RunBudget, amount: Decimal) -> LimitStatus | None:
    return async_to_sync(budget.try_reserve)(amount)


def settle(budget: limits.RunBudget, amount: Decimal, cost: Decimal) -> None:
    async_to_sync(budget.settle)(amount, cost)


def told(owner: User, spent: str, month: str = "") -> str:
    month = month or f"{limits.this_month():%B %Y}"
    return f"The articles of {owner.username} have cost {spent} of the $0.030 that {month} may cost."


@pytest.mark.django_db(transaction=True)
class TestProcesses:
    """Real ones, each with a run of the same user's, on the tests' database."""

    Spender = Callable[[Claim, int, float], "subprocess.Popen[str]"]

    @pytest.fixture
    def spender(self, program_environment: dict[str, str]) -> Iterator[Spender]:
        """Starts a process that makes so many calls of a cent side by side, each of so many seconds, once it is told to."""
        started: list[subprocess.Popen[str]] = []

        def start(held: Claim, calls: int, seconds: float) -> subprocess.Popen[str]:
            words = [sys.executable, "-m", "tests.articles.spending_process", *map(str, (held.run_id, calls, seconds))]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            started.append(subprocess.Popen(words, env=program_environment, cwd=ROOT, text=True, **pipes))
            return started[-1]

        yield start
        for process in started:
            process.kill()
            process.communicate()

    def test_they_cannot_pass_the_month_together(self, owner: User, spender: Spender) -> None:
        SpendingLimit.objects.create(user=owner, per_month=10 * CENT)
        processes = [spender(long_held(owner), 8, 0.1) for _ in range(3)]
        for process in processes:
            assert said(process) == "ready"
        made = [process.communicate("go\n", timeout=60)[0] for process in processes]
        assert sum(told.count("made") for told in made) == 10
        assert sum(told.count("refused") for told in made) == 14
        assert limits.spent_this_month(owner) == 10 * CENT

    def test_one_waits_for_another_that_is_about_to_set_aside(self, owner: User, spender: Spender) -> None:
        SpendingLimit.objects.create(user=owner, per_month=CENT)
        process, one = spender(long_held(owner), 1, 0), budget(owner)
        assert said(process) == "ready"
        with transaction.atomic():  # which keeps what is set aside from being seen, but not from being waited for
            assert try_reserve(one, CENT) is None
            tell(process, "go")
            time.sleep(0.5)
        settle(one, CENT, CENT)
        assert said(process) == "refused"

    def test_what_a_killed_one_had_set_aside_is_free_once_its_lease_has_run_out(
        self, owner: User, spender: Spender
    ) -> None:
        SpendingLimit.objects.create(user=owner, per_month=CENT)
        held = long_held(owner)
        process, other = spender(held, 1, 60), budget(owner)
        assert said(process) == "ready"
        tell(process, "go")
        assert said(process) == "calling"
        process.send_signal(signal.SIGKILL)
        process.wait()
        tight = try_reserve(other, CENT)
        assert tight is not None
        assert tight.reserved == CENT
        Run.objects.filter(pk=held.run_id).update(lease_expires_at=timezone.now())
        assert try_reserve(other, CENT) is None


def long_held(owner: User) -> Claim:
    """A run that nobody has to renew the lease of."""
    held = claim(make_article(owner))
    Run.objects.filter(pk=held.run_id).update(lease_expires_at=timezone.now() + timedelta(hours=1))
    return held


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()
