"""Servers without some part of the API: what is omitted from requests, and how often they are repeated."""

from __future__ import annotations

import asyncio

import openai
import pytest

from agents.contract import SEO
from agents.crew.llm import StudioLLM
from agents.exceptions import ModelError
from agents.llm.capabilities import strict_schema
from tests.agents.test_llm import Answer
from tests.model_server import ModelServer


@pytest.fixture
def llm(model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> StudioLLM:
    return StudioLLM(model="test-model", client=model_client, slots=slots, temperature=0.3, max_tokens=800)


def form_of(body: dict[str, dict[str, str]]) -> str:
    return body.get("response_format", {}).get("type", "")


@pytest.mark.parametrize("status", [400, 404, 422, 500, 501])
@pytest.mark.parametrize(
    ("part", "left"),
    [
        ("stream_options", {"temperature", "max_completion_tokens"}),
        ("temperature", {"stream_options", "max_completion_tokens"}),
        ("max_completion_tokens", {"stream_options", "temperature", "max_tokens"}),
    ],
)
async def test_a_rejected_parameter_is_not_sent_again(
    llm: StudioLLM, model_server: ModelServer, part: str, left: set[str], status: int
) -> None:
    model_server.refuse(part, status=status)
    assert await llm.acall("About 20 words.")
    assert await llm.acall("About 20 words.")
    assert [call.status for call in model_server.calls] == [status, 200, 200]
    assert model_server.calls[-1].body.keys() == {"model", "messages", "stream", *left}


async def test_a_server_without_a_token_limit_gets_none(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.refuse("max_completion_tokens")
    model_server.refuse("max_tokens")
    assert await llm.acall("About 20 words.")
    assert not model_server.calls[-1].body.keys() & {"max_tokens", "max_completion_tokens"}


@pytest.mark.parametrize("said", [None, "bad request"])
async def test_json_works_with_a_server_without_response_format(
    llm: StudioLLM, model_server: ModelServer, said: str | None
) -> None:
    model_server.refuse("response_format", said=said)
    assert isinstance(await llm.acall("Answer in form.", response_model=Answer), Answer)
    assert isinstance(await llm.acall("Answer in form.", response_model=Answer), Answer)
    assert [form_of(call.body) for call in model_server.calls] == ["json_schema", "json_object", "", ""]
    assert '"number"' in model_server.calls[-1].prompt


async def test_json_objects_are_requested_if_schemas_are_not_supported(
    llm: StudioLLM, model_server: ModelServer
) -> None:
    model_server.refuse("json_schema")
    assert isinstance(await llm.acall("Answer in form.", response_model=Answer), Answer)
    assert isinstance(await llm.acall("Answer in form.", response_model=Answer), Answer)
    assert [form_of(call.body) for call in model_server.calls] == ["json_schema", "json_object", "json_object"]


async def test_a_server_that_ignores_the_schema_gets_it_in_the_prompt(
    llm: StudioLLM, model_server: ModelServer
) -> None:
    model_server.fail(text="A leaf, and three of them.")
    assert isinstance(await llm.acall("Answer in form.", response_model=Answer), Answer)
    assert '"number"' not in model_server.calls[0].prompt
    assert '"number"' in model_server.calls[1].prompt


async def test_capabilities_are_remembered_per_model(
    llm: StudioLLM, model_server: ModelServer, model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore
) -> None:
    model_server.refuse("temperature")
    await llm.acall("About 20 words.")
    model_server.reset()
    await StudioLLM(model="another", client=model_client, slots=slots, temperature=0.3).acall("About 20 words.")
    assert model_server.calls[0].body["temperature"] == 0.3


async def test_concurrent_calls_combine_what_they_learn(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.refuse("response_format")
    model_server.refuse("temperature")
    asked = [llm.acall("About 20 words."), llm.acall("Answer in form.", response_model=Answer)]
    await asyncio.gather(*asked)
    before = len(model_server.calls)
    await llm.acall("Answer in form.", response_model=Answer)
    assert len(model_server.calls) == before + 1


async def test_nothing_is_learned_from_a_request_that_is_always_rejected(
    llm: StudioLLM, model_server: ModelServer
) -> None:
    model_server.fail(status=400, times=9)
    with pytest.raises(ModelError, match="rejected the request"):
        await llm.acall("About 20 words.")
    model_server.reset()
    await llm.acall("About 20 words.")
    assert {"temperature", "stream_options", "max_completion_tokens"} <= model_server.calls[0].body.keys()


@pytest.mark.parametrize(
    "fault",
    [{"status": 400, "code": "context_length_exceeded"}, {"status": 404}, {"status": 401}, {"status": 403}],
    ids=str,
)
async def test_a_rejection_for_another_reason_is_not_repeated(
    llm: StudioLLM, model_server: ModelServer, fault: dict[str, object]
) -> None:
    model_server.fail(**fault)
    with pytest.raises(ModelError):
        await llm.acall("About 20 words.")
    assert len(model_server.calls) == 1


async def test_a_downgrade_does_not_count_as_an_attempt(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.refuse("stream_options")
    model_server.fail(match="20 words", status=503, times=5, retry_after=0)
    assert await llm.acall("About 20 words.")
    assert [call.status for call in model_server.calls] == [503] * 5 + [400, 200]


def test_the_schema_follows_strict_mode() -> None:
    schema = strict_schema(Answer)
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"word", "number"}
    assert "minLength" not in schema["properties"]["word"]


def test_the_schema_requires_fields_with_defaults_too() -> None:
    schema = strict_schema(SEO)
    assert "faq" in schema["required"]
    assert "default" not in schema["properties"]["faq"]
