"""Calls of a model against a real HTTP server with the faults of providers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import openai
import pytest
from django.conf import LazySettings
from pydantic import BaseModel, ConfigDict, Field

from agents.crew.llm import StudioLLM
from agents.exceptions import ModelError
from agents.llm import chat, retry
from tests.model_client import client_of
from tests.model_server import ModelServer


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    word: str = Field(min_length=2)
    number: int


@pytest.fixture
def llm(model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> StudioLLM:
    return StudioLLM(model="test-model", client=model_client, slots=slots)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between attempts."""
    monkeypatch.setattr("agents.llm.retry.pause", lambda fault, attempt: 0.0)


async def test_it_returns_the_complete_text(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text="One two three.")
    assert await llm.acall("Say something.") == "One two three."


async def test_temperature_and_token_limit_are_sent_if_set(
    model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore, llm: StudioLLM, model_server: ModelServer
) -> None:
    await StudioLLM(model="m", client=model_client, slots=slots, temperature=0.2, max_tokens=900).acall("Say it.")
    await llm.acall("Say something.")
    set_so, left = (call.body for call in model_server.calls)
    assert (set_so["temperature"], set_so["max_completion_tokens"]) == (0.2, 900)
    assert not left.keys() & {"temperature", "max_completion_tokens", "max_tokens"}


# One layer that tries again


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429},
        {"status": 500},
        {"status": 502},
        {"status": 503},
        {"status": 504},
        {"cut": 0.5},
        {"text": ""},
        {"text": "<think>Only thoughts.</think>"},
        {"raw": b""},
        {"raw": b"data: {not JSON}\n\n"},
        {"raw": b"data: [1]\n\n"},
        {"raw": b'data: {"choices": 7}\n\n'},
        {"raw": b'data: {"choices": [{"delta": {"content": "Half a"}}]}\n\ndata: [DONE]\n\n'},
        {"raw": b"<html>A page of a proxy</html>"},
        {"raw": b'data: {"error": {"message": "Overloaded", "code": 503}}\n\n'},
        {"raw": b'data: {"error": "out of memory"}\n\n'},
    ],
    ids=str,
)
async def test_temporary_faults_are_retried(
    llm: StudioLLM, model_server: ModelServer, no_pauses: None, fault: dict[str, object]
) -> None:
    model_server.fail(**fault)
    assert await llm.acall("About 20 words, please.")
    assert len(model_server.calls) == 2


async def test_a_stream_that_always_breaks_is_reported(
    llm: StudioLLM, model_server: ModelServer, no_pauses: None
) -> None:
    model_server.fail(cut=0.5, times=9)
    with pytest.raises(ModelError, match=r"closed the connection.*6 attempts"):
        await llm.acall("About 20 words, please.")


async def test_crewai_and_the_client_do_not_retry(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(status=429, times=99, retry_after=0)
    with pytest.raises(ModelError, match="6 attempts"):
        await llm.acall("Say something.")
    assert len(model_server.calls) == retry.ATTEMPTS


async def test_it_waits_for_the_seconds_in_retry_after(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(status=429, retry_after=1)
    await llm.acall("Say something.")
    first, second = model_server.calls
    assert second.at - first.ended >= 1


async def test_it_waits_until_the_date_in_retry_after(llm: StudioLLM, model_server: ModelServer) -> None:
    until = datetime.now(UTC) + timedelta(seconds=2)
    model_server.fail(status=503, retry_after=format_datetime(until, usegmt=True))
    await llm.acall("Say something.")
    assert datetime.now(UTC) >= until.replace(microsecond=0)


async def test_it_does_not_wait_for_a_server_that_asks_for_an_hour(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(status=429, retry_after=3600)
    with pytest.raises(ModelError, match="rate limit"):
        await llm.acall("Say something.")
    assert len(model_server.calls) == 1


async def test_all_attempts_together_stay_within_the_patience(
    llm: StudioLLM, model_server: ModelServer, settings: LazySettings
) -> None:
    settings.LLM_PATIENCE = 0.8
    model_server.fail(hang=5, times=9)
    with pytest.raises(ModelError, match="did not answer in time"):
        await llm.acall("Say something.")
    await asyncio.sleep(0.2)  # until the server has noticed
    assert model_server.calls[-1].ended - model_server.calls[0].at < 1.7


async def test_patience_does_not_end_while_an_answer_is_coming(
    slots: asyncio.Semaphore, settings: LazySettings
) -> None:
    settings.LLM_PATIENCE = 0.4
    with ModelServer(token_seconds=0.02) as slow:
        async with client_of(slow.url) as client:
            assert await StudioLLM(model="m", client=client, slots=slots).acall("About 60 words.")
        assert len(slow.calls) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 401}, "key is invalid"),
        ({"status": 402}, "quota is used up"),
        ({"status": 403}, "may not use"),
        ({"status": 404}, "has no model named test-model"),
        ({"status": 429, "code": "insufficient_quota"}, "quota is used up"),
        ({"status": 400, "code": "context_length_exceeded"}, "too long"),
        ({"status": 400, "code": "content_filter"}, "content filter"),
        ({"status": 413}, "too long"),
        ({"status": 418}, 'rejected the request .418.: "scripted 418"'),
        ({"text": "Half a", "finish_reason": "content_filter"}, "content filter stopped"),
        ({"raw": b'data: {"error": {"message": "No", "code": "insufficient_quota"}}\n\n'}, "quota is used up"),
        ({"raw": b'data: {"error": {"message": "exceeds the context size"}}\n\n'}, "too long"),
        ({"raw": b'data: {"choices": [{"delta": {"refusal": "No."}, "finish_reason": "stop"}]}\n\n'}, "declined"),
    ],
    ids=str,
)
async def test_permanent_faults_are_not_retried(
    llm: StudioLLM, model_server: ModelServer, fault: dict[str, object], reason: str
) -> None:
    model_server.fail(**fault)
    with pytest.raises(ModelError, match=reason) as caught:
        await llm.acall("Say something.")
    assert len(model_server.calls) == 1
    assert caught.value.permanent


