"""How the model's server is reached, in one place: the crew and the doctor ask it alike."""

from __future__ import annotations

import ssl
from functools import cache

import httpx
import openai
from django.conf import settings

from agents.llm.transport import ModelTransport


def model_client(transport: httpx.AsyncBaseTransport | None = None) -> openai.AsyncOpenAI:
    """A client that tries nothing twice: ``agents.llm.chat`` is the one layer that does."""
    return openai.AsyncOpenAI(
        api_key=settings.OPENAI_API_KEY or "none",  # local servers ask for none, but the client insists on one
        base_url=settings.OPENAI_BASE_URL or None,
        timeout=httpx.Timeout(settings.LLM_TIMEOUT, connect=10.0),
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(transport=transport or ModelTransport(trusted())),
    )


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed. Made before workers fork, who then share it."""
    return httpx.create_ssl_context()
