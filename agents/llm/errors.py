"""Diagnoses a failed model call: its code, whether a retry can help, and the message for a person."""

from __future__ import annotations

import math
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import httpx
import openai

from agents.exceptions import FailureCode, ModelError, ProviderUnavailable

MAX_QUOTE = 200  # characters of the server's own message that are passed on
MAX_RETRY_AFTER = 60.0  # seconds; what a server that is overloaded asks for beyond this is not taken literally

UNREACHABLE = "The model server cannot be reached. Check that it is running and that OPENAI_BASE_URL is its address."
CONNECTION_LOST = (
    "The model server closed the connection before its answer was complete. It may be overloaded; try again."
)

_QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance"}
_FILTER_CODES = {"content_filter", "content_policy_violation"}
_STATUS_OF_CODE = {
    "rate_limit_exceeded": 429,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "context_length_exceeded": 400,
    **dict.fromkeys(_FILTER_CODES, 400),
    **dict.fromkeys(_QUOTA_CODES, 429),
}
"""The HTTP status that an error code means if it arrives in a stream, whose status was 200."""
_STATUS_OF_TYPE = {
    "rate_limit_error": 429,
    "overloaded_error": 503,
    "server_error": 500,
    "api_error": 500,
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
}
"""The same for the type of an error without a known code, as OpenAI, Anthropic and compatible servers send it."""

