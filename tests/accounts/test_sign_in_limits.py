"""Guessing passwords and API keys: limited per account and address, everywhere, with a way back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from redis import Redis

from accounts.models import AuditAction, AuditEntry
from articles.models import ApiKey
from contentstudio.access import throttle
from tests.factories import PASSWORD, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
Guess = Callable[..., int]

SIGN_IN, ADMIN, AGAIN = "/sign-in/", "/admin/login/", "/sign-in/again/"


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> None:
    settings.SIGN_IN_ATTEMPTS, settings.SIGN_IN_ATTEMPTS_PER_ADDRESS = 3, 6
    settings.INVALID_KEYS_PER_MINUTE = 4


@pytest.fixture
def ada(db: None) -> User:
    return StaffFactory.create(username="ada")


def sign_in(password: str = "a guess", name: str = "ada", page: str = SIGN_IN, address: str = "192.0.2.1") -> int:
    """The status of the answer; 302 is success."""
    response = Client(REMOTE_ADDR=address).post(page, {"username": name, "password": password})
    return response.status_code


class TestAnAccount:
    def test_it_is_closed_after_too_many_guesses_even_for_the_right_password(self, ada: User) -> None:
        assert [sign_in() for _ in range(4)] == [200, 200, 200, 429]
        assert sign_in(PASSWORD) == 429

    def test_the_administration_has_no_sign_in_of_its_own(self, ada: User) -> None:
        response = Client().post(ADMIN, {"username": "ada", "password": PASSWORD})
        assert (response.status_code, response["Location"]) == (302, "/sign-in/?next=%2Fadmin%2Flogin%2F")

    def test_all_forms_count_together_and_from_all_addresses(self, ada: User) -> None:
        assert sign_in(page=AGAIN, address="192.0.2.1") == 200
        assert sign_in(page=SIGN_IN, address="192.0.2.2") == 200
        assert sign_in(name="ADA ", address="192.0.2.3") == 200
        assert sign_in(PASSWORD, address="192.0.2.4") == 429

    def test_the_answer_says_when_to_try_again(self, ada: User) -> None:
        for _ in range(3):
            sign_in()
        response = Client().post(SIGN_IN, {"username": "ada", "password": "a guess"})
        assert response.status_code == 429
        assert 890 <= int(response["Retry-After"]) <= 900
        assert "Try again in 15 minutes" in response.content.decode()
        as_json = Client().post(SIGN_IN, {"username": "ada", "password": "x"}, headers={"Accept": "application/json"})
        assert "Try again in 15 minutes" in as_json.json()["detail"]

    def test_it_opens_again(self, ada: User, settings: Settings, redis: Redis) -> None:
        for _ in range(4):
            sign_in()
        for key in redis.scan_iter("studio:limit:account:*"):
            assert 0 < redis.ttl(key) <= 900
            redis.delete(key)  # as it expires
        assert sign_in(PASSWORD, address="192.0.2.9") == 302

    def test_its_owner_gets_in_from_a_browser_they_have_used(self, ada: User) -> None:
        known = Client(REMOTE_ADDR="192.0.2.7")
        known.post(SIGN_IN, {"username": "ada", "password": PASSWORD})
        known.post("/sign-out/")
        for _ in range(4):
            sign_in()
        assert known.post(SIGN_IN, {"username": "ada", "password": PASSWORD}).status_code == 302

    def test_such_a_browser_has_no_more_attempts_than_others(self, ada: User) -> None:
        known = Client(REMOTE_ADDR="192.0.2.7")
        known.post(SIGN_IN, {"username": "ada", "password": PASSWORD})
        known.post("/sign-out/")
        wrong = {"username": "ada", "password": "a guess"}
        assert [known.post(SIGN_IN, wrong).status_code for _ in range(4)] == [200, 200, 200, 429]

    def test_a_forged_cookie_gives_none(self, ada: User) -> None:
        for _ in range(3):
            sign_in()
        forger = Client()
        forger.cookies["known-browser"] = "ada\n0011223344556677:1xxxxx:forged"
        assert forger.post(SIGN_IN, {"username": "ada", "password": PASSWORD}).status_code == 429

    def test_other_accounts_stay_open(self, ada: User) -> None:
        UserFactory.create(username="grace")
        for _ in range(4):
            sign_in()
        assert sign_in(PASSWORD, name="grace", address="192.0.2.2") == 302

    def test_successful_attempts_do_not_count(self, ada: User) -> None:
        assert [sign_in(PASSWORD) for _ in range(8)] == [302] * 8

    def test_a_successful_sign_in_does_not_give_an_attacker_more_guesses(self, ada: User) -> None:
        assert [sign_in(), sign_in(), sign_in(PASSWORD), sign_in(), sign_in()] == [200, 200, 302, 200, 429]

    def test_an_unknown_account_answers_like_a_known_one(self, ada: User) -> None:
        assert [sign_in(name="nobody") for _ in range(4)] == [200, 200, 200, 429]

    def test_the_dialog_says_so_in_its_form(self, ada: User) -> None:
        for _ in range(3):
            sign_in()
        data = {"username": "ada", "password": PASSWORD}
        response = Client().post(AGAIN, data, headers={"HX-Request": "true"})
        assert "Try again in 15 minutes" in response.content.decode()
        assert Client().get("/").status_code == 302


class TestAnAddress:
    def test_it_is_closed_after_guesses_at_many_accounts(self, ada: User) -> None:
        assert [sign_in(name=f"user{number}") for number in range(7)] == [200] * 6 + [429]
        assert sign_in(PASSWORD) == 429
        assert sign_in(PASSWORD, address="192.0.2.2") == 302

    def test_a_network_of_ipv6_counts_as_one(self, ada: User) -> None:
        answers = [sign_in(name=f"user{number}", address=f"2001:db8:1:2::{number + 1}") for number in range(7)]
        assert answers[-1] == 429

    def test_behind_a_proxy_it_is_what_the_proxy_saw(self, ada: User, settings: Settings) -> None:
        settings.BEHIND_PROXY = True

        def guess(number: int, seen: str) -> int:
            headers = {"X-Forwarded-For": f"10.0.0.{number}, {seen}"}  # the first entry is the client's own invention
            data = {"username": f"user{number}", "password": "a guess"}
            return Client(REMOTE_ADDR="127.0.0.1").post(SIGN_IN, data, headers=headers).status_code

        assert [guess(number, "198.51.100.7") for number in range(7)] == [200] * 6 + [429]
        assert guess(8, "198.51.100.8") == 200


class TestApiKeys:
    def ask(self, key: str, address: str = "192.0.2.1") -> int:
        client = Client(REMOTE_ADDR=address)
        return client.get("/api/articles/", headers={"Authorization": f"Bearer {key}"}).status_code

    def test_an_address_is_refused_after_too_many_wrong_keys(self, ada: User) -> None:
        _, key = ApiKey.objects.issue(ada, "tests")
        assert [self.ask(f"cs_wrong{number}") for number in range(5)] == [401] * 4 + [429]
        assert self.ask(key, "192.0.2.2") == 200

    def test_the_answer_says_when_to_try_again(self) -> None:
        for number in range(4):
            self.ask(f"cs_wrong{number}")
        client = Client(REMOTE_ADDR="192.0.2.1")
        response = client.get("/api/articles/", headers={"Authorization": "Bearer cs_wrong"})
        assert response.status_code == 429
        assert 0 < int(response["Retry-After"]) <= 60
        assert response.json()["detail"].startswith("Too many invalid API keys. Try again in ")

    def test_valid_keys_do_not_count(self, ada: User) -> None:
        _, key = ApiKey.objects.issue(ada, "tests")
        assert [self.ask(key) for _ in range(6)] == [200] * 6


class TestWithoutRedis:
    @pytest.fixture(autouse=True)
    def no_redis(self, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
        nowhere = Redis.from_url("unix:///nonexistent/redis.sock")
        monkeypatch.setattr(throttle, "redis_client", lambda: nowhere)

    def test_people_can_still_sign_in(self, ada: User, caplog: pytest.LogCaptureFixture) -> None:
        assert [sign_in() for _ in range(5)] == [200] * 5
        assert sign_in(PASSWORD) == 302
        assert "Attempts are not limited" in caplog.text

    def test_api_keys_still_work(self, ada: User) -> None:
        _, key = ApiKey.objects.issue(ada, "tests")
        assert TestApiKeys().ask(key) == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_no_more_than_the_limit_are_checked() -> None:
    UserFactory.create(username="ada")
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda number: sign_in(address=f"192.0.2.{number}"), range(1, 25)))
    assert (answers.count(200), answers.count(429)) == (3, 21)


def test_reaching_the_limit_is_recorded_once(ada: User) -> None:
    for _ in range(6):
        sign_in()
    entries = AuditEntry.objects.filter(action=AuditAction.SIGN_IN_LIMITED)
    assert [(entry.address, entry.details) for entry in entries] == [("192.0.2.1", {"account": "ada"})]
