"""Error responses of the API: always ``{"detail": …}``, a sentence that never repeats what was sent."""

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
MAX_REPORTED = 5  # problems reported for one request

MESSAGES = {
    400: "Invalid request. The body must be JSON, encoded as UTF-8.",
    401: HOW_TO_GET_IN,
    403: "The CSRF token is missing or wrong. Send it as X-CSRFToken, or use an API key.",
    404: "No such endpoint. See /api/docs.",
    405: "{method} is not allowed here. Allowed: {allow}.",
    413: f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1024**2:.1f} MB. Send less text.",
    500: "Internal error. Try again; the server log has the details.",
}


def register_error_handlers(api: NinjaAPI) -> None:
    """Register a handler for every exception a view may raise."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        StudioError: lambda _, error: studio_error(error),
        Http404: lambda _, error: error_response(404, str(error)),
        RequestDataTooBig: lambda _, error: error_response(413, MESSAGES[413]),
        ValidationError: lambda _, error: error_response(422, validation_message(error.errors)),
        AuthenticationError: unauthorized,
        # Raised by Ninja only. Its own messages are not meant for users.
        HttpError: lambda _, error: error_response(error.status_code, message_for(error.status_code)),
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def message_for(status: int) -> str:
    return MESSAGES.get(status, HTTPStatus(status).phrase)


def error_response(status: int, detail: str) -> HttpResponse:
    return JsonResponse({"detail": detail}, status=status)


def studio_error(error: StudioError) -> HttpResponse:
    response = error_response(error.status, str(error))
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def unauthorized(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    is_ours = error.message != AuthenticationError().message
    response = error_response(401, error.message if is_ours else HOW_TO_GET_IN)
    response["WWW-Authenticate"] = "Bearer"
    return response


def validation_message(errors: list[dict[str, Any]]) -> str:
    """Such as "topic: String should have at least 5 characters."."""
    return " ".join(f"{field_path(error['loc'])}: {reason(error)}." for error in errors[:MAX_REPORTED])


def field_path(location: tuple[str | int, ...]) -> str:
    """Such as "sources.0.url". Shortened: an unknown key is the sender's text."""
    parts = [str(part)[:40] for part in location[1:]]
    inner = parts[1:] or parts  # without the name of the view's argument
    return ".".join(inner).encode("ascii", "replace").decode()


def reason(error: dict[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "Unknown field"
    message = str(error["msg"])
    return message.removeprefix("Value error, ")


def json_errors(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: turns errors Django itself answers under /api, such as 405 and 500, into JSON."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.path.startswith(ROOT) and response.status_code >= 400 and isinstance(response, HttpResponse):
            replace_with_json(request, response)
        return response

    return middleware


def replace_with_json(request: HttpRequest, response: HttpResponse) -> None:
    if response.headers.get("Content-Type", "").startswith("application/json"):
        return
    detail = message_for(response.status_code).format(
        method=request.method, allow=response.headers.get("Allow", "other methods")
    )
    response.content = error_response(response.status_code, detail).content
    response["Content-Type"] = "application/json"
    # CommonMiddleware has set the length of the original body.
    response["Content-Length"] = str(len(response.content))
