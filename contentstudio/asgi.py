"""The ASGI application: HTTP goes to Django, WebSockets to the consumers."""

from __future__ import annotations

import gc
import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.template.loader import get_template
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentstudio.settings")
django.setup(set_prefix=False)

from articles.live.authentication import authenticated  # noqa: E402  (imports models, which need django.setup)
from articles.live.routing import sockets  # noqa: E402
from contentstudio.runtime.asgi_handler import ThreadedHandler  # noqa: E402

application = ProtocolTypeRouter({"http": ThreadedHandler(), "websocket": authenticated(URLRouter(sockets))})


def load_for_first_requests() -> None:
    """Load the views and templates: the first requests and sockets would wait for them, and the collector scan them."""
    reverse("article_list")  # imports the views of all addresses
    folder = settings.BASE_DIR / "templates"
    for file in sorted(folder.rglob("*.html")):
        get_template(file.relative_to(folder).as_posix())


load_for_first_requests()
gc.collect()
gc.freeze()  # a full collection would otherwise scan all that was loaded, and block all sockets for 70 ms
