"""Reads uploaded documents from their storage, which may be another server."""

from __future__ import annotations

from django.core.files.storage import storages

from agents.exceptions import FilesUnavailable, SourceUnreadable
from articles.runs.storage_retry import wait_for_storage

PATIENCE = 300.0
"""Seconds in which a document is read during an outage of the storage."""


async def load_upload(name: str) -> bytes:
    """The content of a document in the storage of uploads. Raises SourceUnreadable if it is missing, or FilesUnavailable."""
    try:
        return await wait_for_storage(lambda: read_upload(name), PATIENCE)
    except ConnectionError as error:
        raise FilesUnavailable(
            f"The uploaded documents could not be read: {error}. Try again later: finished steps are kept."
        ) from error
    except OSError as error:
        raise SourceUnreadable("The uploaded file is missing. Upload it again.") from error


def read_upload(name: str) -> bytes:
    with storages["uploads"].open(name) as file:
        content: bytes = file.read()
        return content
