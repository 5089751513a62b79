"""``/result`` of the API, and the bodies that each process keeps."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from agents.exceptions import FailureCode
from articles.models import Article
from articles.runs.journal import fail_run
from tests.articles.clients import client_of, post
from tests.factories import UserFactory, make_article, make_completed_article, make_processing_article

pytestmark = pytest.mark.django_db


def test_the_result_has_all_outputs(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    article.image.save("cover.png", ContentFile(b"picture"))
    body = api.get(f"/api/articles/{article.pk}/result").json()
    assert body["seo_meta"].keys() >= {"title", "meta_description", "slug", "keywords"}
    assert body["research_data"].keys() >= {
        "sources",
        "passages",
        "synthesis",
        "findings",
        "unread",
        "unused_sources",
    }
    assert body["outline"]["sections"][0]["heading"] == "Why rooftops matter"
    assert body["references"][0]["number"] == 1
    assert body["image_url"] == f"http://testserver{article.image.url}"
    assert body["content"] == article.content
    assert body["completed_at"].endswith("Z")


def test_a_reference_says_what_is_known_of_its_source(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    known = {
        "publisher": "Institute",
        "author": "A. Writer",
        "date": "2024-05",
        "pages": {"S1": 17},
        "passages": ["S1"],
    }
    older = {"number": 2, "source": 2, "title": "Of an older version", "url": "", "passages": ["S2"]}
    first = {"number": 1, "source": 1, "title": "Roofs", "url": "https://example.org/roofs.pdf"}
    Article.objects.filter(pk=article.pk).update(references=[first | known, older])
    body = api.get(f"/api/articles/{article.pk}/result").json()
    assert body["references"] == [first | known, older | {"publisher": "", "author": "", "date": "", "pages": {}}]


def test_a_result_is_built_once_for_two_requests(
    api: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    article = make_completed_article(owner)
    first = api.get(f"/api/articles/{article.pk}/result")
    with django_assert_num_queries(2):  # the key, the version of the article
        second = api.get(f"/api/articles/{article.pk}/result")
    assert (second.content, second["ETag"]) == (first.content, first["ETag"])


def test_the_result_has_the_text_as_it_was_edited(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    assert api.get(f"/api/articles/{article.pk}/result").json()["seo_meta"]["headings"]
    edited = {"content": "One sentence.", "revision": 1}
    assert api.patch(f"/api/articles/{article.pk}", edited, content_type="application/json").status_code == 200
    body = api.get(f"/api/articles/{article.pk}/result").json()
    assert (body["content"], body["seo_meta"]["headings"]) == ("One sentence.", [])


def test_a_result_that_was_built_is_not_served_to_another_user(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    assert api.get(f"/api/articles/{article.pk}/result").status_code == 200
    stranger, address = client_of(UserFactory.create()), f"/api/articles/{article.pk}/result"
    assert stranger.get(address).status_code == 404
    article.delete()
    assert api.get(address).status_code == 404


def test_a_result_has_the_addresses_of_the_host_that_was_asked(api: Client, owner: User, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    article = make_completed_article(owner)
    article.image.save("cover.png", ContentFile(b"picture"))
    for host in ("one.example", "two.example"):
        body = api.get(f"/api/articles/{article.pk}/result", headers={"Host": host}).json()
        assert body["image_url"].startswith(f"http://{host}/media/")


def test_the_result_of_an_unfinished_article_is_refused_with_its_status(api: Client, owner: User) -> None:
    article, held = make_processing_article(owner)
    response = api.get(f"/api/articles/{article.pk}/result")
    assert response.status_code == 409
    assert f"not finished yet (writing, {article.progress} %)" in response.json()["detail"]
    fail_run(held, "The model key is invalid (401). Check OPENAI_API_KEY.", FailureCode.MODEL_AUTH)
    detail = api.get(f"/api/articles/{article.pk}/result").json()["detail"]
    assert "Check OPENAI_API_KEY." in detail
    assert f"/api/articles/{article.pk}/retry" in detail


def test_the_result_of_a_cancelled_article_is_refused(api: Client, owner: User) -> None:
    article = make_article(owner)
    post(api, f"/api/articles/{article.pk}/cancel")
    response = api.get(f"/api/articles/{article.pk}/result")
    assert response.status_code == 409
    assert "was cancelled" in response.json()["detail"]
