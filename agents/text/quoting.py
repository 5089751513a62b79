"""Marks untrusted material in prompts, so that a model does not take it for instructions.

Material comes from the web, from documents, or from a model that was given these. It stands between ``<<<boundary`` and
``boundary>>>``; ``config/frame.yaml`` names both marks in the system message. The boundary is random, so a page cannot contain
it, and the same throughout a run, so that the calls of one article keep their common prefix, which providers cache.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from agents.text.markdown import map_prose

_PROCESS_BOUNDARY = secrets.token_hex(4)  # for calls outside of a run
_boundary: ContextVar[str] = ContextVar("boundary")
_RUN_OF_SIGNS = re.compile(r"<{3,}|>{3,}")


@contextmanager
def new_boundary() -> Iterator[str]:
    """Use a new random boundary inside the block, also in the tasks it starts."""
    boundary = secrets.token_hex(4)
    token = _boundary.set(boundary)
    try:
        yield boundary
    finally:
        _boundary.reset(token)


def boundary() -> str:
    """The boundary of the run, or that of the process outside of one."""
    return _boundary.get(_PROCESS_BOUNDARY)


def quote(material: str) -> str:
    """``material`` between the marks of the run. Runs of ``<`` or ``>`` in it are spaced out, so none looks like a mark."""
    return _marked(_spaced_out(material))


def quote_markdown(text: str) -> str:
    """Like ``quote``, for a text the model has to return: its code, such as Python's ``>>>`` prompt, stays as it is."""
    return _marked(map_prose(text, _spaced_out))


def _marked(material: str) -> str:
    # A model may have been talked into writing the boundary.
    return f"<<<{boundary()}\n{material.replace(boundary(), '…')}\n{boundary()}>>>"


def _spaced_out(material: str) -> str:
    return _RUN_OF_SIGNS.sub(lambda run: " ".join(run[0]), material)
