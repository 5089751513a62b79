"""The parts of Django's ASGIHandler that contentstudio/runtime/asgi_handler.py relies on without a promise."""

from __future__ import annotations

import inspect

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished
from django.http import HttpResponse

from contentstudio.runtime.asgi_handler import ThreadedHandler


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (ASGIHandler.load_middleware, ["self", "is_async"]),
        (ASGIHandler.read_body, ["self", "receive"]),
        (ASGIHandler.create_request, ["self", "scope", "body_file"]),
        (ASGIHandler.send_response, ["self", "response", "send"]),
        (BaseHandler.get_response, ["self", "request"]),
    ],
)
def test_the_methods_take_what_they_are_given(method: object, parameters: list[str]) -> None:
    assert list(inspect.signature(method).parameters) == parameters  # type: ignore[arg-type]


def test_the_middleware_is_loaded_for_one_thread() -> None:
    """Loaded as async, it would go back and forth between thread and event loop."""
    handler = ThreadedHandler()
    assert not inspect.iscoroutinefunction(handler._middleware_chain)  # type: ignore[attr-defined]  # the stubs omit it


@pytest.mark.django_db
def test_closing_a_response_ends_the_request_in_the_name_of_its_handler() -> None:
    senders: list[object] = []

    def note(sender: object, **kwargs: object) -> None:
        senders.append(sender)

    request_finished.connect(note)
    try:
        response = HttpResponse()
        response._handler_class = ThreadedHandler  # type: ignore[attr-defined]
        response.close()
    finally:
        request_finished.disconnect(note)
    assert senders == [ThreadedHandler]
