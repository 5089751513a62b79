"""OpenTelemetry traces: a request, the run it asked for, the run's steps and their model calls.

Without an endpoint each function does nothing, and imports nothing of OpenTelemetry.
"""

from agents.tracing.spans import NO_SPAN, Span, flush, is_enabled, is_traced, span, traceparent

__all__ = ["NO_SPAN", "Span", "flush", "is_enabled", "is_traced", "span", "traceparent"]
