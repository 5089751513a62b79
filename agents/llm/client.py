"""The client of the model server. The crew, the image model and ``manage.py doctor`` use the same one."""

from __future__ import annotations

import ssl
from functools import cache

import httpx
import openai
from django.conf import settings

LIMITS = httpx.Limits(max_connections=1000, keepalive_expiry=15)


def model_client(transport: httpx.AsyncBaseTransport | None = None) -> openai.AsyncOpenAI:
    """A client without retries of its own: the retry rule is ``agents.llm.retry``."""
    return openai.AsyncOpenAI(
        api_key=settings.OPENAI_API_KEY or "none",  # the client insists on a key, local servers need none
        base_url=settings.OPENAI_BASE_URL or None,
        timeout=httpx.Timeout(settings.LLM_TIMEOUT, connect=10.0),
        max_retries=0,
        http_client=http_client(transport),
    )


def http_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """httpx over aiohttp, which parses in C: httpx's own transport takes two to three times the CPU for streams.

    Proxies are those of the environment.
    """
    return openai.DefaultAioHttpClient(verify=trusted_certificates(), limits=LIMITS, transport=transport)


@cache
def trusted_certificates() -> ssl.SSLContext:
    """The certificate authorities to trust. Loaded before workers fork, who share it."""
    return httpx.create_ssl_context()
