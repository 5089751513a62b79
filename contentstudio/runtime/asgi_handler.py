"""Django's ASGI handler for sync views: each request runs on one thread of a pool.

Django's own starts a thread per request and switches between it and the event loop for signals and async-capable middleware,
which costs more than the request itself. This one uses half the CPU, and its threads keep their database connections. It relies
on private parts of Django's handler; tests/test_asgi_handler_contract.py checks them.
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

THREADS = 40  # concurrent requests; others wait

BODY_FILE = "contentstudio.body_file"
"""ASGI extension: the body as an open file, ``{"file": …}``, instead of messages. Saves a copy in memory and one on disk."""


class ThreadedHandler(ASGIHandler):
    """Runs each request on one of at most ``THREADS`` threads."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._answer_in_thread = sync_to_async(self.answer, thread_sensitive=False, executor=self._threads)

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Does not listen for a disconnect: a sync view cannot be interrupted anyway."""
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
        """The response, already closed unless it is a streaming one."""
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
        """Sets the length of chunked bodies, which Django would otherwise read without a limit."""
        found = super().create_request(scope, body_file)
        if found[0] is not None and "CONTENT_LENGTH" not in found[0].META:
            found[0].META["CONTENT_LENGTH"] = str(body_file.seek(0, 2))
            body_file.seek(0)
        return found

    def read_in_thread(self, response: StreamingHttpResponse) -> AsyncIterator[bytes]:
        """Reads each chunk when the previous one was sent. Django would read the whole file into memory first."""
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        chunks: Iterator[bytes] = iter(response)

        def read() -> bytes | None:
            return next(chunks, None)

        async def read_all() -> AsyncIterator[bytes]:
            while (chunk := await sync_to_async(read, thread_sensitive=False, executor=self._threads)()) is not None:
                yield chunk

        return read_all()
