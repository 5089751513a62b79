"""Runs against a model server over HTTP: what they cost, and how a spending limit pauses them without losing their work."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from agents.contract import AGENTS
from agents.costs.estimate import StageModels, estimate
from agents.costs.prices import dollars, prices
from agents.costs.usage import Usage
from agents.worker.jobs import run_now
from articles.costs.limits import spent_this_month
from articles.costs.reports import article_totals, reading_tokens, run_totals, totals_by_stage
from articles.exceptions import InvalidState
from articles.models import Article, Run, SpendingLimit, Status, Step, StepStatus
from articles.services import NewSource, cancel_run, delete_article, retry_run
from tests import prompts
from tests.environment import ROOT
from tests.factories import UserFactory, make_article
from tests.model_server import ModelServer
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "gpt-4o"
SURVEY = "A planted roof holds most of a summer's rain, and the rooms below it stay cooler in July by several degrees. "


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture(autouse=True)
def priced(settings: Settings, server: ModelServer) -> None:
    server.reset()
    settings.HAS_MODEL, settings.OPENAI_BASE_URL, settings.SEARCH_PROVIDER = True, server.url, "none"
    settings.LLM_MODELS = dict.fromkeys(AGENTS, MODEL)
    settings.IMAGE_MODEL = "dall-e-3"


@pytest.fixture
def owner() -> User:
    return UserFactory.create()


def pending(owner: User, lines: int = 20, **brief: object) -> tuple[Article, Run]:
    """An article with three sources of ``lines`` sentences each; 60 are more than is put into one prompt."""
    texts = [" ".join(f"{SURVEY} Count {number * lines + line}." for line in range(lines)) for number in range(3)]
    sources = tuple(NewSource(title=f"Survey {number}", text=text) for number, text in enumerate(texts))
    article = make_article(owner, sources=sources, **{"min_words": 400, **brief})
    return article, article.runs.get()


def perform(run: Run) -> Run:
    run_now(run.pk)
    run.refresh_from_db()
    return run


def test_a_run_costs_what_its_calls_used(owner: User, server: ModelServer) -> None:
    article, run = pending(owner)
    assert perform(run).status == Status.COMPLETED, run.reason
    spent = run_totals(run)
    texts = [call for call in server.calls if "messages" in call.body]
    assert spent.calls == len(server.calls)
    assert spent.prompt_tokens == sum(len(call.prompt) // 4 for call in texts)
    price = prices().of(MODEL)
    assert price is not None
    by_tokens = price.of(Usage(prompt_tokens=spent.prompt_tokens, completion_tokens=spent.completion_tokens))
    assert abs(spent.cost - by_tokens - Decimal("0.08")) < Decimal("0.0001"), "the text by its tokens, and one picture"
    assert {row.stage for row in totals_by_stage(run)} == AGENTS.keys()
    assert article_totals(article.pk).cost == spent.cost == spent_this_month(owner)


def test_models_without_a_price_are_counted_as_unpriced(owner: User, settings: Settings) -> None:
    settings.LLM_MODELS = dict.fromkeys(AGENTS, "test-model")
    settings.MAX_COST_PER_RUN = Decimal("0.01")
    _, run = pending(owner, include_image=False)
    assert perform(run).status == Status.COMPLETED, run.reason
    spent = run_totals(run)
    assert spent.cost == 0
    assert spent.unpriced_calls == spent.calls


def test_a_limit_pauses_the_run_and_resuming_pays_for_nothing_twice(
    owner: User, server: ModelServer, settings: Settings
) -> None:
    settings.MAX_COST_PER_RUN = Decimal("0.05")
    article, run = pending(owner)
    assert perform(run).status == Status.PAUSED
    spent = run_totals(run).cost
    assert Decimal("0.01") < spent <= Decimal("0.05")
    assert run.reason.startswith("This run has cost $0.0")
    assert run.reason.endswith("Ask an editor to raise your limit, then resume.")
    assert not Step.objects.filter(run=run, status=StepStatus.FAILED).exists()
    done = {str(step) for step in Step.objects.done().filter(run=run)}
    assert "research:read" in done

    SpendingLimit.objects.create(user=owner, per_run=Decimal(5))
    retry_run(article=article, by=owner)
    assert perform(run).status == Status.COMPLETED, run.reason
    asked = Counter(call.prompt for call in server.calls if "messages" in call.body)
    assert [prompt for prompt, times in asked.items() if times > 1] == []
    assert run_totals(run).calls == len(server.calls)


def test_a_limit_reached_again_pauses_again(owner: User, settings: Settings) -> None:
    settings.MAX_COST_PER_RUN = Decimal("0.03")
    article, run = pending(owner)
    assert perform(run).status == Status.PAUSED
    before = run_totals(run).cost
    retry_run(article=article, by=owner)
    assert perform(run).status == Status.PAUSED
    assert before <= run_totals(run).cost <= Decimal("0.03")


def test_the_image_is_limited_too(owner: User, server: ModelServer, settings: Settings) -> None:
    settings.LLM_MODELS = dict.fromkeys(AGENTS, "gpt-4.1-nano")
    settings.MAX_COST_PER_RUN = Decimal("0.079")
    _, run = pending(owner)
    assert perform(run).status == Status.PAUSED
    assert "The next call may cost up to $0.080." in run.reason
    assert not [call for call in server.calls if "images" in call.path]


def performing(run: Run, environment: dict[str, str], **settings: str) -> subprocess.Popen[bytes]:
    """A process that performs ``run``."""
    perform = "import sys, django; django.setup(); from agents.worker.jobs import run_now; run_now(int(sys.argv[1]))"
    own = environment | {"DJANGO_SETTINGS_MODULE": "contentstudio.settings", "LLM_MODEL": MODEL} | settings
    return subprocess.Popen([sys.executable, "-c", perform, str(run.pk)], env=own, cwd=ROOT)


def side_by_side(runs: list[Run], environment: dict[str, str], **settings: str) -> None:
    """Perform ``runs`` at the same time, each in a process of its own."""
    started = [performing(run, environment, **settings) for run in runs]
    assert [process.wait(timeout=120) for process in started] == [0] * len(runs)
    for run in runs:
        run.refresh_from_db()


def test_two_runs_side_by_side_do_not_exceed_the_monthly_limit_together(
    owner: User, server: ModelServer, program_environment: dict[str, str]
) -> None:
    runs = [pending(owner, include_image=False)[1] for _ in range(2)]
    side_by_side(runs, program_environment, OPENAI_BASE_URL=server.url, MAX_COST_PER_MONTH="0.1")
    assert Status.PAUSED in {run.status for run in runs}
    assert Decimal("0.05") < spent_this_month(owner) <= Decimal("0.1")
    paused = next(run for run in runs if run.status == Status.PAUSED)
    assert paused.reason.startswith(f"{owner.username} has spent $0.0")


def test_two_runs_side_by_side_are_counted_separately(
    owner: User, server: ModelServer, program_environment: dict[str, str]
) -> None:
    runs = [pending(owner, include_image=False)[1] for _ in range(2)]
    side_by_side(runs, program_environment, OPENAI_BASE_URL=server.url)
    assert {run.status for run in runs} == {Status.COMPLETED}
    one, other = (run_totals(run) for run in runs)
    assert one.calls + other.calls == len(server.calls)
    assert abs(one.calls - other.calls) < 10
    assert spent_this_month(owner) == one.cost + other.cost


@pytest.fixture
def slow(settings: Settings) -> Iterator[ModelServer]:
    """A model server whose sections take seconds, so that they can be cut off."""
    with ModelServer(token_seconds=0.01) as running:
        settings.OPENAI_BASE_URL = running.url
        yield running


def section_in_flight(server: ModelServer) -> bool:
    return any(prompts.WRITE in call.prompt and not call.ended for call in list(server.calls))


def every_call_is_counted(run: Run, server: ModelServer) -> None:
    """Checks a run whose last calls were cut off: its steps and the month."""
    run.refresh_from_db()
    spent = run_totals(run)
    assert any(call.status == 499 for call in server.calls), "no call was cut off"
    assert spent.calls == len(server.calls)
    asked = sum(len(call.prompt) // 4 for call in server.calls)
    assert abs(spent.prompt_tokens - asked) <= len(server.calls), "those cut off are estimated, each to a token"
    assert spent.cost == spent_this_month(run.article.owner)


def test_calls_cut_off_by_cancelling_are_counted(owner: User, slow: ModelServer) -> None:
    article, run = pending(owner, include_image=False)

    def cancel_during_a_section() -> None:
        try:
            wait_until(lambda: section_in_flight(slow), seconds=60)
            cancel_run(article=article, by=owner)
        finally:
            connection.close()

    person = threading.Thread(target=cancel_during_a_section)
    person.start()
    run_now(run.pk)
    person.join()
    every_call_is_counted(run, slow)
    assert run.status == Status.CANCELLED


def test_calls_cut_off_by_a_stopped_worker_are_counted(
    owner: User, slow: ModelServer, program_environment: dict[str, str]
) -> None:
    _, run = pending(owner, include_image=False)
    worker = performing(run, program_environment, OPENAI_BASE_URL=slow.url)
    wait_until(lambda: section_in_flight(slow), seconds=60)
    worker.terminate()
    assert worker.wait(20) == 0
    every_call_is_counted(run, slow)
    assert run.status == Status.PENDING


def test_the_cost_of_a_deleted_article_is_still_counted(owner: User, settings: Settings) -> None:
    article, run = pending(owner, include_image=False)
    assert perform(run).status == Status.COMPLETED, run.reason
    spent = run_totals(run).cost
    delete_article(article=article, by=owner)
    assert spent_this_month(owner) == spent > 0
    settings.MAX_COST_PER_MONTH = spent
    with pytest.raises(InvalidState, match="Ask an editor to raise your limit"):
        pending(owner)


@pytest.mark.parametrize(("words", "image", "seo"), [(500, True, True), (1000, False, False)])
def test_the_estimate_is_close_to_a_run(owner: User, server: ModelServer, words: int, image: bool, seo: bool) -> None:
    article, run = pending(owner, lines=60, min_words=words, include_image=image, seo_optimize=seo)
    models = StageModels(dict.fromkeys(AGENTS, MODEL), "dall-e-3")
    made = estimate(words, image=image, seo=seo, models=models, reading=reading_tokens(article))
    assert perform(run).status == Status.COMPLETED, run.reason
    spent = run_totals(run)
    assert 0.5 * spent.tokens <= made.tokens <= 1.5 * spent.tokens, (made.tokens, spent.tokens)
    assert 0.5 * spent.calls <= made.calls <= 1.5 * spent.calls, (made.calls, spent.calls)


def test_the_command_prints_the_cost(owner: User) -> None:
    lines = StringIO()
    asked = ("Rooftop gardens", "--words", "300", "--no-image", "--no-seo", "--user", owner.username)
    call_command("write", *asked, stdout=StringIO(), stderr=lines)
    spent = article_totals(Article.objects.get().pk)
    assert f"Cost: {dollars(spent.cost)} for {spent.tokens:,} tokens in {spent.calls} calls.\n" in lines.getvalue()


def test_the_command_refuses_in_a_used_up_month(owner: User) -> None:
    article, run = pending(owner, include_image=False)
    assert perform(run).status == Status.COMPLETED, run.reason
    SpendingLimit.objects.create(user=owner, per_month=Decimal("0.01"))
    with pytest.raises(CommandError, match="Ask an editor to raise your limit"):
        call_command("write", "Rooftop gardens", "--user", owner.username)
    assert Article.objects.get() == article, "no article is created that cannot start"
