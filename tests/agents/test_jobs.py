"""Whole runs with the real journal and crew and a model server over HTTP."""

from __future__ import annotations

import threading
from pathlib import Path

import pypandoc
import pytest
import typst
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from pytest_django import Settings

from agents.pipeline.steps import StepKey
from agents.text.length import length_score
from agents.worker import run_article as run_article_module
from agents.worker.jobs import run_now
from articles.models import Article, Run, Status
from articles.services import NewSource, cancel_run, delete_article, retry_run
from tests import prompts
from tests.factories import make_article, stages_of_run
from tests.model_server import ModelServer
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SURVEY = NewSource(
    title="City roofs surveyed",
    text=(
        "Flat roofs are the largest unused surface of most cities. A planted roof holds most of a summer's rain. "
        "The rooms below a planted roof stay several degrees cooler in July. A saturated bed weighs as much as a small car. "
        "An engineer has to look at the beams before the first sack of soil is carried up. "
        "The survey of 2024 counted 312 planted roofs in three councils, most of them younger than ten years."
    ),
)


@pytest.fixture(autouse=True)
def offline(settings: Settings) -> None:
    settings.SEARCH_PROVIDER = "none"
    settings.HAS_MODEL = False


@pytest.fixture
def with_model(settings: Settings, model_server: ModelServer) -> ModelServer:
    configure(settings, model_server)
    return model_server


def configure(settings: Settings, server: ModelServer) -> None:
    settings.HAS_MODEL = True
    settings.OPENAI_BASE_URL = server.url
    settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "test-model")
    settings.IMAGE_MODEL = "test-image"


def made(owner: User, **brief: object) -> tuple[Article, Run]:
    article = make_article(owner, sources=(SURVEY,), min_words=300, **brief)
    run = article.latest_run()
    assert run is not None
    return article, run


def after(article: Article) -> Article:
    article.refresh_from_db()
    return article


def test_a_brief_becomes_a_finished_article(owner: User, with_model: ModelServer) -> None:
    article, run = made(owner)
    run_now(run.pk)
    done = after(article)
    run.refresh_from_db()
    assert (done.status, done.progress) == (Status.COMPLETED, 100)
    assert length_score(300, done.word_count) >= 95
    assert done.references[0]["title"] == "City roofs surveyed"
    assert done.seo_meta
    assert done.seo_meta["title"]
    assert str(done.image.name).endswith(".png")
    assert run.model == "test-model"
    assert sum(step.completion_tokens for step in run.steps.all()) > 300
    assert [view.status for view in stages_of_run(run)] == ["completed"] * 6
    seqs = [event.seq for event in article.events.all()]
    assert seqs == list(range(1, len(seqs) + 1))


def test_without_a_model_it_quotes_the_given_source(owner: User) -> None:
    article, run = made(owner)
    run_now(run.pk)
    done = after(article)
    assert done.status == Status.COMPLETED
    assert "312 planted roofs in three councils" in done.content
    assert "[^1]: " in done.content
    assert "built-in extractive writer" in done.notice
    assert str(done.image.name).endswith(".png")


def test_documents_that_were_uploaded_are_read_and_cited(owner: User, tmp_path: Path) -> None:
    pdf = typst.compile(
        b"= Roofs\nA planted roof holds most of a summer's rain, and the survey of 2024 counted 312 of them."
    )
    letter, said = tmp_path / "letter.docx", "The rooms below a planted roof stay six degrees cooler in July."
    pypandoc.convert_text(said, "docx", "markdown", outputfile=letter)
    documents = {
        "survey.pdf": pdf,
        "letter.docx": letter.read_bytes(),
        "notes.md": b"Flat roofs are the largest surface nobody uses.",
    }
    sources = tuple(NewSource(upload=SimpleUploadedFile(name, data)) for name, data in documents.items())
    article = make_article(owner, topic="Planted roofs", sources=sources, min_words=300)
    run_now(article.runs.get().pk)
    done = after(article)
    assert done.status == Status.COMPLETED, done.message
    for text in ("counted 312 of them", "six degrees cooler in July", "the largest surface nobody uses"):
        assert text in done.content
    assert {reference["title"] for reference in done.references} == documents.keys()


