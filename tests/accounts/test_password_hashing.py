"""Hashing passwords: one at a time, of low priority, and no longer queue than can be served."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from redis import Redis

from contentstudio.access import password_hashers
from contentstudio.access.password_hashers import MAX_WAITING, BoundedPBKDF2PasswordHasher, HashingBusy, hashing_thread

HASHER = "contentstudio.access.password_hashers.BoundedPBKDF2PasswordHasher"


class QuickHasher(BoundedPBKDF2PasswordHasher):
    iterations = 1


@pytest.fixture
def blocked() -> threading.Event:
    """The hashing thread waits for this event."""
    event = threading.Event()
    hashing_thread().submit(event.wait, 10)
    return event


def fill(threads: ThreadPoolExecutor) -> None:
    """Ask for as many hashes as may wait."""
    for _ in range(MAX_WAITING):
        threads.submit(QuickHasher().encode, "password", "salt")
    while password_hashers._places._value:
        pass


def test_hashes_are_those_of_django(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    stored = make_password("a password")
    settings.PASSWORD_HASHERS = [HASHER]
    assert check_password("a password", stored)
    assert not check_password("another", stored)
    assert QuickHasher().encode("a", "salt") == PBKDF2PasswordHasher().encode("a", "salt", 1)


def test_only_one_is_computed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def encode(*args: object) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1
        return "hash"

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: QuickHasher().encode("password", "salt"), range(8)))
    assert most == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no priorities of threads")
def test_its_thread_has_a_low_priority() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = priority()
    assert hashing_thread().submit(priority).result() > own
    assert priority() == own


def test_more_than_can_wait_are_refused_at_once(blocked: threading.Event) -> None:
    with ThreadPoolExecutor(MAX_WAITING) as threads:
        fill(threads)
        with pytest.raises(HashingBusy):
            QuickHasher().encode("password", "salt")
        blocked.set()
    assert QuickHasher().encode("password", "salt")


@pytest.mark.django_db(transaction=True)
def test_a_refused_sign_in_says_so_and_does_not_count(
    blocked: threading.Event, settings: Settings, redis: Redis
) -> None:
    User.objects.create_user("ada", password="correct horse battery staple")
    settings.PASSWORD_HASHERS = [HASHER, *settings.PASSWORD_HASHERS]
    with ThreadPoolExecutor(MAX_WAITING) as threads:
        fill(threads)
        response = Client().post("/sign-in/", {"username": "nobody", "password": "a guess"})
        blocked.set()
    assert (response.status_code, response["Retry-After"]) == (503, "3")
    assert "Try again in a few seconds" in response.content.decode()
    assert [redis.get(key) for key in redis.scan_iter("studio:limit:*")] == [b"0", b"0"]


def test_a_forked_process_has_a_thread_of_its_own() -> None:
    QuickHasher().encode("password", "salt")
    child = os.fork()
    if child == 0:
        os._exit(0 if QuickHasher().encode("password", "salt") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
