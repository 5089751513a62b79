"""Spending limits of a run and of a user's month, with runs side by side, deleted articles and killed workers."""

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
from django.contrib.auth.models import Permission, User
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
from articles.services import BriefInput, create_article, delete_article, retry_run, start_run
from tests.articles.cost_samples import written
from tests.environment import ROOT
from tests.factories import StaffFactory, UserFactory, claim, make_article

pytestmark = pytest.mark.django_db

CENT = Decimal("0.01")
ASK_AN_EDITOR = "Ask an editor to raise your limit"


class TestLimits:
    @pytest.fixture(autouse=True)
    def settings_limits(self, settings: Settings) -> None:
        settings.MAX_COST_PER_RUN, settings.MAX_COST_PER_MONTH = Decimal("0.50"), Decimal(10)

    def test_the_settings_apply_by_default(self, owner: User) -> None:
        assert limits.limits_of(owner) == limits.SpendingLimits(Decimal("0.50"), Decimal(10))

    def test_a_users_own_limit_comes_first_and_an_empty_one_is_that_of_the_settings(self, owner: User) -> None:
        SpendingLimit.objects.create(user=owner, per_run=Decimal(2))
        assert limits.limits_of(owner) == limits.SpendingLimits(Decimal(2), Decimal(10))

    def test_zero_means_no_limit(self, owner: User) -> None:
        SpendingLimit.objects.create(user=owner, per_run=Decimal(0), per_month=Decimal(0))
        assert limits.limits_of(owner) == limits.SpendingLimits(None, None)

    def test_a_used_up_month_refuses_to_start_and_to_resume(self, owner: User) -> None:
        article, held = written(owner)
        pause_run(held, "Enough.")
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.05"))
        message = (
            rf"^{owner.username} has spent \$0\.050? of the \$0\.050? limit for \w+ \d{{4}}\."
            r" Ask an editor to raise your limit\.$"
        )
        with pytest.raises(InvalidState, match=message):
            start_run(article=article, by=owner)
        with pytest.raises(InvalidState, match=message):
            retry_run(article=article, by=owner)
        with pytest.raises(InvalidState, match=message):
            create_article(by=owner, brief=BriefInput(topic="Roofs and gardens"))
        assert Article.objects.get() == article, "no article is created that cannot start"

    def test_who_may_change_limits_is_sent_to_the_admin_and_others_to_an_editor(self, owner: User) -> None:
        editor = UserFactory.create(is_staff=True)
        editor.user_permissions.add(Permission.objects.get(codename="change_spendinglimit"))
        assert limits.how_to_raise(editor) == "Raise the limit in the admin under Spending limits"
        assert limits.how_to_raise(StaffFactory.create()) == "Raise the limit in the admin under Spending limits"
        assert limits.how_to_raise(UserFactory.create(is_staff=True)) == ASK_AN_EDITOR, "no permission"
        assert limits.how_to_raise(owner) == ASK_AN_EDITOR

    def test_an_editor_who_starts_a_writers_article_is_sent_to_the_admin(self, owner: User) -> None:
        article, held = written(owner)
        pause_run(held, "Enough.")
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.05"))
        with pytest.raises(InvalidState, match=r" Raise the limit in the admin under Spending limits\.$"):
            retry_run(article=article, by=StaffFactory.create())
        with pytest.raises(InvalidState, match=r" Ask an editor to raise your limit\.$"):
            retry_run(article=article, by=None)

    def test_deleting_an_article_does_not_reduce_what_was_spent(self, owner: User) -> None:
        article, _ = written(owner)
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.05"))
        delete_article(article=article, by=owner)
        assert limits.spent_this_month(owner) == Decimal("0.05")
        with pytest.raises(InvalidState, match="has spent"):
            make_article(owner)

    def test_users_have_their_own_month(self, owner: User) -> None:
        written(owner)
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.01"))
        assert make_article(UserFactory.create()).status == Status.PENDING

    def test_earlier_months_do_not_count(self, owner: User) -> None:
        written(owner)
        Spending.objects.update(month=date(2025, 1, 1))
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.01"))
        assert make_article(owner).status == Status.PENDING


