"""The real web server in a thread of the test process: Daphne on a free port, with the test database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def live_server() -> Iterator[str]:
    """Serve inside the block; gives the address. Twisted runs once in a process: see the ``site`` fixture, which all share."""
    from contentstudio.runtime.daphne import StudioServer  # installs Twisted's reactor

    # isort: split
    from twisted.internet import reactor

    from contentstudio.asgi import application
    from contentstudio.runtime.asgi_handler import ThreadedHandler

    # WhiteNoise looks for static files once, when its handler is made, and a test's module may have imported ours before.
    application.application_mapping["http"] = ThreadedHandler()
    listening = threading.Event()
    ports: list[int] = []

    class TellingServer(StudioServer):
        def listen_success(self, port: Any) -> None:
            super().listen_success(port)
            ports.append(port.getHost().port)
            listening.set()

    endpoints = ["tcp:port=0:interface=127.0.0.1"]
    pings = {"ping_interval": 4, "ping_timeout": 4}  # seconds; the studio's are longer
    server = TellingServer(application, endpoints=endpoints, signal_handlers=False, verbosity=0, **pings)
    thread = threading.Thread(target=server.run, name="live server", daemon=True)
    thread.start()
    assert listening.wait(15), "the server did not come up"
    yield f"http://127.0.0.1:{ports[0]}"
    reactor.callFromThread(reactor.stop)  # type: ignore[misc]  # interfaces of zope have methods without self
    thread.join(15)
