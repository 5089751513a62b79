"""Reconnecting after a lost connection, sleep or a refusal, without showing anything twice."""

from __future__ import annotations

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from agents.contract import SectionText
from articles.models import Run
from articles.runs.recovery import sweep
from tests.browser import stages
from tests.browser.threads import in_thread, send_draft
from tests.browser.watching import KEEP_SOCKETS, SOCKET_ERRORS, numbers_of, was_not_loaded_anew, watch, whole_log
from tests.factories import claim
from tests.web_process import web_process

LOSE_PANELS = """
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", (event) => {
                if (window.lost || !event.data.includes('data-active="no"')) return;
                window.lost = document.querySelector("#header .badge").dataset.status;
                event.stopImmediatePropagation();
                this.close();
            });
        }
    };
"""
"""Closes the socket instead of delivering the panels of a finished article; notes the status that is shown then."""


def test_a_reconnected_socket_resumes_at_the_last_event(page: Page, writer: User) -> None:
    article, held = stages.outlined(writer)
    page.add_init_script(KEEP_SOCKETS)
    watch(page, article)
    page.evaluate("() => { window.socketOpen = false; sockets.at(-1).close() }")
    stages.finish(held, "write:1", SectionText(markdown="Written meanwhile."))
    expect(page.locator("#section-1")).to_contain_text("Written meanwhile.")
    page.wait_for_function("() => window.socketOpen")
    stages.finish(held, "write:2", SectionText(markdown="Written after."))
    expect(page.locator("#section-2")).to_contain_text("Written after.")
    expect(page.locator("#connection")).to_be_hidden()
    assert numbers_of(page) == whole_log(article)


def test_a_page_that_lost_the_panels_of_a_finished_article_gets_them_again(page: Page, writer: User) -> None:
    article, held = stages.half_written(writer)
    page.add_init_script(LOSE_PANELS)
    watch(page, article)
    stages.complete(held)
    page.wait_for_function("() => window.lost")
    assert page.evaluate("() => window.lost") == "completed", "what was sent first is shown"
    expect(page.locator("#article-body")).to_contain_text("Flat roofs are the largest unused surface")
    expect(page.get_by_role("tab", name="Article")).to_have_attribute("aria-selected", "true")
    assert numbers_of(page) == whole_log(article)


def test_two_tabs_see_the_same(page: Page, writer: User) -> None:
    article, held = stages.outlined(writer)
    watch(page, article)
    other = page.context.new_page()
    watch(other, article)
    stages.finish(held, "write:1", SectionText(markdown="For both."))
    other.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-status=cancelled]")).to_be_visible()
    assert was_not_loaded_anew(page)
    other.get_by_role("button", name="Continue writing").click()
    expect(other.locator("[data-status=pending]")).to_be_visible()
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")  # as when one changes back to it
    expect(page.locator("[data-status=pending]")).to_be_visible()
    held = in_thread(claim)(article)
    stages.begin(held, "write:2", "Writing on")
    for tab in (page, other):
        expect(tab.locator("#log-table")).to_contain_text("Writing on")
        assert numbers_of(tab) == whole_log(article)


def test_a_computer_that_wakes_from_sleep_shows_the_state_at_once(page: Page, writer: User) -> None:
    """Its socket looks open and is dead; nothing says so but the silence."""
    article, held = stages.outlined(writer)
    page.clock.install()
    page.add_init_script(KEEP_SOCKETS)
    watch(page, article)
    page.evaluate("() => (sockets.at(-1).isDead = true)")
    stages.finish(held, "write:1", SectionText(markdown="Written in the night."))
    page.evaluate("() => (window.socketOpen = false)")
    page.clock.fast_forward("01:00:00")
    expect(page.locator("#section-1")).to_contain_text("Written in the night.", timeout=1500)
    page.wait_for_function("() => window.socketOpen")
    stages.finish(held, "write:2", SectionText(markdown="Written in the morning."))
    expect(page.locator("#section-2")).to_contain_text("Written in the morning.")
    expect(page.locator("#connection")).to_be_hidden()
    assert numbers_of(page) == whole_log(article)