# Local servers have no code for this, only their own wording.
_CONTEXT_TOO_LONG = re.compile(
    r"context[_ ](length|size|window)|maximum context|exceeds? the (available )?context"
    r"|prompt is too long|too many (input )?tokens",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Fault:
    """Why a call failed. ``reason`` says what to do; ``retry_after`` is the delay in seconds the server asked for."""

    reason: str
    code: FailureCode = FailureCode.MODEL_OTHER
    permanent: bool = False
    retry_after: float | None = None

    @property
    def is_outage(self) -> bool:
        """The provider is unavailable for every call, possibly for hours: the run waits for it instead of failing."""
        return self.code in (FailureCode.MODEL_UNAVAILABLE, FailureCode.MODEL_RATE_LIMITED)

    def as_exception(self, attempts: int, model: str) -> ModelError:
        """What is raised when no further attempt is made."""
        message = self.reason if self.permanent or attempts == 1 else f"{self.reason} ({attempts} attempts)"
        if self.is_outage:
            return ProviderUnavailable(message, model=model, code=self.code, retry_after=self.retry_after)
        return ModelError(message, code=self.code, permanent=self.permanent)


class UnusableAnswer(Exception):
    """The server answered, but the answer cannot be used."""

    def __init__(self, reason: str, code: FailureCode, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.fault = Fault(reason, code, permanent)


def stream_broken() -> UnusableAnswer:
    return UnusableAnswer(CONNECTION_LOST, FailureCode.MODEL_UNAVAILABLE)


def empty_answer() -> UnusableAnswer:
    return UnusableAnswer(
        "The model returned an empty answer. Try again, or use another model.", FailureCode.MODEL_BAD_OUTPUT
    )


def content_filtered() -> UnusableAnswer:
    return UnusableAnswer(
        "The provider's content filter stopped the answer. Reword the brief or its sources, or use another model.",
        FailureCode.MODEL_CONTENT_FILTER,
        permanent=True,
    )


def model_declined() -> UnusableAnswer:
    return UnusableAnswer(
        "The model declined to answer. Reword the brief or its sources, or use another model.",
        FailureCode.MODEL_CONTENT_FILTER,
        permanent=True,
    )


def endless_answer() -> UnusableAnswer:
    return UnusableAnswer(
        "The model's answer does not end. Set a token limit, or use another model.",
        FailureCode.MODEL_OUTPUT_TOO_LONG,
        permanent=True,
    )


def error_in_stream(error: object, request: httpx.Request) -> openai.APIError:
    """The exception for an error that a server reports in its stream, after status 200."""
    message = error.get("message") if isinstance(error, dict) else error
    return openai.APIError(str(message or ""), request, body=error)


def diagnose(error: BaseException, model: str, setting: str = "LLM_MODEL") -> Fault | None:
    """The fault behind an exception of a model call, or None if the model is not to blame.

    ``setting`` is the one that names ``model``.
    """
    if isinstance(error, UnusableAnswer):
        return error.fault
    if isinstance(error, openai.APIStatusError):
        wait = _retry_after(error)
        return _fault_of_status(error.status_code, _code_of(error), error.response.text, model, setting, wait)
    if isinstance(error, openai.APIConnectionError | httpx.TransportError | aiohttp.ClientError):
        return _connection_fault(error)
    if type(error) is openai.APIError and error.body is not None:
        return _fault_in_stream(error, model, setting)
    if isinstance(error, openai.APIError | ValueError):
        return Fault(
            f"The model server's answer could not be parsed. Check that OPENAI_BASE_URL is right for {model}.",
            FailureCode.MODEL_BAD_OUTPUT,
        )
    return None


def is_not_about_parameters(error: openai.APIStatusError) -> bool:
    """Whether a rejection is about the content or the caller, not about the parameters of the request."""
    code = str(error.code or "")
    return code in _STATUS_OF_CODE or _is_context_too_long(code, error.response.text)


# HTTP errors


def _fault_of_status(status: int, code: str, message: str, model: str, setting: str, wait: float | None) -> Fault:
    if status == 402 or code in _QUOTA_CODES:
        reason = f"The model account's quota is used up ({status}). Add credit, or use another key."
        return Fault(reason, FailureCode.MODEL_QUOTA, permanent=True)
    if status == 429:
        reason = "The model provider's rate limit was exceeded (429). Try again later, or lower LLM_MAX_CONCURRENCY."
        return Fault(reason, FailureCode.MODEL_RATE_LIMITED, retry_after=wait)
    wait = None if wait is None else min(wait, MAX_RETRY_AFTER)
    if status in (502, 503, 504):
        reason = f"The model server is overloaded or starting ({status}). Try again later."
        return Fault(reason, FailureCode.MODEL_UNAVAILABLE, retry_after=wait)
    if status >= 500 or status in (408, 409, 425):
        reason = f"The model server failed ({status}). Try again later."
        return Fault(reason, FailureCode.MODEL_UNAVAILABLE, retry_after=wait)
    if status == 401:
        return Fault("The model key is invalid (401). Check OPENAI_API_KEY.", FailureCode.MODEL_AUTH, permanent=True)
    if status == 403:
        reason = f"The model key may not use {model} (403). Check OPENAI_API_KEY and {setting}."
        return Fault(reason, FailureCode.MODEL_AUTH, permanent=True)
    if status == 413 or _is_context_too_long(code, message):
        advice = "Use fewer or shorter sources, or a model with a larger context."
        reason = f"The text is too long for {model} ({status}). {advice}"
        return Fault(reason, FailureCode.MODEL_CONTEXT_TOO_LONG, permanent=True)
    if status == 404:
        reason = f"The server has no model named {model} (404). Check {setting} and OPENAI_BASE_URL."
        return Fault(reason, FailureCode.MODEL_MISCONFIGURED, permanent=True)
    if code in _FILTER_CODES:
        reason = f"The provider's content filter rejected the request ({status}). Reword the brief or its sources."
        return Fault(reason, FailureCode.MODEL_CONTENT_FILTER, permanent=True)
    reason = f"The model server rejected the request ({status}){_quoted(message)}. Run `manage.py doctor` for details."
    return Fault(reason, permanent=True)


def _is_context_too_long(code: str, message: str) -> bool:
    return code == "context_length_exceeded" or _CONTEXT_TOO_LONG.search(message) is not None


def _fault_in_stream(error: openai.APIError, model: str, setting: str) -> Fault:
    code, message = _code_of(error), error.message
    if _is_context_too_long(code, message):
        code = "context_length_exceeded"
    known = _STATUS_OF_CODE.get(code) or _STATUS_OF_TYPE.get(str(error.type), 0)
    status = int(code) if re.fullmatch(r"[45]\d\d", code) else known
    if status:
        return _fault_of_status(status, code, message, model, setting, None)
    reason = f"The model server failed during its answer{_quoted(message)}. Try again later."
    return Fault(reason, FailureCode.MODEL_UNAVAILABLE)


def _code_of(error: openai.APIError) -> str:
    """The error's code. Some servers leave it empty and put it into ``type``."""
    return str(error.code or error.type or "")


def _quoted(message: str) -> str:
    """What the server said, as one short line, or nothing if that is empty or an HTML page."""
    found = re.search(r'"message"\s*:\s*"((?:\\.|[^"\\])+)"', message)
    line = " ".join((found[1] if found else message).split())
    return f': "{line[:MAX_QUOTE]}"' if line and line[0] not in "<{[" else ""


# Connections


def _connection_fault(error: BaseException) -> Fault:
    """The fault of the innermost cause that is known: httpx-aiohttp reports lost and refused connections as timeouts."""
    answering = not isinstance(error, openai.APIError)
    for cause in reversed(list(_causes(error))):
        match cause:
            case ssl.SSLCertVerificationError():
                return Fault(
                    f"The certificate of the model server is not trusted ({cause.verify_message})."
                    " Renew it, or add its authority to the file in SSL_CERT_FILE.",
                    FailureCode.MODEL_MISCONFIGURED,
                    permanent=True,
                )
            case ssl.SSLError():
                return Fault(
                    "The model server does not speak TLS at this address. Check whether OPENAI_BASE_URL should start"
                    " with http:// or https://.",
                    FailureCode.MODEL_MISCONFIGURED,
                    permanent=True,
                )
            case httpx.UnsupportedProtocol() | httpx.InvalidURL() | aiohttp.InvalidURL():
                return Fault(
                    "OPENAI_BASE_URL is not a valid address. It must start with http:// or https://.",
                    FailureCode.MODEL_MISCONFIGURED,
                    permanent=True,
                )
            case _ if reason := _reason_of_outage(cause, answering=answering):
                return Fault(reason, FailureCode.MODEL_UNAVAILABLE)
    return Fault(UNREACHABLE, FailureCode.MODEL_UNAVAILABLE)


def _reason_of_outage(cause: BaseException, *, answering: bool) -> str:
    """Why the server is unavailable, or nothing if ``cause`` does not say. ``answering``: its answer had started."""
    match cause:
        case socket.gaierror():
            return "The host name of the model server cannot be resolved. Check OPENAI_BASE_URL and the network's DNS."
        case aiohttp.ConnectionTimeoutError():
            return "The model server did not accept the connection in time. Check OPENAI_BASE_URL."
        case aiohttp.ClientConnectorError() | aiohttp.ClientHttpProxyError():
            return UNREACHABLE
        case aiohttp.ServerTimeoutError() | httpx.ReadTimeout():
            what = "stopped responding during its answer" if answering else "did not answer in time"
            return f"The model server {what}. Check that it is running, or raise LLM_TIMEOUT."
        case aiohttp.ClientError() | httpx.RemoteProtocolError() | httpx.ReadError():
            return CONNECTION_LOST
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, its cause, and so on: the openai client wraps httpx, which wraps aiohttp, which wraps the socket's error."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds the server asks to wait: a number or a date (RFC 9110, 10.2.3), or milliseconds as some providers send them."""
    headers = error.response.headers
    try:
        in_ms = "retry-after-ms" in headers
        seconds = float(headers["retry-after-ms"]) / 1000 if in_ms else float(headers["retry-after"])
    except KeyError:
        return None
    except ValueError:
        return _seconds_until(headers.get("retry-after", ""))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
