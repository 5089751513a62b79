"""Django's ASGI handler for a project whose views are sync, as all of the studio's are.

Stock Django starts a thread for each request, and goes back and forth between it and the event loop for its signals and for
every middleware that could be async. That costs more than the request itself. Here the whole request is answered in one go, on
a thread that was used before and still has its database connection: half the processor time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.signals import request_started
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

THREADS = 40  # requests answered at once; further ones wait for their turn

BODY_FILE = "contentstudio.body_file"
"""ASGI extension: the body as an open file, ``{"file": …}``, instead of messages. Saves a copy in memory and one on disk."""


class ThreadedHandler(ASGIHandler):
    """Answers each request on one of at most ``THREADS`` threads, which are kept and used again."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._answer_in_thread = sync_to_async(self.answer, thread_sensitive=False, executor=self._threads)

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Nobody listens for a disconnect: a sync view could not be interrupted anyway."""
        extension = scope.get("extensions", {}).get(BODY_FILE)
        try:
            body = extension["file"] if extension else await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            response = await self._answer_in_thread(scope, body)
            await self.send_response(response, send)
            if response.streaming:
                await sync_to_async(response.close, thread_sensitive=False, executor=self._threads)()

    def answer(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        """The response, closed unless it is still to be read from a file."""
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response = self.get_response(request) if request is not None else refusal
        assert response is not None
        response._handler_class = self.__class__  # type: ignore[attr-defined]  # the sender of request_finished
        if isinstance(response, StreamingHttpResponse):
            if not response.is_async:
                response.streaming_content = self.read_in_thread(response)
        else:
            response.close()
        return response

    def create_request(
        self, scope: Mapping[str, Any], body_file: IO[bytes]
    ) -> tuple[ASGIRequest, None] | tuple[None, HttpResponseBase]:
        """A body sent in chunks names no length, and Django would hold it to no limit: it gets the length it has."""
        found = super().create_request(scope, body_file)
        if found[0] is not None and "CONTENT_LENGTH" not in found[0].META:
            found[0].META["CONTENT_LENGTH"] = str(body_file.seek(0, 2))
            body_file.seek(0)
        return found

    def read_in_thread(self, response: StreamingHttpResponse) -> AsyncIterator[bytes]:
        """A file's chunks, each read when the one before was sent. Django would read all of them into memory first."""
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        chunks: Iterator[bytes] = iter(response)

        def read() -> bytes | None:
            return next(chunks, None)

        async def read_all() -> AsyncIterator[bytes]:
            while (chunk := await sync_to_async(read, thread_sensitive=False, executor=self._threads)()) is not None:
                yield chunk

        return read_all()
