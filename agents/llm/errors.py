"""What went wrong with a model call: whether asking again can help, how long to wait, and what to tell a person."""

from __future__ import annotations

import math
import random
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import openai

from agents.exceptions import FailureCode, ModelError, ProviderUnavailable

LONGEST_PAUSE = 60.0  # seconds; a server that asks for more is not waited for
LONGEST_QUOTE = 200  # characters of what a server says that are passed on

BROKE_OFF = "The model's answer broke off. Its server may be overloaded; try again."
USED_UP = "The model account's quota is used up ({status}). Add credit, or use another key."
FILTERED = "The provider's content filter refused the request ({status}). Reword the brief or its sources."

_QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance"}
_FILTER_CODES = {"content_filter", "content_policy_violation"}
_STATUS_OF = {
    "rate_limit_exceeded": 429,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "context_length_exceeded": 400,
    **dict.fromkeys(_FILTER_CODES, 400),
    **dict.fromkeys(_QUOTA_CODES, 429),
}
"""What a code means that comes amid a stream, where the status was 200."""
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
"""The same of a type, where there is no code that is known: such as OpenAI, Anthropic and those who do as they do send."""

# Local servers have no code for it, only words of their own.
_TOO_LONG = re.compile(
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
    def outage(self) -> bool:
        """The provider is unavailable for every call, possibly for hours: the run waits for it instead of failing."""
        return self.code in (FailureCode.MODEL_UNAVAILABLE, FailureCode.MODEL_RATE_LIMITED)

    def pause(self, attempt: int) -> float:
        """Seconds before the next try: what the server asked for, else doubling from half a second, with jitter."""
        if self.retry_after is not None:
            return self.retry_after + random.uniform(0, 0.25)  # noqa: S311  # spreads callers, guards nothing
        return float(0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))  # noqa: S311

    def told(self, attempts: int) -> str:
        return self.reason if self.permanent or attempts == 1 else f"{self.reason} (tried {attempts} times)"

    def given_up(self, attempts: int, model: str) -> ModelError:
        """What is raised once it is not tried again for now."""
        if self.outage:
            return ProviderUnavailable(self.told(attempts), model=model, code=self.code, retry_after=self.retry_after)
        return ModelError(self.told(attempts), code=self.code, permanent=self.permanent)


