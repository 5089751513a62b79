"""Failures the studio expects. Each has a message for the person who reads it, and an HTTP status."""

from __future__ import annotations

from django.http import Http404

UNEXPECTED_ERROR = (
    "Something went wrong in the studio itself, which its log tells more of. Try again; what is done is kept."
)
"""The message of an unexpected error, whose own text is only for the log."""


class StudioError(Exception):
    """Base class. ``str(error)`` is a sentence that says what to do."""

    status = 500
    retry_after: int | None = None
    """Seconds after which the same request may succeed."""


class ExportFailed(StudioError):
    """The article could not be turned into the format asked for."""


class ExportBusy(StudioError):
    """Too many exports are running. The same request can be repeated after ``retry_after`` seconds."""

    status = 429
    retry_after = 5


class ArticleGone(StudioError, Http404):
    """The article was deleted since it was looked up. Pages answer it as they do what was never there."""

    status = 404

    def __init__(self) -> None:
        super().__init__("This article was deleted in the meantime. Go back to the list of articles.")


class NotPermitted(StudioError):
    """The article is somebody else's: who asks may read it, but not do this to it."""

    status = 403


class InvalidState(StudioError):
    """What was asked for does not go with the state the article is in."""

    status = 409


class EditConflict(StudioError):
    """The text was saved by somebody else since it was opened for editing."""

    status = 409


class InvalidInput(StudioError):
    """A brief or a text breaks a rule. ``fields`` has the messages by field."""

    status = 422

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__(" ".join(f"{field}: {' '.join(messages)}" for field, messages in fields.items()))
        self.fields = fields


class InvalidSource(StudioError):
    """A source that was given cannot be taken as it is."""

    status = 422


class InvalidOutline(StudioError):
    """An outline the crew could not write from as it is."""

    status = 422


class UnknownVoice(StudioError):
    """A brief names a voice that is not there."""

    status = 422


class BackupRefused(StudioError):
    """A backup that cannot be made, or must not be restored. Nothing was changed."""


class LeaseLost(Exception):
    """The run is not this worker's any more: it was cancelled, deleted, or handed to another. Not shown to anybody."""


class WorkerStopped(Exception):
    """The worker was told to end while it was at work on a run. Not shown to anybody."""