class TestRunBudget:
    """Reservations are seen by the budgets of the user's other runs."""

    @pytest.fixture(autouse=True)
    def three_cent_limit(self, owner: User) -> None:
        SpendingLimit.objects.create(user=owner, per_month=3 * CENT)

    def test_runs_of_one_user_share_the_month(self, owner: User) -> None:
        one, other = budget(owner), budget(owner)
        assert try_reserve(one, 2 * CENT) is None
        assert try_reserve(other, 2 * CENT) == month_status(owner, 3 * CENT, 2 * CENT, "$0.00")
        settle(one, 2 * CENT, CENT)
        assert try_reserve(other, 2 * CENT) is None
        assert try_reserve(one, CENT) == month_status(owner, 2 * CENT, 2 * CENT, "$0.010")

    def test_a_call_that_exceeds_the_limit_by_itself_is_refused_at_once(self, owner: User) -> None:
        one, other = budget(owner), budget(owner)
        assert try_reserve(one, 3 * CENT) is None
        with pytest.raises(SpendingLimitReached, match=r"The next call may cost up to \$0\.040\."):
            async_to_sync(other.reserve)(4 * CENT)

    def test_users_do_not_share_a_limit(self, owner: User) -> None:
        other = UserFactory.create()
        SpendingLimit.objects.create(user=other, per_month=3 * CENT)
        assert try_reserve(budget(owner), 3 * CENT) is None
        assert try_reserve(budget(other), 3 * CENT) is None

    def test_the_limit_of_a_run_includes_what_it_cost_before(self, owner: User) -> None:
        SpendingLimit.objects.update(per_month=None, per_run=Decimal("0.06"))
        _, held = written(owner)
        one = limits.budget_for(held)
        assert try_reserve(one, CENT) is None
        limit = LimitStatus(CENT, CENT, "This run has cost $0.050 of its $0.060 limit.", ASK_AN_EDITOR)
        assert try_reserve(one, CENT) == limit

    def test_a_call_in_flight_is_counted_even_if_its_article_is_deleted(self, owner: User) -> None:
        article = make_article(owner)
        one = limits.budget_for(claim(article))
        assert try_reserve(one, 2 * CENT) is None
        delete_article(article=article, by=owner)
        settle(one, 2 * CENT, CENT)
        assert limits.spent_this_month(owner) == CENT

    def test_a_run_counts_to_the_month_in_which_it_was_claimed(self, owner: User) -> None:
        one = budget(owner)
        one.month = date(2025, 1, 1)
        settle(one, Decimal(0), CENT)
        assert limits.spent_this_month(owner) == 0
        assert try_reserve(one, 3 * CENT) == month_status(owner, 2 * CENT, Decimal(0), "$0.010", "January 2025")

    def test_without_a_monthly_limit_calls_need_no_query_and_spending_is_stored_with_the_steps(
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
    """Of a run that was just claimed."""
    return limits.budget_for(claim(make_article(owner)))


def try_reserve(budget: limits.RunBudget, amount: Decimal) -> LimitStatus | None:
    return async_to_sync(budget.try_reserve)(amount)


def settle(budget: limits.RunBudget, amount: Decimal, cost: Decimal) -> None:
    async_to_sync(budget.settle)(amount, cost)


def month_status(owner: User, remaining: Decimal, reserved: Decimal, spent: str, month: str = "") -> LimitStatus:
    month = month or f"{limits.this_month():%B %Y}"
    message = f"{owner.username} has spent {spent} of the $0.030 limit for {month}."
    return LimitStatus(remaining, reserved, message, ASK_AN_EDITOR)


@pytest.mark.django_db(transaction=True)
class TestProcesses:
    """Several processes, each with a run of the same user."""

    StartProcess = Callable[[Claim, int, float], "subprocess.Popen[str]"]

    @pytest.fixture
    def start_process(self, program_environment: dict[str, str]) -> Iterator[StartProcess]:
        """Starts a process that makes calls of a cent side by side after it has read a line."""
        started: list[subprocess.Popen[str]] = []

        def start(claimed: Claim, calls: int, seconds: float) -> subprocess.Popen[str]:
            words = [
                sys.executable,
                "-m",
                "tests.articles.spending_process",
                *map(str, (claimed.run_id, calls, seconds)),
            ]
            process = subprocess.Popen(
                words, env=program_environment, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            started.append(process)
            return process

        yield start
        for process in started:
            process.kill()
            process.communicate()

    def test_they_cannot_exceed_the_limit_together(self, owner: User, start_process: StartProcess) -> None:
        SpendingLimit.objects.create(user=owner, per_month=10 * CENT)
        processes = [start_process(claimed_for_an_hour(owner), 8, 0.1) for _ in range(3)]
        for process in processes:
            assert read_line(process) == "ready"
        outputs = [process.communicate("go\n", timeout=60)[0] for process in processes]
        assert sum(lines.count("made") for lines in outputs) == 10
        assert sum(lines.count("refused") for lines in outputs) == 14
        assert limits.spent_this_month(owner) == 10 * CENT

    def test_a_reservation_waits_for_another_that_is_not_committed(
        self, owner: User, start_process: StartProcess
    ) -> None:
        SpendingLimit.objects.create(user=owner, per_month=CENT)
        process, one = start_process(claimed_for_an_hour(owner), 1, 0), budget(owner)
        assert read_line(process) == "ready"
        with transaction.atomic():  # the reservation is not visible yet, but the owner's row is locked
            assert try_reserve(one, CENT) is None
            write_line(process, "go")
            time.sleep(0.5)
        settle(one, CENT, CENT)
        assert read_line(process) == "refused"

    def test_the_reservation_of_a_killed_process_is_released_when_its_lease_expires(
        self, owner: User, start_process: StartProcess
    ) -> None:
        SpendingLimit.objects.create(user=owner, per_month=CENT)
        held = claimed_for_an_hour(owner)
        process, other = start_process(held, 1, 60), budget(owner)
        assert read_line(process) == "ready"
        write_line(process, "go")
        assert read_line(process) == "calling"
        process.send_signal(signal.SIGKILL)
        process.wait()
        limit = try_reserve(other, CENT)
        assert limit is not None
        assert limit.reserved == CENT
        Run.objects.filter(pk=held.run_id).update(lease_expires_at=timezone.now())
        assert try_reserve(other, CENT) is None


def claimed_for_an_hour(owner: User) -> Claim:
    """A run whose lease need not be renewed."""
    held = claim(make_article(owner))
    Run.objects.filter(pk=held.run_id).update(lease_expires_at=timezone.now() + timedelta(hours=1))
    return held


def write_line(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()
