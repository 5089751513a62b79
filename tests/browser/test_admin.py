"""The administration in a browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.browser import stages


@pytest.fixture
def admin(writer: User) -> User:
    writer.is_staff = writer.is_superuser = True
    writer.save()
    return writer


def test_writing_articles_again_is_confirmed(page: Page, admin: User) -> None:
    article = stages.finished(admin)
    page.goto("/admin/articles/article/")
    page.locator("#result_list tbody input[type=checkbox]").check()
    page.locator("select[name=action]").select_option("Write again from the brief …")
    page.locator("#changelist-form button[name=index]").click()
    expect(page.locator("#content-main")).to_contain_text("1 article will be written again from its brief.")
    expect(page.locator("#content-main")).to_contain_text("Free: the built-in writer makes no AI calls.")
    assert article.runs.count() == 1
    page.get_by_role("button", name="Write again").click()
    expect(page.locator(".messagelist")).to_contain_text("Started: 1.")
    assert article.runs.count() == 2


def test_the_article_list_fits_a_window_of_1280_px(page: Page, admin: User) -> None:
    stages.half_written(admin, topic="What rooftop gardens cost, and who keeps them going " * 3)
    stages.finished(admin)
    page.goto("/admin/articles/article/")
    table = page.locator("#result_list")
    expect(table.locator("tbody tr")).to_have_count(2)
    hidden = page.locator("#changelist .results").evaluate("(box) => box.scrollWidth - box.clientWidth")
    assert hidden <= 0, f"{hidden} px of the table are cut off"
