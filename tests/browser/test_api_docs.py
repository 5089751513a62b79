"""The API's own pages work under the studio's Content-Security-Policy and without the network."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from articles.models import Article


def test_swagger_creates_an_article_for_the_signed_in_user(page: Page, writer: object) -> None:
    page.goto("/api/docs")
    page.locator("#operations-articles-article_create .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.locator("#operations-articles-article_create textarea").fill(
        '{"topic": "How cities can use their flat roofs"}'
    )
    page.get_by_role("button", name="Execute").click()
    expect(
        page.locator("#operations-articles-article_create .live-responses-table tbody .response-col_status")
    ).to_contain_text("201")
    assert Article.objects.get().topic == "How cities can use their flat roofs"


def test_redoc_lists_the_endpoints(page: Page) -> None:
    page.goto("/api/redoc")
    expect(page.get_by_role("heading", name="Content Studio")).to_be_visible()
    expect(page.locator("body")).to_contain_text("/api/articles/{article_id}/result")
