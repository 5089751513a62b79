"""Quotas of users: refused with 429 and a sentence, at pages and API, and nothing typed is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings
from redis import Redis

from articles.exceptions import InvalidState, QuotaReached
from articles.models import ApiKey, Article, Quota, Source
from articles.operations.upload_sizes import measure_uploads
from articles.quotas.rates import LARGEST_BLOCK, count_request, forget_blocks
from articles.quotas.totals import issue_key, measure, stored_bytes
from articles.services import BriefInput, NewSource, cancel_run, create_article, delete_article, retry_run, start_run
from tests.articles.clients import client_of, post
from tests.factories import UserFactory, make_article, make_completed_article

pytestmark = pytest.mark.django_db
BRIEF: dict[str, Any] = {"topic": "Rooftop gardens in the city", "min_words": 300}
FORM = BriefInput(topic=BRIEF["topic"]).model_dump(exclude={"voice", "keywords"})
FORM |= {"text-TOTAL_FORMS": "0", "text-INITIAL_FORMS": "0"}


def text(response: Any) -> str:
    html: str = response.content.decode()
    return html


def document(name: str = "survey.txt", size: int = 1000) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"A roof is a surface. " * (size // 21 + 1))


def uploaded() -> int:
    return len(storages["uploads"].listdir("")[1]) if storages["uploads"].exists("") else 0


class TestRequests:
    def test_the_api_answers_429_with_the_time_to_wait(self, owner: User, settings: Settings) -> None:
        api, other = client_of(owner), client_of(UserFactory.create())
        settings.REQUESTS_PER_MINUTE = 3
        answers = [api.get("/api/articles/") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        wait = int(answers[-1]["Retry-After"])
        assert 1 <= wait <= 60
        assert answers[-1].json() == {"detail": f"Too many requests. Try again in {wait} seconds."}
        assert other.get("/api/articles/").status_code == 200

    def test_a_session_is_counted_with_the_keys_of_the_same_user(
        self, page: Client, writer: User, settings: Settings
    ) -> None:
        settings.REQUESTS_PER_MINUTE = 2
        assert page.get("/api/articles/").status_code == 200
        assert client_of(writer).get("/api/articles/").status_code == 200
        assert page.get("/api/articles/").status_code == 429

    def test_pages_may_be_read_and_forms_may_not_be_sent(self, page: Client, writer: User, settings: Settings) -> None:
        article = make_completed_article(writer)
        settings.REQUESTS_PER_MINUTE = 1
        typed = {"title": "My <title>", "content": "\n## A long text", "opened_at": "1"}
        assert page.post(f"/articles/{article.pk}/text/preview", typed).status_code == 200
        refused = page.post(f"/articles/{article.pk}/text/", typed)
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 0
        assert page.get(f"/articles/{article.pk}/").status_code == 200
        kept = re.findall(r'<textarea name="(\w+)" hidden>\n(.*?)</textarea>', text(refused), re.DOTALL)
        assert dict(kept) == {"title": "My &lt;title&gt;", "content": "\n## A long text", "opened_at": "1"}
        assert f'action="/articles/{article.pk}/text/"' in text(refused)

    def test_a_page_with_htmx_stays_and_gets_the_sentence(self, page: Client, settings: Settings) -> None:
        settings.REQUESTS_PER_MINUTE = 1
        for expected in (200, 429):
            answer = page.post("/articles/new/", {"topic": ""}, headers={"HX-Request": "true"})
            assert answer.status_code == expected
        assert answer["Content-Type"].startswith("text/plain")
        assert text(answer).startswith("Too many requests.")

    def test_passwords_are_not_repeated(self, page: Client, settings: Settings) -> None:
        settings.REQUESTS_PER_MINUTE = 1
        for _ in range(2):
            answer = page.post("/account/password/", {"oldpassword": "hush hush", "note": "scribble"})
        assert answer.status_code == 429
        assert "hush" not in text(answer)
        assert "scribble" not in text(answer)

    def test_signing_out_is_always_possible(self, page: Client, settings: Settings) -> None:
        settings.REQUESTS_PER_MINUTE = 1
        for _ in range(2):
            page.post("/articles/new/", {})
        assert page.post("/sign-out/").status_code == 302

    def test_several_processes_share_the_count(self, owner: User, settings: Settings) -> None:
        settings.REQUESTS_PER_MINUTE = 60 * LARGEST_BLOCK
        for number in range(60 * LARGEST_BLOCK):
            if number % (3 * LARGEST_BLOCK) == 0:
                forget_blocks()  # another process goes on
            count_request(owner)
        with pytest.raises(QuotaReached):
            count_request(owner)

    def test_most_requests_need_neither_redis_nor_a_query(
        self, owner: User, settings: Settings, django_assert_num_queries: Any
    ) -> None:
        settings.REQUESTS_PER_MINUTE = 60 * LARGEST_BLOCK
        count_request(owner)
        with django_assert_num_queries(0):
            for _ in range(LARGEST_BLOCK - 1):
                count_request(owner)
        with django_assert_num_queries(1):
            count_request(owner)

    def test_without_redis_nobody_is_refused(self, owner: User, settings: Settings, redis_away: None) -> None:
        settings.REQUESTS_PER_MINUTE = 1
        for _ in range(3):
            count_request(owner)


@pytest.fixture
def redis_away(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Redis.from_url("unix:///nonexistent/redis.sock")
    for place in ("contentstudio.access.throttle", "articles.quotas.totals", "articles.quotas.sockets"):
        monkeypatch.setattr(f"{place}.redis_client", lambda: away)


class TestArticles:
    def test_no_more_wait_than_allowed(self, owner: User, settings: Settings) -> None:
        settings.MAX_ACTIVE_ARTICLES = 2
        api = client_of(owner)
        assert [post(api, "/api/articles/create", BRIEF).status_code for _ in range(3)] == [201, 201, 429]
        refused = post(api, "/api/articles/create", BRIEF)
        assert refused["Retry-After"] == "60"
        assert refused.json()["detail"].startswith("No more than 2 of your articles may wait")
        assert Article.objects.count() == 2
        assert post(client_of(UserFactory.create()), "/api/articles/create", BRIEF).status_code == 201

    def test_an_ended_one_makes_room_and_a_retry_needs_it(self, owner: User, settings: Settings) -> None:
        settings.MAX_ACTIVE_ARTICLES = 1
        first = make_article(owner)
        cancel_run(article=first, by=owner)
        make_article(owner)
        with pytest.raises(QuotaReached):
            retry_run(article=first, by=owner)

    def test_the_command_that_writes_in_its_own_process_is_not_refused(self, owner: User, settings: Settings) -> None:
        settings.MAX_ACTIVE_ARTICLES = 1
        make_article(owner)
        article = create_article(by=owner, brief=BriefInput(topic=BRIEF["topic"]), start=False)
        start_run(article=article, by=owner, queue=False)

    def test_the_page_keeps_what_was_typed(self, page: Client, writer: User, settings: Settings) -> None:
        settings.MAX_ACTIVE_ARTICLES = 1
        make_article(writer)
        refused = page.post("/articles/new/", FORM)
        assert refused.status_code == 429
        assert refused["Retry-After"] == "60"
        assert "No more than 1 of your articles may wait" in text(refused)
        assert BRIEF["topic"] in text(refused)
        with_htmx = page.post("/articles/new/", FORM, headers={"HX-Request": "true"})
        assert with_htmx.status_code == 429
        assert text(with_htmx).startswith("No more than 1 of your articles may wait")

    def test_own_quotas_take_precedence(self, owner: User, settings: Settings) -> None:
        settings.MAX_ACTIVE_ARTICLES = 1
        Quota.objects.create(user=owner, active_articles=2)
        make_article(owner)
        make_article(owner)
        Quota.objects.update(active_articles=0)
        make_article(owner)
        Quota.objects.update(active_articles=None)
        with pytest.raises(QuotaReached):
            make_article(owner)


class TestDocuments:
    def test_documents_of_a_day_are_limited_by_number(self, owner: User, settings: Settings) -> None:
        settings.UPLOADS_PER_DAY, before = 3, uploaded()
        make_article(owner, sources=(NewSource(upload=document()), NewSource(upload=document())))
        with pytest.raises(QuotaReached, match=r"documents were uploaded today\. Try again in 24 hours") as refused:
            make_article(owner, sources=(NewSource(upload=document()), NewSource(upload=document())))
        assert refused.value.retry_after is not None
        make_article(owner, sources=(NewSource(upload=document()),))  # the refused ones do not count
        assert uploaded() - before == 3

    def test_documents_of_a_day_are_limited_by_size(self, owner: User, settings: Settings) -> None:
        settings.UPLOAD_MB_PER_DAY, before = 1, uploaded()
        big = NewSource(upload=document(size=600_000))
        make_article(owner, sources=(big,))
        with pytest.raises(QuotaReached, match="large documents"):
            make_article(owner, sources=(NewSource(upload=document(size=600_000)),))
        assert uploaded() - before == 1

    def test_a_brief_refused_for_another_reason_does_not_count(
        self, owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.UPLOADS_PER_DAY = 1

        def used_up(*args: Any, **more: Any) -> None:
            raise InvalidState("The month's limit is reached.")

        with monkeypatch.context() as patch:
            patch.setattr("articles.services.articles.start_run", used_up)
            with pytest.raises(InvalidState):
                make_article(owner, sources=(NewSource(upload=document()),))
        make_article(owner, sources=(NewSource(upload=document()),))

    def test_the_page_answers_429(self, page: Client, settings: Settings) -> None:
        settings.UPLOADS_PER_DAY, before = 1, uploaded()
        refused = page.post("/articles/new/", {**FORM, "documents": [document("a.txt"), document("b.txt")]})
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 80_000
        assert uploaded() == before


class TestStorage:
    def test_documents_texts_and_revisions_count(self, owner: User) -> None:
        make_article(owner, sources=(NewSource(upload=document(size=2100)), NewSource(text="x" * 500)))
        finished = make_completed_article(owner)
        revisions = sum(len(revision.content) for revision in finished.revisions.all())
        assert measure(owner) == 2121 + 500 + len(finished.content) + revisions
        assert measure(UserFactory.create()) == 0

    def test_it_is_refused_once_full_and_deleting_makes_room(
        self, owner: User, settings: Settings, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.STORAGE_MB_PER_USER, before = 1, uploaded()
        article = make_article(owner, sources=(NewSource(upload=document(size=900_000)),))
        with pytest.raises(QuotaReached, match="no room for this: 1 MB may be stored") as refused:
            make_article(owner, sources=(NewSource(upload=document(size=200_000)),))
        assert refused.value.retry_after is None
        assert uploaded() - before == 1
        with django_capture_on_commit_callbacks(execute=True):
            delete_article(article=article, by=owner)
        make_article(owner, sources=(NewSource(upload=document(size=200_000)),))

    def test_a_text_that_does_not_fit_stays_in_the_editor(self, page: Client, writer: User, settings: Settings) -> None:
        article = make_completed_article(writer)
        Source.objects.create(article=article, upload="a.pdf", upload_bytes=1_000_000)
        settings.STORAGE_MB_PER_USER = 1
        refused = page.post(f"/articles/{article.pk}/text/", {"title": "T", "content": "## New text", "opened_at": "1"})
        assert refused.status_code == 429
        assert "## New text" in text(refused)
        assert (
            client_of(writer)
            .patch(f"/api/articles/{article.pk}", {"content": "new", "revision": 1}, content_type="application/json")
            .status_code
            == 429
        )

    def test_it_is_measured_once_and_then_added_up(self, owner: User, django_assert_num_queries: Any) -> None:
        assert stored_bytes(owner) == 0
        make_article(owner, sources=(NewSource(text="x" * 500),))
        with django_assert_num_queries(0):
            assert stored_bytes(owner) == 500

    def test_without_redis_it_is_measured(self, owner: User, redis_away: None) -> None:
        make_article(owner, sources=(NewSource(text="x" * 500),))
        assert stored_bytes(owner) == 500

    def test_documents_of_earlier_releases_are_measured_by_the_sweeper(self, owner: User) -> None:
        article = make_article(owner)
        name = storages["uploads"].save("old.txt", ContentFile(b"0123456789"))
        for upload in (name, "lost.txt"):
            Source.objects.create(article=article, upload=upload)
        assert measure_uploads() == 2
        assert measure_uploads() == 0
        assert measure(owner) == 10


class TestExportsAndKeys:
    def test_exports_of_a_minute(self, owner: User, settings: Settings) -> None:
        article, api = make_completed_article(owner), client_of(owner)
        settings.EXPORTS_PER_MINUTE = 2
        answers = [api.get(f"/api/articles/{article.pk}/export/md") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].json()["detail"].startswith("Too many exports. Try again in")
        assert answers[-1]["Retry-After"]

    def test_exports_on_the_page(self, page: Client, writer: User, settings: Settings) -> None:
        article = make_completed_article(writer)
        settings.EXPORTS_PER_MINUTE = 1
        assert page.get(f"/articles/{article.pk}/download/md").status_code == 200
        refused = page.get(f"/articles/{article.pk}/download/md")
        assert refused.status_code == 429
        assert refused["Retry-After"]
        assert "Too many exports" in text(refused)

    def test_keys(self, page: Client, writer: User, settings: Settings) -> None:
        settings.MAX_API_KEYS_PER_USER = 1
        assert page.post("/account/keys/", {"name": "one", "days": "30"}).status_code == 200
        refused = page.post("/account/keys/", {"name": "two", "days": "30"})
        assert refused.status_code == 429
        assert "no more are allowed. Revoke one" in text(refused)
        assert 'value="two"' in text(refused)
        with pytest.raises(CommandError, match="no more are allowed"):
            call_command("apikey", writer.username)
        ApiKey.objects.all().revoke()
        issue_key(writer, "two")
