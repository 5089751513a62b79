"""Saving while the server dies: nothing is said to be saved that is not, and nothing typed is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import connections, transaction
from playwright.sync_api import Page, Route, expect

from articles.models import Article, Revision
from tests.browser import stages
from tests.browser.editing import write_text
from tests.browser.threads import in_thread
from tests.web_process import web_process

TYPED = "Typed before the server died."
ENDED = ["ERR_", "htmx:", "WebSocket"]


@contextmanager
def locked_row(article: Article) -> Iterator[None]:
    """Another transaction holds the article's row, so that a save waits between the click and the commit."""
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Article.objects.select_for_update().get(pk=article.pk)
            is_locked.set()
            may_end.wait(30)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_locked.wait(10)
    try:
        yield
    finally:
        may_end.set()
        thread.join(10)


@in_thread
def revisions() -> list[tuple[int, str]]:
    return list(Revision.objects.order_by("number").values_list("number", "content"))


def test_a_server_killed_between_click_and_commit(
    page: Page, writer: User, expected_problems: list[str], program_environment: dict[str, str]
) -> None:
    expected_problems += ENDED
    article = stages.finished(writer)
    with web_process(program_environment) as web:
        page.goto(f"{web.address}{article.get_absolute_url()}text/")
        with locked_row(article):
            write_text(page, TYPED)
            page.get_by_role("button", name="Save", exact=True).click()
            page.wait_for_timeout(700)  # the save has begun, and waits for the row
            web.kill()
        expect(page.locator("#toast")).to_contain_text("The studio cannot be reached.")
        expect(page.locator("#draft-status")).to_have_text("Not on the server. Kept in this browser.")
        assert len(revisions()) == 1
        web.start()
        page.reload()
        expect(page.locator("#restored")).to_be_visible()
        expect(page.locator("#id_content")).to_have_value(TYPED)
        expect(page.locator("#draft-status")).to_contain_text("Draft saved")
        page.keyboard.press("Control+s")
        expect(page.locator("#toast")).to_contain_text("Saved as revision 2")
    assert revisions()[1:] == [(2, TYPED)]


def test_an_answer_lost_after_the_commit(page: Page, writer: User, expected_problems: list[str]) -> None:
    expected_problems += ENDED
    article = stages.finished(writer)
    page.goto(f"{article.get_absolute_url()}text/")
    write_text(page, TYPED)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/text/", lose)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("The studio cannot be reached.")
    page.unroute("**/text/")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as revision 2: 5 words.")).to_be_visible()
    assert revisions()[1:] == [(2, TYPED)]
    page.reload()
    expect(page.locator("#restored")).to_be_hidden()
    expect(page.locator("#id_content")).to_have_value(TYPED)
