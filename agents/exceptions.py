"""Failures the agents expect. Each carries the reason its reader will be shown."""

from __future__ import annotations


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


class ManuscriptIncomplete(AgentError):
    """What was written does not meet the brief, so the run must not be called completed."""
