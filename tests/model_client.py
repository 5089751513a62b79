"""The client of a model's server as the studio makes it, for a server of a test's own."""

from __future__ import annotations

import openai

from agents.llm.client import http_client


def client_of(url: str, timeout: float = 5.0) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="key", base_url=url, max_retries=0, timeout=timeout, http_client=http_client())
