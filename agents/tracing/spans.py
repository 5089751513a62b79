"""Spans around blocks of code.

The current span is kept here and not in OpenTelemetry's own context, which CrewAI and other libraries in the process use, too:
their spans neither become children of the studio's nor reach its exporter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

from django.conf import settings

from agents.tracing.conventions import ERROR_TYPE

if TYPE_CHECKING:
    from opentelemetry.trace import Span as OtelSpan

Value = str | bool | int | float | Sequence[str] | None
Attributes = Mapping[str, Value]
Kind = Literal["INTERNAL", "SERVER", "CLIENT", "CONSUMER"]

_current: ContextVar[OtelSpan | None] = ContextVar("span", default=None)


class Span:
    """A span, or NO_SPAN, which ignores everything."""

    def __init__(self, span: OtelSpan | None) -> None:
        self._span = span

    def set(self, attributes: Attributes) -> None:
        """Set attributes; those that are None are left out."""
        if self._span is not None:
            self._span.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def rename(self, name: str) -> None:
        if self._span is not None:
            self._span.update_name(name)

    def fail(self, error_type: str) -> None:
        """Mark the span as failed. No message is recorded: it may quote a prompt, an answer or an address."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_attribute(ERROR_TYPE, error_type)
            self._span.set_status(StatusCode.ERROR)

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits; empty for NO_SPAN."""
        return f"{self._span.get_span_context().trace_id:032x}" if self._span is not None else ""


NO_SPAN = Span(None)


def is_enabled() -> bool:
    return bool(settings.TRACES_ENDPOINT)


def is_traced() -> bool:
    """Whether a span is around this code. Only requests and runs begin traces."""
    return _current.get() is not None


@contextmanager
def span(name: str, kind: Kind, attributes: Attributes, *, parent: str = "") -> Iterator[Span]:
    """A span around the block. Its parent is the current span, or ``parent`` (a ``traceparent`` header) if that is given.

    An exception that leaves the block marks the span as failed.
    """
    if not is_enabled():
        yield NO_SPAN
        return
    from agents.tracing.exporting import start_span

    started = start_span(name, kind, parent or _current.get())
    current = Span(started)
    current.set(attributes)
    token = _current.set(started)
    try:
        yield current
    except BaseException as error:
        current.fail(error_type(error))
        raise
    finally:
        _current.reset(token)
        started.end()


def error_type(error: BaseException) -> str:
    """The HTTP status of a response that is an error, else the code of a studio's error, else the name of the class."""
    status, code = getattr(error, "status_code", None), getattr(error, "code", None)
    return str(status or code or type(error).__name__)


def traceparent() -> str:
    """The current span as a ``traceparent`` header of W3C Trace Context; empty if there is none."""
    current = _current.get()
    if current is None:
        return ""
    context = current.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def flush(seconds: float = 1.0) -> None:
    """Send the spans that wait, for at most ``seconds``. Does nothing if the last attempt to send some failed."""
    if is_enabled():
        from agents.tracing.exporting import flush_spans

        flush_spans(seconds)
