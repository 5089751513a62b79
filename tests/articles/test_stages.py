"""The six stages of a run, as a person is told of them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from agents.usage import Usage
from articles.journal import begin_step, fail_step, plan_steps, skip_stage
from articles.services import cancel_run
from tests.factories import (
    UserFactory,
    do_step,
    make_article,
    make_processing_article,
    step,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return UserFactory()


def test_all_six_are_shown_from_the_start(owner: User) -> None:
    run = make_article(owner).latest_run()
    assert run is not None
    assert [(view.stage, view.status) for view in run.stages()] == [
        (stage, "waiting") for stage in ("research", "outline", "write", "edit", "seo", "image")
    ]


def test_they_follow_the_steps(owner: User) -> None:
    article, held = make_processing_article(owner)
    do_step(held, "outline:make")
    do_step(held, "write:1", done="190 words")
    skip_stage(held, "seo", "No SEO")
    begin_step(held, step("image:draw"))
    fail_step(held, step("image:draw"), "No image model", Usage())
    run = article.latest_run()
    assert run is not None
    views = {view.stage: view for view in run.stages()}
    assert {stage: view.status for stage, view in views.items()} == {
        "research": "completed",
        "outline": "completed",
        "write": "working",
        "edit": "waiting",
        "seo": "skipped",
        "image": "failed",
    }
    assert (views["write"].done, views["write"].planned, views["write"].message) == (1, 6, "190 words")
    assert views["research"].seconds is not None
    assert views["write"].seconds is None


def test_stages_of_many_steps_are_told_by_their_number(owner: User) -> None:
    article, held = make_processing_article(owner)
    plan_steps(held, {"write": 2, "edit": 3})
    for key in ("write:1", "write:2", "edit:review", "edit:1", "edit:2"):
        do_step(held, key, done="60 words")
    run = article.latest_run()
    assert run is not None
    views = {view.stage: view for view in run.stages()}
    assert (views["write"].message, views["edit"].message) == ("2 sections", "2 sections mended")


def test_a_stage_that_was_begun_when_the_run_ended_is_stopped(owner: User) -> None:
    article, _ = make_processing_article(owner)
    cancel_run(article=article, by=owner)
    run = article.latest_run()
    assert run is not None
    assert run.stages()[1].status == "stopped"
