"""The REST API: authentication, root, health, documentation, and the routers of each concern."""

from __future__ import annotations

from typing import Any

from csp.constants import NONCE, SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import NinjaAPI, Status
from ninja.openapi.docs import Redoc, Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from articles.api import articles, costs, evidence, outlines, revisions, runs, voices
from articles.authentication import BrowserAuth, KeyAuth, user_of
from articles.operations.health import Health, Verdict, check_health
from contentstudio.api_errors import MESSAGES, error_response, register_error_handlers

DESCRIPTION = """Turns a brief into a finished, sourced article.

Send an API key as `Authorization: Bearer <key>`, or sign in. Create keys under “API keys” in the studio, or with
`manage.py apikey USER`. Every error is `{"detail": "…"}`. Follow an article live on the WebSocket `/ws/articles/<id>`."""


TOO_MANY = "A quota is used up, or too many invalid keys came from this address."
RETRY_AFTER = {"headers": {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}}


class StudioAPI(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Short operation ids, which client generators turn into function names."""
        return operation.view_func.__name__

    def get_openapi_schema(self, *args: Any, **options: Any) -> OpenAPISchema:
        """Adds the errors that any operation may answer before its view is called."""
        schema = super().get_openapi_schema(*args, **options)
        problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for operations in schema["paths"].values():
            for operation in operations.values():
                if "security" in operation:
                    operation["responses"].setdefault(429, {"description": TOO_MANY, "content": problem, **RETRY_AFTER})
                if "requestBody" in operation:
                    for status in (400, 413):
                        operation["responses"].setdefault(status, {"description": MESSAGES[status], "content": problem})
        return schema


api = StudioAPI(
    title="Content Studio",
    version=settings.VERSION,
    description=DESCRIPTION,
    urls_namespace="api",
    auth=[KeyAuth(), BrowserAuth()],
    docs=Swagger(settings={"persistAuthorization": True, "validatorUrl": None}),
)
for module in (articles, runs, outlines, revisions, evidence, costs, voices):
    api.add_router("", module.router)
register_error_handlers(api)


@api.get("/", auth=None, tags=["studio"], url_name="root")
def root(request: HttpRequest) -> dict[str, Any]:
    """Get the name and links, with an API key or session also the version."""
    pages = {"docs": "api:openapi-view", "redoc": "redoc", "openapi": "api:openapi-json", "health": "api:health"}
    links = {name: request.build_absolute_uri(reverse(page)) for name, page in pages.items()}
    links["articles"] = request.build_absolute_uri(reverse("api:article_list"))
    version = {"version": settings.VERSION} if user_of(request) else {}
    return {"name": "Content Studio", **version, "links": links}


@api.get("/health", auth=None, tags=["studio"], response={200: Health | Verdict, 503: Health | Verdict})
def health(request: HttpRequest) -> Status[Health | Verdict]:
    """Check the studio: 503 if its database or Redis is unavailable. Without an API key or session: `status` only."""
    found = check_health()
    # While the database is unavailable, nobody can be authenticated; asking a frozen one would not return.
    shows_details = found.database and user_of(request) is not None
    body = found if shows_details else Verdict(status=found.status)
    return Status(503 if found.status == "unavailable" else 200, body)


# ReDoc creates style elements: with the nonce of the page, but two while it is loaded, of which these are the hashes.
REDOC_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)


class PlainRedoc(Redoc):
    """Ninja's own template has an inline script, which the Content-Security-Policy forbids."""

    template = "api/redoc.html"


@csp_replace({"style-src": [SELF, NONCE, *REDOC_STYLES]})
def redoc(request: HttpRequest) -> HttpResponse:
    return PlainRedoc().render_page(request, api)


def endpoint_not_found(request: HttpRequest) -> HttpResponse:
    """Answers every other address under /api."""
    return error_response(404, MESSAGES[404])
