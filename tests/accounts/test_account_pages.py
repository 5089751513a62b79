"""Passwords, confirmation, sessions, and the second factor, on their pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditAction, AuditEntry
from articles.models import ApiKey
from tests.accounts.totp import code_of
from tests.factories import PASSWORD, StaffFactory, UserFactory
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db
NEW = "another horse, another staple"
CHANGE = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}


@pytest.fixture
def ada() -> User:
    return UserFactory.create(username="ada", email="ada@example.com")


@pytest.fixture
def secret(ada: User) -> str:
    """Ada has an authenticator app with this secret."""
    value: str = generate_totp_secret()
    TOTP.activate(ada, value)
    return value


def text(response: Any) -> str:
    html: str = response.content.decode()
    return html


def enter(client: Client, name: str = "ada", password: str = PASSWORD) -> Any:
    return client.post("/sign-in/", {"username": name, "password": password})


def signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


class TestPasswords:
    @pytest.mark.parametrize(
        ("password", "reason"),
        [
            ("short-but-1!", None),  # twelve characters
            ("ten chars!", "at least 12 characters"),
            ("administrator", "too common"),
            ("all lower case letters", None),
            ("918273645501928", None),
        ],
    )
    def test_length_and_known_passwords_decide_and_nothing_else(
        self, client: Client, ada: User, password: str, reason: str | None
    ) -> None:
        sign_in(client, ada)
        response = client.post("/account/password/", CHANGE | {"password1": password, "password2": password})
        ada.refresh_from_db()
        assert ada.check_password(password) is (reason is None)
        assert reason is None or reason in text(response)

    def test_a_change_ends_all_other_sessions(self, client: Client, ada: User) -> None:
        other = Client()
        sign_in(other, ada)
        sign_in(client, ada)
        client.post("/account/password/", CHANGE)
        assert signed_in(client)
        assert not signed_in(other)

    @pytest.mark.parametrize("revoke", [True, False])
    def test_a_change_offers_to_revoke_the_keys(self, client: Client, ada: User, revoke: bool) -> None:
        _, key = ApiKey.objects.issue(ada, "newsletter")
        sign_in(client, ada)
        assert "Revoke my API key" in text(client.get("/account/password/"))
        client.post("/account/password/", CHANGE | ({"revoke_keys": "on"} if revoke else {}))
        assert (ApiKey.objects.match(key) is None) is revoke

    def test_it_does_not_ask_about_keys_that_are_not_there(self, client: Client, ada: User) -> None:
        sign_in(client, ada)
        assert "API keys?" not in text(client.get("/account/password/")).split("<h1>")[1]

    def test_nobody_can_sign_up(self, client: Client) -> None:
        assert "created by its administrators" in text(client.get("/sign-up/"))
        client.post("/sign-up/", {"username": "eve", "password1": NEW})
        assert not User.objects.exists()

    def test_users_of_a_provider_get_no_password_here(self, client: Client, ada: User) -> None:
        ada.set_unusable_password()
        ada.save()
        sign_in(client, ada)
        response = client.get("/account/password/", follow=True)
        assert response.status_code == 403
        assert client.post("/account/password/set/", {"password1": NEW, "password2": NEW}).status_code == 403


class TestForgottenPassword:
    @pytest.fixture(autouse=True)
    def mail_server(self, settings: Settings) -> None:
        settings.EMAIL_HOST = "mail.example.com"

    def link(self, client: Client, address: str = "ada@example.com") -> str | None:
        response = client.post("/sign-in/password/", {"email": address}, follow=True)
        assert "Check your mail" in text(response)
        found = re.search(r"http://testserver(\S+)", str(mail.outbox[-1].body)) if mail.outbox else None
        return found[1] if found else None

    def test_a_link_by_mail_sets_a_new_one(self, client: Client, ada: User, settings: Settings) -> None:
        settings.SIGN_IN_ATTEMPTS = 2
        _, key = ApiKey.objects.issue(ada, "newsletter")
        for _ in range(3):
            enter(Client(), password="a guess")
        assert enter(client).status_code == 429
        link = self.link(client)
        assert link is not None
        page = client.get(link, follow=True)
        assert 'name="revoke_keys" id="id_revoke_keys" checked' in re.sub(r"\s+aria-\S+", "", text(page))
        form = {"password1": NEW, "password2": NEW, "revoke_keys": "on"}
        done = client.post(page.request["PATH_INFO"], form, follow=True)
        assert "Your password is changed" in text(done)
        assert ApiKey.objects.match(key) is None
        assert enter(client, password=NEW).status_code == 302, "the account is open again"
        assert "no longer works" in text(client.get(link, follow=True))
        assert AuditEntry.objects.filter(action=AuditAction.PASSWORD_RESET, user=ada).count() == 1

    def test_an_unknown_address_gets_the_same_answer_and_no_mail(self, client: Client, ada: User) -> None:
        assert self.link(client, "eve@example.com") is None
        assert mail.outbox == []

    def test_mails_to_one_address_are_limited(self, client: Client, ada: User) -> None:
        answers = [client.post("/sign-in/password/", {"email": "ada@example.com"}).status_code for _ in range(6)]
        assert answers == [302] * 5 + [429]
        refused = client.post("/sign-in/password/", {"email": "ada@example.com"})
        assert refused["Retry-After"] == "60"
        assert "Too many requests. Try again in 60 seconds." in text(refused)

    def test_without_a_mail_server_it_is_not_offered(self, client: Client, settings: Settings) -> None:
        assert "Forgot your password?" in text(client.get("/sign-in/"))
        settings.EMAIL_HOST = ""
        assert "Forgot your password?" not in text(client.get("/sign-in/"))
        assert "sends no mail" in text(client.get("/sign-in/password/"))


class TestConfirmation:
    def test_a_stolen_session_cannot_make_a_key(self, client: Client, ada: User) -> None:
        sign_in(client, ada, seconds_ago=3600)
        response = client.post("/account/keys/", {"name": "permanent"})
        assert response["Location"] == "/sign-in/confirm/?next=%2Faccount%2Fkeys%2F"
        assert not ApiKey.objects.exists()
        assert client.post("/sign-in/confirm/", {"password": "a guess"}).status_code == 200
        assert not ApiKey.objects.exists()

    def test_the_key_is_made_once_it_is_confirmed(self, client: Client, ada: User) -> None:
        sign_in(client, ada, seconds_ago=3600)
        moved = client.post("/account/keys/", {"name": "newsletter"}, headers={"HX-Request": "true"})["HX-Redirect"]
        response = client.post(moved, {"password": PASSWORD, "next": "/account/keys/"})
        assert "Copy this key now" in text(response)
        assert ApiKey.objects.get().name == "newsletter"

    def test_guesses_are_limited_like_sign_ins(self, client: Client, ada: User, settings: Settings) -> None:
        settings.SIGN_IN_ATTEMPTS = 3
        sign_in(client, ada, seconds_ago=3600)
        answers = [client.post("/sign-in/confirm/", {"password": "a guess"}).status_code for _ in range(4)]
        assert answers == [200, 200, 200, 429]

    def test_the_admin_asks_too(self, client: Client) -> None:
        admin = StaffFactory.create()
        sign_in(client, admin, seconds_ago=3600)
        response = client.post("/admin/articles/apikey/add/", {"user": admin.pk, "name": "permanent"})
        assert response["Location"].startswith("/sign-in/confirm/")
        assert not ApiKey.objects.exists()


class TestSessions:
    def test_each_is_listed_and_can_be_ended(self, client: Client, ada: User) -> None:
        enter(client)
        others = [Client(REMOTE_ADDR=f"192.0.2.{number}", HTTP_USER_AGENT=f"Browser {number}") for number in (1, 2, 3)]
        for other in others:
            enter(other)
        page = text(client.get("/account/sessions/"))
        assert "Browser 1" in page
        assert "192.0.2.2" in page
        assert "this browser" in page
        first = re.search(r'name="session" value="(\d+)"', page)
        assert first is not None
        client.post("/account/sessions/", {"session": first[1]})
        assert [signed_in(other) for other in others] == [False, True, True]
        client.post("/account/sessions/")
        assert [signed_in(other) for other in [client, *others]] == [True, False, False, False]
        assert AuditEntry.objects.filter(action=AuditAction.SESSION_ENDED).count() == 2

    def test_those_of_others_cannot_be_ended(self, client: Client, ada: User) -> None:
        enter(client)
        UserFactory.create(username="eve")
        eve = Client()
        enter(eve, "eve")
        found = AuditEntry.objects.count()
        for number in range(1, 20):
            eve.post("/account/sessions/", {"session": str(number)})
        assert signed_in(client)
        assert AuditEntry.objects.count() == found


class TestTheAuthenticatorApp:
    def test_it_is_added_with_recovery_codes_and_asked_for(self, client: Client, ada: User) -> None:
        sign_in(client, ada)
        page = text(client.get("/account/security/app/add/"))
        found = re.search(r'id="totp-key">(\w+)<', page)
        assert found is not None
        codes = text(client.post("/account/security/app/add/", {"code": code_of(found[1])}, follow=True))
        recovery = re.findall(r"\b\d{8}\b", codes.split("<pre")[1].split("</pre>")[0])
        assert len(recovery) == 10
        assert recovery[0] not in text(client.get("/account/security/codes/")), "they are shown once"
        other = Client()
        assert enter(other)["Location"] == "/sign-in/two-factor/"
        assert not signed_in(other)
        other.post("/sign-in/two-factor/", {"code": recovery[0]})
        assert signed_in(other)
        third = Client()
        enter(third)
        assert "Incorrect code" in text(third.post("/sign-in/two-factor/", {"code": recovery[0]})), "it works once"

    def test_a_code_signs_in_and_works_once(self, ada: User, secret: str) -> None:
        code, first, second = code_of(secret), Client(), Client()
        enter(first)
        first.post("/sign-in/two-factor/", {"code": code})
        assert signed_in(first)
        enter(second)
        second.post("/sign-in/two-factor/", {"code": code})
        assert not signed_in(second)

    def test_guessed_codes_are_limited_and_recorded(self, client: Client, ada: User, secret: str) -> None:
        enter(client)
        for number in range(5):
            client.post("/sign-in/two-factor/", {"code": f"00000{number}"})
        response = client.post("/sign-in/two-factor/", {"code": code_of(secret)})
        assert "Too many" in text(response)
        assert not signed_in(client)
        entries = AuditEntry.objects.filter(action=AuditAction.SIGN_IN_FAILED, details__factor="totp")
        assert [entry.details["account"] for entry in entries] == ["ada"] * 5

    def test_the_dialog_over_a_page_asks_for_it(self, client: Client, ada: User, secret: str) -> None:
        htmx = {"HX-Request": "true"}
        sent = client.post("/sign-in/again/", {"username": "ada", "password": PASSWORD}, headers=htmx)
        assert 'name="code"' in text(sent)
        wrong = client.post("/sign-in/again/", {"username": "ada", "code": "000000"}, headers=htmx)
        assert "Incorrect code" in text(wrong)
        assert not signed_in(client)
        done = client.post("/sign-in/again/", {"username": "ada", "code": code_of(secret)}, headers=htmx)
        assert done.status_code == 204
        assert signed_in(client)

    def test_removing_it_has_to_be_confirmed(self, client: Client, ada: User, secret: str) -> None:
        sign_in(client, ada, seconds_ago=3600)
        client.post("/account/security/app/remove/")
        assert Authenticator.objects.filter(user=ada, type="totp").exists()
        sign_in(client, ada)
        client.post("/account/security/app/remove/")
        assert not Authenticator.objects.filter(user=ada).exists()
        assert AuditEntry.objects.filter(action=AuditAction.TWO_FACTOR_REMOVED, user=ada).exists()

    def test_an_administrator_can_remove_it_but_not_see_its_secret(
        self, client: Client, ada: User, secret: str
    ) -> None:
        sign_in(client, StaffFactory.create())
        found = Authenticator.objects.get(user=ada)
        assert secret not in text(client.get(f"/admin/mfa/authenticator/{found.pk}/change/"))
        client.post(f"/admin/mfa/authenticator/{found.pk}/delete/", {"post": "yes"})
        assert not Authenticator.objects.exists()


class TestThePolicy:
    @pytest.fixture
    def staff(self, client: Client) -> User:
        user = StaffFactory.create(username="root")
        sign_in(client, user)
        return user

    def test_staff_set_one_up_before_the_admin_opens(self, client: Client, staff: User, settings: Settings) -> None:
        assert client.get("/admin/").status_code == 200
        settings.REQUIRE_TWO_FACTOR = "staff"
        response = client.get("/admin/articles/article/")
        assert response["Location"] == "/account/security/"
        assert "Set up a second factor" in text(client.get("/account/security/"))
        assert client.post("/admin/auth/group/add/", {"name": "Readers"}).status_code == 302
        assert client.get("/").status_code == 200, "their own work goes on"
        TOTP.activate(staff, generate_totp_secret())
        assert client.get("/admin/").status_code == 200

    def test_all_means_everybody_everywhere(self, client: Client, ada: User, settings: Settings) -> None:
        settings.REQUIRE_TWO_FACTOR = "all"
        sign_in(client, ada)
        assert client.get("/")["Location"] == "/account/security/"
        assert client.get("/api/articles/").status_code == 403
        assert client.get("/account/security/app/add/").status_code == 200

    def test_others_are_not_asked_by_the_rule_for_staff(self, client: Client, ada: User, settings: Settings) -> None:
        settings.REQUIRE_TWO_FACTOR = "staff"
        sign_in(client, ada)
        assert client.get("/").status_code == 200
