"""Signing in with an OpenID Connect provider on this machine, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from accounts.models import AuditAction, AuditEntry
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread
from tests.factories import PASSWORD, UserFactory
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, oidc_provider

GRACE = {"sub": "1906", "preferred_username": "grace", "name": "Grace Hopper", "email": "grace@example.com"}

create_user = in_thread(UserFactory.create)
get_user = in_thread(User.objects.get)


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    with oidc_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: Provider, settings: Settings) -> Provider:
    """The provider, known to the studio, with Grace."""
    running_provider.people = {"grace": GRACE | {"email_verified": True, "groups": []}}
    running_provider.requests.clear()
    settings.OIDC_ISSUER, settings.OIDC_NAME = running_provider.issuer, "Example Company"
    app = {
        "provider_id": "oidc",
        "name": "Example Company",
        "client_id": CLIENT_ID,
        "secret": CLIENT_SECRET,
        "settings": {"server_url": running_provider.issuer},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    return running_provider


@pytest.fixture
def visitor(transactional_db: None, browser: Browser, site: str) -> Iterator[Page]:
    """Nobody has signed in with this browser. No problem may be in its console, such as of the Content-Security-Policy."""
    context = browser.new_context(base_url=site)
    context.set_default_timeout(8000)
    page, problems = context.new_page(), []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert [text for text in problems if "403" not in text and "favicon" not in text and "404" not in text] == []


def sign_in(page: Page, name: str = "grace", answer: str = "Allow") -> None:
    page.goto("/account/")
    page.get_by_role("button", name="Sign in with Example Company").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name=answer).click()


def expect_signed_in(page: Page, name: str = "grace") -> None:
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    expect(page.locator(".lead")).to_have_text(f"Signed in as {name}")


def test_the_first_sign_in_creates_a_user(visitor: Page, provider: Provider) -> None:
    visitor.goto("/sign-in/")
    assert accessibility_problems(visitor) == []
    sign_in(visitor)
    expect_signed_in(visitor)
    user = get_user(username="grace")
    assert (user.email, user.first_name, user.is_staff, user.has_usable_password()) == (
        "grace@example.com",
        "Grace",
        False,
        False,
    )
    asked = provider.requests[-1]
    assert asked["code_challenge_method"] == "S256"
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    entry = in_thread(AuditEntry.objects.get)(action=AuditAction.SIGNED_IN)
    assert (entry.username, entry.details) == ("grace", {"by": ["socialaccount"]})


def test_the_second_sign_in_finds_the_same_user(visitor: Page, provider: Provider) -> None:
    sign_in(visitor)
    expect_signed_in(visitor)
    visitor.context.clear_cookies()
    provider.people["grace"]["preferred_username"] = "renamed"
    sign_in(visitor)
    expect_signed_in(visitor)
    assert in_thread(User.objects.count)() == 1


def test_groups_give_and_take_roles(visitor: Page, provider: Provider, settings: Settings) -> None:
    settings.OIDC_STAFF_GROUPS, settings.OIDC_SUPERUSER_GROUPS = ["editors"], ["admins"]
    for groups, staff, superuser in ((["editors"], True, False), (["admins"], True, True), ([], False, False)):
        provider.people["grace"]["groups"] = groups
        visitor.context.clear_cookies()
        sign_in(visitor)
        expect_signed_in(visitor)
        user = get_user(username="grace")
        assert (user.is_staff, user.is_superuser) == (staff, superuser)


def test_an_administrators_name_is_not_taken_over(visitor: Page, provider: Provider) -> None:
    admin = create_user(username="grace", is_superuser=True, email="boss@example.com")
    sign_in(visitor)
    expect(visitor.locator(".lead")).to_have_text(re.compile(r"Signed in as grace\d+"))
    assert in_thread(User.objects.filter(is_superuser=True).get)() == admin


@pytest.mark.parametrize(("link", "verified"), [(True, True), (True, False), (False, True)])
def test_an_existing_user_is_linked_by_a_verified_address_if_that_is_allowed(
    visitor: Page, provider: Provider, settings: Settings, link: bool, verified: bool
) -> None:
    create_user(username="hopper", email="grace@example.com")
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["EMAIL_AUTHENTICATION"] = link
    provider.people["grace"]["email_verified"] = verified
    sign_in(visitor)
    if link and verified:
        expect_signed_in(visitor, "hopper")
    else:
        expect(visitor.get_by_role("heading", name="You have an account already")).to_be_visible()


def test_without_sign_up_strangers_are_refused(visitor: Page, provider: Provider, settings: Settings) -> None:
    settings.OIDC_SIGN_UP = False
    sign_in(visitor)
    expect(visitor.get_by_role("heading", name="You need an account")).to_be_visible()
    assert not in_thread(User.objects.exists)()


def test_who_refuses_is_told_so(visitor: Page, provider: Provider) -> None:
    sign_in(visitor, answer="Refuse")
    expect(visitor.get_by_role("heading", name="Sign-in cancelled")).to_be_visible()
    assert accessibility_problems(visitor) == []


class TestWithoutLocalSignIn:
    @pytest.fixture(autouse=True)
    def only_the_provider(self, settings: Settings) -> None:
        settings.LOCAL_LOGIN, settings.BREAK_GLASS_USERS = False, ["root"]

    def enter(self, page: Page, name: str) -> None:
        page.goto("/account/")
        expect(page.get_by_label("Password")).to_be_hidden()
        page.get_by_text("Sign in with a password").click()
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")

    def test_passwords_are_refused(self, visitor: Page, provider: Provider) -> None:
        create_user(username="ada")
        self.enter(visitor, "ada")
        expect(visitor.get_by_role("alert").first).to_contain_text("correct username and password")

    def test_an_administrator_gets_in_while_the_provider_is_down(self, visitor: Page, provider: Provider) -> None:
        create_user(username="root")
        self.enter(visitor, "root")
        expect_signed_in(visitor, "root")

    def test_the_provider_still_works(self, visitor: Page, provider: Provider) -> None:
        sign_in(visitor)
        expect_signed_in(visitor)
