"""Names of spans and attributes: OpenTelemetry's semantic conventions, and the studio's own below ``studio.``

The conventions for generative AI are not stable yet, so their names are here and nowhere else. tests/agents/test_tracing.py
compares them with the installed version of the conventions.
"""

from __future__ import annotations

from typing import Final

# Generative AI
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
WORKFLOW: Final = "gen_ai.workflow.name"
AGENT: Final = "gen_ai.agent.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
TEMPERATURE: Final = "gen_ai.request.temperature"
MAX_TOKENS: Final = "gen_ai.request.max_tokens"
OUTPUT_TYPE: Final = "gen_ai.output.type"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHED_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"

# Values of OPERATION
CHAT: Final = "chat"
GENERATE_CONTENT: Final = "generate_content"
INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"

# HTTP, servers and errors
HTTP_METHOD: Final = "http.request.method"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"

# The studio's own
REQUEST_ID: Final = "studio.request.id"
RUN_ID: Final = "studio.run.id"
ARTICLE_ID: Final = "studio.article.id"
ATTEMPT: Final = "studio.run.attempt"
OUTCOME: Final = "studio.run.outcome"
STEP: Final = "studio.step"
MODEL_CALLS: Final = "studio.model_calls"
COST: Final = "studio.cost_dollars"

PROVIDERS: Final = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
    "api.anthropic.com": "anthropic",
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "amazonaws.com": "aws.bedrock",
}
"""Names of providers by the end of their host."""

OTHER_PROVIDER: Final = "openai_compatible"


def provider_of(host: str) -> str:
    """The provider at a host; OTHER_PROVIDER for a server the conventions have no name for."""
    return next((name for end, name in PROVIDERS.items() if f".{host}".endswith(f".{end}")), OTHER_PROVIDER)
