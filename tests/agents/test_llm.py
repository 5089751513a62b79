"""The model boundary, against a real HTTP server that goes wrong in every way a provider does."""

from __future__ import annotations

import asyncio
import time

import openai
import pytest
from pydantic import BaseModel, ConfigDict, Field

from agents.exceptions import ModelError
from agents.llm import StudioLLM, bare_json, draft_sink, json_schema, without_thoughts
from agents.usage import metered
from tests.model_server import ModelServer


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    word: str = Field(min_length=2)
    number: int


@pytest.fixture
def llm(model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> StudioLLM:
    return StudioLLM(model="test-model", client=model_client, slots=slots)


async def test_it_gives_the_whole_text(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text="One two three.")
    assert await llm.acall("Say something.") == "One two three."


async def test_it_counts_what_a_call_cost(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text="One two three.")
    with metered() as usage:
        await llm.acall("Say something, please.")
    assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (1, 5, 3)


async def test_it_counts_calls_that_failed_too(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(status=500)
    with metered() as usage:
        await llm.acall("Say something.")
    assert usage.calls == 2


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"cut": 0.5}, {"text": ""}], ids=str)
async def test_it_tries_again_after_a_passing_fault(
    llm: StudioLLM, model_server: ModelServer, fault: dict[str, object]
) -> None:
    model_server.fail(**fault)
    assert await llm.acall("About 20 words, please.")
    assert len(model_server.calls) == 2


async def test_a_stream_that_always_breaks_off_is_told_as_such(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(cut=0.5, times=9)
    with pytest.raises(ModelError, match=r"broke off.*tried 4 times"):
        await llm.acall("About 20 words, please.")


async def test_it_waits_as_long_as_the_server_asks(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(status=429, retry_after=1)
    began = time.monotonic()
    await llm.acall("Say something.")
    assert time.monotonic() - began >= 1
    assert len(model_server.calls) == 2


async def test_it_does_not_wait_for_a_server_that_asks_for_an_hour(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(status=429, retry_after=3600)
    with pytest.raises(ModelError, match="limits how often"):
        await llm.acall("Say something.")
    assert len(model_server.calls) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 401}, "key was refused"),
        ({"status": 403}, "may not use"),
        ({"status": 404}, "knows no model named test-model"),
        ({"status": 429, "code": "insufficient_quota"}, "quota is used up"),
        ({"status": 400, "code": "context_length_exceeded"}, "too long"),
        ({"status": 400, "code": "content_filter"}, "content filter"),
        ({"status": 418}, "refused the request"),
        ({"text": "Half a", "finish_reason": "length"}, "cut at its limit"),
        ({"text": "Half a", "finish_reason": "content_filter"}, "content filter stopped"),
    ],
    ids=str,
)
async def test_it_asks_once_only_where_asking_again_cannot_help(
    llm: StudioLLM, model_server: ModelServer, fault: dict[str, object], reason: str
) -> None:
    model_server.fail(**fault)
    with pytest.raises(ModelError, match=reason) as caught:
        await llm.acall("Say something.")
    assert len(model_server.calls) == 1
    assert caught.value.permanent