def test_without_a_network_the_page_reconnects_later(page: Page, writer: User, expected_problems: list[str]) -> None:
    article, held = stages.outlined(writer)
    expected_problems += SOCKET_ERRORS
    page.add_init_script(KEEP_SOCKETS)
    watch(page, article)
    page.context.set_offline(True)
    page.evaluate("() => sockets.at(-1).close()")
    expect(page.locator("#connection")).to_be_visible()
    stages.finish(held, "write:1", SectionText(markdown="Written while the page was offline."))
    page.wait_for_timeout(1500)
    expect(page.locator("#section-1")).not_to_contain_text("Written while the page was offline.")
    page.context.set_offline(False)
    expect(page.locator("#section-1")).to_contain_text("Written while the page was offline.", timeout=1500)
    expect(page.locator("#connection")).to_be_hidden()
    assert numbers_of(page) == whole_log(article)


def test_the_page_reconnects_after_the_web_process_was_restarted(
    page: Page, writer: User, expected_problems: list[str], program_environment: dict[str, str]
) -> None:
    """What was seen of an unfinished step's text goes when the step starts again; nothing comes twice."""
    article, held = stages.outlined(writer)
    expected_problems += SOCKET_ERRORS
    with web_process(program_environment) as web:
        page.add_init_script("document.addEventListener('htmx:wsOpen', () => (window.socketOpen = true))")
        page.goto(web.address + article.get_absolute_url())
        page.wait_for_function("() => window.socketOpen")
        page.evaluate("() => (window.sameDocument = true)")
        stages.begin(held, "write:1")
        send_draft(article, "write:1", 0, "Half a sentence")
        expect(page.locator('.stream[data-step="write:1"]')).to_have_text("Half a sentence")
        web.kill()
        expect(page.locator("#connection")).to_be_visible()
        stages.finish(held, "write:2", SectionText(markdown="Written while it was down."))
        stages.begin(held, "write:1", "Writing it again")
        web.start()
        expect(page.locator("#section-2")).to_contain_text("Written while it was down.", timeout=1500)
        expect(page.locator("#connection")).to_be_hidden()
        expect(page.locator('.stream[data-step="write:1"]')).to_be_empty()
        send_draft(article, "write:1", 0, "Another beginning")
        expect(page.locator('.stream[data-step="write:1"]')).to_have_text("Another beginning")
        assert was_not_loaded_anew(page)
        assert numbers_of(page) == whole_log(article)


def test_the_draft_of_a_lost_worker_is_discarded(page: Page, writer: User) -> None:
    """Nor does it come back when another takes the run up, on this page or on one that is opened then."""
    article, held = stages.outlined(writer)
    watch(page, article)
    stream = page.locator('.stream[data-step="write:1"]')
    stages.begin(held, "write:1")
    send_draft(article, "write:1", 0, "Half a sentence")
    expect(stream).to_have_text("Half a sentence")
    Run.objects.update(lease_expires_at="2026-01-01T00:00Z")
    assert in_thread(sweep)() == 1
    expect(page.locator("[data-status=pending]")).to_be_visible()
    expect(page.locator("#section-1 .section-state")).to_have_text("stopped")
    expect(page.locator("#section-1")).not_to_contain_text("Half")
    held = in_thread(claim)(article)
    expect(page.locator("[data-status=processing]")).to_be_visible()
    expect(stream).to_be_empty()
    stages.begin(held, "write:1", "Writing it again")
    expect(page.locator("#log-table")).to_contain_text("Writing it again")
    send_draft(article, "write:1", 0, "Another")
    expect(stream).to_have_text("Another")
    other = page.context.new_page()
    watch(other, article)
    expect(other.locator("#section-1")).not_to_contain_text("Half")
    stages.finish(held, "write:1", SectionText(markdown="Another sentence."))
    for tab in (page, other):
        expect(tab.locator("#section-1 .prose")).to_have_text("Another sentence.")
        assert numbers_of(tab) == whole_log(article)


def test_a_page_whose_session_ended_offers_to_sign_in(page: Page, writer: User, expected_problems: list[str]) -> None:
    article, _ = stages.outlined(writer)
    expected_problems += ["401"]
    page.add_init_script(KEEP_SOCKETS)
    watch(page, article)
    page.context.clear_cookies()
    page.evaluate("() => sockets.at(-1).close()")
    expect(page.locator("#signed-out")).to_contain_text("You are signed out")
