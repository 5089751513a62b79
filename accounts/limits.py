"""How often passwords may be guessed, for an account and from an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from accounts.audit import known_name, record
from accounts.models import AuditAction
from contentstudio.access.client_address import client_address, network_of
from contentstudio.access.throttle import Limit, TooManyAttempts

WHAT = "failed attempts to sign in"
BROWSER_SECONDS = 180 * 24 * 60 * 60


def account_limit() -> Limit:
    return Limit("account", settings.SIGN_IN_ATTEMPTS, settings.SIGN_IN_SECONDS, WHAT)


def address_limit() -> Limit:
    return Limit("address", settings.SIGN_IN_ATTEMPTS_PER_ADDRESS, settings.SIGN_IN_SECONDS, WHAT)


@dataclass
class Attempt:
    succeeded: bool = False
    """If true, the attempt does not count."""


@contextmanager
def sign_in_attempt(request: HttpRequest, username: str) -> Iterator[Attempt]:
    """An attempt for an account, whether it exists or not. Counts unless it succeeded; raises TooManyAttempts."""
    subjects = (
        (address_limit(), network_of(client_address(request))),
        (account_limit(), account_key(username) + browser_of(request, username)),
    )
    try:
        for limit, subject in subjects:
            limit.take(subject)
    except TooManyAttempts as error:
        if error.is_first:
            record(AuditAction.SIGN_IN_LIMITED, request=request, account=known_name(username))
        raise
    attempt = Attempt()
    try:
        yield attempt
    except BaseException:  # the password was not compared
        attempt.succeeded = True
        raise
    finally:
        if attempt.succeeded:
            for limit, subject in subjects:
                limit.give_back(subject)


def reset_account(user: User) -> None:
    """Its password was reset by mail: only the owner could do that."""
    account_limit().reset(account_key(user.get_username()))


# Browsers in which the user has signed in before have attempts of their own, so that nobody can keep the owner out.


def remember_browser(response: HttpResponse, user: User) -> None:
    value = f"{account_key(user.get_username())}\n{token_hex(8)}"
    options: dict[str, Any] = {"httponly": True, "samesite": "Lax", "secure": settings.HTTPS}
    response.set_signed_cookie(browser_cookie(), value, salt="browser", max_age=BROWSER_SECONDS, **options)


def browser_of(request: HttpRequest, username: str) -> str:
    """What distinguishes this browser for this user; empty if they have not signed in here."""
    value = request.get_signed_cookie(browser_cookie(), default="", salt="browser", max_age=BROWSER_SECONDS)
    account, _, browser = str(value).partition("\n")
    return f"\n{browser}" if browser and account == account_key(username) else ""


def browser_cookie() -> str:
    return f"{settings.COOKIE_PREFIX}known-browser"


def account_key(username: str) -> str:
    """Names that differ in case are counted together."""
    return User.normalize_username(username).strip().casefold()
