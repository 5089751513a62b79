"""A quota that is reached: the page says so and keeps what was typed; and the pages on one's own data."""

from __future__ import annotations

import re
import zipfile

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.personal_data.exports import make_next_export
from articles.models import Article
from tests.browser.conftest import accessibility_problems
from tests.factories import make_article

TOPIC = "How cities can use their flat roofs"


def test_a_refused_brief_stays_as_typed(
    page: Page, writer: User, settings: Settings, expected_problems: list[str]
) -> None:
    settings.MAX_ACTIVE_ARTICLES = 1
    expected_problems.extend(["status of 429", "Response Status Error Code 429"])
    make_article(writer)
    page.goto("/articles/new/")
    page.locator("#id_topic").fill(TOPIC)
    page.get_by_role("button", name="Write article").click()
    expect(page.locator("#toast")).to_contain_text("No more than 1 of your articles may wait or be written at once.")
    expect(page.locator("#toast")).to_contain_text("Nothing you typed is lost.")
    expect(page.locator("#id_topic")).to_have_value(TOPIC)
    settings.MAX_ACTIVE_ARTICLES = 2
    page.get_by_role("button", name="Write article").click()
    page.wait_for_url(re.compile(r"/articles/\d+/"))
    assert Article.objects.count() == 2


def test_own_data_is_exported_and_the_account_deleted(page: Page, writer: User) -> None:
    make_article(writer, topic=TOPIC)
    page.goto("/account/")
    expect(page.get_by_text("Articles waiting or being written")).to_be_visible()
    assert accessibility_problems(page) == []
    page.get_by_role("link", name="Your data").click()
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="Make an export").click()
    expect(page.get_by_text("is being made")).to_be_visible()
    assert make_next_export()
    link = page.get_by_role("link", name="Download (")
    expect(link).to_be_visible()  # without a reload
    with page.expect_download() as download:
        link.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "account.json" in archive.namelist()
    page.get_by_role("link", name="Delete account").click()
    assert accessibility_problems(page) == []
    page.get_by_label("Type ada to confirm").fill("ada")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("heading", name="Your account is deleted")).to_be_visible()
    assert not User.objects.filter(pk=writer.pk).exists()
