"""Writing into the editor of a text."""

from __future__ import annotations

from playwright.sync_api import Page, expect

TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def write_text(page: Page, text: str) -> None:
    """Replace the text in the editor, once that has drawn all of it: Playwright selects what is in the page."""
    expect(page.locator("#editor-view .cm-content")).to_be_visible()
    page.evaluate(TWO_FRAMES)
    page.get_by_label("Text (Markdown)").fill(text)


def wait_for_answer(page: Page) -> None:
    """Wait until no request of the page is under way, and what came back is in the page."""
    page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")