async def test_it_gives_up_after_four_tries_and_says_so(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(status=429, times=9, retry_after=0)
    with pytest.raises(ModelError, match="tried 4 times"):
        await llm.acall("Say something.")
    assert len(model_server.calls) == 4


async def test_it_notices_a_server_that_hangs(model_server: ModelServer, slots: asyncio.Semaphore) -> None:
    model_server.fail(hang=5)
    async with openai.AsyncOpenAI(api_key="k", base_url=model_server.url, max_retries=0, timeout=0.3) as client:
        assert await StudioLLM(model="m", client=client, slots=slots).acall("About 20 words.")
    assert [call.status for call in model_server.calls] == [499, 200]


async def test_it_says_when_no_server_is_there(slots: asyncio.Semaphore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.llm.TRIES", 2)
    async with openai.AsyncOpenAI(api_key="k", base_url="http://127.0.0.1:9/v1", max_retries=0) as client:
        with pytest.raises(ModelError, match="cannot be reached"):
            await StudioLLM(model="m", client=client, slots=slots).acall("Say something.")


async def test_it_gives_structured_answers(llm: StudioLLM) -> None:
    answer = await llm.acall("Answer in form.", response_model=Answer)
    assert isinstance(answer, Answer)


async def test_it_tells_the_model_what_was_wrong_with_its_answer(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text='{"word": "x", "number": "many"}')
    assert isinstance(await llm.acall("Answer in form.", response_model=Answer), Answer)
    told = model_server.calls[1].body["messages"][-1]["content"]
    assert "number: " in told
    assert "many" not in told


async def test_it_gives_up_on_a_model_that_never_keeps_the_form(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text='{"title": "cut of', times=9)
    with pytest.raises(ModelError, match="form asked for"):
        await llm.acall("Answer in form.", response_model=Answer)
    assert len(model_server.calls) == 3


async def test_it_takes_json_out_of_a_code_fence(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text='```json\n{"word": "leaf", "number": 3}\n```')
    assert await llm.acall("Answer in form.", response_model=Answer) == Answer(word="leaf", number=3)


async def test_thoughts_never_reach_the_text(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text="<think>They want it short.</think>A short text.")
    assert await llm.acall("Say something.") == "A short text."


async def test_the_draft_grows_as_the_text_comes(model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> None:
    shown = ""
    with ModelServer(token_seconds=0.02) as slow:
        slow.fail(text="<think>Hm, hm, hm, hm, hm.</think>" + "word " * 40 + "end.")

        async def sink(offset: int, text: str) -> None:
            nonlocal shown
            assert offset <= len(shown), "a gap"
            shown = shown[:offset] + text
            pieces.append(text)

        pieces: list[str] = []
        token = draft_sink.set(sink)
        async with openai.AsyncOpenAI(api_key="k", base_url=slow.url, max_retries=0) as client:
            answer = await StudioLLM(model="m", client=client, slots=slots).acall("Say something.")
        draft_sink.reset(token)
    assert shown == answer
    assert len(pieces) > 3
    assert "Hm" not in shown


async def test_cancelling_closes_the_connection_at_once(slots: asyncio.Semaphore) -> None:
    with ModelServer(token_seconds=0.05) as slow:
        async with openai.AsyncOpenAI(api_key="k", base_url=slow.url, max_retries=0) as client:
            call = asyncio.create_task(StudioLLM(model="m", client=client, slots=slots).acall("About 400 words."))
            await asyncio.sleep(0.4)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await asyncio.sleep(0.3)
            assert [seen.status for seen in slow.calls] == [499]


async def test_no_more_calls_are_in_flight_than_allowed() -> None:
    with ModelServer(first_seconds=0.1) as server:
        async with openai.AsyncOpenAI(api_key="k", base_url=server.url, max_retries=0) as client:
            llm = StudioLLM(model="m", client=client, slots=asyncio.Semaphore(2))
            await asyncio.gather(*(llm.acall(f"About 20 words on {number}.") for number in range(6)))
        spans = [(call.at, call.ended) for call in server.calls]
    assert max(sum(a <= moment < b for a, b in spans) for moment, _ in spans) == 2


async def test_crewai_does_not_retry_on_top(llm: StudioLLM, model_server: ModelServer) -> None:
    assert StudioLLM.acall.__name__ == "acall"
    model_server.fail(status=429, times=9, retry_after=0)
    with pytest.raises(ModelError):
        await llm.acall("Say something.")
    assert len(model_server.calls) == 4


async def test_a_mistake_of_our_own_is_not_taken_for_the_models(
    llm: StudioLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.llm.Growing.add", None)
    with pytest.raises(TypeError):
        await llm.acall("Say something.")


def test_it_is_not_called_synchronously(llm: StudioLLM) -> None:
    with pytest.raises(NotImplementedError):
        llm.call("Say something.")


def test_the_schema_keeps_to_the_strict_dialect() -> None:
    schema = json_schema(Answer)["json_schema"]["schema"]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"word", "number"}
    assert "minLength" not in schema["properties"]["word"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [("<think>a</think>b", "b"), ("<think>a", ""), ("b", "b"), ("a <think>\nx\n</think> b", "a  b")],
)
def test_thoughts_are_taken_out(said: str, meant: str) -> None:
    assert without_thoughts(said) == meant


def test_bare_json_is_left_alone() -> None:
    assert bare_json('{"a": "```"}') == '{"a": "```"}'
