"""Failures carry a code that programs can rely on, whatever the message says."""

from __future__ import annotations

import httpx
import openai
import pytest

from agents.exceptions import (
    AgentError,
    FailureCode,
    FileNotStored,
    ImageError,
    ManuscriptIncomplete,
    ModelError,
    NothingToRead,
    ProviderUnavailable,
    SearchFailed,
    SpendingLimitReached,
)
from agents.llm.errors import Fault, content_filtered, diagnose, empty_answer, error_in_stream

REQUEST = httpx.Request("POST", "http://model/v1/chat/completions")


def refusal(status: int, code: str = "") -> openai.APIStatusError:
    error = {"message": "no", "code": code or None}
    response = httpx.Response(status, json={"error": error}, request=REQUEST)
    return openai.APIStatusError("no", response=response, body=error)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refusal(401), "model_auth"),
        (refusal(403), "model_auth"),
        (refusal(402), "model_quota"),
        (refusal(429, "insufficient_quota"), "model_quota"),
        (refusal(429), "model_rate_limited"),
        (refusal(500), "model_unavailable"),
        (refusal(503), "model_unavailable"),
        (refusal(404), "model_misconfigured"),
        (refusal(413), "model_context_too_long"),
        (refusal(400, "context_length_exceeded"), "model_context_too_long"),
        (refusal(400, "content_filter"), "model_content_filter"),
        (refusal(400), "model_other"),
        (openai.APITimeoutError(REQUEST), "model_unavailable"),
        (openai.APIConnectionError(request=REQUEST), "model_unavailable"),
        (error_in_stream({"code": "rate_limit_exceeded"}, REQUEST), "model_rate_limited"),
        (ValueError("no JSON"), "model_bad_output"),
        (empty_answer(), "model_bad_output"),
        (content_filtered(), "model_content_filter"),
    ],
    ids=str,
)
def test_a_failed_call_has_the_code_of_its_cause(error: Exception, code: str) -> None:
    fault = diagnose(error, "m")
    assert fault
    assert fault.code == code
    assert fault.as_exception(1, "m").code == code


def test_a_run_waits_for_an_unavailable_provider_only() -> None:
    waiting = {code for code in FailureCode if isinstance(Fault("", code).as_exception(1, "m"), ProviderUnavailable)}
    assert waiting == {FailureCode.MODEL_UNAVAILABLE, FailureCode.MODEL_RATE_LIMITED}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelError(""), "model_other"),
        (ImageError(""), "image_failed"),
        (NothingToRead(), "nothing_to_read"),
        (SearchFailed(), "search_failed"),
        (ManuscriptIncomplete(), "brief_not_met"),
        (SpendingLimitReached(), "spending_limit"),
        (FileNotStored(), "storage_full"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_expected_failure_has_a_code(error: AgentError, code: str) -> None:
    assert error.code == code
