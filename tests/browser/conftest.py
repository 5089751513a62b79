"""Fixtures for tests in a real Chromium against a real Daphne."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.factories import UserFactory
from tests.signed_in import sign_in

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each file: while it is open, its event loop keeps asynchronous tests in this process from running."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def writer(transactional_db: None) -> User:
    return UserFactory.create(username="ada")


@pytest.fixture
def context(browser: Browser, site: str, writer: User, client: Client) -> Iterator[BrowserContext]:
    """A browser in which the writer is signed in."""
    sign_in(client, writer)
    context = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    context.set_default_timeout(8000)
    yield context
    context.close()


@pytest.fixture
def expected_problems() -> list[str]:
    """Parts of console messages that a test provokes."""
    return []


ABORTED = ("htmx:afterRequest", "htmx:sendAbort")
"""What htmx logs when a newer request or another page replaces one that is on its way. A failure logs another event."""


@pytest.fixture
def page(context: BrowserContext, expected_problems: list[str]) -> Iterator[Page]:
    """A page. After the test its console must have no error, warning or refused request."""
    page, problems = context.new_page(), []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    assert [text for text in problems if not any(part in text for part in (*ABORTED, *expected_problems))] == []


def accessibility_problems(page: Page, *, colours_only: bool = False) -> list[str]:
    """The violations axe finds: rule and element. ``colours_only`` is for a theme, which changes nothing else."""
    options = {"runOnly": {"type": "rule", "values": ["color-contrast"]}} if colours_only else None
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]} {node['any'][:1]}" for rule in found for node in rule["nodes"]]
