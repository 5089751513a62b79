"""Settings of metrics, logs and traces. Part of ``contentstudio.settings``."""

from __future__ import annotations

from urllib.parse import unquote

from environs import validate

from contentstudio.environment import env, secret

# Prometheus reads /metrics with this token; without one, only signed-in staff can.
METRICS_TOKEN = secret("METRICS_TOKEN")

LOG_FORMAT = env.str("LOG_FORMAT", "console", validate=validate.OneOf(["console", "json"]))
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")


# Traces. The SDK reads OpenTelemetry's other variables itself, such as OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER.

otlp_endpoint = secret("OTEL_EXPORTER_OTLP_ENDPOINT")
traces_endpoint = secret("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or (
    f"{otlp_endpoint.removesuffix('/')}/v1/traces" if otlp_endpoint else ""
)
# The other protocol, gRPC, runs threads of its own in C, which a process must not fork.
env.str("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", validate=validate.OneOf(["http/protobuf"]))
traces_disabled = env.bool("OTEL_SDK_DISABLED", False) or env.str("OTEL_TRACES_EXPORTER", "otlp") == "none"
TRACES_ENDPOINT = "" if traces_disabled else traces_endpoint  # empty: no traces
TRACES_AUTH_HEADERS = secret("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or secret("OTEL_EXPORTER_OTLP_HEADERS")
# Prompts and answers in the spans of model calls. They contain sources and texts of all users.
TRACES_CONTENT = env.bool("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", False)

# Never logged
TRACES_SECRETS = [unquote(pair.partition("=")[2].strip()) for pair in TRACES_AUTH_HEADERS.split(",")]
TRACES_ADDRESSES = [otlp_endpoint, traces_endpoint]
