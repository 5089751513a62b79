"""What went wrong with a model call: whether asking again can help, how long to wait, and what to tell a person."""

from __future__ import annotations

import random
from dataclasses import dataclass

import httpx
import openai

from agents.exceptions import ModelError

BROKE_OFF = "The model's answer broke off. Its server may be overloaded; try again."
LONGEST_PAUSE = 30.0  # seconds; a server that asks for more is not waited for


@dataclass(frozen=True)
class Fault:
    """``reason`` is a sentence that names what to do; ``retry_after`` is what the server asked for, in seconds."""

    reason: str
    permanent: bool = False
    retry_after: float | None = None

    def pause(self, attempt: int) -> float:
        """Seconds before the next try: what the server asked for, else doubling from half a second, with jitter."""
        if self.retry_after is not None:
            return self.retry_after + random.uniform(0, 0.25)  # noqa: S311  # spreads callers, guards nothing
        return float(0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))  # noqa: S311

    def told(self, attempts: int) -> str:
        return self.reason if self.permanent or attempts == 1 else f"{self.reason} (tried {attempts} times)"


class _BadAnswer(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def cut_stream() -> Exception:
    return _BadAnswer(BROKE_OFF)


def empty_answer() -> Exception:
    return _BadAnswer("The model answered with nothing. Try again, or use another model.")


def finished_badly(finish_reason: str, model: str) -> None:
    """Raise ModelError where the model says that what it gave is not its whole answer."""
    if finish_reason == "length":
        raise ModelError(
            f"The answer of {model} was cut at its limit of tokens. Raise the server's limit or use another model.",
            permanent=True,
        )
    if finish_reason == "content_filter":
        raise ModelError(
            "The provider's content filter stopped the answer. Reword the brief or its sources, or use another model.",
            permanent=True,
        )


def diagnose(error: Exception, model: str) -> Fault | None:
    """The fault behind an exception of a model call; None where it is not the model's, but a mistake in the studio."""
    if isinstance(error, _BadAnswer):
        return Fault(error.reason)
    if isinstance(error, openai.APIStatusError):
        return _status_fault(error, model)
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return Fault("The model's server did not answer in time. See that it is up, or raise LLM_TIMEOUT.")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError) or isinstance(
        error.__cause__, httpx.RemoteProtocolError
    ):
        return Fault(BROKE_OFF)
    if isinstance(error, openai.APIConnectionError | httpx.TransportError):
        return Fault("The model's server cannot be reached. See that it is up and that OPENAI_BASE_URL is its address.")
    if isinstance(error, openai.APIError | openai.APIResponseValidationError | ValueError):
        return Fault(
            f"The model's server answered with something that cannot be read. Is OPENAI_BASE_URL right for {model}?"
        )
    return None


def _status_fault(error: openai.APIStatusError, model: str) -> Fault:
    status, code = error.status_code, str(error.code or "")
    if status == 429 and code == "insufficient_quota":
        return Fault("The model account's quota is used up (429). Add credit, or use another key.", permanent=True)
    if status == 429:
        wait = _retry_after(error)
        too_long = wait is not None and wait > LONGEST_PAUSE
        reason = "The model's provider limits how often it may be asked (429)."
        return Fault(f"{reason} Wait a little, then try again, or lower LLM_MAX_CONCURRENCY.", too_long, wait)
    if status >= 500 or status in (408, 409):
        return Fault(f"The model's server failed ({status}). Try again later.", retry_after=_short(_retry_after(error)))
    return Fault(_refusal(status, code, model), permanent=True)


def _refusal(status: int, code: str, model: str) -> str:
    if status == 401:
        return "The model's key was refused (401). Check OPENAI_API_KEY."
    if status == 403:
        return f"The model's key may not use {model} (403). Check OPENAI_API_KEY and LLM_MODEL."
    if status == 404:
        return f"The server knows no model named {model} (404). Check LLM_MODEL and OPENAI_BASE_URL."
    if status == 413 or code == "context_length_exceeded":
        return f"The text is too long for {model} ({status}). Give fewer or shorter sources, or use a model that reads more."
    if code in ("content_filter", "content_policy_violation"):
        return f"The provider's content filter refused the request ({status}). Reword the brief or its sources."
    return f"The model's server refused the request ({status}). `manage.py doctor` tells what it can do."


def _retry_after(error: openai.APIStatusError) -> float | None:
    try:
        return max(0.0, float(error.response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _short(wait: float | None) -> float | None:
    return None if wait is None else min(wait, LONGEST_PAUSE)
