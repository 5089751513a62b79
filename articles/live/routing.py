"""WebSocket URLs, with and without a trailing slash."""

from __future__ import annotations

from django.urls import re_path

from articles.live.consumers import ArticleConsumer, ArticlePageConsumer, NotFoundConsumer
from articles.live.editors import EditorsConsumer

sockets = [
    re_path(r"^ws/articles/(?P<article_id>[0-9]{1,18})/?$", ArticleConsumer.as_asgi()),
    re_path(r"^ws/articles/(?P<article_id>[0-9]{1,18})/page/?$", ArticlePageConsumer.as_asgi()),
    re_path(r"^ws/articles/(?P<article_id>[0-9]{1,18})/editors/?$", EditorsConsumer.as_asgi()),
    re_path(r"", NotFoundConsumer.as_asgi()),
]
