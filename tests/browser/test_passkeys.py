"""Second factors in a browser: an authenticator app, and passkeys of a virtual authenticator."""

from __future__ import annotations

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Page, expect

from tests.accounts.totp import code_of
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread
from tests.factories import PASSWORD


@pytest.fixture
def local_page(page: Page, site: str) -> Page:
    """The studio at “localhost”, since no passkey belongs to an IP address; with an authenticator like that of a phone."""
    cookies = page.context.cookies()
    local = site.replace("127.0.0.1", "localhost")
    page.context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": local} for cookie in cookies])
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto(f"{local}/account/security/")
    return page


def sign_out(page: Page) -> None:
    page.get_by_label("Account of ada").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def add_passkey(page: Page) -> None:
    page.get_by_role("link", name="Add a passkey").click()
    assert accessibility_problems(page) == []
    page.get_by_label("Name").fill("My laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert accessibility_problems(page) == []
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("My laptop")).to_be_visible()


def test_a_passkey_signs_in_without_a_password(local_page: Page) -> None:
    add_passkey(local_page)
    assert accessibility_problems(local_page) == []
    sign_out(local_page)
    local_page.get_by_role("button", name="Sign in with a passkey").click()
    expect(local_page.get_by_label("Account of ada")).to_be_visible()


def test_a_passkey_is_a_second_factor_after_a_password(local_page: Page) -> None:
    add_passkey(local_page)
    sign_out(local_page)
    local_page.get_by_label("Username").fill("ada")
    local_page.get_by_label("Password").fill(PASSWORD)
    local_page.keyboard.press("Enter")
    expect(local_page.get_by_role("heading", name="Second factor")).to_be_visible()
    assert accessibility_problems(local_page) == []
    local_page.get_by_role("button", name="Use a passkey").click()
    expect(local_page.get_by_label("Account of ada")).to_be_visible()


def test_a_removed_passkey_is_refused(local_page: Page) -> None:
    add_passkey(local_page)
    in_thread(Authenticator.objects.all().delete)()
    sign_out(local_page)
    local_page.get_by_role("button", name="Sign in with a passkey").click()
    expect(local_page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(local_page.get_by_label("Account of ada")).to_be_hidden()


def test_an_authenticator_app_is_added_and_asked_for(page: Page, writer: User) -> None:
    page.goto("/account/")
    page.get_by_role("link", name="Two-factor sign-in").click()
    page.get_by_role("link", name="Add an app").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    assert accessibility_problems(page) == []
    page.get_by_text("Cannot scan it?").click()
    secret = page.locator("#totp-key").inner_text()
    page.get_by_label("Code").fill(code_of(secret, steps=-1))
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/account/security/")
    sign_out(page)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Code").fill(code_of(secret))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Account of ada")).to_be_visible()


def test_a_key_is_made_after_confirming_the_password(page: Page, writer: User) -> None:
    make_session_old(next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid"))
    page.goto("/account/keys/")
    page.get_by_label("Name").fill("newsletter")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    assert accessibility_problems(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copy this key now")).to_be_visible()


@in_thread
def make_session_old(key: str) -> None:
    """As if the user had signed in yesterday."""
    session = SessionStore(key)
    session[AUTHENTICATION_METHODS_SESSION_KEY] = []
    session.save()


@pytest.mark.parametrize("path", ["/account/sessions/", "/account/password/", "/account/security/", "/sign-out/"])
def test_pages_are_accessible_in_both_themes_and_on_a_phone(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(path)
    assert accessibility_problems(page) == []
    page.emulate_media(color_scheme="dark")
    assert accessibility_problems(page, colours_only=True) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
