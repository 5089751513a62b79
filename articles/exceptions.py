"""Failures the studio expects. Each has a message for the person who reads it, and an HTTP status."""

from __future__ import annotations

from django.http import Http404

UNEXPECTED_ERROR = (
    "Something went wrong in the studio itself. Its log has the details. Try again: finished steps are kept."
)
"""The message of an unexpected error, whose own text is only for the log."""


class StudioError(Exception):
    """Base class. ``str(error)`` is a sentence that says what to do."""

    status = 500
    retry_after: int | None = None
    """Seconds after which the same request may succeed."""


class ExportFailed(StudioError):
    """The article could not be exported in this format."""


class ExportBusy(StudioError):
    """Too many exports are running. The same request can be repeated after ``retry_after`` seconds."""

    status = 429
    retry_after = 5


class QuotaReached(StudioError):
    """The user has used up one of their quotas. ``retry_after`` is None if waiting does not help."""

    status = 429

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ArticleGone(StudioError, Http404):
    """The article was deleted since it was looked up. Pages answer with 404."""

    status = 404

    def __init__(self) -> None:
        super().__init__("This article was deleted in the meantime. Go back to the list of articles.")


class NotPermitted(StudioError):
    """The user may read this article of another user, but not change it."""

    status = 403


class InvalidState(StudioError):
    """Not possible in the article's present state."""

    status = 409


class EditConflict(StudioError):
    """A newer revision was saved since the text was opened for editing."""

    status = 409


class InvalidInput(StudioError):
    """A brief or a text breaks a rule. ``fields`` has the messages by field."""

    status = 422

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__(" ".join(f"{field}: {' '.join(messages)}" for field, messages in fields.items()))
        self.fields = fields


class InvalidSource(StudioError):
    """A source of the brief is invalid."""

    status = 422


class InvalidOutline(StudioError):
    """An outline that cannot be written from."""

    status = 422


class StorageUnavailable(StudioError):
    """The storage of images and documents does not answer."""

    status = 503
    retry_after = 30

    def __init__(self) -> None:
        super().__init__("The file storage does not answer, so no document can be stored now. Try again in a minute.")


class UnknownVoice(StudioError):
    """A brief names a voice that does not exist."""

    status = 422


class BackupRefused(StudioError):
    """A backup that cannot be made, or must not be restored. Nothing was changed."""


class IncompatibleDatabase(StudioError):
    """The database is too old for this version, or was migrated by a version too new for it. Nothing was changed."""


class LeaseLost(Exception):
    """The worker no longer holds the run: it was cancelled, deleted, or taken over. Never shown to users."""


class WorkerStopped(Exception):
    """The worker was asked to stop while it executed a run. Never shown to users."""
