"""The format of all log lines, for a terminal or as JSON (LOG_FORMAT), and their context: request, trace, run, article, step.

Code logs with ``logging.getLogger(__name__)``. Context is bound with structlog and added here to every line, including those of
libraries. Secrets are removed here, too.
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
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import LazyObject
from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

CONTEXT = ("request_id", "trace_id", "run_id", "article_id", "user_id", "step", "address")
FIELDS = ("time", "level", "logger", "event", *CONTEXT, "exception")

REQUEST_ID_HEADER = "X-Request-ID"
REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)  # nothing that could break a line

API_KEY = r"cs_[\w-]{43}"  # see ApiKey.objects.issue
SECRET_PARAMETER = re.compile(r"key|secret|token|pass", re.IGNORECASE)
MIN_SECRET_LENGTH = 6  # characters; shorter values could be words

current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)


# Content

add_time = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")


def add_user(_: Any, __: str, event: EventDict) -> EventDict:
    """Adds the signed-in user if the request has loaded it: logging must not query the session."""
    request = current_request.get()
    if request is not None and "user_id" not in event:
        attributes = vars(request)
        user = attributes.get("user")  # Django's is lazy, and caches the loaded user in ``_cached_user``
        loaded = attributes.get("_cached_user") if isinstance(user, LazyObject) else user
        if getattr(loaded, "pk", None) is not None:
            event["user_id"] = loaded.pk  # type: ignore[union-attr]
    return event


PROCESSORS: list[Processor] = [
    merge_contextvars,
    ExtraAdder(allow=CONTEXT),  # libraries pass whole requests and sockets as extra
    add_user,
    add_log_level,
    add_logger_name,
    add_time,
]


# Format


def render_json(_: Any, __: str, event: EventDict) -> str:
    return json.dumps({name: event[name] for name in FIELDS if name in event}, ensure_ascii=False, default=str)


def render_text(_: Any, __: str, event: EventDict) -> str:
    """``WARNING agents.worker.jobs: run 7 failed: … [request_id=4f… step=write:3]``, followed by a traceback."""
    context = " ".join(f"{name}={event[name]}" for name in CONTEXT if name in event)
    line = f"{event['level'].upper()} {event['logger']}: {event['event']}{f' [{context}]' if context else ''}"
    return f"{line}\n{event['exception']}" if "exception" in event else line


class LogFormatter(ProcessorFormatter):
    """Formats records as ``console`` or ``json``, and replaces ``secrets`` and the studio's API keys by “…”."""

    def __init__(self, style: str, secrets: Iterable[str]) -> None:
        processors: list[Processor] = [
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            render_json if style == "json" else render_text,
        ]
        super().__init__(foreign_pre_chain=PROCESSORS, processors=processors)
        longest_first = sorted(
            {secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH}, key=len, reverse=True
        )
        self._secret = re.compile("|".join([*map(re.escape, longest_first), API_KEY]))

    def format(self, record: logging.LogRecord) -> str:
        return self._secret.sub("…", super().format(record))


def logging_config(style: str, level: str, secrets: Iterable[str], addresses: Iterable[str]) -> dict[str, Any]:
    """Django's LOGGING. The credentials in ``addresses``, such as DATABASE_URL, are secrets too."""
    hidden = [*secrets, *(secret for address in addresses for secret in secrets_in(address))]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": LogFormatter, "style": style, "secrets": hidden}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own handlers would print each line a second time, and send mails.
            "django": {"level": "INFO", "handlers": [], "propagate": True},
            "django.server": {"level": "WARNING", "handlers": [], "propagate": True},
            **{name: {"level": "WARNING"} for name in ("httpx", "ddgs", "crewai_core", "daphne", "rq.worker")},
        },
    }


def secrets_in(address: str) -> set[str]:
    """Passwords and tokens in a URL, as given and as libraries print them: quoted and unquoted.

    In web addresses also the user and all query parameters, which may be tokens. A database's user is not secret, and its
    name may be a word such as “postgres”.
    """
    parts = urlsplit(address)
    parameters = parse_qsl(parts.query)
    found = [parts.password, *(value for name, value in parameters if SECRET_PARAMETER.search(name))]
    if parts.scheme in ("http", "https"):
        found += [parts.username, *(value for _, value in parameters)]
    secrets = {secret for secret in found if secret}
    return secrets | {unquote(secret) for secret in secrets} | {quote(secret, safe="") for secret in secrets}


# Context


def request_ids(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, the first: gives each request an id, in the log and in the response. BEHIND_PROXY, the proxy's is kept.

    The context is not cleared afterwards, because Django logs error responses later; the next request replaces it.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(REQUEST_ID_HEADER, "") if settings.BEHIND_PROXY else ""
        request_id = given if REQUEST_ID.fullmatch(given) else token_hex(8)
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        current_request.set(request)
        response = get_response(request)
        response[REQUEST_ID_HEADER] = request_id
        return response

    return middleware


def as_json_line(name: str, line: str) -> str:
    """A line of output of program ``name`` as JSON, unless it is: crashes of the interpreter and Redis print plain text."""
    if line.startswith("{") and line.endswith("}"):
        return line
    return render_json(None, "", add_time(None, "", {"level": "info", "logger": name, "event": line}))
