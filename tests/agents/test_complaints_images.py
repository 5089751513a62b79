"""What people complain about in other tools: an image that a model made is not marked as one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from agents.contract import DRAWN_BY_STUDIO
from agents.worker.jobs import run_now
from articles.models import Article, Status
from articles.seo import json_ld
from tests.agents.test_jobs import SURVEY
from tests.articles.clients import client_of
from tests.factories import make_article
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(owner: User) -> Client:
    return client_of(owner)


def written(owner: User) -> Article:
    article = make_article(owner, sources=(SURVEY,), min_words=300)
    run_now(article.runs.get().pk)
    article.refresh_from_db()
    assert article.status == Status.COMPLETED, article.message
    return article


def result(api: Client, article: Article) -> dict[str, Any]:
    body: dict[str, Any] = api.get(f"/api/articles/{article.pk}/result").json()
    return body


def source_types(article: Article) -> set[str]:
    data = json_ld(article, base_url="https://roofs.example")
    images = data.get("@graph", [data])[0]["image"]
    return {image["digitalSourceType"].rpartition("/")[2] for image in images}


def test_an_image_of_a_model_is_marked_as_one(owner: User, api: Client, model: ModelServer) -> None:
    article = written(owner)
    assert article.image
    assert result(api, article)["image_drawn_by"] == "test-image"
    assert source_types(article) == {"TrainedAlgorithmicMediaDigitalSource"}


@pytest.mark.usefixtures("model")
def test_a_cover_that_no_model_drew_is_not(owner: User, api: Client, settings: Settings) -> None:
    settings.IMAGE_MODEL = ""
    article = written(owner)
    assert result(api, article)["image_drawn_by"] == DRAWN_BY_STUDIO
    assert source_types(article) == {"AlgorithmicMediaDigitalSource"}


@pytest.mark.usefixtures("model")
def test_nobody_can_deny_it_over_the_api(owner: User, api: Client) -> None:
    article = written(owner)
    for change in ({"image_drawn_by": ""}, {"image": "mine.png"}, {"image_alt": "By hand"}):
        response = api.patch(f"/api/articles/{article.pk}", change, content_type="application/json")
        assert response.status_code == 422, change
    assert result(api, article)["image_drawn_by"] == "test-image"


@pytest.mark.usefixtures("model")
def test_images_of_older_versions_know_it_from_their_steps(owner: User, api: Client) -> None:
    article, other = written(owner), written(owner)
    Article.objects.update(image_drawn_by="")
    Article.objects.filter(pk=other.pk).update(image="covers/1/later.png")
    import_module("articles.migrations.0012_image_drawn_by").fill_from_steps(apps, None)
    assert result(api, article)["image_drawn_by"] == "test-image"
    assert result(api, other)["image_drawn_by"] == ""
