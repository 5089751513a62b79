"""What is typed into the editor survives whatever happens to the page, the session and the server."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Dialog, Page, expect

from articles.models import Article, UnsavedText
from articles.services import save_text
from tests.browser import stages
from tests.browser.conftest import accessibility_problems
from tests.browser.editing import write_text
from tests.browser.threads import in_thread
from tests.factories import PASSWORD, UserFactory


@pytest.fixture
def article(writer: User) -> Article:
    return stages.finished(writer)


def open_editor(page: Page, article: Article) -> None:
    page.goto(f"{article.get_absolute_url()}text/")


def type_text(page: Page, text: str) -> None:
    write_text(page, text)


def expect_text(page: Page, text: str) -> None:
    expect(page.locator("#id_content")).to_have_value(text)


def expect_stored(page: Page) -> None:
    # It is stored up to 5 s after a key, and tried again after as long.
    expect(page.locator("#draft-status")).to_contain_text("Draft saved", timeout=20_000)


@in_thread
def stored_texts() -> list[str]:
    return list(UnsavedText.objects.values_list("content", flat=True))


def dialogs_of(page: Page) -> list[str]:
    """The types of the dialogs that the page opens from now on. Each is accepted."""
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    return asked


def test_it_is_stored_on_the_server_and_restored(page: Page, article: Article) -> None:
    open_editor(page, article)
    type_text(page, "Typed before the laptop was closed.")
    expect(page.locator("#draft-status")).to_have_text("Unsaved changes")
    expect_stored(page)
    assert stored_texts() == ["Typed before the laptop was closed."]
    page.evaluate("() => localStorage.clear()")  # another browser
    page.reload()
    expect_text(page, "Typed before the laptop was closed.")
    expect(page.locator("#restored")).to_be_visible()
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="Discard them").click()
    expect(page.locator("#restored")).to_be_hidden()
    expect_text(page, article.content)
    assert stored_texts() == []


def test_it_is_kept_in_the_browser_while_the_server_is_down(
    page: Page, article: Article, expected_problems: list[str]
) -> None:
    expected_problems += ["ERR_", "htmx:"]
    open_editor(page, article)
    page.context.set_offline(True)  # also for what a page sends while it is closed
    type_text(page, "Typed while the server was down.")
    expect(page.locator("#draft-status")).to_have_text("Not on the server. Kept in this browser.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("The studio cannot be reached")
    later = page.context.new_page()
    page.close()
    later.context.set_offline(False)
    open_editor(later, article)
    expect_text(later, "Typed while the server was down.")
    expect(later.locator("#restored")).to_be_visible()
    expect_stored(later)
    assert stored_texts() == ["Typed while the server was down."]
    assert later.evaluate("() => Object.keys(localStorage).filter((name) => name.startsWith('studio-text'))") == []


def test_it_is_stored_as_soon_as_the_server_is_back(page: Page, article: Article, expected_problems: list[str]) -> None:
    expected_problems += ["ERR_", "htmx:"]
    open_editor(page, article)
    page.route("**/text/**", lambda route: route.abort())
    type_text(page, "Typed meanwhile.")
    expect(page.locator("#draft-status")).to_contain_text("Kept in this browser")
    page.unroute("**/text/**")
    expect_stored(page)
    assert stored_texts() == ["Typed meanwhile."]


def test_it_is_stored_after_signing_in_again(page: Page, article: Article, expected_problems: list[str]) -> None:
    expected_problems += ["401", "403"]
    open_editor(page, article)
    in_thread(Session.objects.all().delete)()
    type_text(page, "Typed after the session had ended.")
    expect(page.locator("#draft-status")).to_have_text("Not on the server. Kept in this browser.")
    page.get_by_role("button", name="Sign in to continue").click()
    expect(page.get_by_role("dialog").get_by_label("Password")).to_be_focused()
    page.get_by_role("dialog").get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect_stored(page)
    assert stored_texts() == ["Typed after the session had ended."]


def test_two_tabs_do_not_overwrite_each_other(page: Page, article: Article, expected_problems: list[str]) -> None:
    expected_problems += ["409"]
    open_editor(page, article)
    other = page.context.new_page()
    open_editor(other, article)
    type_text(page, "Of the first tab.")
    expect_stored(page)
    type_text(other, "Of the second tab.")
    expect(other.locator("#elsewhere")).to_be_visible()
    expect(other.locator("#draft-status")).to_have_text("Not on the server. Kept in this browser.")
    assert stored_texts() == ["Of the first tab."]
    assert accessibility_problems(other) == []
    other.get_by_role("button", name="Use those changes here").click()
    expect_text(other, "Of the first tab.")
    expect(other.locator("#elsewhere")).to_be_hidden()
    type_text(page, "Of the first tab, again.")
    expect(page.locator("#draft-status")).to_have_text("Unsaved changes")
    expect_stored(page)
    type_text(other, "Of the second tab.")
    other.get_by_role("button", name="Continue with the text below").click()
    expect_stored(other)
    assert stored_texts() == ["Of the second tab."]


def test_it_is_stored_after_a_conflict_too(page: Page, article: Article) -> None:
    open_editor(page, article)
    type_text(page, "Mine.")
    other = UserFactory.create(username="grace")
    in_thread(save_text)(article=article, by=other, title=article.title, content="Theirs.", opened_at=1)
    page.get_by_role("button", name="Save and close").click()
    expect(page.locator("#conflict")).to_be_visible()
    type_text(page, "Mine, after the conflict.")
    expect(page.locator("#draft-status")).to_have_text("Unsaved changes")
    expect_stored(page)
    assert stored_texts() == ["Mine, after the conflict."]


def test_a_saved_text_leaves_no_draft(page: Page, article: Article) -> None:
    open_editor(page, article)
    type_text(page, "Mine.")
    expect_stored(page)
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as revision 2")).to_be_visible()
    expect(page.locator("#restored")).to_be_hidden()
    assert stored_texts() == []
    assert page.evaluate("() => Object.keys(localStorage).filter((name) => name.startsWith('studio-text'))") == []


def test_leaving_does_not_ask_and_loses_nothing(page: Page, article: Article) -> None:
    asked = dialogs_of(page)
    open_editor(page, article)
    type_text(page, "Typed, and left at once.")
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_role("tab", name="Article")).to_be_visible()
    page.reload()  # the draft was on its way when the page was left
    expect(page.locator("#unsaved")).to_contain_text("You have unsaved changes to this text.")
    page.get_by_role("link", name="Continue editing").click()
    expect_text(page, "Typed, and left at once.")
    assert asked == []


def test_leaving_asks_if_neither_server_nor_browser_keeps_it(page: Page, article: Article) -> None:
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }")
    asked = dialogs_of(page)
    open_editor(page, article)
    page.get_by_label("Text (Markdown)").press_sequentially("More. ")
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_role("tab", name="Article")).to_be_visible()
    assert asked == ["beforeunload"]


def test_a_page_that_the_browser_had_kept_is_loaded_again(page: Page, article: Article) -> None:
    open_editor(page, article)
    with page.expect_navigation():
        page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    type_text(page, "Typed after going back.")
    expect_stored(page)


def test_signing_out_leaves_nothing_in_the_browser(page: Page, article: Article) -> None:
    open_editor(page, article)
    type_text(page, "Mine.")
    expect_stored(page)
    page.get_by_label("Account of ada").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Username")).to_be_visible()
    assert page.evaluate("() => Object.keys(localStorage).filter((name) => name.startsWith('studio-text'))") == []
