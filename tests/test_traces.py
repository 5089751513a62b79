"""Traces of a running studio, as a receiver of OTLP/HTTP gets them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.tracing import conventions as names
from tests.chaos.studio import LiveStudio
from tests.environment import ROOT
from tests.model_server import ModelServer
from tests.otlp_receiver import OtlpReceiver, ReceivedSpan, running_receiver
from tests.waiting import wait_until

KEY = "sk-the-key-of-the-model"
COLLECTOR_KEY = "the-key-of-the-collector"
TOPIC = "Rooftop gardens for hospitals"
SECONDS = {"OTEL_BSP_SCHEDULE_DELAY": "200"}  # milliseconds between two exports

pytestmark = pytest.mark.timeout(400)


class Studio:
    """A studio that sends its traces to ``receiver``."""

    def __init__(self, directory: Path, model: ModelServer, receiver: OtlpReceiver, **settings: str) -> None:
        self.receiver, self.model = receiver, model
        directory.mkdir(exist_ok=True)
        self.live = LiveStudio(
            directory,
            model,
            places=1,
            **{
                "OPENAI_API_KEY": KEY,
                "LLM_MODEL": "test-model",
                "LOG_FORMAT": "json",
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
                "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{COLLECTOR_KEY}",
                **SECONDS,
                **settings,
            },
        )

    def write(self, topic: str = TOPIC) -> int:
        article = self.live.order(topic)
        wait_until(lambda: self.live.status(article) not in ("pending", "processing"), seconds=120)
        assert self.live.status(article) == "completed", self.live.said[-3000:]
        return article

    def trace_of(self, article: int) -> list[ReceivedSpan]:
        """The spans of the trace in which an article was written, once all have arrived."""

        def run() -> ReceivedSpan | None:
            found = (span for span in self.receiver.spans if span.attributes.get(names.ARTICLE_ID) == article)
            return next(found, None)

        wait_until(run, seconds=30)
        found = run()
        assert found
        return [span for span in self.receiver.spans if span.trace == found.trace]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, int]]:
    """A studio that has written an article."""
    with ModelServer() as model, running_receiver() as receiver:
        studio = Studio(tmp_path_factory.mktemp("traces"), model, receiver, OTEL_SERVICE_NAME="the-studio")
        try:
            yield studio, studio.write()
        finally:
            studio.live.stop()


def test_an_article_is_one_connected_trace(written: tuple[Studio, int]) -> None:
    studio, article = written
    trace = studio.trace_of(article)
    by_id = {span.id: span for span in trace}
    roots = [span for span in trace if span.parent not in by_id]
    assert [(root.name, root.parent) for root in roots] == [("POST /api/articles/create", "")]
    run = next(span for span in trace if span.name == "invoke_workflow article")
    assert run.parent == roots[0].id
    steps = [span for span in trace if span.attributes.get(names.OPERATION) == names.INVOKE_AGENT]
    assert {step.parent for step in steps} == {run.id}
    performed = {event["step"] for event in studio.live.events(article) if event.get("status") == "started"}
    assert {step.attributes[names.STEP] for step in steps} == performed
    assert len(performed) > 10
    calls = [span for span in trace if span.name in ("chat test-model", "generate_content gpt-image-1")]
    assert {by_id[call.parent].attributes.get(names.OPERATION) for call in calls} == {names.INVOKE_AGENT}
    made = [call for call in studio.model.calls if "warm-up" not in call.prompt]
    assert len(calls) == len(made)
    assert {span.scope for span in trace} == {"content-studio"}
    assert {span.resource["service.name"] for span in trace} == {"the-studio"}


def test_a_model_call_has_its_tokens(written: tuple[Studio, int]) -> None:
    studio, article = written
    trace = studio.trace_of(article)
    calls = [span.attributes for span in trace if span.attributes.get(names.OPERATION) == names.CHAT]
    assert calls
    assert all(call[names.INPUT_TOKENS] > 0 and call[names.OUTPUT_TOKENS] > 0 for call in calls)
    assert {call[names.FINISH_REASONS][0] for call in calls} == {"stop"}
    assert {call[names.PROVIDER] for call in calls} == {names.OTHER_PROVIDER}
    assert {call[names.SERVER_ADDRESS] for call in calls} == {"127.0.0.1"}
    assert all(0 < call[names.TIME_TO_FIRST_CHUNK] < 30 for call in calls)
    tokens = Counter[str]()
    for call in calls:
        tokens.update({kind: call[kind] for kind in (names.INPUT_TOKENS, names.OUTPUT_TOKENS)})
    steps = [span.attributes for span in trace if span.attributes.get(names.OPERATION) == names.INVOKE_AGENT]
    assert sum(step[names.INPUT_TOKENS] for step in steps) == tokens[names.INPUT_TOKENS]
    assert sum(step[names.OUTPUT_TOKENS] for step in steps) == tokens[names.OUTPUT_TOKENS]


def test_prompts_answers_and_secrets_are_not_sent(written: tuple[Studio, int]) -> None:
    studio, article = written
    studio.trace_of(article)
    sent = b"\n".join(studio.receiver.bodies)
    texts = [TOPIC, "flat roofs", "unused surface", studio.live.result(article)["title"], "You are"]
    for text in (*texts, KEY, COLLECTOR_KEY, studio.live._api.headers["Authorization"].removeprefix("Bearer ")):
        assert text.encode() not in sent, text
    assert {headers["authorization"] for headers in studio.receiver.headers} == {f"Bearer {COLLECTOR_KEY}"}
    assert set(studio.receiver.paths) == {"/v1/traces"}
    assert COLLECTOR_KEY not in studio.live.said


def test_a_page_is_a_span_without_its_query(written: tuple[Studio, int]) -> None:
    studio, _ = written
    address = f"http://127.0.0.1:{studio.live.port}"
    with httpx.Client(base_url=address, trust_env=False) as client:
        client.get("/", params={"q": "a private search"}, headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
        client.get("/no/such/page")
        client.get("/api/health")
        client.get("/metrics")
    wait_until(lambda: [span for span in studio.receiver.spans if span.attributes.get(names.HTTP_STATUS) == 404])
    spans = [span for span in studio.receiver.spans if names.HTTP_METHOD in span.attributes]
    assert {"GET /", "GET"} <= {span.name for span in spans}
    assert not any("health" in span.name or "metrics" in span.name for span in spans)
    assert b"a private search" not in b"".join(studio.receiver.bodies)
    assert "ab" * 16 not in {span.trace for span in spans}  # only a proxy may continue a trace


def test_log_lines_have_the_id_of_the_trace(written: tuple[Studio, int]) -> None:
    studio, _ = written
    studio.model.fail(status=429, times=1, retry_after=0.05)
    article = studio.write("Gardens on the roofs of schools")
    trace = studio.trace_of(article)[0].trace
    lines = [json.loads(line) for line in studio.live.said.splitlines() if line.startswith("{")]
    retries = [line for line in lines if "retrying" in line["event"] and line.get("article_id") == article]
    assert retries
    assert {line["trace_id"] for line in retries} == {trace}
    failed = [span for span in studio.trace_of(article) if span.failed]
    assert [span.attributes[names.ERROR_TYPE] for span in failed] == ["429"]


@pytest.mark.parametrize("kind", ["refused", "silent"])
def test_an_endpoint_that_does_not_answer_costs_nothing(kind: str, tmp_path: Path) -> None:
    """Neither an article nor time: not even when the process of a job, or the studio, ends."""
    with ModelServer() as model, socket.create_server(("127.0.0.1", 0)) as silent:
        receiver = OtlpReceiver()
        receiver.url = f"http://127.0.0.1:{silent.getsockname()[1] if kind == 'silent' else 1}"
        studio = Studio(tmp_path, model, receiver)
        try:
            began = time.monotonic()
            article = studio.write()
            assert studio.live.result(article)["content"]
            wait_until(lambda: not studio.live.members("horse"), seconds=5)
            seconds = time.monotonic() - began
            assert seconds < 60
            wait_until(lambda: "traces cannot be sent" in studio.live.said, seconds=40)
            said = [line for line in studio.live.said.splitlines() if "traces cannot be sent" in line]
            assert len(said) <= 4  # once for each process
            assert "Traceback" not in studio.live.said
        finally:
            stopping = studio.live.stop()
        assert stopping < 10


def test_prompts_and_answers_are_sent_if_a_setting_asks_for_them(tmp_path: Path) -> None:
    capture = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}
    with ModelServer() as model, running_receiver() as receiver:
        studio = Studio(tmp_path, model, receiver, **capture)
        try:
            trace = studio.trace_of(studio.write())
        finally:
            studio.live.stop()
    calls = [span.attributes for span in trace if span.attributes.get(names.OPERATION) == names.CHAT]
    prompts = [json.loads(call[names.INPUT_MESSAGES]) for call in calls]
    assert all(TOPIC in json.dumps(prompt) for prompt in prompts)
    assert {message["role"] for prompt in prompts for message in prompt} == {"system", "user"}
    answers = [json.loads(call[names.OUTPUT_MESSAGES])[0] for call in calls]
    assert all(answer["parts"][0]["content"] and answer["finish_reason"] == "stop" for answer in answers)


SCRIPT = """
import sys
import contentstudio.asgi, agents.worker.traces, agents.llm.tracing
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk.trace", "opentelemetry.exporter"))])
"""


@pytest.mark.parametrize("off", [{}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_when_it_is_off_nothing_of_it_is_imported(off: dict[str, str], tmp_path: Path) -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"} if off else {}
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "contentstudio.settings", "VAR": str(tmp_path)}
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        cwd=ROOT,
        env={**environment, **endpoint, **off},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == "[]"


def test_each_name_of_the_conventions_is_one_of_the_installed_version() -> None:
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

    known = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI")}
    used = {value for value in all_values() if value.startswith("gen_ai.")}
    assert len(used) > 10
    assert used <= known
    operations = {value.value for value in gen_ai_attributes.GenAiOperationNameValues}
    assert {names.CHAT, names.GENERATE_CONTENT, names.INVOKE_AGENT} <= operations
    providers = {value.value for value in gen_ai_attributes.GenAiProviderNameValues}
    assert set(names.PROVIDERS.values()) <= providers


def test_no_other_module_writes_a_name_of_the_conventions() -> None:
    pattern = re.compile(r"""["'](gen_ai\.|studio\.(run|step|article|request))""")
    folders = ("accounts", "agents", "articles", "contentstudio")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    found = [str(path.relative_to(ROOT)) for path in files if pattern.search(path.read_text())]
    assert found == ["agents/tracing/conventions.py"]


def all_values() -> list[str]:
    values: list[Any] = list(vars(names).values())
    return [value for value in values if isinstance(value, str)]


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.openai.com", "openai"),
        ("mine.openai.azure.com", "azure.ai.openai"),
        ("localhost", "openai_compatible"),
        ("notapi.openai.com", "openai_compatible"),
    ],
)
def test_the_provider_is_known_by_its_host(host: str, provider: str) -> None:
    assert names.provider_of(host) == provider
