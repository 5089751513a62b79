"""Every page as its owner, another user and anonymously; the list with its filters; actions on an article."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from agents.exceptions import FailureCode
from articles.models import ApiKey, Article, Status
from articles.runs.journal import fail_run
from tests.articles.test_pages_brief import brief
from tests.factories import (
    PASSWORD,
    StaffFactory,
    UserFactory,
    claim,
    make_article,
    make_completed_article,
    make_processing_article,
)

pytestmark = pytest.mark.django_db

READ_ONLY = ["write_again", "article_detail", "article_live", "delete_article", "text_edit", "revision_list"]
ACTIONS = ["cancel_run", "retry_run", "write_again", "delete_article", "text_edit", "text_preview"]


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


class TestWhoMayCome:
    @pytest.mark.parametrize("name", ["article_list", "article_new", "api_keys", "account_change_password"])
    def test_a_stranger_is_sent_to_the_sign_in_page(self, client: Client, name: str) -> None:
        response = client.get(reverse(name))
        assert response.status_code == 302
        assert response["Location"] == f"/sign-in/?next={reverse(name)}"

    @pytest.mark.parametrize("name", READ_ONLY)
    def test_a_stranger_sees_no_article(self, client: Client, writer: User, name: str) -> None:
        article = make_completed_article(writer)
        assert client.get(reverse(name, args=[article.pk])).status_code == 302

    @pytest.mark.parametrize("name", READ_ONLY)
    def test_an_owner_sees_each_page_of_an_article(self, page: Client, writer: User, name: str) -> None:
        article = make_completed_article(writer)
        assert page.get(reverse(name, args=[article.pk])).status_code == 200

    @pytest.mark.parametrize("name", READ_ONLY)
    def test_another_users_article_does_not_exist(self, page: Client, name: str) -> None:
        article = make_completed_article(UserFactory.create())
        assert page.get(reverse(name, args=[article.pk])).status_code == 404

    @pytest.mark.parametrize("name", ACTIONS)
    def test_another_users_article_cannot_be_changed(self, page: Client, name: str) -> None:
        article = make_completed_article(UserFactory.create())
        assert page.post(reverse(name, args=[article.pk])).status_code == 404

    @pytest.mark.parametrize("name", ["cancel_run", "retry_run", "text_preview"])
    def test_an_action_is_not_done_by_following_a_link(self, page: Client, writer: User, name: str) -> None:
        assert page.get(reverse(name, args=[make_article(writer).pk])).status_code == 405

    def test_staff_with_the_permission_may_read_and_not_change(self, client: Client, writer: User) -> None:
        editor = UserFactory.create(is_staff=True)
        editor.user_permissions.add(Permission.objects.get(codename="view_article"))
        client.force_login(editor)
        article = make_completed_article(writer)
        assert client.get(article.get_absolute_url()).status_code == 200
        response = client.post(reverse("write_again", args=[article.pk]))
        assert response.status_code == 403
        assert "someone else" in response.content.decode()

    def test_a_superuser_may_change_any_article(self, client: Client, writer: User) -> None:
        client.force_login(StaffFactory.create())
        article = make_completed_article(writer)
        client.post(reverse("delete_article", args=[article.pk]))
        assert not Article.objects.exists()

    @pytest.mark.parametrize("number", [0, 2**63, 10**30])
    def test_a_number_no_article_has_is_not_found(self, page: Client, number: int) -> None:
        response = page.get(f"/articles/{number}/")
        assert response.status_code == 404
        assert "Page not found" in response.content.decode()

    def test_a_form_of_another_site_is_refused_in_words(self, writer: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(writer)
        response = client.post(reverse("write_again", args=[make_article(writer).pk]))
        assert response.status_code == 403
        assert "This page has expired" in response.content.decode()


class TestSigningIn:
    def test_it_lets_in_by_name_and_password(self, client: Client, writer: User) -> None:
        response = client.post("/sign-in/", {"username": "ada", "password": PASSWORD})
        assert response["Location"] == "/"

    def test_it_says_when_they_are_wrong(self, client: Client, writer: User) -> None:
        assert "correct username and password" in text_of(
            client.post("/sign-in/", {"username": "ada", "password": "x"})
        )

    def test_it_tells_where_the_first_login_is(self, client: Client) -> None:
        assert "var/first-login.txt" in text_of(client.get("/sign-in/"))

    def test_signing_out_needs_a_form(self, page: Client) -> None:
        assert "Sign out of Content Studio in this browser?" in text_of(page.get("/sign-out/"))
        assert page.get("/").status_code == 200
        assert page.post("/sign-out/")["Location"] == "/sign-in/"

    def test_a_password_is_changed(self, page: Client, writer: User) -> None:
        new = "a wholly different battery"
        fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
        assert "Password changed" in text_of(page.post("/account/password/", fields, follow=True))


class TestTheList:
    def test_it_invites_to_write_the_first_article(self, page: Client) -> None:
        assert "Write your first article" in text_of(page.get("/"))

    def test_it_shows_the_users_own_articles_only(self, page: Client, writer: User) -> None:
        make_article(writer, topic="Rain barrels compared")
        make_article(UserFactory.create(), topic="Secret plans of others")
        shown = text_of(page.get("/"))
        assert "Rain barrels compared" in shown
        assert "Secret plans" not in shown

    def test_it_finds_by_words_in_any_order(self, page: Client, writer: User) -> None:
        make_article(writer, topic="Rain barrels compared")
        make_article(writer, topic="Soil that lasts")
        shown = text_of(page.get("/", {"q": "compared rain"}))
        assert "Rain barrels compared" in shown
        assert "Soil that lasts" not in shown
        assert "1 of 2 articles" in shown

    def test_it_filters_by_status(self, page: Client, writer: User) -> None:
        make_article(writer, topic="Waiting for its turn")
        make_completed_article(writer, topic="Done and dusted")
        shown = text_of(page.get("/", {"status": Status.COMPLETED}))
        assert "Done and dusted" in shown
        assert "Waiting for its turn" not in shown

    def test_it_orders_by_title(self, page: Client, writer: User) -> None:
        for topic in ("Middle of the road", "A beginning", "Zebras at last"):
            make_article(writer, topic=topic)
        shown = text_of(page.get("/", {"order": "title"}))
        assert shown.index("A beginning") < shown.index("Middle of the road") < shown.index("Zebras at last")

    @pytest.mark.parametrize(
        "query", [{"status": "nonsense"}, {"order": "x"}, {"page": "-4"}, {"q": "\0"}, {"page": "9" * 40}]
    )
    def test_a_filter_it_does_not_know_counts_as_none(self, page: Client, writer: User, query: dict[str, str]) -> None:
        make_article(writer, topic="Rain barrels compared")
        assert "Rain barrels compared" in text_of(page.get("/", query))

    def test_it_says_when_nothing_matches(self, page: Client, writer: User) -> None:
        make_article(writer)
        reasons = [
            ({"q": "unheard of"}, "No title or topic contains “unheard of”."),
            ({"status": "failed"}, "No article has this status."),
            (
                {"q": "unheard of", "status": "failed"},
                "No article with this status has “unheard of” in its title or topic.",
            ),
        ]
        for filters, reason in reasons:
            shown = text_of(page.get("/", filters))
            assert "No articles found" in shown
            assert f"<p>{reason}</p>" in shown

    def test_it_has_pages_that_keep_the_filters(self, page: Client, writer: User) -> None:
        for number in range(21):
            make_article(writer, topic=f"Article number {number:02}")
        first = text_of(page.get("/", {"q": "article", "order": "oldest"}))
        assert "Article number 19" in first
        assert "Article number 20" not in first
        assert "q=article&amp;order=oldest&amp;page=2" in first
        assert "Article number 20" in text_of(page.get("/", {"q": "article", "order": "oldest", "page": "2"}))

    def test_it_looks_again_only_while_something_runs(self, page: Client, writer: User) -> None:
        make_completed_article(writer)
        assert "every 4s" not in text_of(page.get("/"))
        make_article(writer)
        assert "every 4s" in text_of(page.get("/"))

    def test_htmx_gets_the_results_alone(self, page: Client, writer: User) -> None:
        make_article(writer)
        shown = text_of(page.get("/", headers={"HX-Request": "true"}))
        assert shown.startswith('<div id="results"')
        restored = page.get("/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
        assert "<html" in text_of(restored)

    def test_a_page_of_articles_takes_few_queries(
        self, page: Client, writer: User, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            make_completed_article(writer)
        with django_assert_max_num_queries(7):
            page.get("/")


class TestActions:
    def test_a_run_is_cancelled(self, page: Client, writer: User) -> None:
        article, _ = make_processing_article(writer)
        shown = text_of(page.post(reverse("cancel_run", args=[article.pk]), follow=True))
        assert "Cancelled by ada" in shown
        assert "Continue writing" in shown

    def test_a_failed_run_says_why_and_goes_on(self, page: Client, writer: User) -> None:
        article, held = make_processing_article(writer)
        fail_run(held, "The model key is invalid (401). Check OPENAI_API_KEY.", FailureCode.MODEL_AUTH)
        assert "Check OPENAI_API_KEY" in text_of(page.get(article.get_absolute_url()))
        page.post(reverse("retry_run", args=[article.pk]))
        article.refresh_from_db()
        assert article.status == Status.PENDING

    def test_a_finished_article_is_written_again(self, page: Client, writer: User) -> None:
        article = make_completed_article(writer)
        assert "The current text stays" in text_of(page.get(reverse("write_again", args=[article.pk])))
        assert article.runs.count() == 1, "looking at the brief starts nothing"
        shown = text_of(page.post(reverse("write_again", args=[article.pk]), brief(), follow=True))
        assert "A new text is being written" in shown
        assert article.runs.count() == 2

    @pytest.mark.parametrize(
        ("action", "reason"),
        [
            ("cancel_run", "nothing to cancel"),
            ("retry_run", "Only a failed, paused or cancelled article can be continued."),
        ],
    )
    def test_a_refused_action_shows_its_reason(self, page: Client, writer: User, action: str, reason: str) -> None:
        article = make_completed_article(writer)
        assert reason in text_of(page.post(reverse(action, args=[article.pk]), follow=True))

    def test_an_article_being_written_is_not_written_twice(self, page: Client, writer: User) -> None:
        article = make_article(writer)
        assert "is being written" in text_of(page.get(reverse("write_again", args=[article.pk]), follow=True))
        assert "Nothing was lost." in text_of(page.post(reverse("write_again", args=[article.pk]), brief()))
        assert article.runs.count() == 1

    def test_deleting_asks_first(self, page: Client, writer: User) -> None:
        article = make_article(writer)
        claim(article)
        assert "cannot be undone" in text_of(page.get(reverse("delete_article", args=[article.pk])))
        assert Article.objects.exists()
        assert "was deleted" in text_of(page.post(reverse("delete_article", args=[article.pk]), follow=True))
        assert not Article.objects.exists()


class TestApiKeys:
    def test_a_key_is_shown_once(self, page: Client, writer: User) -> None:
        made = text_of(page.post("/account/keys/", {"name": "Newsletter"}))
        row = ApiKey.objects.get(user=writer)
        assert row.hint in made
        key = made.partition('id="key-text">')[2].partition("<")[0]
        assert ApiKey.objects.match(key) == row
        assert key not in text_of(page.get("/account/keys/"))

    def test_a_key_is_revoked(self, page: Client, writer: User) -> None:
        row, key = ApiKey.objects.issue(writer, "Newsletter")
        assert "is revoked" in text_of(page.post(reverse("revoke_api_key", args=[row.pk]), follow=True))
        assert ApiKey.objects.match(key) is None
        assert "is revoked" not in text_of(page.post(reverse("revoke_api_key", args=[row.pk]), follow=True))

    def test_another_users_key_is_not_revoked(self, page: Client) -> None:
        row, key = ApiKey.objects.issue(UserFactory.create(), "Theirs")
        assert page.post(reverse("revoke_api_key", args=[row.pk])).status_code == 404
        assert ApiKey.objects.match(key) == row

    def test_a_key_needs_a_name(self, page: Client) -> None:
        assert "Enter a name." in text_of(page.post("/account/keys/", {"name": " "}))
        assert not ApiKey.objects.exists()
