"""The README's pictures, of pages with factory-made articles: ``python -m tests.browser.screenshots docs/screenshots``."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page

from agents.costs.usage import Usage
from agents.exceptions import FailureCode
from agents.images.cover import draw_cover
from articles.models import Article
from articles.runs.journal import fail_run
from articles.runs.step_writer import write_changes
from articles.services import cancel_run, save_text
from tests.browser import stages, step_outputs
from tests.browser.threads import in_thread, send_draft
from tests.factories import claim, make_article, step_failed, step_started

Shoot = Callable[..., None]

OTHERS = (
    ("How small newsrooms check a statistic before they print it", 1200),
    ("Heat pumps in old terraced houses", 2000),
    ("What a four-day week did to twelve agencies", 1500),
    ("A beginner’s guide to soil that lasts", 900),
)


@pytest.fixture
def directory() -> Path:
    directory = Path(os.environ["SCREENSHOTS"])
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture
def shoot(context: BrowserContext, directory: Path) -> Shoot:
    """Take one picture of a page, in a colour scheme and a size."""

    def shoot(
        name: str,
        path: str,
        *,
        dark: bool = False,
        phone: bool = False,
        before: Callable[[Page], None] | None = None,
        full: bool = False,
    ) -> None:
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": 390, "height": 844} if phone else {"width": 1280, "height": 860})
        page.goto(path)
        if before:
            before(page)
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(250)
        page.screenshot(path=directory / f"{name}.png", full_page=full)
        page.close()

    return shoot


@in_thread
def cancelled_article(writer: User) -> None:
    cancel_run(article=make_article(writer, topic="The return of the night train"), by=writer)


def spread_out(article: Article) -> None:
    """Let steps have taken the time a model takes: 4 s, and 5 s more for every further one."""
    run = article.latest_run()
    assert run is not None
    for number, step in enumerate(run.steps.all()):
        step.started_at -= timedelta(seconds=4 + 5 * (number % 4))
        step.save(update_fields=["started_at"])


@in_thread
def edit_text(article: Article) -> None:
    """A figure is corrected, a sentence reworded and one removed."""
    content = article.content.replace("8–12 %", "8–14 %").replace("What has changed is that cities", "Now cities")
    content = content.replace("None of that is new.\n\n", "")
    save_text(article=article, by=article.owner, title=article.title, content=content, opened_at=1)


def cover(title: str) -> bytes:
    return draw_cover(title, seed=title)


@in_thread
def failed_article(writer: User) -> Article:
    article = make_article(writer, topic="Ten quiet places by the sea", min_words=800)
    held = claim(article)
    reason = "The model key is invalid (401). Check OPENAI_API_KEY and try again."
    write_changes(held, [step_started("research:plan", "Planning the research questions")])
    write_changes(held, [step_failed("research:plan", reason, Usage())])
    fail_run(held, reason, FailureCode.MODEL_AUTH)
    article.refresh_from_db()
    return article


def open_claim(page: Page) -> None:
    page.locator("#editor-view .chip.is-partly").first.wait_for()
    page.keyboard.press("F8")


@pytest.mark.timeout(900)
def test_screenshots(writer: User, shoot: Shoot) -> None:
    for topic, words in OTHERS:
        stages.finished(writer, topic=topic, min_words=words)
        Article.objects.filter(topic=topic).update(title=topic, word_count=words + 43)
    failed = failed_article(writer)
    cancelled_article(writer)
    done = stages.finished(writer, cover=cover(step_outputs.TITLE), topic="How cities can put their flat roofs to use")
    running, _ = stages.half_written(writer, topic="What rooftop gardens cost, and who keeps them going")
    spread_out(done)
    spread_out(running)

    def drafts(page: Page) -> None:
        page.wait_for_function("() => document.querySelectorAll('.stream').length")
        page.wait_for_timeout(400)
        for number in (3, 4):
            send_draft(running, f"write:{number}", 0, step_outputs.TEXTS[number - 1][: 190 - 30 * number])
        page.wait_for_function("() => [...document.querySelectorAll('.stream')].every(box => box.textContent)")

    shoot("list-light", "/")
    shoot("running-light", f"/articles/{running.pk}/", before=drafts)
    shoot("finished-dark", f"/articles/{done.pk}/", dark=True)
    shoot("editor-light", f"/articles/{done.pk}/text/", before=open_claim)
    edit_text(done)
    shoot("compare-light", f"/articles/{done.pk}/revisions/compare/")
    shoot("commands-light", f"/articles/{done.pk}/", before=lambda page: page.keyboard.press("Control+k"))
    shoot("running-phone", f"/articles/{running.pk}/", phone=True, before=drafts)
    if "--all" not in os.environ["SCREENSHOTS_MORE"]:
        return
    article = f"/articles/{done.pk}/"
    pages = {
        "list": "/", "new": "/articles/new/", "finished": article, "failed": f"/articles/{failed.pk}/",
        "edit": f"{article}text/", "revisions": f"{article}revisions/", "keys": "/account/keys/",
        "password": "/account/password/", "missing": "/articles/9999/", "delete": f"{article}delete",
        **{panel: f"{article}#{panel}" for panel in ("outline", "draft", "evidence", "seo", "image", "sources", "log")},
    }  # fmt: skip
    for name, path in pages.items():
        for dark, phone in itertools.product((False, True), repeat=2):
            shoot(
                f"all-{name}-{'dark' if dark else 'light'}{'-phone' if phone else ''}",
                path,
                dark=dark,
                phone=phone,
                full=True,
            )


def test_sign_in(browser: Browser, site: str, transactional_db: None, directory: Path) -> None:
    for theme in ("light", "dark"):
        page = browser.new_page(base_url=site, color_scheme=theme, viewport={"width": 1280, "height": 860})
        page.goto("/sign-in/")
        page.wait_for_timeout(250)
        page.screenshot(path=directory / f"sign-in-{theme}.png")
        page.close()
