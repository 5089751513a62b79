"""The whole way, with nothing in anybody's place: page, job in a forked worker, crew, events, fragments, article, downloads."""

from __future__ import annotations

import io
import subprocess
import zipfile

import pytest
from playwright.sync_api import Page, expect

from articles.models import Article, Status
from tests.browser.conftest import accessibility_problems

pytestmark = pytest.mark.timeout(180)

NOTES = """The council surveyed 312 flat roofs in 2024. Flat roofs are the largest unused surface of most cities.
A planted roof holds most of a summer's rain and lets it go slowly. The rooms below a planted roof stay several degrees
cooler in July than those below gravel. A saturated bed weighs as much as a small car for every twelve square metres.
An engineer has to look at the beams before the first sack of soil is carried up. Most groups that last beyond the second
season have a written lease and a person who holds the budget. Wind decides what can grow above the sixth floor."""

BEGINNINGS = {"md": b"# ", "html": b"<!DOCTYPE html>", "pdf": b"%PDF-", "docx": b"PK", "epub": b"PK"}


def test_a_brief_becomes_an_article_before_its_readers_eyes(page: Page, workers: subprocess.Popen[bytes]) -> None:
    page.goto("/")
    page.get_by_role("link", name="New article").first.click()
    page.get_by_label("Topic").fill("Rooftop gardens in our city")
    page.get_by_label("Words", exact=True).fill("300")
    page.locator("#texts textarea").first.fill(NOTES)
    page.get_by_role("button", name="Write article").click()

    expect(page.locator(".badge.is-completed")).to_be_visible(timeout=60_000)
    article = Article.objects.get()
    assert article.status == Status.COMPLETED
    expect(page.locator("#article")).to_contain_text("The council surveyed 312 flat roofs in 2024.")
    assert accessibility_problems(page) == []

    for suffix, beginning in BEGINNINGS.items():
        answer = page.request.get(f"/api/articles/{article.pk}/export/{suffix}")
        assert answer.ok, answer.text()
        assert answer.body().lstrip().lower().startswith(beginning.lower()), suffix
    book = zipfile.ZipFile(io.BytesIO(page.request.get(f"/api/articles/{article.pk}/export/epub").body()))
    assert any("312 flat roofs" in book.read(name).decode(errors="ignore") for name in book.namelist())
