"""Imports modules before workers fork that libraries would otherwise import during a job.

The resources of the openai client alone take two seconds of CPU, during which a job could neither renew its lease nor be
cancelled.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.db.models import QuerySet
from PIL import Image

from agents import research
from agents.llm.client import trusted_certificates
from agents.text import language
from agents.text.markdown import count_words
from agents.worker.warmup import warm_up
from articles.models import AgentProfile, Article, Event, Run, Step

LAZY_IMPORTS = (
    "babel.numbers",
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
    for module in LAZY_IMPORTS:
        import_module(module)
    Image.preinit()  # registers the common formats
    language.preload()
    research.preload()
    trusted_certificates()
    warm_up()
    storages.create_storage(settings.STORAGES["default"])  # imports boto3, if files are in a bucket
    compile_queries()
    count_words("any text")


def compile_queries() -> None:
    """Fill Django's caches of model relations without querying the database: they take 2 MB in each job."""
    queries: list[QuerySet[Any]] = [
        AgentProfile.objects.all(),
        Article.objects.select_related("voice"),
        *(model.objects.filter(pk=0) for model in (Event, Run, Step)),
    ]
    for query in queries:
        str(query.query)