def test_without_model_and_source_it_uses_the_sample_library_with_a_notice(owner: User) -> None:
    article = make_article(owner, topic="Rooftop gardens", min_words=300)
    run_now(article.runs.get().pk)
    done = after(article)
    assert done.status == Status.COMPLETED
    assert "sample library" in done.notice


def test_without_any_source_it_fails_with_what_is_missing(owner: User) -> None:
    article = make_article(owner, topic="Quarks, gluons and their colours", min_words=300)
    run_now(article.runs.get().pk)
    done = after(article)
    assert done.status == Status.FAILED
    assert "Add a source" in done.message


def test_a_failed_model_call_fails_the_run_with_an_actionable_reason(owner: User, with_model: ModelServer) -> None:
    with_model.fail(status=401, times=99)
    article, run = made(owner)
    run_now(run.pk)
    done = after(article)
    assert done.status == Status.FAILED
    assert done.message == "The model key is invalid (401). Check OPENAI_API_KEY."
    assert done.content == ""


def test_a_retry_repeats_no_completed_calls(owner: User, with_model: ModelServer) -> None:
    with_model.fail(match=prompts.DESCRIBE, status=401)
    article, run = made(owner)
    run_now(run.pk)
    assert after(article).status == Status.FAILED
    asked = {call.prompt for call in with_model.calls}
    tried = run.steps.with_key(StepKey.parse("seo:describe")).get().model_calls
    with_model.calls.clear()
    retry_run(article=article, by=owner)
    run_now(run.pk)
    assert after(article).status == Status.COMPLETED
    twice = [call.prompt for call in with_model.calls if call.prompt in asked]
    assert all("Search editor" in prompt for prompt in twice), "only the step that failed is asked again"
    again = sum("Search editor" in call.prompt for call in with_model.calls)
    assert run.steps.with_key(StepKey.parse("seo:describe")).get().model_calls == tried + again, (
        "both tries are in the bill"
    )


def test_a_failed_image_gives_a_notice_and_the_article_completes(owner: User, with_model: ModelServer) -> None:
    with_model.fail(path="/v1/images/generations", status=404)
    article, run = made(owner)
    run_now(run.pk)
    done = after(article)
    assert done.status == Status.COMPLETED
    assert not done.image
    assert "The article has no image." in done.notice
    views = {view.stage: view for view in stages_of_run(run)}
    assert views["image"].status == "failed"


def test_cancelling_stops_the_calls_in_flight(owner: User, settings: Settings) -> None:
    with ModelServer(token_seconds=0.02) as slow:
        configure(settings, slow)
        article, run = made(owner)

        def cancel_while_it_writes() -> None:
            try:
                wait_until(lambda: bool(slow.prompts(prompts.WRITE)))
                cancel_run(article=Article.objects.get(pk=article.pk), by=owner)
            finally:
                connection.close()

        person = threading.Thread(target=cancel_while_it_writes)
        person.start()
        run_now(run.pk)
        person.join()
        wait_until(lambda: all(call.ended for call in slow.calls))
        assert any(call.status == 499 for call in slow.calls), "no call was cut off"
    assert after(article).status == Status.CANCELLED


def test_deleting_a_running_article_stops_its_worker(owner: User, settings: Settings) -> None:
    with ModelServer(token_seconds=0.02) as slow:
        configure(settings, slow)
        article, run = made(owner)

        def delete_while_it_writes() -> None:
            try:
                wait_until(lambda: bool(slow.calls))
                delete_article(article=Article.objects.get(pk=article.pk), by=owner)
            finally:
                connection.close()

        person = threading.Thread(target=delete_while_it_writes)
        person.start()
        run_now(run.pk)
        person.join()
    assert not Article.objects.filter(pk=article.pk).exists()


def test_a_run_claimed_by_another_worker_is_not_performed(owner: User, with_model: ModelServer) -> None:
    article, run = made(owner)
    cancel_run(article=article, by=owner)
    run_now(run.pk)
    run_now(run.pk + 1000)
    assert after(article).status == Status.CANCELLED
    assert with_model.calls == []


def test_an_unexpected_error_of_the_crew_is_recorded_and_raised(
    owner: User, with_model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(run_article_module, "produce", broken)
    article, run = made(owner)
    with pytest.raises(ZeroDivisionError):
        run_now(run.pk)
    done = after(article)
    assert done.status == Status.FAILED
    assert "studio itself" in done.message
