"""Runs functions in a thread of their own.

Playwright keeps an event loop running in the tests' thread, where ``async_to_sync`` and so the sending of notifications fail.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connections

from articles.live.groups import drafts_message, group_name
from articles.models import Article

Given = ParamSpec("Given")
Result = TypeVar("Result")


def in_thread(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """``work`` in a new thread. The caller waits for its result or its exception."""

    @functools.wraps(work)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        future: Future[Result] = Future()

        def perform() -> None:
            try:
                future.set_result(work(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
            finally:
                connections.close_all()

        threading.Thread(target=perform).start()
        return future.result(timeout=30)

    return run


@in_thread
def send_draft(article: Article, step: str, offset: int, text: str) -> None:
    """Send text being written to the article's watchers, as a worker does."""
    layer = get_channel_layer()
    assert layer is not None
    async_to_sync(layer.group_send)(
        group_name(article.pk), drafts_message(article.pk, [{"step": step, "offset": offset, "text": text}])
    )
