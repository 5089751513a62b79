"""Finding, fetching and reading what an article rests on, and cutting it into passages that can be cited.

``choice`` builds the search and the fetcher from the settings, ``reading`` finds pages and reads them beside the brief's
own sources, ``ranking`` picks the passages that answer a question. Nothing here knows the ORM or CrewAI, and importing
this package costs nothing: what is slow to import is imported where it is used.
"""

from __future__ import annotations

from importlib import import_module


def preload() -> None:
    """Import what reading needs (about half a second), for a worker that forks one process a run."""
    for module in (
        "agents.research.factory",
        "agents.research.reading",
        "trafilatura",
        "ddgs.ddgs",
    ):
        import_module(module)
    from agents.text import ranking

    ranking.preload()
