"""The ASGI application: HTTP goes to Django, WebSockets to the consumers."""

from __future__ import annotations

import gc
import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentstudio.settings")
django.setup(set_prefix=False)

from articles.live.authentication import authenticated  # noqa: E402  (imports models, which need django.setup)
from articles.live.routing import sockets  # noqa: E402
from contentstudio.runtime.asgi_handler import ThreadedHandler  # noqa: E402

application = ProtocolTypeRouter({"http": ThreadedHandler(), "websocket": authenticated(URLRouter(sockets))})

gc.collect()
gc.freeze()  # a full collection would otherwise scan all that was imported, and block all sockets for 70 ms
