"""The error messages for a model server that cannot be reached or used, against real servers."""

from __future__ import annotations

import asyncio
import datetime
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import openai
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agents.crew.llm import StudioLLM
from agents.exceptions import ModelError
from agents.llm import chat, retry
from agents.llm.errors import MAX_QUOTE, Fault, diagnose, error_in_stream
from tests.model_client import client_of

DAY = datetime.timedelta(days=1)


async def error_of(url: str) -> ModelError:
    """The failure of a call to ``url``."""
    async with client_of(url, timeout=1) as client:
        with pytest.raises(ModelError) as caught:
            await StudioLLM(model="m", client=client, slots=asyncio.Semaphore(1)).acall("Say something.")
    return caught.value


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.llm.retry.pause", lambda fault, attempt: 0.0)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file, self-signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return path


@asynccontextmanager
async def server_with(
    *, answer: bytes = b"", later: bytes = b"", certificate: Path | None = None
) -> AsyncIterator[tuple[int, list[int]]]:
    """A server that sends ``answer``, then ``later``, and closes: its port, and one entry for each connection."""
    callers: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(1)
        await reader.read(1000)
        writer.write(answer)
        if later:
            await asyncio.sleep(0.1)
            writer.write(later)
        writer.close()

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], callers


async def test_an_untrusted_certificate_is_reported(certificate: Path) -> None:
    async with server_with(certificate=certificate) as (port, _):
        error = await error_of(f"https://localhost:{port}/v1")
    assert "certificate of the model server is not trusted (self-signed certificate)" in str(error)
    assert "SSL_CERT_FILE" in str(error)
    assert error.permanent


async def test_a_server_without_tls_is_reported() -> None:
    async with server_with(answer=b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, callers):
        error = await error_of(f"https://localhost:{port}/v1")
    assert "does not speak TLS" in str(error)
    assert len(callers) == 1


async def test_a_closed_connection_is_retried() -> None:
    async with server_with() as (port, callers):
        error = await error_of(f"http://localhost:{port}/v1")
    assert "closed the connection" in str(error)
    assert len(callers) == retry.ATTEMPTS


async def test_an_incomplete_body_is_reported_as_a_lost_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\n"
    async with server_with(answer=head + b": hello\n\n") as (port, callers):
        error = await error_of(f"http://localhost:{port}/v1")
    assert "closed the connection" in str(error)
    assert len(callers) == retry.ATTEMPTS


async def test_an_unreachable_server_is_reported(unused_tcp_port: int) -> None:
    assert "cannot be reached" in str(await error_of(f"http://127.0.0.1:{unused_tcp_port}/v1"))


async def test_an_unknown_host_name_is_reported() -> None:
    assert "host name of the model server cannot be resolved" in str(await error_of("http://nobody.invalid/v1"))


async def test_an_invalid_address_is_reported() -> None:
    error = await error_of("localhost:8000/v1")
    assert "must start with http:// or https://" in str(error)
    assert error.permanent


@contextmanager
def full_house() -> Iterator[int]:
    """The port of a server that takes no more calls: its backlog is full, so that who calls waits."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        yield port
        for each in waiting:
            each.close()


async def test_a_server_that_accepts_no_connection_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with full_house() as port:
        async with client_of(f"http://127.0.0.1:{port}", timeout=0.3) as client:
            asked = chat.ChatModel("m", client, asyncio.Semaphore(1), attempts=1)
            with pytest.raises(ModelError, match="did not accept the connection in time"):
                await asked.text([{"role": "user", "content": "Say something."}])


def refusal(status: int, body: str) -> openai.APIStatusError:
    response = httpx.Response(status, text=body, request=httpx.Request("POST", "http://localhost/v1"))
    return openai.APIStatusError("refused", response=response, body=None)


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        ('{"error": {"message": "No such\\n voice"}}', '(418): "No such\\n voice"'),
        ("plain words", '(418): "plain words"'),
        ("<html>A page</html>", "(418)."),
        ("", "(418)."),
        ('{"error": {"message": "' + "x" * 999 + '"}}', "x" * MAX_QUOTE + '"'),
    ],
)
def test_the_message_of_the_server_is_quoted_and_shortened(body: str, quoted: str) -> None:
    fault = diagnose(refusal(418, body), "m")
    assert fault is not None
    assert quoted in fault.reason
    assert len(fault.reason) < MAX_QUOTE + 150


@pytest.mark.parametrize("asked", ["nan", "inf", "-inf", "1e999", "Sun, 99 Foo"])
def test_an_invalid_retry_after_is_ignored(asked: str) -> None:
    error = refusal(429, "{}")
    error.response.headers["retry-after"] = asked
    fault = diagnose(error, "m")
    assert fault is not None
    assert (fault.retry_after, fault.permanent) == (None, False)


SORRY = {"message": "The server had an error while processing your request. Sorry about that!", "code": None}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ({**SORRY, "type": "server_error"}, r"failed \(500\)"),
        ({"type": "overloaded_error", "message": "Overloaded"}, r"overloaded or starting \(503\)"),
        ({"type": "rate_limit_error", "message": "Slow down"}, r"\(429\)"),
        ({"type": "server_error", "code": "rate_limit_exceeded", "message": "x"}, r"\(429\)"),
        ({"type": "BadGateway", "code": 502, "message": "x"}, r"\(502\)"),
        ("upstream connect error", "failed during its answer"),
    ],
)
def test_an_outage_reported_in_the_stream_is_recognized(error: object, why: str) -> None:
    fault = diagnose(error_in_stream(error, httpx.Request("POST", "http://localhost/v1")), "m")
    assert fault is not None
    assert re.search(why, fault.reason)
    assert fault.is_outage
    assert not fault.permanent


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ({"type": "insufficient_quota", "message": "You exceeded your current quota"}, "quota is used up"),
        ({"type": "authentication_error", "message": "invalid x-api-key"}, r"key is invalid \(401\)"),
        ({"type": "invalid_request_error", "code": "unsupported_value", "message": "No."}, r"\(400\)"),
        ({"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens"}, "too long"),
    ],
)
def test_a_rejection_reported_in_the_stream_is_recognized(error: object, why: str) -> None:
    fault = diagnose(error_in_stream(error, httpx.Request("POST", "http://localhost/v1")), "m")
    assert fault is not None
    assert re.search(why, fault.reason)
    assert fault.permanent
    assert not fault.is_outage


def test_a_used_up_quota_is_recognized_by_its_type() -> None:
    body = {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": None}
    response = httpx.Response(429, json={"error": body}, request=httpx.Request("POST", "http://localhost/v1"))
    fault = diagnose(openai.RateLimitError("refused", response=response, body=body), "m")
    assert fault is not None
    assert "quota is used up" in fault.reason
    assert fault.permanent


@pytest.mark.parametrize(
    "message", ["maximum context length is 4096 tokens", "the request exceeds the available context size"]
)
def test_a_prompt_that_is_too_long_is_recognized_without_a_code(message: str) -> None:
    fault = diagnose(refusal(400, message), "m")
    assert fault is not None
    assert "too long" in fault.reason
    assert fault.permanent


def test_the_message_names_the_number_of_attempts() -> None:
    assert str(Fault("Busy.").as_exception(1, "m")) == "Busy."
    assert str(Fault("Busy.").as_exception(3, "m")) == "Busy. (3 attempts)"
    assert str(Fault("Refused.", permanent=True).as_exception(3, "m")) == "Refused."
