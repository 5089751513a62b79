"""The tracer of this process, which sends spans over OTLP/HTTP in a thread of its own. Imported when the first span starts.

The provider is not made OpenTelemetry's global one: spans of CrewAI and other libraries would be sent, too.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.re import parse_env_headers

log = logging.getLogger(__name__)

UNNAMED_SERVICE = "unknown_service"
"""What the SDK calls a service if neither OTEL_SERVICE_NAME nor OTEL_RESOURCE_ATTRIBUTES names it."""


class ReportingExporter(SpanExporter):
    """Logs when sending spans begins to fail, and when it works again; the SDK would log each attempt."""

    def __init__(self, exporter: SpanExporter, host: str) -> None:
        self._exporter, self._host = exporter, host
        self.failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self.failing:
            log.warning("traces cannot be sent to %s and are dropped until it answers; all else goes on", self._host)
        elif self.failing and not failed:
            log.info("traces are sent to %s again", self._host)
        self.failing = failed
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


@dataclass(frozen=True)
class Tracing:
    """``pid`` is the process it was made in; one that is forked from that needs its own."""

    pid: int
    tracer: Tracer
    provider: TracerProvider
    exporter: ReportingExporter


_tracing: Tracing | None = None
_lock = threading.Lock()


def tracing() -> Tracing:
    """That of this process, made at the first call."""
    global _tracing
    if _tracing is None or _tracing.pid != os.getpid():
        with _lock:
            if _tracing is None or _tracing.pid != os.getpid():
                _tracing = create()
                atexit.register(flush_spans, 1.0)
    return _tracing


def create() -> Tracing:
    for name in ("opentelemetry", "urllib3.connectionpool"):  # ReportingExporter says what matters
        logging.getLogger(name).setLevel(logging.CRITICAL)
    endpoint, headers = settings.TRACES_ENDPOINT, parse_env_headers(settings.TRACES_AUTH_HEADERS, liberal=True)
    exporter = ReportingExporter(OTLPSpanExporter(endpoint, headers=headers), urlsplit(endpoint).hostname or endpoint)
    # Without an exit handler: the SDK's would wait for an endpoint that does not answer.
    provider = TracerProvider(resource=resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(os.getpid(), provider.get_tracer("content-studio", settings.VERSION), provider, exporter)


def resource() -> Resource:
    """The service, by OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES."""
    found = Resource.create({SERVICE_VERSION: settings.VERSION})
    if str(found.attributes[SERVICE_NAME]).startswith(UNNAMED_SERVICE):
        return found.merge(Resource({SERVICE_NAME: "content-studio"}))
    return found


def start_span(name: str, kind: str, parent: Span | str | None) -> Span:
    """``parent`` is a span, or a ``traceparent`` header; an invalid header is ignored, as the standard says."""
    if isinstance(parent, str):
        context = TraceContextTextMapPropagator().extract({"traceparent": parent}, context=Context())
    else:
        context = set_span_in_context(parent, Context()) if parent is not None else Context()
    return tracing().tracer.start_span(name, context, SpanKind[kind], record_exception=False)


def flush_spans(seconds: float) -> None:
    """The SDK's own flush has no time limit, so it gets a thread, which ends with the process."""
    if _tracing is None or _tracing.pid != os.getpid() or _tracing.exporter.failing:
        return
    flushing = threading.Thread(target=_tracing.provider.force_flush, name="flush-spans", daemon=True)
    flushing.start()
    flushing.join(seconds)
