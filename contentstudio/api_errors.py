"""How the API tells errors: always as ``{"detail": …}``, a sentence that never repeats what was sent."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from articles.authentication import HOW_TO_GET_IN
from articles.exceptions import StudioError

ROOT = "/api/"
MOST_TOLD = 5  # of what is wrong with one request

SENTENCES = {
    400: "The request cannot be read. Its body has to be JSON, as UTF-8.",
    401: HOW_TO_GET_IN,
    403: "The CSRF token is missing or wrong. Send it as X-CSRFToken, or use an API key.",
    404: "There is nothing at this address. What there is, is told at /api/docs.",
    405: "This address does not take {method}. It takes {allow}.",
    413: f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} kB. Send less, or upload a document.",
    500: "Something went wrong in the studio. Its log says what; try again.",
}


def tell_errors(api: NinjaAPI) -> None:
    """Hand ``api`` the handlers of all errors its views may end with."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        StudioError: lambda _, error: answer(error.status, str(error)),
        Http404: lambda _, error: answer(404, str(error)),
        RequestDataTooBig: lambda _, error: answer(413, SENTENCES[413]),
        ValidationError: lambda _, error: answer(422, in_words(error.errors)),
        AuthenticationError: refuse_stranger,
        # Raised by Ninja alone, whose messages are for programmers.
        HttpError: lambda _, error: answer(error.status_code, sentence(error.status_code)),
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def sentence(status: int) -> str:
    return SENTENCES.get(status, HTTPStatus(status).phrase)


def answer(status: int, detail: str) -> HttpResponse:
    return JsonResponse({"detail": detail}, status=status)


def refuse_stranger(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    known = error.message != AuthenticationError().message
    response = answer(401, error.message if known else HOW_TO_GET_IN)
    response["WWW-Authenticate"] = "Bearer"
    return response


def in_words(errors: list[dict[str, Any]]) -> str:
    """What is wrong with the request: "topic: String should have at least 5 characters. …"."""
    said = [f"{place(error['loc'])}: {reason(error)}." for error in errors[:MOST_TOLD]]
    return " ".join(said)


def place(location: tuple[str | int, ...]) -> str:
    """Where in the request: "sources.0.url". Its own names are shown, cut short; a wrong key is the sender's."""
    parts = [str(part)[:40] for part in location[1:]]
    inner = parts[1:] or parts  # behind the name of the view's argument, which is of no interest
    return ".".join(inner).encode("ascii", "replace").decode()


def reason(error: dict[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "There is no such field"
    message = str(error["msg"])
    return message.removeprefix("Value error, ")


def json_errors(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: what Django answers itself under /api, such as a wrong method or a crash, is told like all other errors."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.path.startswith(ROOT) and response.status_code >= 400 and isinstance(response, HttpResponse):
            put_in_words(request, response)
        return response

    return middleware


def put_in_words(request: HttpRequest, response: HttpResponse) -> None:
    if response.headers.get("Content-Type", "").startswith("application/json"):
        return
    detail = sentence(response.status_code).format(
        method=request.method, allow=response.headers.get("Allow", "other methods")
    )
    response.content = answer(response.status_code, detail).content
    response["Content-Type"] = "application/json"
    # CommonMiddleware has told the length of what stood there: a client would wait for the rest, or cut this short.
    response["Content-Length"] = str(len(response.content))
