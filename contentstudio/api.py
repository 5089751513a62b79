"""The API as a whole: its root, health and documentation, who may use it, and how errors are told."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import NinjaAPI, Status
from ninja.openapi.docs import Redoc, Swagger
from ninja.operation import Operation

from articles.api import costs
from articles.api.articles import router
from articles.authentication import BrowserAuth, KeyAuth
from articles.operations.health import Health, check_health
from contentstudio.api_errors import SENTENCES, answer, tell_errors

DESCRIPTION = """A brief becomes a finished, sourced article.

Send an API key as `Authorization: Bearer <key>`, or sign in. Your keys are under “API keys” in the studio; `manage.py apikey
USER` makes one, too. Every error is `{"detail": "…"}`. An article is followed live on a socket: `/ws/articles/<id>`."""


class StudioAPI(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Short names for those who generate a client."""
        return operation.view_func.__name__


api = StudioAPI(
    title="Content Studio",
    version=settings.VERSION,
    description=DESCRIPTION,
    urls_namespace="api",
    auth=[KeyAuth(), BrowserAuth()],
    docs=Swagger(settings={"persistAuthorization": True, "validatorUrl": None}),
)
api.add_router("", router)
api.add_router("", costs.router)
tell_errors(api)


@api.get("/", auth=None, tags=["studio"], url_name="root")
def root(request: HttpRequest) -> dict[str, Any]:
    """What this is, and where to go on."""
    pages = {"docs": "api:openapi-view", "redoc": "redoc", "openapi": "api:openapi-json", "health": "api:health"}
    links = {name: request.build_absolute_uri(reverse(page)) for name, page in pages.items()}
    links["articles"] = request.build_absolute_uri(reverse("api:article_list"))
    return {"name": "Content Studio", "version": settings.VERSION, "links": links}


@api.get("/health", auth=None, tags=["studio"], response={200: Health, 503: Health})
def health(request: HttpRequest) -> Status[Health]:
    """Whether the studio can serve: 503 where its database or Redis is away."""
    found = check_health()
    return Status(503 if found.status == "unavailable" else 200, found)


class PlainRedoc(Redoc):
    """Ninja's page has its script inside, which our Content-Security-Policy forbids."""

    template = "api/redoc.html"


@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # ReDoc writes its styles itself. Nothing else on the page does.
def redoc(request: HttpRequest) -> HttpResponse:
    return PlainRedoc().render_page(request, api)


def nothing_here(request: HttpRequest) -> HttpResponse:
    """Every other address under /api."""
    return answer(404, SENTENCES[404])