class BadAnswer(Exception):
    """The server answered, but not with an answer."""

    def __init__(self, reason: str, code: FailureCode, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.fault = Fault(reason, code, permanent)


def cut_stream() -> BadAnswer:
    return BadAnswer(BROKE_OFF, FailureCode.MODEL_UNAVAILABLE)


def empty_answer() -> BadAnswer:
    return BadAnswer("The model answered with nothing. Try again, or use another model.", FailureCode.MODEL_BAD_OUTPUT)


def filtered_answer() -> BadAnswer:
    return BadAnswer(
        "The provider's content filter stopped the answer. Reword the brief or its sources, or use another model.",
        FailureCode.MODEL_CONTENT_FILTER,
        permanent=True,
    )


def declined() -> BadAnswer:
    return BadAnswer(
        "The model declined to answer. Reword the brief or its sources, or use another model.",
        FailureCode.MODEL_CONTENT_FILTER,
        permanent=True,
    )


def endless_answer() -> BadAnswer:
    return BadAnswer(
        "The model's answer has no end. Set a limit of tokens, or use another model.",
        FailureCode.MODEL_OUTPUT_TOO_LONG,
        permanent=True,
    )


def error_amid_stream(error: object, request: httpx.Request) -> openai.APIError:
    """What a server reports in its stream, after it said 200."""
    message = error.get("message") if isinstance(error, dict) else error
    return openai.APIError(str(message or ""), request, body=error)


def diagnose(error: Exception, model: str) -> Fault | None:
    """The fault behind an exception of a model call; None where it is not the model's, but a mistake in the studio."""
    if isinstance(error, BadAnswer):
        return error.fault
    if isinstance(error, openai.APIStatusError):
        return _status_fault(error.status_code, _code(error), error.response.text, model, _retry_after(error))
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return _late(error)
    if isinstance(error, openai.APIConnectionError | httpx.TransportError):
        return _connection_fault(error)
    if type(error) is openai.APIError and error.body is not None:
        return _fault_amid_stream(error, model)
    if isinstance(error, openai.APIError | ValueError):
        return Fault(
            f"The model's server answered with something that cannot be read. Is OPENAI_BASE_URL right for {model}?",
            FailureCode.MODEL_BAD_OUTPUT,
        )
    return None


def says_why(error: openai.APIStatusError) -> bool:
    """Whether a refusal has a reason that lies in what was asked, or who asked, rather than in the words of the protocol."""
    code = str(error.code or "")
    return code in _STATUS_OF or _says_too_long(code, error.response.text)


# Refusals


def _status_fault(status: int, code: str, told: str, model: str, wait: float | None) -> Fault:
    if status == 402 or code in _QUOTA_CODES:
        return Fault(USED_UP.format(status=status), FailureCode.MODEL_QUOTA, permanent=True)
    if status == 429:
        too_long = wait is not None and wait > LONGEST_PAUSE
        reason = "The model's provider limits how often it may be asked (429)."
        advice = "Wait a little, then try again, or lower LLM_MAX_CONCURRENCY."
        return Fault(f"{reason} {advice}", FailureCode.MODEL_RATE_LIMITED, too_long, wait)
    if status in (502, 503, 504):
        return Fault(
            f"The model's server is overloaded or starting ({status}). Try again later.",
            FailureCode.MODEL_UNAVAILABLE,
            retry_after=_short(wait),
        )
    if status >= 500 or status in (408, 409, 425):
        reason = f"The model's server failed ({status}). Try again later."
        return Fault(reason, FailureCode.MODEL_UNAVAILABLE, retry_after=_short(wait))
    return _refusal(status, code, told, model)


def _refusal(status: int, code: str, told: str, model: str) -> Fault:
    if status == 401:
        return Fault("The model's key was refused (401). Check OPENAI_API_KEY.", FailureCode.MODEL_AUTH, permanent=True)
    if status == 403:
        reason = f"The model's key may not use {model} (403). Check OPENAI_API_KEY and LLM_MODEL."
        return Fault(reason, FailureCode.MODEL_AUTH, permanent=True)
    if status == 413 or _says_too_long(code, told):
        reason = f"The text is too long for {model} ({status})."
        advice = "Give fewer or shorter sources, or use a model that reads more."
        return Fault(f"{reason} {advice}", FailureCode.MODEL_CONTEXT_TOO_LONG, permanent=True)
    if status == 404:
        reason = f"The server knows no model named {model} (404). Check LLM_MODEL and OPENAI_BASE_URL."
        return Fault(reason, FailureCode.MODEL_MISCONFIGURED, permanent=True)
    if code in _FILTER_CODES:
        return Fault(FILTERED.format(status=status), FailureCode.MODEL_CONTENT_FILTER, permanent=True)
    reason = (
        f"The model's server refused the request ({status}){_quoted(told)}. `manage.py doctor` tells what it can do."
    )
    return Fault(reason, permanent=True)


def _says_too_long(code: str, told: str) -> bool:
    return code == "context_length_exceeded" or _TOO_LONG.search(told) is not None


def _fault_amid_stream(error: openai.APIError, model: str) -> Fault:
    code, told = _code(error), error.message
    if _says_too_long(code, told):
        code = "context_length_exceeded"
    known = _STATUS_OF.get(code) or _STATUS_OF_TYPE.get(str(error.type), 0)
    status = int(code) if re.fullmatch(r"[45]\d\d", code) else known
    if status:
        return _status_fault(status, code, told, model, None)
    return Fault(
        f"The model's server failed amid its answer{_quoted(told)}. Try again later.", FailureCode.MODEL_UNAVAILABLE
    )


def _code(error: openai.APIError) -> str:
    """Its code; some servers leave that empty and say in ``type`` what it is."""
    return str(error.code or error.type or "")


def _quoted(told: str) -> str:
    """What the server said, as one short line; nothing where it is a page or nothing."""
    found = re.search(r'"message"\s*:\s*"((?:\\.|[^"\\])+)"', told)
    line = " ".join((found[1] if found else told).split())
    return f': "{line[:LONGEST_QUOTE]}"' if line and line[0] not in "<{[" else ""


# Connections


def _late(error: Exception) -> Fault:
    causes = list(_causes(error))
    if any(isinstance(cause, httpx.ConnectTimeout) for cause in causes):
        reason = "The model's server cannot be reached: it did not take the call in time. Check OPENAI_BASE_URL."
    elif isinstance(error, openai.APITimeoutError):
        reason = "The model's server did not answer in time. See that it is up, or raise LLM_TIMEOUT."
    else:
        reason = "The model's server fell silent amid its answer. See that it is up, or raise LLM_TIMEOUT."
    return Fault(reason, FailureCode.MODEL_UNAVAILABLE)


def _connection_fault(error: Exception) -> Fault:
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return Fault(
                    f"The certificate of the model's server is not trusted ({cause.verify_message})."
                    " Renew it, or add its authority to the file that SSL_CERT_FILE names.",
                    FailureCode.MODEL_MISCONFIGURED,
                    permanent=True,
                )
            case ssl.SSLError():
                return Fault(
                    "The model's server does not speak TLS at this address. Check whether OPENAI_BASE_URL has to"
                    " begin with http:// or https://.",
                    FailureCode.MODEL_MISCONFIGURED,
                    permanent=True,
                )
            case socket.gaierror():
                return Fault(
                    "The name of the model's server is not known. Check OPENAI_BASE_URL and the network's DNS.",
                    FailureCode.MODEL_UNAVAILABLE,
                )
            case httpx.UnsupportedProtocol() | httpx.InvalidURL():
                return Fault(
                    "OPENAI_BASE_URL is no address. It begins with http:// or https://.",
                    FailureCode.MODEL_MISCONFIGURED,
                    permanent=True,
                )
            case httpx.RemoteProtocolError() | httpx.ReadError():
                return Fault(BROKE_OFF, FailureCode.MODEL_UNAVAILABLE)
    reason = "The model's server cannot be reached. See that it is up and that OPENAI_BASE_URL is its address."
    return Fault(reason, FailureCode.MODEL_UNAVAILABLE)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, and so on. The client wraps what httpx wraps what the socket raised."""
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


def _short(wait: float | None) -> float | None:
    return None if wait is None else min(wait, LONGEST_PAUSE)
