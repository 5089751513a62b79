"""Opens uploaded documents before they are accepted, so that a damaged one is refused while its owner can still act."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

from django.conf import settings
from django.core.files.base import File

from agents.exceptions import SourceUnreadable
from articles.services.sources import DOCUMENT_SUFFIXES

SECONDS = 20.0
"""For all documents of one request. Those not opened by then are accepted; the worker reads them with limits of its own."""

CHECKS_AT_ONCE = 2
"""In this process. Each runs a converter that may take a processor and 512 MB."""

PLAIN_SUFFIXES = (".txt", ".md")
SAMPLE = 65_536  # bytes of a plain text that are checked

_pool = ThreadPoolExecutor(CHECKS_AT_ONCE, thread_name_prefix="document-check")


def document_problems(uploads: Sequence[File[bytes]]) -> list[str]:
    """Why these documents cannot be taken, one sentence each; empty if all can. Takes at most ``SECONDS``."""
    if len(uploads) > settings.MAX_SOURCES:
        return [f"{len(uploads)} documents are too many: an article takes up to {settings.MAX_SOURCES} sources."]
    problems = [problem for upload in uploads if (problem := obvious_problem(upload))]
    return problems or [problem for problem in opened_in_time(uploads) if problem]


def obvious_problem(upload: File[bytes]) -> str:
    """What the name and the size already say."""
    name, limit = upload.name or "", settings.UPLOAD_MAX_BYTES
    if not name.lower().endswith(DOCUMENT_SUFFIXES):
        return f"“{name}” is not a supported document. Use a {', '.join(DOCUMENT_SUFFIXES)} file."
    if not upload.size:
        return f"“{name}” is empty."
    if upload.size > limit:
        return f"“{name}” is larger than {limit // 1024 // 1024} MB. Upload a smaller part of it."
    return ""


def opened_in_time(uploads: Sequence[File[bytes]]) -> list[str]:
    deadline = time.monotonic() + SECONDS
    checks = [_pool.submit(problem_inside, upload.name or "", upload, deadline) for upload in uploads]
    wait(checks, timeout=SECONDS)
    return [check.result() for check in checks if not check.cancel()]  # one that runs ends at its own deadline


def problem_inside(name: str, upload: File[bytes], deadline: float) -> str:
    """Reads the document as a worker would, in its sandbox. Empty if that works, or cannot be finished in time.

    The beginning of a plain text is enough to tell whether it is one.
    """
    from agents.research.documents import read_upload  # loads httpx, which no other page needs

    is_plain = name.lower().endswith(PLAIN_SUFFIXES)
    upload.seek(0)
    body = upload.read(SAMPLE) if is_plain else upload.read()
    upload.seek(0)
    if len(body) == SAMPLE:
        body = body[: body.rfind(b"\n") + 1] or body  # no half character at the end

    async def read() -> None:
        async with asyncio.timeout(deadline - time.monotonic()):
            await read_upload("sample.txt" if is_plain else name, body)

    try:
        with suppress(TimeoutError):
            asyncio.run(read())
    except SourceUnreadable as error:
        return f"“{name}” cannot be read. {error}"
    return ""
