"""The article admin: list, page, actions, API keys and queues."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import django_rq
import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from redis import Redis

from articles import services
from articles.models import ApiKey, Article, Event, Status
from tests.factories import (
    StaffFactory,
    UserFactory,
    make_article,
    make_completed_article,
    make_processing_article,
)

LIST = "admin:articles_article_changelist"
PAGE = "admin:articles_article_change"
QUEUE_PAGES = ["home", "jobs", "queue_details", "clear", "workers"]
QUEUE_PAGES += [f"{kind}_jobs" for kind in ("finished", "failed", "scheduled", "started", "deferred")]


@pytest.fixture
def admin(db: None) -> User:
    return StaffFactory()


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory()


@pytest.fixture
def browser(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def viewer(client: Client, db: None) -> Client:
    """A client of a staff user who may only view articles."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_article"))
    client.force_login(user)
    return client


def act(browser: Client, action: str, *articles: Article, **more: str) -> Any:
    chosen = {"action": action, "_selected_action": [article.pk for article in articles], **more}
    return browser.post(reverse(LIST), chosen, follow=True)


def messages_on(response: HttpResponse) -> list[str]:
    """The messages on the page."""
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


def form_of(article: Article, **changes: object) -> dict[str, object]:
    """What the article's page sends back, as a browser does: with its own line ends."""
    inlines = {
        f"{prefix}-{name}": 0
        for prefix in ("runs", "revisions", "sources")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    newest = article.revisions.first()
    return {
        **inlines,
        "topic": article.topic,
        "tone": article.tone,
        "target_audience": article.target_audience,
        "language": article.language,
        "min_words": article.min_words,
        "writing": article.writing,
        "include_image": "on",
        "seo_optimize": "on",
        "allow_uncited": "on",
        "keywords": "",
        "notes": article.notes,
        "title": article.title,
        "content": article.content.replace("\n", "\r\n"),
        "opened_at": newest.number if newest else 0,
        **changes,
    }


def save(browser: Client, article: Article, **changes: object) -> Any:
    return browser.post(reverse(PAGE, args=[article.pk]), form_of(article, **changes), follow=True)


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


class TestText:
    def test_a_changed_text_becomes_a_revision_with_its_event(self, browser: Client, admin: User, owner: User) -> None:
        article = make_completed_article(owner)
        save(browser, article, content="A better text.\r\n\r\nIn two parts.")
        article.refresh_from_db()
        revision = article.revisions.first()
        assert revision is not None
        assert (revision.number, revision.saved_by, article.content) == (2, admin, "A better text.\n\nIn two parts.")
        newest = article.events.last()
        assert newest is not None
        assert (newest.type, newest.seq) == ("revision", article.last_seq)

    def test_an_untouched_text_is_not_saved_again(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner)
        save(browser, article)
        assert article.revisions.count() == 1

    def test_a_newer_text_is_not_overwritten_and_the_typed_one_is_kept(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner)
        form = form_of(article, content="What I typed")
        services.save_text(article=article, by=owner, title="T", content="Theirs", opened_at=1)
        page = browser.post(reverse(PAGE, args=[article.pk]), form).content.decode()
        assert "saved revision 2 after you opened this text" in page
        assert "What I typed" in page
        article.refresh_from_db()
        assert article.content == "Theirs"

    def test_nothing_is_changed_while_the_crew_writes(self, browser: Client, owner: User) -> None:
        article, _ = make_processing_article(owner)
        response = save(browser, article, topic="Something else altogether", content="Mine")
        assert "This article is being written" in response.content.decode()
        assert Article.objects.get().topic == "Rooftop gardens in the city"

    def test_a_changed_brief_leaves_everything_else_alone(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner)
        page = reverse(PAGE, args=[article.pk])
        changed = {"topic": "Rooftop gardens in winter", "min_words": 500, "writing": "whole"}
        save(browser, article, **changed, keywords="roof\r\n green walls, living ")
        article.refresh_from_db()
        assert {name: getattr(article, name) for name in changed} == changed
        assert article.keywords == ["roof", "green walls, living"]
        assert (article.revisions.count(), article.status) == (1, Status.COMPLETED)
        assert browser.get(page).status_code == 200

    @pytest.mark.parametrize(
        ("field", "value", "reason"),
        [
            ("min_words", "20", "Use 300 or more"),
            ("topic", "abc", "at least 5 characters"),
            ("topic", "with\0nul", "Null characters"),
            ("keywords", "x" * 101, "Item 1: "),
            ("keywords", "roof\n" * 21, "at most 20"),
            ("opened_at", "", "required"),
        ],
    )
    def test_a_bad_brief_is_refused(self, browser: Client, owner: User, field: str, value: str, reason: str) -> None:
        article = make_completed_article(owner)
        assert reason in save(browser, article, **{field: value}).content.decode()
        assert Article.objects.get().topic == article.topic

    def test_the_language_is_chosen_from_a_list_that_keeps_another_tag(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner, language="gsw")
        page = browser.get(reverse(PAGE, args=[article.pk])).content.decode()
        assert '<option value="de">German</option>' in page
        assert '<option value="gsw" selected>gsw</option>' in page

    def test_keywords_are_shown_one_per_line_and_kept_as_they_are(self, browser: Client, owner: User) -> None:
        keywords = ["roof", "Berlin, Germany"]
        article = make_completed_article(owner, keywords=keywords)
        assert "roof\nBerlin, Germany" in browser.get(reverse(PAGE, args=[article.pk])).content.decode()
        save(browser, article, keywords="roof\r\nBerlin, Germany", min_words=500)
        article.refresh_from_db()
        assert (article.keywords, article.min_words) == (keywords, 500)

    def test_keywords_may_be_left_empty(self, browser: Client, owner: User) -> None:
        article = make_completed_article(owner, keywords=["roof"])
        save(browser, article, keywords="")
        assert Article.objects.get().keywords == []


class TestActions:
    def test_write_again_starts_runs_and_reports_refusals(self, browser: Client, owner: User) -> None:
        done, busy = make_completed_article(owner), make_processing_article(owner)[0]
        messages = messages_on(act(browser, "write_again", done, busy))
        assert messages[0] == "Started: 1."
        assert "“Rooftop gardens in the city”: This article is being written." in messages[1]
        assert done.runs.count() == 2

    def test_the_run_is_requested_by_the_admin_user(self, browser: Client, admin: User, owner: User) -> None:
        article = make_completed_article(owner)
        act(browser, "write_again", article)
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


class TestKeys:
    def add(self, browser: Client, user: User) -> Any:
        return browser.post(reverse("admin:articles_apikey_add"), {"user": user.pk, "name": "Script"}, follow=True)

    def test_a_new_key_is_shown_once_and_stored_as_a_hash(self, browser: Client, owner: User) -> None:
        shown = messages_on(self.add(browser, owner))[0]
        found = re.search(r"cs_[\w-]+", shown)
        assert found is not None
        key = ApiKey.objects.match(found[0])
        assert key is not None
        assert (key.user, key.name) == (owner, "Script")
        assert ApiKey.objects.count() == 1
        assert found[0] not in browser.get(reverse("admin:articles_apikey_changelist")).content.decode()

    def test_only_its_name_can_be_changed(self, browser: Client, owner: User, admin: User) -> None:
        row, key = ApiKey.objects.issue(owner, "Script")
        changed = {"name": "Newsletter", "user": admin.pk, "key_hash": "0", "hint": "x"}
        browser.post(reverse("admin:articles_apikey_change", args=[row.pk]), changed)
        found = ApiKey.objects.match(key)
        assert found is not None
        assert (found.name, found.user, found.hint) == ("Newsletter", owner, row.hint)

    def test_a_revoked_key_is_refused(self, browser: Client, owner: User) -> None:
        row, key = ApiKey.objects.issue(owner, "Script")
        chosen = {"action": "revoke", "_selected_action": row.pk}
        response = browser.post(reverse("admin:articles_apikey_changelist"), chosen, follow=True)
        assert messages_on(response)[0].startswith("1 key was revoked.")
        assert ApiKey.objects.match(key) is None

    def test_staff_create_keys_for_themselves_only(self, client: Client, admin: User) -> None:
        staff = UserFactory(is_staff=True)
        staff.user_permissions.set(Permission.objects.filter(codename__in=["add_apikey", "view_apikey"]))
        client.force_login(staff)
        assert "Select a valid choice" in self.add(client, admin).content.decode()
        self.add(client, staff)
        assert [key.user for key in ApiKey.objects.all()] == [staff]


class TestQueues:
    @pytest.fixture(autouse=True)
    def _a_job(self, redis: Redis) -> None:
        django_rq.get_queue("articles").enqueue("agents.worker.jobs.run_now", 1)

    @pytest.mark.parametrize("name", QUEUE_PAGES)
    def test_its_pages_allow_inline_styles_and_no_inline_scripts(self, browser: Client, name: str) -> None:
        response = browser.get(reverse(f"admin:django_rq_{name}", args=[] if name == "home" else [0]))
        assert response.status_code == 200
        policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
        assert (policy["style-src"], policy["script-src"]) == ("'self' 'unsafe-inline'", "'self'")

    def test_other_pages_stay_strict(self, browser: Client) -> None:
        assert "unsafe-inline" not in browser.get(reverse("admin:index")).headers["Content-Security-Policy"]

    def test_staff_need_their_permission(self, viewer: Client, client: Client) -> None:
        assert viewer.get(reverse("admin:django_rq_home")).status_code == 403
        assert viewer.post(reverse("admin:django_rq_clear", args=[0]), {"post": "yes"}).status_code == 403
        assert django_rq.get_queue("articles").count == 1
