"""Costs in the browser: the panel, the estimate that follows the brief, a paused article, in both themes and on a phone."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings

from agents.contract import AGENTS, SectionText
from agents.costs.usage import Usage
from articles.models import Article
from articles.runs.journal import pause_run
from articles.runs.step_writer import write_changes
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread
from tests.factories import claim, make_article, step_completed, step_started

REASON = (
    "This run has cost $0.48 of its $0.50 limit. The next call may cost up to $0.031."
    " Ask an editor to raise your limit, then resume."
)
STEPS = {
    "research:plan": "0.0042",
    "outline:plan": "0.011",
    "write:1": "0.2318",
    "write:2": "0.2301",
    "edit:review": "0",
}


@in_thread
def paused(owner: User) -> Article:
    """An article that reached its spending limit while it was edited."""
    article = make_article(owner, topic="How cities can put their flat roofs to use")
    held = claim(article)
    for key, cost in STEPS.items():
        usage = Usage(calls=3, prompt_tokens=123_456, completion_tokens=4_567, cached_tokens=23_456, cost=Decimal(cost))
        write_changes(held, [step_started(key)])
        write_changes(held, [step_completed(key, SectionText(markdown="Some text."), usage)])
    pause_run(held, REASON)
    return article


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_paused_article_shows_its_cost_and_can_be_resumed(page: Page, writer: User, theme: str, width: int) -> None:
    article = paused(writer)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(f"{article.get_absolute_url()}#cost")
    expect(page.locator("#paused")).to_contain_text("Ask an editor to raise your limit, then resume.")
    expect(page.locator("#cost tfoot")).to_contain_text("$0.48")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    assert accessibility_problems(page, colours_only=theme == "dark") == []
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("[data-status]")).to_have_text("Waiting")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_estimate_follows_the_brief(page: Page, writer: User, settings: Settings, width: int) -> None:
    settings.HAS_MODEL, settings.IMAGE_MODEL = True, "dall-e-3"
    settings.LLM_MODELS = dict.fromkeys(AGENTS, "gpt-4o-mini")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/articles/new/")
    estimate = page.locator("#estimate")
    expect(estimate).to_contain_text(re.compile(r"About \$0\.\d+ to \$0\.\d+: \d+ calls and [\d,]+ tokens\."))
    before = estimate.text_content() or ""
    page.get_by_role("spinbutton", name="Words").fill("5000")
    expect(estimate).not_to_have_text(before)
    longest = estimate.text_content() or ""
    page.get_by_role("checkbox", name="Cover image").uncheck()
    expect(estimate).not_to_have_text(longest)
    page.get_by_role("spinbutton", name="Words").fill("50")
    expect(estimate).to_contain_text("Shown once you enter a valid number")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    assert accessibility_problems(page) == []
