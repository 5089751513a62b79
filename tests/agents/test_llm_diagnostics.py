"""The doctor's checks of the model server and the search, against servers with and without faults."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
import pytest

from agents.contract import HealthCheck, SearchResult
from agents.exceptions import SearchFailed
from agents.llm.diagnostics import probe_model, probe_search
from tests.model_client import client_of
from tests.model_server import ModelServer


def states(checks: list[HealthCheck]) -> dict[str, str]:
    return {check.title: check.state for check in checks}


@contextmanager
def server_that_says(content_type: str, body: bytes) -> Iterator[str]:
    """A server that gives the same answer to every request."""

    class LLMOutput(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), LLMOutput)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


async def test_a_server_with_everything_the_crew_needs_passes(
    model_server: ModelServer, model_client: openai.AsyncOpenAI
) -> None:
    checks = await probe_model(model_client, models={"test-model"}, image_model="test-image")
    assert states(checks) == {
        "Model server": "ok",
        "test-model, chat": "ok",
        "test-model, JSON schema": "ok",
        "test-model, token counts": "ok",
        "test-model, temperature": "ok",
        "test-model, token limit": "ok",
        "Image model": "ok",
    }
    assert [call.path for call in model_server.calls] == ["/v1/chat/completions"] * 2


async def test_each_model_is_checked(model_client: openai.AsyncOpenAI) -> None:
    checks = await probe_model(model_client, models={"big", "small"}, image_model="")
    assert {"big, chat", "small, JSON schema"} <= states(checks).keys()
    assert checks[-1].message == "None is set: the studio draws covers itself."


@pytest.mark.parametrize(
    ("fault", "failing", "said"),
    [
        ({"match": "ready", "status": 401}, "test-model, chat", "Check OPENAI_API_KEY"),
        ({"match": "ready", "status": 404}, "test-model, chat", "Check LLM_MODEL"),
        ({"match": "ready", "status": 429, "code": "insufficient_quota"}, "test-model, chat", "quota is used up"),
        ({"match": "ready", "text": ""}, "test-model, chat", "empty answer"),
        ({"match": "ready", "cut": 0.0}, "test-model, chat", "closed the connection"),
        ({"match": "ready", "raw": b"{}"}, "test-model, chat", "could not be parsed"),
        (
            {"match": "Give the word", "text": "ready", "times": 9},
            "test-model, JSON schema",
            "keeps returning invalid JSON",
        ),
        (
            {"match": "Give the word", "status": 400, "times": 9},
            "test-model, JSON schema",
            "rejected the request (400)",
        ),
    ],
    ids=str,
)
async def test_each_failure_of_a_model_is_reported(
    model_server: ModelServer, model_client: openai.AsyncOpenAI, fault: dict[str, object], failing: str, said: str
) -> None:
    model_server.fail(**fault)
    checks = await probe_model(model_client, models={"test-model"}, image_model="test-image")
    failed = [check for check in checks if check.state == "error"]
    assert [check.title for check in failed] == [failing]
    assert said in failed[0].message


@pytest.mark.parametrize(
    ("parts", "warned", "said"),
    [
        (["json_schema"], "JSON schema", "response_format json_object and the schema in the prompt"),
        (["response_format"], "JSON schema", "the schema in the prompt"),
        (["stream_options"], "token counts", "four characters each"),
        (["temperature"], "temperature", "Not supported"),
        (["max_completion_tokens", "max_tokens"], "token limit", "Not supported"),
    ],
    ids=str,
)
async def test_each_missing_capability_is_reported(
    model_server: ModelServer, model_client: openai.AsyncOpenAI, parts: list[str], warned: str, said: str
) -> None:
    for part in parts:
        model_server.refuse(part)
    checks = await probe_model(model_client, models={"test-model"}, image_model="")
    (warning,) = [check for check in checks if check.state != "ok"]
    assert (warning.title, warning.state) == (f"test-model, {warned}", "warning")
    assert said in warning.message
    assert warning.action


async def test_the_token_limit_parameter_is_named(model_server: ModelServer, model_client: openai.AsyncOpenAI) -> None:
    model_server.refuse("max_completion_tokens")
    checks = await probe_model(model_client, models={"test-model"}, image_model="")
    assert "Supported, as max_tokens." in [check.message for check in checks]


async def test_token_counts_that_never_arrive_are_reported(
    model_server: ModelServer, model_client: openai.AsyncOpenAI
) -> None:
    model_server.counts = False
    checks = await probe_model(model_client, models={"test-model"}, image_model="")
    assert states(checks)["test-model, token counts"] == "warning"


async def test_nothing_more_is_checked_if_a_model_does_not_chat(
    model_server: ModelServer, model_client: openai.AsyncOpenAI
) -> None:
    model_server.fail(status=401)
    await probe_model(model_client, models={"test-model"}, image_model="")
    assert len(model_server.calls) == 1


async def test_a_model_that_does_not_answer_times_out(model_server: ModelServer) -> None:
    model_server.fail(hang=3)
    async with client_of(model_server.url, timeout=0.3) as client:
        checks = await probe_model(client, models={"test-model"}, image_model="")
    assert "did not answer in time" in checks[1].message


async def test_an_image_model_the_server_does_not_list_is_a_warning(model_client: openai.AsyncOpenAI) -> None:
    checks = await probe_model(model_client, models={"test-model"}, image_model="gpt-image-1")
    assert (checks[-1].state, "Set IMAGE_MODEL" in checks[-1].action) == ("warning", True)


async def test_nothing_more_is_checked_if_the_server_is_unreachable(unused_tcp_port: int) -> None:
    async with client_of(f"http://127.0.0.1:{unused_tcp_port}/v1") as client:
        (check,) = await probe_model(client, models={"test-model"}, image_model="")
    assert (check.state, "OPENAI_BASE_URL" in check.message) == ("error", True)


async def test_a_server_without_a_list_of_models_may_still_chat(model_server: ModelServer) -> None:
    async with client_of(model_server.url.replace("/v1", "/elsewhere")) as client:
        checks = await probe_model(client, models={"test-model"}, image_model="painter")
    assert "has no list" in checks[0].message
    assert [check.state for check in checks] == ["ok", "error", "ok"]
    assert "The first article will show" in checks[2].message


async def test_a_bug_is_not_reported_as_a_fault_of_the_server(model_client: openai.AsyncOpenAI) -> None:
    with pytest.raises(TypeError):
        await probe_model(model_client, models={object()}, image_model="")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("text/html", b"<h1>Welcome</h1>"), ("application/json", b"not JSON"), ("application/json", b"[]")],
)
async def test_an_unreadable_list_of_models_is_reported(content_type: str, body: bytes) -> None:
    with server_that_says(content_type, body) as url:
        async with client_of(url) as client:
            (check,) = await probe_model(client, models={"test-model"}, image_model="")
    assert (check.state, "OPENAI_BASE_URL" in check.message) == ("error", True)


class OneSearch:
    """A search provider with a given result or error."""

    name = "one"

    def __init__(self, *, hits: int = 0, seconds: float = 0.0, problem: str = "") -> None:
        self.hits, self.seconds, self.problem = hits, seconds, problem

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        await asyncio.sleep(self.seconds)
        if self.problem:
            raise SearchFailed(self.problem)
        return [SearchResult(title="Page", url="https://example.org/")] * self.hits


@pytest.mark.parametrize(
    ("search", "verdict", "said"),
    [
        (OneSearch(hits=1), "ok", "one responds"),
        (OneSearch(), "warning", "found nothing"),
        (OneSearch(problem="The key is invalid."), "warning", "The key is invalid."),
        (OneSearch(seconds=5), "warning", "did not respond"),
    ],
    ids=["hits", "none", "refused", "slow"],
)
async def test_the_search_is_checked_with_one_query(search: OneSearch, verdict: str, said: str) -> None:
    check = await probe_search(search, seconds=0.2)
    assert check.state == verdict
    assert said in check.message
