"""The evidence check in the text and in its panel: links, filters, and live updates."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from articles.services import save_text
from tests.browser import stages, step_outputs
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread
from tests.browser.watching import watch


def test_an_unsupported_sentence_links_to_its_row_and_back(page: Page, writer: User) -> None:
    page.goto(stages.finished(writer).get_absolute_url())
    page.get_by_role("link", name="Not supported by its sources").click()
    expect(page.get_by_role("tabpanel", name="Evidence")).to_be_visible()
    row = page.get_by_role("article", name="Where one of the three is missing")
    expect(row).to_be_in_viewport()
    expect(row).to_contain_text("Not supported")
    row.get_by_role("link", name="Show in the text").click()
    expect(page.get_by_role("tabpanel", name="Article")).to_be_visible()
    expect(page.locator("#a-ev4-2")).to_be_in_viewport()


def test_its_tab_loads_it_once(page: Page, writer: User) -> None:
    article = stages.finished(writer)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/evidence/") else None)
    page.goto(article.get_absolute_url())
    expect(page.get_by_role("tabpanel", name="Article")).to_be_visible()
    assert asked == []
    for name in ("Evidence", "Brief", "Evidence"):
        page.get_by_role("tab", name=name).click()
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
        if name == "Evidence":
            expect(page.locator(".evidence-row:visible")).to_have_count(6)
    assert len(asked) == 1


def test_a_passage_is_opened_among_the_sources(page: Page, writer: User) -> None:
    page.goto(f"{stages.finished(writer).get_absolute_url()}#evidence-2-1")
    row = page.locator("#evidence-2-1")
    row.locator(".evidence-passages summary").click()
    row.get_by_role("link", name="Passage S4").click()
    expect(page.get_by_role("tabpanel", name="Sources")).to_be_visible()
    expect(page.locator("#passage-S4")).to_be_in_viewport()
    expect(page.locator("#passage-S4")).to_contain_text("cited")


def test_rows_are_filtered_by_keyboard(page: Page, writer: User) -> None:
    page.goto(f"{stages.finished(writer).get_absolute_url()}#evidence")
    rows = page.locator(".evidence-row:visible")
    expect(rows).to_have_count(6)
    page.get_by_role("radio", name="All").focus()
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_count(3)
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_count(1)
    expect(page.locator(".evidence-section:visible")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(rows).to_contain_text(["Where one of the three is missing"])


def test_an_empty_filter_result_has_a_message(page: Page, writer: User) -> None:
    article, held = stages.half_written(writer)
    stages.do(held, "edit:evidence:2", step_outputs.checked(2))
    page.goto(f"{article.get_absolute_url()}#evidence")
    expect(page.get_by_text("No sentences in this category.")).to_be_hidden()
    page.get_by_text("Partly", exact=True).click()
    expect(page.get_by_text("No sentences in this category.")).to_be_visible()


def test_rows_come_as_sections_are_checked_and_the_filter_stays(page: Page, writer: User) -> None:
    article, held = stages.half_written(writer)
    watch(page, article)
    page.get_by_role("tab", name="Evidence").click()
    expect(page.locator(".evidence-section")).to_have_count(4)
    expect(page.locator("#evidence-filter")).to_be_hidden()
    stages.do(held, "edit:evidence:4", step_outputs.checked(4))
    expect(page.locator(".evidence-row")).to_have_count(2)
    page.get_by_text("Not supported", exact=True).first.click()
    stages.do(held, "edit:evidence:1", step_outputs.checked(1))
    expect(page.locator("#evidence-summary")).to_contain_text("2 of 4 cited sentences supported so far")
    expect(page.locator(".evidence-row:visible")).to_have_count(1)
    stages.complete(held)
    expect(page.locator("#evidence-summary")).to_contain_text("3 of 5 cited sentences supported")
    expect(page.locator(".evidence-row:visible")).to_have_count(1)
    expect(page.get_by_role("tabpanel", name="Evidence")).to_be_visible()


def test_an_edited_sentence_is_shown_as_changed(page: Page, writer: User) -> None:
    article = stages.finished(writer)
    text = article.content.replace("so ask a structural", "so never ask a structural")
    in_thread(save_text)(article=article, by=writer, title=article.title, content=text, opened_at=1)
    page.goto(f"{article.get_absolute_url()}#evidence")
    expect(page.locator("#evidence-2-1")).to_contain_text("Edited since the check")
    expect(page.locator("#evidence-3-1")).to_contain_text("No longer in the text")
    expect(page.locator("#evidence-summary")).to_contain_text("1 edited since the check")
    page.get_by_role("tab", name="Article").click()
    expect(page.locator("#article-body .doubted.is-edited")).to_have_text([re.compile("so never ask")])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("panel", ["evidence", "article", "sources"])
def test_it_is_accessible_and_fits(page: Page, writer: User, panel: str, scheme: str) -> None:
    article = stages.finished(writer)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{article.get_absolute_url()}#{panel}")
    for summary in page.locator(".panel.is-open details > summary").all():
        summary.click()
    assert accessibility_problems(page, colours_only=scheme == "dark") == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390


def test_without_javascript_it_is_a_page_of_its_own_and_filtered(
    context: BrowserContext, site: str, writer: User
) -> None:
    article = stages.finished(writer)
    plain = context.browser.new_context(base_url=site, java_script_enabled=False)  # type: ignore[union-attr]
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(article.get_absolute_url())
    page.get_by_role("link", name="Where one of the three is missing").click()
    expect(page.locator("#evidence-4-2")).to_be_in_viewport()
    expect(page.locator(".evidence-row:visible")).to_have_count(6)
    page.get_by_text("Not supported", exact=True).first.click()
    expect(page.locator(".evidence-row:visible")).to_have_count(1)
    plain.close()


def test_copied_text_has_no_marks(page: Page, writer: User) -> None:
    page.goto(stages.finished(writer).get_absolute_url())
    text = page.locator("#article-body .prose").inner_text()
    assert "sees a fourth summer." in text
    assert "not supported" not in text.lower()
