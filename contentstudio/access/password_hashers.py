"""Password hashing that leaves the processor to other requests."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from articles.exceptions import StudioError

MAX_WAITING = 12
"""Passwords of a web process that are hashed or wait: about four seconds. The other request threads stay free."""


class HashingBusy(StudioError):
    """Too many passwords are being checked. The same request can be repeated."""

    status = 503
    retry_after = 3

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at the moment. Try again in a few seconds.")


class BoundedPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's hasher, on one thread of low priority. Raises HashingBusy if more than MAX_WAITING are waiting.

    A hash takes a third of a second of processor time, and anybody can ask for one on the sign-in page.
    """

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        if not _places.acquire(blocking=False):
            raise HashingBusy
        try:
            return hashing_thread().submit(super().encode, password, salt, iterations).result()
        finally:
            _places.release()


_places = threading.BoundedSemaphore(MAX_WAITING)
_lock = threading.Lock()
_thread: ThreadPoolExecutor | None = None


def hashing_thread() -> ThreadPoolExecutor:
    """The thread of this process, started at its first use: threads do not survive a fork."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = ThreadPoolExecutor(1, thread_name_prefix="passwords", initializer=lower_priority)
        return _thread


def lower_priority() -> None:
    """Of the calling thread alone: Linux schedules threads by themselves."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def forget_thread() -> None:
    global _thread, _places, _lock
    _thread, _places, _lock = None, threading.BoundedSemaphore(MAX_WAITING), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_thread)
