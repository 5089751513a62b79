"""Every line of the log: what happened, and to which request, run and step.

Code logs as Python does, ``logging.getLogger(__name__)``. What a line belongs to is bound to the context with structlog and
added here, whoever logs it, libraries too. ``LOG_FORMAT`` decides how a line looks: for a terminal, or as JSON for a collector.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import LazyObject
from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

KNOWN = ("request_id", "run_id", "article_id", "user_id", "step")
"""What a line may belong to, in the order in which it is told."""

HEADER = "X-Request-ID"
GIVEN = re.compile(r"[\w.-]{1,64}", re.ASCII)  # a proxy's own id is kept, unless it could break a line
SECRET_NAME = re.compile(r"key|secret|token|pass", re.IGNORECASE)
SHORTEST_SECRET = 6  # characters; shorter ones would blot out words

ORDER = ("time", "level", "logger", "event", *KNOWN, "exception")

asking: ContextVar[HttpRequest | None] = ContextVar("asking", default=None)


# What a line holds

add_time = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")


def add_user(_: Any, __: str, event: EventDict) -> EventDict:
    """Who asks, where that is known by now: a line of the log is no reason to look a session up."""
    request = asking.get()
    if request is not None and "user_id" not in event:
        known = vars(request)
        user = known.get("user")  # Django's waits to be looked at, and keeps what it found then beside it
        number = getattr(known.get("_cached_user") if isinstance(user, LazyObject) else user, "pk", None)
        if number is not None:
            event["user_id"] = number
    return event


SHARED: list[Processor] = [
    merge_contextvars,
    ExtraAdder(allow=KNOWN),  # libraries put whole requests and sockets beside a line
    add_user,
    add_log_level,
    add_logger_name,
    add_time,
]


# How it looks


def in_json(_: Any, __: str, event: EventDict) -> str:
    return json.dumps({name: event[name] for name in ORDER if name in event}, ensure_ascii=False, default=str)


def in_a_line(_: Any, __: str, event: EventDict) -> str:
    """``WARNING agents.worker.jobs: run 7 failed: … [request_id=4f… step=write:3]``, and a traceback below it."""
    belongs = " ".join(f"{name}={event[name]}" for name in KNOWN if name in event)
    line = f"{event['level'].upper()} {event['logger']}: {event['event']}{f' [{belongs}]' if belongs else ''}"
    return f"{line}\n{event['exception']}" if "exception" in event else line


class Lines(ProcessorFormatter):
    """Formats a record as ``style`` says (``console`` or ``json``). None of ``secrets`` is ever in a line."""

    def __init__(self, style: str, secrets: Iterable[str]) -> None:
        last = in_json if style == "json" else in_a_line
        processors: list[Processor] = [
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            last,
        ]
        super().__init__(foreign_pre_chain=SHARED, processors=processors)
        hidden = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._secret = re.compile("|".join(map(re.escape, hidden))) if hidden else None

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return self._secret.sub("…", line) if self._secret else line


def logging_config(style: str, level: str, secrets: Iterable[str], addresses: Iterable[str]) -> dict[str, Any]:
    """Django's LOGGING. Of ``addresses``, such as DATABASE_URL, what opens them is secret too."""
    hidden = [*secrets, *(secret for address in addresses for secret in secrets_in(address))]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": Lines, "style": style, "secrets": hidden}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own would add a second line in a form of its own, and mails.
            "django": {"level": "INFO", "handlers": [], "propagate": True},
            "django.server": {"level": "WARNING", "handlers": [], "propagate": True},
            **{name: {"level": "WARNING"} for name in ("httpx", "ddgs", "crewai_core", "daphne", "rq.worker")},
        },
    }


def secrets_in(address: str) -> set[str]:
    """Passwords, as they were given and as libraries tell them; of web addresses also users and what is asked for.

    A token may be either of these. A database's user is none, and its name may be a word such as “postgres”.
    """
    parts = urlsplit(address)
    asked = parse_qsl(parts.query)
    found = [parts.password, *(value for name, value in asked if SECRET_NAME.search(name))]
    if parts.scheme in ("http", "https"):
        found += [parts.username, *(value for _, value in asked)]
    given = {secret for secret in found if secret}
    return given | {unquote(secret) for secret in given} | {quote(secret, safe="") for secret in given}


# What it belongs to


def request_ids(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, the first: each request has an id, its own or its proxy's, in the log and in the answer.

    It is not taken away afterwards, as Django logs refusals behind the last middleware; the next request brings its own.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request_id = given if GIVEN.fullmatch(given) else token_hex(8)
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        asking.set(request)
        response = get_response(request)
        response[HEADER] = request_id
        return response

    return middleware


def as_json_line(name: str, line: str) -> str:
    """A line of program ``name`` as JSON: what is not ours, such as a crash of the interpreter, is put into a line that is."""
    if line.startswith("{") and line.endswith("}"):
        return line
    return in_json(None, "", add_time(None, "", {"level": "info", "logger": name, "event": line}))
