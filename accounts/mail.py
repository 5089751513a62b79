"""Sends mail beside the requests: an answer takes as long for an unknown address as for a known one, and waits for no server."""

from __future__ import annotations

import contextvars
import logging
import os
import queue
import threading
from collections.abc import Callable
from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.db import connections
from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt, wait_exponential

log = logging.getLogger(__name__)

MAX_WAITING = 100
"""Tasks of a web process. Anybody can ask for a mail, so further ones are dropped."""

Task = Callable[[], None]


class Outbox:
    """One daemon thread: a server that does not answer delays mail, but nothing else, not even the end of the process."""

    def __init__(self) -> None:
        self._tasks: queue.Queue[Task] = queue.Queue(MAX_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, task: Task) -> None:
        """Run the task later, with the context of the caller."""
        context = contextvars.copy_context()
        try:
            self._tasks.put_nowait(lambda: context.run(task))
        except queue.Full:
            log.critical("A mail was not sent: %d are waiting already. Does the SMTP server answer?", MAX_WAITING)
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="mail", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            try:
                task()
            except Exception:
                log.exception("A mail could not be sent")
            finally:
                connections.close_all()


@retry(
    retry=retry_if_exception_type((SMTPException, OSError)),
    stop=stop_after_attempt(4),
    wait=wait_exponential(multiplier=2, max=60),  # 2, 4 and 8 s: most servers that are restarted are back by then
    before_sleep=before_sleep_log(log, logging.WARNING),
    reraise=True,
)
def deliver(message: EmailMessage) -> None:
    message.send()


outbox = Outbox()


def new_outbox() -> None:
    """Threads do not survive a fork."""
    global outbox
    outbox = Outbox()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=new_outbox)
