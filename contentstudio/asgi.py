"""The one entrance: HTTP to Django, sockets to the consumers."""

from __future__ import annotations

import gc
import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentstudio.settings")
django.setup(set_prefix=False)

from articles.authentication import authenticated  # noqa: E402  (models, which need the set-up)
from articles.live.routing import sockets  # noqa: E402
from articles.operations.metrics import track_open_sockets  # noqa: E402
from contentstudio.runtime.asgi_handler import ThreadedHandler  # noqa: E402

application = ProtocolTypeRouter(
    {"http": ThreadedHandler(), "websocket": track_open_sockets(authenticated(URLRouter(sockets)))}
)

gc.collect()
gc.freeze()  # to look through all that was loaded, as the collector does now and then, is 70 ms of silence on all sockets
