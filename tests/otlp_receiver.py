"""A receiver of OTLP/HTTP traces: keeps the spans it gets, decoded from their protocol buffers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


@dataclass(frozen=True)
class ReceivedSpan:
    """``parent`` is empty for the first span of a trace. ``scope`` is the library that made it."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    attributes: dict[str, Any]
    failed: bool
    scope: str
    resource: dict[str, Any]
    seconds: float


class OtlpReceiver:
    """``status`` is what it answers, after ``delay`` seconds."""

    def __init__(self) -> None:
        self.status, self.delay = 200, 0.0
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""

    def receive(self, path: str, headers: dict[str, str], body: bytes) -> int:
        time.sleep(self.delay)
        self.paths.append(path)
        self.headers.append(headers)
        self.bodies.append(body)
        return self.status

    @property
    def spans(self) -> list[ReceivedSpan]:
        return [span for body in self.bodies for span in spans_of(body)]


def spans_of(body: bytes) -> Iterator[ReceivedSpan]:
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = {pair.key: value_of(pair.value) for pair in of_resource.resource.attributes}
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield ReceivedSpan(
                    name=span.name,
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    kind=span.kind,
                    attributes={pair.key: value_of(pair.value) for pair in span.attributes},
                    failed=span.status.code == span.status.STATUS_CODE_ERROR,
                    scope=of_scope.scope.name,
                    resource=resource,
                    seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                )


def value_of(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None


@contextmanager
def running_receiver() -> Iterator[OtlpReceiver]:
    receiver = OtlpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.receive(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
