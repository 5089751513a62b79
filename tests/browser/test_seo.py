"""The SEO panel in use, and the exported page's head as a browser takes it."""

from __future__ import annotations

import json
from pathlib import Path

from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from articles.exports import export
from articles.exports.download import document_of
from tests.browser import stages, step_outputs
from tests.browser.threads import in_thread

file_of = in_thread(lambda article: export(document_of(article), "html"))


def test_the_structured_data_is_copied_whole(page: Page, context: BrowserContext, writer: User) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    article = stages.finished(writer)
    page.goto(f"/articles/{article.pk}/#seo")
    page.get_by_role("button", name="Copy JSON-LD").click()
    expect(page.locator("#toast")).to_have_text("JSON-LD copied.")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    data = json.loads(copied.removeprefix('<script type="application/ld+json">').removesuffix("</script>"))
    assert data["headline"] == step_outputs.TITLE


def test_what_is_well_is_told_when_asked_for_by_keyboard(page: Page, writer: User) -> None:
    article = stages.finished(writer)
    page.goto(f"/articles/{article.pk}/#seo")
    expect(page.get_by_role("meter", name="SEO score")).to_be_visible()
    expect(page.get_by_text("The longest has")).to_be_hidden()
    page.locator(".good-points summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The longest has")).to_be_visible()


def test_the_exported_pages_own_policy_allows_its_structured_data(page: Page, writer: User, tmp_path: Path) -> None:
    file = tmp_path / "article.html"
    file.write_bytes(file_of(stages.finished(writer)))
    page.goto(file.as_uri())
    data = json.loads(page.locator('script[type="application/ld+json"]').text_content() or "")
    assert data["headline"] == step_outputs.TITLE
