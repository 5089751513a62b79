"""What articles cost by stage, run, article, user and month: on the page, in the admin and over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from agents.pipeline.steps import StepKey
from articles.costs import limits, reports
from articles.models import Article, Spending, SpendingLimit, Status, Step
from articles.operations.doctor import check_costs
from articles.runs.journal import pause_run
from articles.runs.step_writer import write_changes
from articles.services import delete_article, start_run
from tests.articles.clients import post
from tests.articles.cost_samples import do, run_of, used, written
from tests.factories import StaffFactory, UserFactory, claim, make_article, step_failed, step_started

pytestmark = pytest.mark.django_db


class TestTotals:
    def test_a_run_is_totalled_by_stage_in_one_query(
        self, owner: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        run = run_of(written(owner)[0])
        with django_assert_num_queries(1):
            research, write = reports.totals_by_stage(run)
        assert (research.stage, research.agent, research.totals.cost) == ("research", "ResearchAgent", Decimal("0.01"))
        assert (write.stage, write.totals.cost, write.totals.calls) == ("write", Decimal("0.04"), 2)
        assert (research.totals.cached_tokens, write.totals.unpriced_calls) == (400, 1)

    def test_the_time_of_a_stage_is_the_time_of_its_steps(self, owner: User) -> None:
        run = run_of(written(owner)[0])
        began = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
        ends = began.replace(second=3), began.replace(minute=1)
        for key, end in zip(("write:1", "write:2"), ends, strict=True):
            run.steps.with_key(StepKey.parse(key)).update(started_at=began, finished_at=end)
        assert reports.totals_by_stage(run)[1].totals.seconds == 63

    def test_an_article_costs_what_all_its_runs_cost(
        self, owner: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        article, held = written(owner)
        pause_run(held, "Enough.")
        start_run(article=article, by=owner)
        do(claim(article), "research:plan", used("0.05"))
        with django_assert_num_queries(1):
            assert reports.article_totals(article.pk).cost == Decimal("0.10")
        assert [totals.cost for totals in reports.totals_by_run(article.pk).values()] == [
            Decimal("0.05"),
            Decimal("0.05"),
        ]
        assert reports.run_totals(run_of(article)).cost == Decimal("0.05")

    def test_a_run_without_calls_costs_nothing(self, owner: User) -> None:
        article = make_article(owner)
        assert reports.article_totals(article.pk) == reports.UsageTotals()
        assert reports.totals_by_stage(run_of(article)) == []

    def test_both_attempts_of_a_step_are_counted(self, owner: User) -> None:
        article = make_article(owner)
        held = claim(article)
        write_changes(held, [step_started("write:1")])
        write_changes(held, [step_failed("write:1", "The model is unavailable.", used("0.01"))])
        do(held, "write:1", used("0.02"))
        assert reports.article_totals(article.pk).cost == Decimal("0.03")

    def test_small_amounts_are_not_rounded_away(self, owner: User) -> None:
        article = make_article(owner)
        held = claim(article)
        for number in range(1, 4):
            do(held, f"write:{number}", used("0.000123"))
        assert reports.article_totals(article.pk).cost == Decimal("0.000369")

    def test_months_are_listed_by_user_newest_first(
        self, owner: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        written(owner)
        other, march = UserFactory.create(username="aaron"), datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
        earlier, _ = written(other, write="1.5")
        Step.objects.filter(run__article=earlier).update(finished_at=march)
        Spending.objects.filter(user=other).update(month=march.replace(day=1))
        written(other)
        with django_assert_num_queries(2):
            months = reports.totals_by_month()
        this = limits.this_month()
        assert [(row.month, row.username, row.totals.cost, row.totals.calls) for row in months] == [
            (this, "aaron", Decimal("0.05"), 3),
            (this, owner.username, Decimal("0.05"), 3),
            (march.date().replace(day=1), "aaron", Decimal("3.01"), 3),
        ]

    def test_months_include_deleted_articles(self, owner: User) -> None:
        article, _ = written(owner)
        delete_article(article=article, by=owner)
        (month,) = reports.totals_by_month()
        assert (month.username, month.totals.cost, month.totals.calls) == (owner.username, Decimal("0.05"), 0)

    def test_the_migration_counts_what_was_spent_before_it(self, owner: User) -> None:
        written(owner)
        earlier, _ = written(owner, write="0.5")
        Step.objects.filter(run__article=earlier).update(finished_at=datetime(2025, 12, 31, tzinfo=UTC))
        Spending.objects.all().delete()
        import_module("articles.migrations.0003_spending").count_what_was_spent(apps, None)
        kept = [(row.month, row.user, row.spent) for row in Spending.objects.order_by("month")]
        assert kept == [
            (date(2025, 12, 1), owner, Decimal("1.01")),
            (limits.this_month(), owner, Decimal("0.05")),
        ]


class TestThePage:
    @pytest.fixture
    def browser(self, client: Client, owner: User) -> Client:
        client.force_login(owner)
        return client

    def test_it_shows_the_cost_by_agent_and_in_total(self, browser: Client, owner: User) -> None:
        article, _ = written(owner)
        page = browser.get(article.get_absolute_url()).content.decode()
        panel = page.partition('id="cost-body"')[2]
        for text in ("$0.010", "$0.040", "$0.050", "+ 1 without a price", "<dt>Estimate</dt>"):
            assert text in panel

    def test_a_paused_article_shows_the_reason_and_can_be_resumed(self, browser: Client, owner: User) -> None:
        article, held = written(owner)
        pause_run(held, "This run has cost $0.05 of its $0.05 limit.")
        page = browser.get(article.get_absolute_url()).content.decode()
        assert "This article is paused." in page
        assert "of its $0.05 limit" in page
        assert 'form="retry-form"' in page
        assert "Resume" in page.partition('id="retry"')[2].partition("</button>")[0]
        browser.post(reverse("retry_run", args=[article.pk]))
        article.refresh_from_db()
        assert article.status == Status.PENDING

    def test_the_brief_shows_an_estimate(self, browser: Client, settings: Settings) -> None:
        settings.HAS_MODEL, settings.IMAGE_MODEL = True, "dall-e-3"
        settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "gpt-4o-mini")
        assert "About $0.0" in browser.get(reverse("article_new")).content.decode()

    def test_the_estimate_follows_the_brief(self, browser: Client, settings: Settings) -> None:
        settings.HAS_MODEL = True
        settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "gpt-4o-mini")
        settings.IMAGE_MODEL = "dall-e-3"

        def shown(**brief: str) -> str:
            return browser.get(reverse("brief_estimate"), brief).content.decode()

        small, large = shown(min_words="500"), shown(min_words="5000", include_image="on", seo_optimize="on")
        assert small.startswith("<b>Cost</b> About $0.0")
        assert small != large
        assert "Shown once you enter a valid number of words." in shown(min_words="many")

    def test_without_a_model_it_is_free(self, browser: Client, settings: Settings) -> None:
        settings.HAS_MODEL = False
        assert "Free: the built-in writer makes no AI calls." in browser.get(reverse("article_new")).content.decode()

    def test_a_used_up_month_keeps_what_was_typed(self, browser: Client, owner: User) -> None:
        written(owner)
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.01"))
        form = {
            "topic": "Bees in the city",
            "min_words": 500,
            "writing": "parallel",
            "language": "en",
            "tone": "calm",
            "target_audience": "all",
        }
        formset = {"text-TOTAL_FORMS": 0, "text-INITIAL_FORMS": 0}
        page = browser.post(reverse("article_new"), form | formset).content.decode()
        assert "Ask an editor to raise your limit." in page
        assert "Bees in the city" in page


class TestTheAPI:
    def test_an_article_has_its_cost(self, api: Client, owner: User) -> None:
        article, _ = written(owner)
        assert api.get(f"/api/articles/{article.pk}").json()["cost"] == 0.05

    def test_it_is_listed_by_stage_and_run(self, api: Client, owner: User) -> None:
        article, _ = written(owner)
        data = api.get(f"/api/articles/{article.pk}/cost").json()
        assert (data["cost"], data["calls"], data["unpriced_calls"]) == (0.05, 3, 1)
        assert [(row["stage"], row["cost"]) for row in data["stages"]] == [("research", 0.01), ("write", 0.04)]
        assert [(row["status"], row["cost"]) for row in data["runs"]] == [("processing", 0.05)]
        assert data["estimate"]["message"] == "Free: the built-in writer makes no AI calls."

    def test_another_users_cost_is_not_found(self, api: Client) -> None:
        article, _ = written(UserFactory.create())
        assert api.get(f"/api/articles/{article.pk}/cost").status_code == 404

    def test_a_brief_is_estimated_and_nothing_is_stored(self, api: Client, settings: Settings) -> None:
        settings.HAS_MODEL = True
        settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "llama3.1")
        data = post(api, "/api/articles/estimate", {"topic": "Bees in the city", "min_words": 500}).json()
        assert (data["low"], data["unpriced"]) == (None, ["llama3.1"])
        assert data["message"].startswith("Unknown: no price is set for llama3.1. About ")
        assert not Article.objects.exists()

    def test_a_paused_article_says_how_to_resume(self, api: Client, owner: User) -> None:
        article, held = written(owner)
        pause_run(held, "Enough was spent.")
        answer = api.get(f"/api/articles/{article.pk}/result")
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith("This article is paused. Enough was spent. POST to /api/articles/")
        assert api.get(f"/api/articles/{article.pk}/status").json()["status"] == "paused"

    def test_a_used_up_month_is_refused(self, api: Client, owner: User) -> None:
        written(owner)
        SpendingLimit.objects.create(user=owner, per_month=Decimal("0.01"))
        answer = post(api, "/api/articles/create", {"topic": "Bees in the city"})
        assert answer.status_code == 409
        assert "Ask an editor to raise your limit." in answer.json()["detail"]


class TestTheDoctor:
    def test_it_passes_if_every_model_has_a_price(self, settings: Settings) -> None:
        settings.HAS_MODEL = True
        assert check_costs().state == "ok"

    def test_a_model_without_a_price_cannot_be_limited(self, settings: Settings) -> None:
        settings.HAS_MODEL, settings.IMAGE_MODEL, settings.MAX_COST_PER_RUN = True, "flux", Decimal(1)
        found = check_costs()
        assert found.state == "warning"
        assert found.message == "There is no price for flux, so its cost cannot be limited."
        assert "PRICES_FILE" in found.action

    def test_the_built_in_writer_needs_no_price(self, settings: Settings) -> None:
        settings.HAS_MODEL, settings.IMAGE_MODEL = False, "flux"
        assert check_costs().state == "ok"


class TestTheAdmin:
    @pytest.fixture
    def browser(self, client: Client, db: None) -> Client:
        client.force_login(StaffFactory.create())
        return client

    @pytest.mark.parametrize("model", ["article", "run"])
    def test_lists_show_costs_in_a_fixed_number_of_queries(
        self, browser: Client, owner: User, model: str, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            written(owner)
        with django_assert_max_num_queries(16):
            page = browser.get(reverse(f"admin:articles_{model}_changelist")).content.decode()
        assert page.count("$0.050") == 5

    def test_articles_and_runs_show_their_cost(self, browser: Client, owner: User) -> None:
        article, held = written(owner)
        for name, pk in (("article", article.pk), ("run", held.run_id)):
            assert "$0.050" in browser.get(reverse(f"admin:articles_{name}_change", args=[pk])).content.decode()

    def test_costs_by_month_are_for_superusers(self, browser: Client, owner: User, client: Client) -> None:
        written(owner)
        address = reverse("admin:articles_spendinglimit_months")
        page = browser.get(address).content.decode()
        assert owner.username in page
        assert "$0.050" in page
        client.force_login(UserFactory.create(is_staff=True))
        assert client.get(address).status_code == 403

    def test_limits_show_what_is_spent(self, browser: Client, owner: User) -> None:
        written(owner)
        SpendingLimit.objects.create(user=owner, per_run=Decimal("2.5"), per_month=Decimal(0))
        page = browser.get(reverse("admin:articles_spendinglimit_changelist")).content.decode()
        for text in ("$2.50", ">none<", "$0.050", "Costs by month"):
            assert text in page

    def test_a_negative_limit_is_refused(self, browser: Client, owner: User) -> None:
        answer = browser.post(reverse("admin:articles_spendinglimit_add"), {"user": owner.pk, "per_run": "-1"})
        assert "greater than or equal to 0" in answer.content.decode()
        assert not SpendingLimit.objects.exists()

    def test_the_list_of_limits_takes_as_many_queries_for_many_as_for_one(
        self, browser: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        address = reverse("admin:articles_spendinglimit_changelist")
        SpendingLimit.objects.create(user=owner)
        browser.get(address)  # caches of the first request
        with CaptureQueriesContext(connection) as one:
            browser.get(address)
        for _ in range(12):
            SpendingLimit.objects.create(user=UserFactory.create())
        with django_assert_num_queries(len(one)):
            browser.get(address)
