"""A session that ends while a page is open: typed text is kept, and work continues after signing in on the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Route, expect

from agents.contract import SectionText
from articles.models import Article, Status
from articles.services import cancel_run
from tests.browser import stages
from tests.browser.conftest import accessibility_problems
from tests.browser.editing import write_text
from tests.browser.threads import in_thread
from tests.browser.watching import watch
from tests.factories import PASSWORD, UserFactory, make_article
from tests.outlines import make_waiting_article

make_article_in_thread = in_thread(make_article)
make_waiting_article_in_thread = in_thread(make_waiting_article)


@pytest.fixture(autouse=True)
def refused_requests(expected_problems: list[str]) -> None:
    expected_problems += ["401", "403"]


@in_thread
def end_sessions() -> None:
    Session.objects.all().delete()


def sign_in(page: Page, password: str = PASSWORD) -> None:
    dialog = page.get_by_role("dialog", name="Sign in to continue")
    expect(dialog.get_by_label("Password")).to_be_focused()
    expect(dialog.get_by_label("Username")).to_have_value("ada")
    dialog.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def sign_in_from_the_bar(page: Page) -> None:
    """Open the dialog from the bar that says the session has ended, and sign in."""
    page.get_by_role("button", name="Sign in to continue").click()
    sign_in(page)


def change_user_in_another_tab(page: Page, username: str) -> None:
    other = page.context.new_page()
    other.goto("/")
    other.get_by_label("Account of ada").click()
    other.get_by_role("button", name="Sign out").click()
    other.get_by_label("Username").fill(username)
    other.get_by_label("Password").fill(PASSWORD)
    other.keyboard.press("Enter")
    expect(other.get_by_role("heading", name="Articles")).to_be_visible()


def begin_brief(page: Page) -> None:
    page.goto("/articles/new/")
    page.get_by_label("Topic").fill("Rooftops of our city")


class TestTheBrief:
    def test_it_is_kept_and_sent_after_signing_in(self, page: Page, tmp_path: Path) -> None:
        document = tmp_path / "survey.txt"
        document.write_text("The council surveyed 312 flat roofs.")
        begin_brief(page)
        page.get_by_label("Documents", exact=True).set_input_files(document)
        page.get_by_label("Pasted text", exact=True).fill("Roofs are flat.")
        end_sessions()
        page.get_by_role("button", name="Write article").click()
        expect(page.get_by_role("dialog")).to_contain_text("What you typed is still here")
        assert accessibility_problems(page) == []
        sign_in(page, "not my password")
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("correct username and password")
        sign_in(page)
        expect(page.get_by_role("heading", name="Rooftops of our city")).to_be_visible()
        assert [source.type for source in Article.objects.get().sources.all()] == ["text", "document"]

    def test_signing_in_later_keeps_the_form(self, page: Page) -> None:
        begin_brief(page)
        end_sessions()
        page.get_by_role("button", name="Write article").click()
        page.get_by_role("button", name="Not now").click()
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page.locator("#signed-out")).to_be_visible()
        expect(page.get_by_role("button", name="Write article")).to_be_enabled()
        expect(page.get_by_label("Topic")).to_have_value("Rooftops of our city")
        sign_in_from_the_bar(page)
        expect(page.locator("#signed-out")).to_be_hidden()
        expect(page.get_by_label("Topic")).to_have_value("Rooftops of our city")
        assert not Article.objects.exists()
        page.get_by_role("button", name="Write article").click()
        expect(page.get_by_role("heading", name="Rooftops of our city")).to_be_visible()


class TestTheEditor:
    def test_the_text_is_kept_and_saved_after_signing_in(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(f"{article.get_absolute_url()}text/")
        text = page.get_by_label("Text (Markdown)")
        write_text(page, "My careful words.")
        expect(page.locator("#preview")).to_contain_text("My careful words.")
        end_sessions()
        text.press("Control+s")
        sign_in(page)
        expect(page.get_by_text("Saved as revision 2: 3 words.")).to_be_visible()
        expect(page.locator("#id_content")).to_have_value("My careful words.")
        article.refresh_from_db()
        assert article.content == "My careful words."

    def test_the_preview_never_shows_the_sign_in_page_or_takes_the_focus(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(f"{article.get_absolute_url()}text/")
        text = page.get_by_label("Text (Markdown)")
        write_text(page, "Written before. ")
        expect(page.locator("#preview")).to_contain_text("Written before.")
        end_sessions()
        text.press("End")
        page.keyboard.type("Typed on.")
        expect(page.locator("#signed-out")).to_be_visible()
        expect(text).to_be_focused()
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.keyboard.type(" And on.")
        expect(page.locator("#id_content")).to_have_value("Written before. Typed on. And on.")
        expect(page.locator("#preview")).not_to_contain_text("Username")
        assert accessibility_problems(page) == []
        sign_in_from_the_bar(page)
        expect(page.locator("#preview")).to_contain_text("And on.")
        expect(page.locator("#signed-out")).to_be_hidden()


class TestTheOutline:
    def test_changes_are_kept_and_approved_after_signing_in(self, page: Page, writer: User) -> None:
        article = make_waiting_article_in_thread(writer)
        page.goto(f"/articles/{article.pk}/outline/")
        page.get_by_role("button", name="Move section 1 down").click()
        page.get_by_label("Title").fill("What I typed for an hour")
        end_sessions()
        page.get_by_role("button", name="Approve and write").click()
        sign_in(page)
        expect(page.locator("#messages")).to_contain_text("Outline approved: 4 sections")
        article.refresh_from_db()
        assert article.outline is not None
        assert article.outline["title"] == "What I typed for an hour"


class TestTheList:
    def test_polling_stops_quietly_and_resumes(self, page: Page, writer: User) -> None:
        article = make_article_in_thread(writer, topic="Rain barrels compared")
        page.goto("/")
        row = page.locator(f"#row-{article.pk}")
        expect(row).to_contain_text("Waiting")
        end_sessions()
        expect(page.locator("#signed-out")).to_be_visible(timeout=9000)
        expect(row).to_be_visible()
        expect(page.get_by_role("dialog")).to_be_hidden()
        in_thread(cancel_run)(article=article, by=writer)
        sign_in_from_the_bar(page)
        expect(row).to_contain_text("Cancelled")


class TestTheArticle:
    def test_a_watched_article_is_followed_again_after_signing_in(self, page: Page, writer: User) -> None:
        article, held = stages.outlined(writer)
        watch(page, article)
        end_sessions()
        expect(page.locator("#signed-out")).to_be_visible(timeout=20000)
        sign_in_from_the_bar(page)
        stages.finish(held, "write:1", SectionText(markdown="Written since."))
        expect(page.locator("#section-1")).to_contain_text("Written since.")

    def test_an_action_is_done_after_signing_in(self, page: Page, writer: User) -> None:
        article, _ = stages.outlined(writer)
        page.goto(article.get_absolute_url())
        end_sessions()
        page.get_by_role("button", name="Cancel").click()
        sign_in(page)
        expect(page.locator("[data-status=cancelled]")).to_be_visible()
        article.refresh_from_db()
        assert article.status == Status.CANCELLED


class TestOutdatedFormTokens:
    def test_a_page_opened_before_signing_in_again_elsewhere_still_saves(self, page: Page, writer: User) -> None:
        page.goto("/account/keys/")
        change_user_in_another_tab(page, "ada")
        page.get_by_label("Name").fill("Newsletter")
        page.get_by_role("button", name="Create key").click()
        expect(page.locator("#new-key")).to_be_visible()

    def test_somebody_else_signed_in_elsewhere_is_not_mistaken_for_the_user(self, page: Page, writer: User) -> None:
        UserFactory.create(username="grace")
        begin_brief(page)
        change_user_in_another_tab(page, "grace")
        page.get_by_role("button", name="Write article").click()
        sign_in(page)
        expect(page.get_by_role("heading", name="Rooftops of our city")).to_be_visible()
        assert Article.objects.get().owner == writer


class TestFailures:
    """Every failed request says so, and the button can be pressed again."""

    @pytest.mark.parametrize(
        ("status", "message"),
        [
            (400, "could not read this request"),
            (403, "don’t have permission"),
            (413, "too large to send"),
            (500, "Something went wrong"),
            (503, "busy"),
        ],
    )
    def test_a_refused_brief_says_why(
        self, page: Page, expected_problems: list[str], status: int, message: str
    ) -> None:
        expected_problems.append(str(status))
        begin_brief(page)
        page.route("**/articles/new/", lambda route: route.fulfill(status=status, body="<h1>No</h1>"))
        page.get_by_role("button", name="Write article").click()
        expect(page.locator("#toast")).to_contain_text(message)
        expect(page.locator("#toast")).to_contain_text("Nothing you typed is lost.")
        expect(page.get_by_role("button", name="Write article")).to_be_enabled()
        expect(page.get_by_label("Topic")).to_have_value("Rooftops of our city")
        page.locator("#toast").get_by_role("button", name="Close").click()
        expect(page.locator("#toast")).to_be_empty()

    def test_the_editor_reports_a_server_that_cannot_be_reached(
        self, page: Page, writer: User, expected_problems: list[str]
    ) -> None:
        expected_problems += ["ERR_", "htmx:"]
        article = stages.finished(writer)
        page.goto(f"{article.get_absolute_url()}text/")
        write_text(page, "My careful words.")
        page.route("**/text/**", lambda route: route.abort())
        page.get_by_role("button", name="Save and close").click()
        expect(page.locator("#toast")).to_contain_text("The studio cannot be reached")
        expect(page.get_by_role("button", name="Save and close")).to_be_enabled()
        expect(page.locator("#id_content")).to_have_value("My careful words.")

    def test_the_editor_reports_a_server_that_does_not_answer_in_time(
        self, page: Page, writer: User, expected_problems: list[str]
    ) -> None:
        expected_problems += ["htmx:"]
        article = stages.finished(writer)
        page.goto(f"{article.get_absolute_url()}text/")
        write_text(page, "My careful words.")
        page.route("**/text/", lambda route: None)
        page.evaluate("() => (htmx.config.timeout = 300)")
        page.get_by_role("button", name="Save and close").click()
        expect(page.locator("#toast")).to_contain_text("The studio takes too long to answer.")
        expect(page.get_by_role("button", name="Save and close")).to_be_enabled()
        expect(page.locator("#id_content")).to_have_value("My careful words.")

    def test_polling_reports_a_failure_once(self, page: Page, writer: User, expected_problems: list[str]) -> None:
        expected_problems += ["500"]
        make_article_in_thread(writer)
        page.goto("/")
        answers = []

        def fail(route: Route) -> None:
            answers.append(route.request.url)
            route.fulfill(status=500, body="")

        page.route("**/?*", fail)
        expect(page.locator("#toast")).to_contain_text("Something went wrong", timeout=9000)
        page.locator("#toast").get_by_role("button", name="Close").click()
        while len(answers) < 2:
            page.wait_for_timeout(250)
        expect(page.locator("#toast")).to_be_empty()
