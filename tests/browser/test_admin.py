"""The administration in a browser."""

from __future__ import annotations

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.browser import stages


def test_the_article_list_fits_a_window_of_1280_px(page: Page, writer: User) -> None:
    writer.is_staff = writer.is_superuser = True
    writer.save()
    stages.half_written(writer, topic="What rooftop gardens cost, and who keeps them going " * 3)
    stages.finished(writer)
    page.goto("/admin/articles/article/")
    table = page.locator("#result_list")
    expect(table.locator("tbody tr")).to_have_count(2)
    hidden = page.locator("#changelist .results").evaluate("(box) => box.scrollWidth - box.clientWidth")
    assert hidden <= 0, f"{hidden} px of the table are cut off"
