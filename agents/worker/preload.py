"""What a job needs beyond the crew itself, imported before workers fork.

These are imported late by the libraries that use them: the openai client's resources alone cost a job two seconds of CPU
in one piece, in which it could neither renew its lease nor be cancelled.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.db.models import QuerySet
from PIL import Image

from agents import research
from agents.llm.client import trusted_certificates
from agents.text import language
from agents.text.markdown import count_words
from agents.worker.warmup import warm_up
from articles.models import AgentProfile, Article, Event, Run, Step

LATE = (
    "PIL.ImageOps",
    "PIL.WebPImagePlugin",
    "openai.resources",
    "httpcore",
    "anyio._backends._asyncio",
    "channels_redis.core",
    "channels_redis.pubsub",
    "channels_redis.utils",
    "django.db.models.sql.compiler",
    "msgpack",
    "multiprocessing.synchronize",
)


def preload() -> None:
    for module in LATE:
        import_module(module)
    Image.preinit()  # its commonest formats
    language.preload()
    research.preload()
    trusted_certificates()
    warm_up()
    compile_queries()
    count_words("any text")


def compile_queries() -> None:
    """Have Django work out how a job's models relate, without asking the store: 2 MB a job."""
    queries: list[QuerySet[Any]] = [
        AgentProfile.objects.all(),
        Article.objects.select_related("voice"),
        *(model.objects.filter(pk=0) for model in (Event, Run, Step)),
    ]
    for query in queries:
        str(query.query)
