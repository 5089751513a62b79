"""Failures the agents expect. Each has a message for the person who reads it and a code for programs."""

from __future__ import annotations

from enum import StrEnum

from agents.contract import Outline


class FailureCode(StrEnum):
    """Why something failed. Stored with runs and used as a metric label, so a value never changes its meaning."""

    MODEL_AUTH = "model_auth"
    """The key is invalid, or may not use the model."""
    MODEL_QUOTA = "model_quota"
    MODEL_RATE_LIMITED = "model_rate_limited"
    MODEL_UNAVAILABLE = "model_unavailable"
    """Timeouts, overload, server errors, broken connections."""
    MODEL_MISCONFIGURED = "model_misconfigured"
    """The address, the certificate or the model's name is wrong."""
    MODEL_CONTENT_FILTER = "model_content_filter"
    """The provider's filter or the model itself declined."""
    MODEL_CONTEXT_TOO_LONG = "model_context_too_long"
    MODEL_OUTPUT_TOO_LONG = "model_output_too_long"
    """The answer reached the token limit, even after it was asked for with more room."""
    MODEL_BAD_OUTPUT = "model_bad_output"
    """Empty, unreadable, or not in the schema after corrections."""
    MODEL_OTHER = "model_other"
    IMAGE_FAILED = "image_failed"
    STORAGE_FULL = "storage_full"
    """A file could not be stored, for whatever reason."""
    NOTHING_TO_READ = "nothing_to_read"
    SOURCE_UNREADABLE = "source_unreadable"
    SEARCH_FAILED = "search_failed"
    BRIEF_NOT_MET = "brief_not_met"
    SPENDING_LIMIT = "spending_limit"
    WORKER_DIED = "worker_died"
    INTERNAL_ERROR = "internal_error"
    """A bug or a broken installation."""


class AgentError(Exception):
    """Base class. ``str(error)`` is a sentence that says what to do; ``code`` says what failed."""

    code = FailureCode.INTERNAL_ERROR


class NothingToRead(AgentError):
    """No source could be read, so there is nothing to write from."""

    code = FailureCode.NOTHING_TO_READ


class FetchRefused(AgentError):
    """The studio does not fetch this address: private, not http(s), too large, or not a document."""

    code = FailureCode.SOURCE_UNREADABLE


class SourceUnreadable(AgentError):
    """The document was received but contains no text that can be extracted."""

    code = FailureCode.SOURCE_UNREADABLE


class FilesUnavailable(AgentError):
    """The storage of uploaded documents does not answer. To write without them would waste the article."""

    code = FailureCode.SOURCE_UNREADABLE


class SearchFailed(AgentError):
    """The search provider is misconfigured, unreachable or refuses. The run continues with the sources it has."""

    code = FailureCode.SEARCH_FAILED


class ModelError(AgentError):
    """A model call failed after all retries. ``permanent``: another attempt cannot succeed (invalid key, quota used up)."""

    def __init__(self, reason: str, *, code: FailureCode = FailureCode.MODEL_OTHER, permanent: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.permanent = permanent


class ProviderUnavailable(ModelError):
    """The provider of ``model`` cannot be reached or is overloaded. The run waits and is resumed later.

    ``retry_after`` is the delay the provider asked for, in seconds.
    """

    def __init__(
        self,
        reason: str,
        *,
        model: str,
        code: FailureCode = FailureCode.MODEL_UNAVAILABLE,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason, code=code)
        self.model = model
        self.retry_after = retry_after


class ImageError(ModelError):
    """No picture could be drawn or used. An article is completed without one."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason, code=FailureCode.IMAGE_FAILED, permanent=permanent)


class ManuscriptIncomplete(AgentError):
    """The text does not meet the brief, so the run cannot be completed."""

    code = FailureCode.BRIEF_NOT_MET


class FileNotStored(AgentError):
    """A file of the article could not be stored: the disk is full or not writable."""

    code = FailureCode.STORAGE_FULL


class PricesUnreadable(AgentError):
    """The price table is missing or invalid. The message names the file and the place in it."""


class SpendingLimitReached(AgentError):
    """The next call could exceed a spending limit. The run is paused before that call, and its work is kept."""

    code = FailureCode.SPENDING_LIMIT


class ApprovalRequired(AgentError):
    """``outline`` is ready and the brief asks for approval. The run is parked without a worker; this is no failure."""

    def __init__(self, outline: Outline) -> None:
        super().__init__("The outline is waiting for approval.")
        self.outline = outline
