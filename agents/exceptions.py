"""Failures the agents expect. Each carries the reason its reader will be shown."""

from __future__ import annotations

from agents.contract import Outline


class AgentError(Exception):
    """Base: ``str(error)`` is a sentence for the person who reads it, and names what to do."""


class NothingToRead(AgentError):
    """No source could be read, so there is nothing to write from."""


class FetchRefused(AgentError):
    """An address the studio will not fetch: private, not http(s), too large, not a document."""


class SourceUnreadable(AgentError):
    """A document that was got but holds no text the studio can read."""


class SearchFailed(AgentError):
    """A search provider that is set up wrongly, cannot be reached or refuses. A run goes on with what it has."""


class ModelError(AgentError):
    """A model call failed for good. ``permanent`` tells that asking again cannot help (a refused key, a used-up quota)."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class ProviderAway(ModelError):
    """``model`` could not be asked, for what lies with its provider: it may answer later, so the run waits for it.

    ``retry_after`` is what the provider asked for, in seconds.
    """

    def __init__(self, reason: str, *, model: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.model = model
        self.retry_after = retry_after


class ManuscriptIncomplete(AgentError):
    """What was written does not meet the brief, so the run must not be called completed."""


class FileNotKept(AgentError):
    """A file of the article's could not be stored: the disk is full, or may not be written to."""


class PricesUnreadable(AgentError):
    """A table of prices that is missing or not as it should be. It names the file and the place in it."""


class SpendingLimitReached(AgentError):
    """The next call might pass what may be spent. The run is paused, with its work, before that call."""


class ApprovalRequired(AgentError):
    """``outline`` is made, and a person wants to see it before anything is written. No worker waits for them."""

    def __init__(self, outline: Outline) -> None:
        super().__init__("The outline waits to be approved.")
        self.outline = outline
