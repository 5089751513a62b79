"""The page that shades a text by who wrote its sentences."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from articles.services import save_text
from tests.browser import stages
from tests.browser.conftest import accessibility_problems


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits(page: Page, writer: User, scheme: str) -> None:
    article = stages.finished(writer)
    text = article.content.replace("fourth summer", "third summer").replace("\n\n##", "\n\nI saw it myself.\n\n##", 1)
    save_text(article=article, by=writer, title=article.title, content=text, opened_at=1)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(article.get_absolute_url())
    page.get_by_role("link", name="Who wrote what").click()
    expect(page.get_by_role("heading", name="Who wrote what")).to_be_visible()
    expect(page.locator(".prose .is-person")).to_have_text(["I saw it myself."])
    expect(page.locator(".prose .is-crew_edited")).to_contain_text(["third summer"])
    assert accessibility_problems(page, colours_only=scheme == "dark") == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
