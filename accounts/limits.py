"""How often passwords may be guessed, for an account and from an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.audit import known_name, record
from accounts.models import AuditAction
from contentstudio.access.client_address import client_address, network_of
from contentstudio.access.throttle import Limit, TooManyAttempts

WHAT = "failed attempts to sign in"


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
    subjects = ((address_limit(), network_of(client_address(request))), (account_limit(), account_key(username)))
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


def account_key(username: str) -> str:
    """Names that differ in case are counted together."""
    return User.normalize_username(username).strip().casefold()
