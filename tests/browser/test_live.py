"""Live updates of an article's page, over the socket and by polling."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from agents.contract import SectionText
from agents.costs.usage import Usage
from agents.exceptions import FailureCode
from articles.runs.journal import fail_run
from articles.runs.step_writer import write_changes
from articles.services import cancel_run, delete_article
from tests.browser import stages, step_outputs
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread, send_draft
from tests.browser.watching import KEEP_SOCKETS, was_not_loaded_anew, watch
from tests.factories import step_failed


def test_the_page_follows_the_run(page: Page, writer: User) -> None:
    article, held = stages.researched(writer)
    watch(page, article)
    draft = page.locator("#draft-body")
    expect(draft).to_contain_text("Research comes first")

    stages.finish(held, "outline:plan", step_outputs.plan(), "4 sections")
    expect(draft.get_by_role("heading")).to_have_count(4)
    stages.begin(held, "write:1", "Writing “Why rooftops matter”")
    expect(page.locator("#section-1")).to_contain_text("writing")
    assert page.title().startswith("40 %") or "%" in page.title()

    stages.finish(held, "write:1", SectionText(markdown="Roofs are **flat** [S1]."), "3 words")
    expect(page.locator("#section-1 strong")).to_have_text("flat")
    expect(page.locator("#section-1 sup")).to_have_text("S1")
    expect(page.locator("#log-table")).to_contain_text("3 words")
    for number in (2, 3, 4):
        stages.do(held, f"write:{number}", SectionText(markdown="More."), done="1 word")
    expect(page.locator("#announcement")).to_contain_text("Writing completed")

    stages.complete(held)
    expect(page.locator("[data-status=completed]")).to_be_visible()
    expect(page.get_by_role("tab", name="Article")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#article-body")).to_contain_text("Flat roofs are the largest unused surface")
    expect(page.get_by_role("link", name="Edit text")).to_be_visible()
    assert page.title() == f"{step_outputs.TITLE} – Content Studio"
    assert was_not_loaded_anew(page)
    assert accessibility_problems(page) == []
    numbers = page.locator("#log-table td:first-child").all_text_contents()
    article.refresh_from_db()
    assert numbers == [str(number) for number in range(1, article.last_seq + 1)]


def test_draft_text_is_streamed(page: Page, writer: User) -> None:
    article, _ = stages.outlined(writer)
    watch(page, article)
    box = page.locator('.stream[data-step="write:2"]')
    send_draft(article, "write:2", 0, "Start with ")
    send_draft(article, "write:2", 11, "load. <b>")
    expect(box).to_have_text("Start with load. <b>")
    send_draft(article, "write:2", 300, "too early")
    send_draft(article, "write:2", 0, "Begin with the whole text, sent again")
    expect(box).to_have_text("Begin with the whole text, sent again")
    send_draft(article, "write:9", 0, "a section nobody planned")
    send_draft(article, "write:3", 0, "Beside it.")
    expect(page.locator('.stream[data-step="write:3"]')).to_have_text("Beside it.")


def test_a_streamed_edit_replaces_the_text_it_edits(page: Page, writer: User) -> None:
    article, held = stages.half_written(writer)
    watch(page, article)
    section, old = page.locator("#section-1"), page.locator("#section-1 .prose")
    stages.begin(held, "edit:1", "Revising “Why rooftops matter”")
    expect(section).to_contain_text("editing")
    expect(old).to_be_visible()
    send_draft(article, "edit:1", 0, "Roofs, once more")
    expect(section.locator(".stream")).to_have_text("Roofs, once more")
    expect(old).to_be_hidden()
    stages.finish(held, "edit:1", SectionText(markdown="Roofs, once more and for good."))
    expect(old).to_have_text("Roofs, once more and for good.")


@pytest.mark.parametrize("end", ["failed", "restarted"])
def test_a_failed_or_restarted_edit_restores_the_old_text(page: Page, writer: User, end: str) -> None:
    article, held = stages.half_written(writer)
    watch(page, article)
    stages.begin(held, "edit:1")
    send_draft(article, "edit:1", 0, "Roofs, once mo")
    section, old = page.locator("#section-1"), page.locator("#section-1 .prose")
    expect(old).to_be_hidden()
    if end == "failed":
        in_thread(write_changes)(held, [step_failed("edit:1", "The model cannot be reached.", Usage())])
        expect(section).to_contain_text("failed")
    else:
        stages.begin(held, "edit:1", "Revising it again")
        expect(page.locator("#log-table")).to_contain_text("Revising it again")
    expect(old).to_be_visible()
    expect(old).to_contain_text("Flat roofs are the largest unused surface")
    if end == "restarted":
        send_draft(article, "edit:1", 0, "A second try")
        expect(section.locator(".stream")).to_have_text("A second try")
        expect(old).to_be_hidden()


def test_findings_stream_in_line_by_line_and_become_cards(page: Page, writer: User) -> None:
    article, held = stages.researched(writer)
    stages.begin(held, "research:find:2", "Reading 1 source closely")
    stages.begin(held, "research:find:3", "Reading 1 source closely")
    watch(page, article)
    lines = page.locator('.finding-lines[data-step="research:find:2"] li')
    send_draft(article, "research:find:2", 0, "Planted roofs are cooler.\nPlanting beg")
    expect(lines).to_have_text(["Planted roofs are cooler.", "Planting beg"])
    send_draft(article, "research:find:2", 38, "ins at £60.")
    expect(lines).to_have_text(["Planted roofs are cooler.", "Planting begins at £60."])
    stages.finish(held, "research:find:3", step_outputs.found(3))
    expect(page.locator(".finding.is-open")).to_contain_text("No source says what the insurance costs.")
    expect(lines).to_have_text(["Planted roofs are cooler.", "Planting begins at £60."])
    expect(page.locator(".finding-lines .is-new")).to_have_count(0)
    stages.finish(held, "research:find:2", step_outputs.found(2))
    expect(lines).to_have_count(0)
    expect(page.locator(".finding.is-disagreement")).to_contain_text("Sources disagree")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert accessibility_problems(page) == []
    page.locator(".finding.is-disagreement").get_by_role("link", name="Passage S6").click()
    expect(page.get_by_role("tabpanel", name="Sources")).to_be_visible()
    expect(page.locator("#passage-S6")).to_be_visible()


def test_a_plan_streams_in_and_its_rows_follow_the_sections(page: Page, writer: User) -> None:
    article, held = stages.researched(writer)
    watch(page, article)
    send_draft(article, "outline:plan", 0, f"{step_outputs.ANSWER}\nWhy rooftops matter")
    expect(page.locator(".plan-lines p")).to_have_text([step_outputs.ANSWER, "Why rooftops matter"])
    stages.finish(held, "outline:plan", step_outputs.plan())
    expect(page.locator(".plan-answer")).to_have_text(step_outputs.ANSWER)
    expect(page.locator(".plan-position")).to_have_text(re.compile(f"Recommendation {step_outputs.POSITION}"))
    expect(page.locator("#plan-2")).to_contain_text("1 finding")
    expect(page.locator("#plan-2").get_by_role("list", name="Questions it answers")).to_have_text(
        "Does my roof bear it?"
    )
    stages.begin(held, "write:2")
    expect(page.locator("#plan-2")).to_contain_text("writing")
    expect(page.locator(".finding.is-in-use")).to_contain_text("A saturated bed weighs")
    stages.finish(held, "write:2", SectionText(markdown="It is heavy [S4]."))
    expect(page.locator("#plan-2")).to_contain_text("3 words")
    expect(page.locator("#plan-2")).to_contain_text("Does my roof bear it?")
    expect(page.locator(".finding.is-in-use")).to_have_count(0)


def test_a_draft_of_all_sections_is_shown_in_its_sections(page: Page, writer: User) -> None:
    article, held = stages.planned(writer)
    stages.begin(held, "write:draft", "Writing the article")
    watch(page, article)
    send_draft(
        article, "write:draft", 0, "## 1. Why rooftops matter\n\nRoofs are flat.\n\n## 2. Choosing a site\n\nStart"
    )
    expect(page.locator("#section-1 .stream")).to_have_text("Roofs are flat.")
    expect(page.locator("#section-2 .stream.is-current")).to_have_text("Start")
    expect(page.locator("#section-2 .section-state")).to_be_visible()
    expect(page.locator("#section-3 .section-state")).to_be_hidden()
    draft = "## 1. Why rooftops matter\n\nRoofs are flat.\n\n## 2. Choosing a site\n\nStart with load."
    stages.finish(held, "write:draft", SectionText(markdown=draft))
    expect(page.locator("#section-2 .prose")).to_have_text("Start with load.")
    expect(page.locator("#section-3")).to_contain_text("waiting")


def test_title_and_introduction_stream_in_above_the_sections(page: Page, writer: User) -> None:
    article, held = stages.planned(writer)
    stages.begin(held, "write:draft", "Writing the article")
    watch(page, article)
    opening, heading = page.locator("#section-0"), page.locator("#section-0 h3")
    expect(heading).to_have_text(step_outputs.TITLE)
    texts = [
        "# Roofs pay",
        " in summer",
        "\n\nWhoever has a roof",
        " can plant it.\n\n#",
        "# 1. Roofs lie",
        " idle\n\nThey do.",
    ]
    for number, text in enumerate(texts):
        send_draft(article, "write:draft", sum(map(len, texts[:number])), text)
        if number == 2:
            expect(heading).to_have_text("Roofs pay in summer")
            expect(opening.locator(".stream.is-current")).to_have_text("Whoever has a roof")
        if number == 3:
            expect(opening.locator(".stream")).to_have_text("Whoever has a roof can plant it.")
    expect(page.locator("#section-1 h3")).to_have_text("Roofs lie idle")
    expect(page.locator("#section-1 .stream.is-current")).to_have_text("They do.")
    expect(opening.locator(".stream")).to_have_text("Whoever has a roof can plant it.")
    expect(opening.locator(".section-state")).to_be_hidden()
    expect(page.locator("#section-2 h3")).to_have_text("Choosing a site")
    assert accessibility_problems(page) == []
    stages.finish(held, "write:draft", SectionText(markdown="".join(texts)))
    expect(opening.locator(".prose")).to_have_text("Whoever has a roof can plant it.")
    expect(heading).to_have_text("Roofs pay in summer")
    expect(page.locator("#plan-1 a")).to_have_text("Roofs lie idle")


def test_draft_text_that_arrives_before_its_section_is_shown_with_it(page: Page, writer: User) -> None:
    article, held = stages.researched(writer)
    watch(page, article)
    send_draft(article, "write:1", 0, "Roofs are")
    stages.finish(held, "outline:plan", step_outputs.plan())
    stages.begin(held, "write:1")
    expect(page.locator('.stream[data-step="write:1"]')).to_have_text("Roofs are")


def test_other_sections_keep_their_draft_when_one_is_done(page: Page, writer: User) -> None:
    article, held = stages.outlined(writer)
    watch(page, article)
    send_draft(article, "write:2", 0, "Half a sentence")
    expect(page.locator('.stream[data-step="write:2"]')).to_have_text("Half a sentence")
    stages.finish(held, "write:1", SectionText(markdown="Done."))
    expect(page.locator("#section-1")).to_contain_text("Done.")
    expect(page.locator('.stream[data-step="write:2"]')).to_have_text("Half a sentence")


def test_updates_keep_the_open_tab_the_focus_and_the_scroll_position(page: Page, writer: User) -> None:
    article, held = stages.half_written(writer)
    page.set_viewport_size({"width": 1000, "height": 400})
    watch(page, article)
    page.get_by_role("tab", name="Sources").click()
    page.locator("#more-menu summary").focus()
    page.evaluate("() => scrollTo(0, 200)")
    stages.finish(held, "write:3", SectionText(markdown="Done."), "1 word")
    expect(page.locator("#timeline")).to_contain_text("3 of 4")
    expect(page.locator("#more-menu summary")).to_be_focused()
    tab = page.get_by_role("tab", name="Sources")
    tab.focus()
    page.evaluate("() => scrollTo(0, 350)")
    top = tab.evaluate("tab => tab.getBoundingClientRect().top")
    stages.complete(held)
    expect(page.locator("[data-status=completed]")).to_have_count(1)
    expect(tab).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Sources")).to_be_visible()
    # What stands above it folds, so the page is shorter: what is looked at stays where it is.
    assert abs(tab.evaluate("tab => tab.getBoundingClientRect().top") - top) < 40


def test_a_repeated_event_is_shown_once(page: Page, writer: User) -> None:
    article, held = stages.outlined(writer)
    page.add_init_script(KEEP_SOCKETS)
    watch(page, article)
    stages.finish(held, "write:1", SectionText(markdown="Told twice."))
    expect(page.locator("#section-1")).to_contain_text("Told twice.")
    answer = page.request.get(f"{article.get_absolute_url()}live?after={article.last_seq}").text()
    assert "Told twice." in answer
    page.evaluate("html => sockets.at(-1).dispatchEvent(new MessageEvent('message', {data: html}))", answer)
    numbers = page.locator("#log-table td:first-child").all_text_contents()
    assert numbers == [str(number) for number in range(1, article.last_seq + 2)]


def test_without_a_socket_the_page_polls(page: Page, writer: User, expected_problems: list[str]) -> None:
    article, held = stages.outlined(writer)
    expected_problems += ["Content Security Policy", "htmx:wsError", "bject Event]"]
    page.add_init_script("window.WebSocket = class extends WebSocket { constructor() { super('ws://127.0.0.1:9/') } }")
    page.goto(article.get_absolute_url())
    expect(page.locator("#connection")).to_contain_text("Connection lost. Reconnecting …")
    assert accessibility_problems(page) == []
    stages.finish(held, "write:1", SectionText(markdown="Written without a socket."))
    expect(page.locator("#section-1")).to_contain_text("Written without a socket.")
    stages.complete(held)
    expect(page.locator("[data-status=completed]")).to_be_visible()
    expect(page.locator("#connection")).to_be_hidden()
    numbers = page.locator("#log-table td:first-child").all_text_contents()
    assert len(numbers) == len(set(numbers))


def test_without_javascript_the_page_reloads_by_itself(context: BrowserContext, site: str, writer: User) -> None:
    article, held = stages.half_written(writer)
    plain = context.browser.new_context(base_url=site, java_script_enabled=False)  # type: ignore[union-attr]
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(article.get_absolute_url())
    expect(page.locator("[data-status]")).to_have_text("Writing")
    stages.complete(held)
    expect(page.locator("[data-status]")).to_have_text("Completed", timeout=20_000)
    plain.close()


def test_a_cancelled_run_can_be_continued(page: Page, writer: User) -> None:
    article, _ = stages.outlined(writer)
    watch(page, article)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled by ada.")).to_be_visible()
    page.get_by_role("button", name="Continue writing").click()
    expect(page.locator("[data-status=pending]")).to_be_visible()


def test_a_failure_shows_its_reason(page: Page, writer: User) -> None:
    article, held = stages.outlined(writer)
    watch(page, article)
    in_thread(fail_run)(held, "The model key is invalid (401). Check OPENAI_API_KEY.", FailureCode.MODEL_AUTH)
    expect(page.locator("#failure")).to_contain_text("Check OPENAI_API_KEY.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert accessibility_problems(page) == []


@pytest.mark.parametrize("end", ["cancelled elsewhere", "deleted elsewhere"])
def test_the_page_follows_changes_made_elsewhere(page: Page, writer: User, end: str) -> None:
    article, _ = stages.outlined(writer)
    watch(page, article)
    if end == "cancelled elsewhere":
        in_thread(cancel_run)(article=article, by=writer)
        expect(page.locator("[data-status=cancelled]")).to_be_visible()
    else:
        in_thread(delete_article)(article=article, by=writer)
        expect(page.locator("[data-status=deleted]")).to_have_text("Deleted")
        expect(page.get_by_role("alert")).to_contain_text("This article was deleted.")
        expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
        assert page.title() == "Deleted – Content Studio"
        assert accessibility_problems(page) == []
        page.get_by_role("link", name="Back to your articles").click()
        expect(page.get_by_role("heading", name="Articles")).to_be_visible()
