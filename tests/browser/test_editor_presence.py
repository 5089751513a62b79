"""Two people in the editor of one text see each other, and that one of them has saved."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from articles.models import Article
from articles.services import save_text
from tests.browser import stages
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread
from tests.factories import StaffFactory
from tests.signed_in import sign_in


@pytest.fixture
def article(writer: User) -> Article:
    return stages.finished(writer)


@pytest.fixture
def graces_page(context: BrowserContext, site: str) -> Iterator[Page]:
    """A page in a browser in which somebody else is signed in, who may change all articles."""
    client = Client()
    sign_in(client, StaffFactory.create(username="grace"))
    assert context.browser is not None
    other = context.browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    other.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    yield other.new_page()
    other.close()


def test_they_see_in_which_section_the_other_is(page: Page, graces_page: Page, article: Article) -> None:
    editor = f"{article.get_absolute_url()}text/"
    page.goto(editor)
    graces_page.goto(editor)
    expect(page.locator("#editors")).to_contain_text("grace is at the beginning")
    expect(graces_page.locator("#editors")).to_contain_text("ada is at the beginning")
    expect(page.locator("#editor-live")).to_have_text("grace is editing this text, too.")
    outline = graces_page.get_by_role("navigation", name="Outline")
    outline.get_by_role("button", name="Choosing a site").click()
    expect(page.locator("#editors")).to_contain_text("grace is in “Choosing a site”")
    assert accessibility_problems(page) == []
    graces_page.close()
    expect(page.locator("#editors")).to_be_hidden()


def test_a_saved_text_is_announced_and_merged(page: Page, graces_page: Page, article: Article) -> None:
    editor = f"{article.get_absolute_url()}text/"
    page.goto(editor)
    expect(page.locator("#editor-view")).to_be_visible()
    graces_page.goto(editor)
    expect(page.locator("#editors")).to_contain_text("grace")
    graces_page.get_by_label("Title").fill("Grace's title")
    graces_page.keyboard.press("Control+s")
    expect(page.locator("#newer")).to_contain_text("grace has saved revision 2.")
    link = page.get_by_role("link", name="See what they changed")
    expect(link).to_have_attribute("href", re.compile(r"/revisions/compare/\?before=1&after=2$"))
    page.get_by_label("Text (Markdown)").press("Control+End")
    page.keyboard.type("Mine.")
    page.get_by_role("button", name="Save and close").click()
    expect(page.get_by_role("heading", name="Grace's title")).to_be_visible()
    expect(page.locator("#messages")).to_contain_text("merged with revision 2 by grace: 1 change taken over.")


def test_an_old_draft_says_that_the_text_was_saved_since(page: Page, article: Article) -> None:
    page.goto(f"{article.get_absolute_url()}text/")
    page.get_by_label("Title").fill("My title")
    expect(page.locator("#draft-status")).to_contain_text("Draft saved")
    page.goto("/")
    other = StaffFactory.create(username="grace")
    in_thread(save_text)(article=article, by=other, title="Hers", content=article.content, opened_at=1)
    page.goto(f"{article.get_absolute_url()}text/")
    expect(page.locator("#newer")).to_contain_text("grace has saved revision 2.")
