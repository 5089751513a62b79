"""The article admin: its list, the page of an article, actions and deleting."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from articles import services
from articles.costs.reports import total_estimate
from articles.models import Article, Event, Status
from tests.articles.admin_pages import LIST, PAGE, act, messages_on, save
from tests.factories import (
    make_article,
    make_completed_article,
    make_processing_article,
)


class TestList:
    def test_it_shows_the_status_of_each_article(self, browser: Client, owner: User) -> None:
        article, _ = make_processing_article(owner)
        page = browser.get(reverse(LIST)).content.decode()
        assert "Rooftop gardens in the city" in page
        assert f"{article.progress} %" in page
        assert "Content Studio" in page

    def test_the_number_of_queries_does_not_grow_with_the_list(
        self, browser: Client, owner: User, django_assert_num_queries: Any
    ) -> None:
        make_completed_article(owner)
        with CaptureQueriesContext(connection) as one:
            browser.get(reverse(LIST))
        for _ in range(3):
            make_completed_article(owner)
        with django_assert_num_queries(len(one)):
            browser.get(reverse(LIST))

    def test_it_does_not_read_the_texts(self, browser: Client, owner: User) -> None:
        make_completed_article(owner)
        found = browser.get(reverse(LIST)).context["cl"].result_list[0]
        assert {"content", "research_data"} <= found.get_deferred_fields()

    @pytest.mark.parametrize("question", [{"q": "rooftop"}, {"language": "en"}, {"status__exact": "completed"}])
    def test_it_finds_and_filters(self, browser: Client, owner: User, question: dict[str, str]) -> None:
        make_completed_article(owner)
        make_article(owner, topic="Bees in winter", language="de")
        assert [str(found) for found in browser.get(reverse(LIST), question).context["cl"].result_list] == [
            "Rooftop gardens: what the evidence says"
        ]

    def test_articles_cannot_be_added(self, browser: Client) -> None:
        assert browser.get(reverse("admin:articles_article_add")).status_code == 403

    def test_users_without_staff_are_sent_to_sign_in(self, client: Client, owner: User) -> None:
        client.force_login(owner)
        assert client.get(reverse(LIST)).status_code == 302


class TestPage:
    def test_it_shows_runs_steps_events_and_sources(self, browser: Client, owner: User) -> None:
        source = services.NewSource(title="My notes", text="Roofs are flat. " * 20, kind="notes of a visit")
        article = make_completed_article(owner, sources=(source,))
        page = browser.get(reverse(PAGE, args=[article.pk])).content.decode()
        for expected in ("research:plan", "Work has begun", "My notes", "notes of a visit", "<details>"):
            assert expected in page
        run = article.latest_run()
        assert run is not None
        assert reverse("admin:articles_run_change", args=[run.pk]) in page

    def test_it_shows_an_article_that_was_never_written(self, browser: Client, owner: User) -> None:
        article = services.create_article(by=owner, brief=services.BriefInput(topic="Bees in winter"), start=False)
        assert "Not written yet" in browser.get(reverse(PAGE, args=[article.pk])).content.decode()

    def test_the_number_of_queries_does_not_grow_with_the_history(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner)
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as asked:
                browser.get(reverse(PAGE, args=[article.pk]))
            counts.append(len(asked))
            number = article.revisions.count()
            for more in range(3):
                services.save_text(
                    article=article, by=owner, title="T", content=f"{number + more}", opened_at=number + more
                )
        assert counts[0] == counts[1]

    def test_model_output_is_escaped(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner)
        hostile = "<script>alert(1)</script>"
        Article.objects.update(content=hostile * 9, outline={"title": hostile}, message=hostile)
        Event.objects.update(payload={"message": hostile})
        assert hostile not in browser.get(reverse(PAGE, args=[article.pk])).content.decode()

    def test_a_run_is_read_only(self, browser: Client, owner: User) -> None:
        run = make_completed_article(owner).latest_run()
        assert run is not None
        address = reverse("admin:articles_run_change", args=[run.pk])
        page = browser.get(address).content.decode()
        assert "write:1" in page
        assert "Save" not in page
        assert browser.post(address, {"status": "failed"}).status_code == 403
        assert browser.post(reverse("admin:articles_run_delete", args=[run.pk]), {"post": "yes"}).status_code == 403
        assert browser.get(reverse("admin:articles_run_changelist")).status_code == 200

    def test_viewers_see_the_history_and_cannot_save(self, viewer: Client, owner: User) -> None:
        article = make_completed_article(owner)
        page = viewer.get(reverse(PAGE, args=[article.pk])).content.decode()
        assert "research:plan" in page
        assert 'name="_save"' not in page
        assert save(viewer, article, title="Mine now").status_code == 403


class TestActions:
    def test_write_again_starts_runs_and_reports_refusals(self, browser: Client, owner: User) -> None:
        done, busy = make_completed_article(owner), make_processing_article(owner)[0]
        messages = messages_on(act(browser, "write_again", done, busy, post="yes"))
        assert messages[0] == "Started: 1."
        assert "“Rooftop gardens in the city”: This article is being written." in messages[1]
        assert done.runs.count() == 2

    def test_write_again_asks_first_and_shows_the_cost(self, browser: Client, owner: User, settings: Settings) -> None:
        settings.HAS_MODEL, settings.IMAGE_MODEL = True, ""
        settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "gpt-4o-mini")
        articles = [make_completed_article(owner), make_completed_article(owner), make_processing_article(owner)[0]]
        one, two = (total_estimate(articles[:number]) for number in (1, 2))
        assert one.high
        assert (two.high, two.calls) == (2 * one.high, 2 * one.calls)
        shown = " ".join(act(browser, "write_again", *articles).content.decode().split())
        assert "2 articles will be written again from their briefs." in shown
        assert f"<b>Cost</b> {two.message}" in shown
        assert [article.runs.count() for article in articles] == [1, 1, 1]

    def test_articles_that_cannot_be_written_again_are_refused_without_a_question(
        self, browser: Client, owner: User
    ) -> None:
        (message,) = messages_on(act(browser, "write_again", make_processing_article(owner)[0]))
        assert "This article is being written." in message

    def test_the_run_is_requested_by_the_admin_user(self, browser: Client, admin: User, owner: User) -> None:
        article = make_completed_article(owner)
        act(browser, "write_again", article, post="yes")
        run = article.latest_run()
        assert run is not None
        assert run.requested_by == admin

    def test_it_cancels_and_tries_again(self, browser: Client, owner: User) -> None:
        article, _ = make_processing_article(owner)
        assert messages_on(act(browser, "cancel", article)) == ["Cancelled: 1."]
        assert messages_on(act(browser, "try_again", article)) == ["Continued: 1."]
        article.refresh_from_db()
        assert article.status == Status.PENDING

    def test_one_article_is_downloaded_as_a_file(self, browser: Client, owner: User) -> None:
        response = act(browser, "download_md", make_completed_article(owner))
        assert response.headers["Content-Type"].startswith("text/markdown")
        assert b"Why rooftops matter" in response.content

    def test_several_are_downloaded_in_an_archive(self, browser: Client, owner: User) -> None:
        articles = [make_completed_article(owner) for _ in range(2)]
        response = act(browser, "download_html", *articles, make_article(owner))
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            assert len(archive.namelist()) == 2
            assert b"Why rooftops matter" in archive.read(archive.namelist()[0])
        assert "no text" in messages_on(browser.get(reverse(LIST)))[1]

    def test_an_article_without_a_text_is_not_downloaded(self, browser: Client, owner: User) -> None:
        assert "no text" in messages_on(act(browser, "download_pdf", make_article(owner)))[0]

    @pytest.mark.parametrize("action", ["write_again", "try_again", "cancel", "delete_selected"])
    def test_viewers_cannot_run_actions_that_change(self, viewer: Client, owner: User, action: str) -> None:
        article, _ = make_processing_article(owner)
        act(viewer, action, article, post="yes")
        article.refresh_from_db()
        assert (article.status, article.runs.count()) == (Status.PROCESSING, 1)

    def test_viewers_may_download(self, viewer: Client, owner: User) -> None:
        assert b"rooftops" in act(viewer, "download_md", make_completed_article(owner)).content


class TestDeleting:
    @pytest.fixture
    def picture(self, owner: User) -> str:
        """The name of a picture that belongs to a finished article."""
        article = make_completed_article(owner)
        name = default_storage.save(f"covers/{article.pk}/a.png", ContentFile(b"png"))
        Article.objects.filter(pk=article.pk).update(image=name)
        return name

    def test_it_counts_what_is_deleted_and_deletes_files(
        self, browser: Client, picture: str, django_capture_on_commit_callbacks: Any
    ) -> None:
        article = Article.objects.get()
        address = reverse("admin:articles_article_delete", args=[article.pk])
        assert f"Events: {article.last_seq}" in browser.get(address).content.decode()
        with django_capture_on_commit_callbacks(execute=True):
            browser.post(address, {"post": "yes"})
        assert not Article.objects.exists()
        assert not default_storage.exists(picture)

    def test_several_are_deleted_even_while_one_is_being_written(
        self, browser: Client, owner: User, picture: str, django_capture_on_commit_callbacks: Any
    ) -> None:
        articles = Article.objects.get(), make_processing_article(owner)[0]
        assert "Are you sure" in act(browser, "delete_selected", *articles).content.decode()
        with django_capture_on_commit_callbacks(execute=True):
            act(browser, "delete_selected", *articles, post="yes")
        assert not Article.objects.exists()
        assert not default_storage.exists(picture)
