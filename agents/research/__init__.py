"""Finds, fetches and reads sources, and cuts them into passages that can be cited.

``factory`` builds the search and the fetcher from the settings; ``reading`` finds pages and reads them together with the
brief's own sources. Slow libraries are imported where they are used, so importing this package is cheap.
"""

from __future__ import annotations

from importlib import import_module


def preload() -> None:
    """Imports what reading needs (about 0.5 s) before a worker forks."""
    for module in (
        "agents.research.factory",
        "agents.research.reading",
        "trafilatura",
        "ddgs.ddgs",
    ):
        import_module(module)
    from agents.text import ranking

    ranking.preload()
