"""URLs of the API and the admin; pages are in ``articles.urls``, WebSockets in ``articles.live.routing``."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from articles.admin.queues import view_on_site
from articles.operations.metrics import metrics
from contentstudio.api import api, endpoint_not_found, redoc

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/redoc", redoc, name="redoc"),
    path("api/", api.urls),
    re_path(r"^api/", endpoint_not_found),
    path("metrics", metrics, name="metrics"),
    path("admin/r/<int:content_type_id>/<path:object_id>/", view_on_site),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("articles.urls")),
]

handler429 = "accounts.middleware.too_many_requests"
