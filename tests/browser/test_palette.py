"""The command palette: every action of a page by keyboard, and articles by title."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.browser import stages
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread
from tests.factories import UserFactory, make_article

make_article_in_thread = in_thread(make_article)


def test_an_action_of_the_page_is_found_and_run_by_keyboard(page: Page, writer: User) -> None:
    page.goto(stages.finished(writer).get_absolute_url())
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search commands and articles")
    expect(field).to_be_focused()
    for name in ("Edit text", "Word (DOCX)", "Revisions", "Write again …", "Delete …", "Copy as Markdown"):
        expect(page.get_by_role("option", name=name)).to_be_visible()
    field.press_sequentially("delet")
    expect(page.get_by_role("option")).to_have_count(1)
    expect(field).to_have_attribute("aria-activedescendant", page.get_by_role("option").get_attribute("id") or "")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("cannot be undone")


def test_tabs_and_sections_are_places(page: Page, writer: User) -> None:
    page.goto(stages.finished(writer).get_absolute_url())
    for words, panel in (("sources", "Sources"), ("choosing a site", "Article")):
        page.keyboard.press("Control+k")
        page.keyboard.type(words)
        expect(page.get_by_role("option").first).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_role("tabpanel", name=panel)).to_be_visible()
    expect(page.get_by_role("heading", name="Choosing a site")).to_be_in_viewport()


def test_the_editor_lists_its_actions_and_not_what_the_preview_links_to(page: Page, writer: User) -> None:
    page.goto(f"{stages.finished(writer).get_absolute_url()}text/")
    expect(page.locator("#preview .footnote-ref").first).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Save and close")).to_be_visible()
    expect(page.locator("#palette [role=option]", has_text="Reference")).to_have_count(0)


def test_an_article_is_opened_by_its_title_and_those_of_others_are_not_listed(page: Page, writer: User) -> None:
    mine = make_article_in_thread(writer, topic="Rain barrels compared")
    make_article_in_thread(in_thread(UserFactory.create)(), topic="Rain in other people’s gardens")
    page.goto("/articles/new/")
    page.keyboard.press("Control+k")
    page.keyboard.type("rain")
    expect(page.locator("#palette [role=option]:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{mine.get_absolute_url()}")


def test_escape_closes_it_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/")
    button = page.get_by_role("button", name="Search commands and articles")
    button.click()
    page.keyboard.type("nothing like it")
    expect(page.get_by_text("Nothing found.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(page: Page, writer: User, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(stages.finished(writer).get_absolute_url())
    page.get_by_role("button", name="Search commands and articles").click()
    expect(page.locator("#palette-articles [role=option]")).to_have_count(1)
    assert accessibility_problems(page) == []
