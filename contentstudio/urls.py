"""Addresses: the API and the admin here, pages in ``articles.urls``. Sockets are in ``articles.live.routing``."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from articles.operations.metrics import metrics
from contentstudio.api import api, endpoint_not_found, redoc

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/redoc", redoc, name="redoc"),
    path("api/", api.urls),
    re_path(r"^api/", endpoint_not_found),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("", include("articles.urls")),
]
