"""Revisions in the browser: comparing, going from change to change, restoring a sentence, names."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from articles.models import Article
from articles.services import save_text
from tests.browser import stages
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread

FIRST = "Beds cost 120 euros. They are heavy. Roofs hold them.\n\n## Load\n\nOne ton is too much.\n"
SECOND = FIRST.replace("120", "140").replace("They are heavy. ", "").replace("One ton", "Two tons")


@pytest.fixture
def article(writer: User) -> Article:
    article = stages.finished(writer)
    save = in_thread(save_text)
    save(article=article, by=writer, title="Beds", content=FIRST, opened_at=1)
    save(article=article, by=writer, title="Beds on roofs", content=SECOND, opened_at=2)
    return article


def test_an_older_sentence_is_restored_by_keyboard(page: Page, article: Article) -> None:
    page.goto(f"{article.get_absolute_url()}revisions/")
    expect(page.locator("tbody tr").first).to_contain_text("ada: Title changed, 2 sentences changed, 1 removed")
    page.get_by_role("link", name="with previous of revision 3").click()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    for number in range(1, 4):
        page.keyboard.press("F8")
        expect(page.locator("#change-count")).to_have_text(f"Change {number} of 4")
    expect(page.locator("#change-2")).to_be_focused()
    page.keyboard.press("Shift+F8")
    page.keyboard.press("F8")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Restored the passage of revision 2 (saved as revision 4).")
    expect(page.locator("#change-count")).to_have_text("3 changes")
    article.refresh_from_db()
    assert article.content == SECOND.replace("Roofs hold", "They are heavy. Roofs hold")


def test_side_by_side_is_one_choice_away_and_not_on_a_phone(page: Page, article: Article) -> None:
    page.goto(f"{article.get_absolute_url()}revisions/compare/")
    page.get_by_text("Side by side").click()
    table = page.get_by_role("table", name="Revisions 2 and 3 side by side")
    expect(table).to_be_visible()
    expect(page.locator(".inline-diff")).to_be_hidden()
    page.keyboard.press("F8")
    expect(page.locator("#side-title")).to_be_focused()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(table).to_be_hidden()
    expect(page.locator(".inline-diff")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_revision_is_named(page: Page, article: Article) -> None:
    page.goto(f"{article.get_absolute_url()}revisions/2/")
    page.get_by_text("Name this revision").click()
    page.get_by_label("Name", exact=True).fill("Sent to the client")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Revision 2: Sent to the client")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_its_pages_are_accessible(page: Page, article: Article, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    path = f"{article.get_absolute_url()}revisions/"
    for each in ("", "2/", "compare/", "compare/?view=sides", "compare/?before=1&after=3"):
        page.goto(path + each)
        assert accessibility_problems(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, each
