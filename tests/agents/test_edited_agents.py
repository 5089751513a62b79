"""Edited agents and voices in a whole run with the real journal and crew and a model server over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from agents.worker.jobs import run_now
from articles.models import AgentProfile, Article, Run, Status, Voice
from articles.services import NewSource, retry_run
from tests import prompts
from tests.factories import UserFactory, make_article
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

WRITING = prompts.WRITE
SURVEY = NewSource(title="Survey", text="A planted roof holds most of a summer's rain. " * 12)

Edit = Callable[..., None]


@pytest.fixture(autouse=True)
def with_model(settings: Settings, model_server: ModelServer) -> None:
    settings.HAS_MODEL, settings.OPENAI_BASE_URL, settings.SEARCH_PROVIDER = True, model_server.url, "none"
    settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "test-model")


@pytest.fixture
def edit() -> Edit:
    """Changes fields of the writer's profile."""
    AgentProfile.objects.complete()

    def change(**fields: object) -> None:
        AgentProfile.objects.filter(stage="write").update(**fields)

    return change


def made(**brief: object) -> tuple[Article, Run]:
    asked = {"min_words": 300, "include_image": False, "seo_optimize": False, **brief}
    article = make_article(UserFactory.create(), sources=(SURVEY,), **asked)
    run = article.latest_run()
    assert run
    return article, run


def test_an_edited_agent_is_used_by_the_next_run_and_its_model_recorded(edit: Edit, model_server: ModelServer) -> None:
    edit(role="Poet {x}", model="test-poet", temperature=0.25)
    _, run = made()
    run_now(run.pk)
    run.refresh_from_db()
    assert (run.status, run.model) == (Status.COMPLETED, "test-poet")
    for call in model_server.calls:
        asked = (call.body["model"], call.body.get("temperature"))
        assert asked == (("test-poet", 0.25) if "Poet {x}" in call.prompt else ("test-model", None))
    written = model_server.prompts(WRITING)
    assert written
    assert all("Poet {x}" in prompt for prompt in written)


def test_a_retried_run_keeps_the_agents_it_started_with(edit: Edit, model_server: ModelServer) -> None:
    edit(role="Poet")
    article, run = made()
    model_server.fail(match=WRITING, status=401, times=99)
    run_now(run.pk)
    edit(role="Critic", model="test-critic")
    model_server.reset()
    retry_run(article=article, by=None)
    run_now(run.pk)
    run.refresh_from_db()
    assert (run.status, run.model) == (Status.COMPLETED, "test-model")
    assert model_server.prompts("YOUR ROLE\nPoet")
    assert not model_server.prompts("Critic")


def test_a_voice_is_part_of_what_all_prompts_begin_with(model_server: ModelServer) -> None:
    voice = Voice.objects.create(name="House", description="Dry {x}.", avoid="synergy")
    _, run = made(voice=voice)
    run_now(run.pk)
    run.refresh_from_db()
    assert run.status == Status.COMPLETED
    assert model_server.prompts(WRITING)
    for call in model_server.calls:
        start = call.prompt.partition("YOUR ROLE")[0]
        assert all(text in start for text in ("“House”", "Dry {x}.", "synergy"))