async def test_a_server_that_hangs_times_out(model_server: ModelServer, slots: asyncio.Semaphore) -> None:
    model_server.fail(hang=5)
    async with client_of(model_server.url, timeout=0.3) as client:
        assert await StudioLLM(model="m", client=client, slots=slots).acall("About 20 words.")
    assert [call.status for call in model_server.calls] == [499, 200]


@pytest.mark.parametrize("pings", [False, True])
async def test_a_server_that_stops_during_its_answer_times_out(
    model_server: ModelServer, slots: asyncio.Semaphore, no_pauses: None, pings: bool
) -> None:
    model_server.fail(stall=5, pings=pings, times=9)
    async with client_of(model_server.url, timeout=0.2) as client:
        with pytest.raises(ModelError, match="stopped responding during its answer"):
            await StudioLLM(model="m", client=client, slots=slots).acall("About 20 words.")
    assert len(model_server.calls) == retry.ATTEMPTS


async def test_cancelling_closes_the_connection_at_once(slots: asyncio.Semaphore) -> None:
    with ModelServer(token_seconds=0.05) as slow:
        async with client_of(slow.url) as client:
            call = asyncio.create_task(StudioLLM(model="m", client=client, slots=slots).acall("About 400 words."))
            await asyncio.sleep(0.4)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await asyncio.sleep(0.3)
            assert [seen.status for seen in slow.calls] == [499]


async def test_no_more_calls_are_in_flight_than_allowed() -> None:
    with ModelServer(first_seconds=0.1) as server:
        async with client_of(server.url) as client:
            llm = StudioLLM(model="m", client=client, slots=asyncio.Semaphore(2))
            await asyncio.gather(*(llm.acall(f"About 20 words on {number}.") for number in range(6)))
        spans = [(call.at, call.ended) for call in server.calls]
    assert max(sum(a <= moment < b for a, b in spans) for moment, _ in spans) == 2


async def test_a_bug_is_not_reported_as_a_fault_of_the_model(llm: StudioLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.llm.completion.StreamedCompletion.add_chunks", None)
    with pytest.raises(TypeError):
        await llm.acall("Say something.")


def test_there_are_no_synchronous_calls(llm: StudioLLM) -> None:
    with pytest.raises(NotImplementedError):
        llm.call("Say something.")


# Answers in form


async def test_it_returns_structured_answers(llm: StudioLLM) -> None:
    answer = await llm.acall("Answer in form.", response_model=Answer)
    assert isinstance(answer, Answer)


async def test_an_invalid_answer_is_sent_back_with_the_error(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text='{"word": "x", "number": "many"}')
    assert isinstance(await llm.acall("Answer in form.", response_model=Answer), Answer)
    correction = model_server.calls[1].body["messages"][-1]["content"]
    assert "number: " in correction
    assert "many" not in correction


@pytest.mark.parametrize(
    ("said", "again"),
    [('{"title": "cut of', chat.MAX_WITHOUT_JSON), ('{"word": 1, "number": "many"}', chat.MAX_CORRECTIONS)],
)
async def test_it_gives_up_on_a_model_that_never_follows_the_schema(
    llm: StudioLLM, model_server: ModelServer, said: str, again: int
) -> None:
    model_server.fail(text=said, times=9)
    with pytest.raises(ModelError, match="keeps returning invalid JSON"):
        await llm.acall("Answer in form.", response_model=Answer)
    assert len(model_server.calls) == 1 + again


async def test_one_invalid_answer_downgrades_no_parameter(llm: StudioLLM, model_server: ModelServer) -> None:
    """Only a server that keeps ignoring the schema also gets it in the prompt."""
    model_server.fail(text="Here you go!")
    assert isinstance(await llm.acall("Answer in form.", response_model=Answer), Answer)
    again = model_server.calls[1].body
    assert again["response_format"]["type"] == "json_schema"
    assert '"number"' in again["messages"][-1]["content"]


@pytest.mark.parametrize(
    "said",
    [
        '```json\n{"word": "leaf", "number": 3}\n```',
        '<think>Perhaps {"word": "no"}.</think>{"word": "leaf", "number": 3}',
        'A number, and a word.</think>\n{"word": "leaf", "number": 3}',
        'Of course {gladly}. Here it is:\n{"word": "leaf", "number": 3}\nDo you {"want": "more"}?',
        '{"word": "leaf", "number": 3}}}',
    ],
)
async def test_json_is_extracted_from_the_text_around_it(llm: StudioLLM, model_server: ModelServer, said: str) -> None:
    model_server.fail(text=said)
    assert await llm.acall("Answer in form.", response_model=Answer) == Answer(word="leaf", number=3)


async def test_json_that_was_cut_off_is_requested_once_more_with_a_higher_limit(
    model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore, model_server: ModelServer
) -> None:
    model_server.fail(text='{"word": "le', finish_reason="length")
    llm = StudioLLM(model="m", client=model_client, slots=slots, max_tokens=5000)
    assert isinstance(await llm.acall("Answer in form.", response_model=Answer), Answer)
    assert [call.body["max_completion_tokens"] for call in model_server.calls] == [5000, 10000]


async def test_json_that_is_cut_off_twice_fails(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text='{"word": "le', finish_reason="length", times=9)
    with pytest.raises(ModelError, match=r"cut off at the token limit"):
        await llm.acall("Answer in form.", response_model=Answer)
    assert len(model_server.calls) == 2
