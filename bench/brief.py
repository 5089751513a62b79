"""The brief of every measured article: the same topic, audience, tone and sources for both sides."""

from __future__ import annotations

from typing import Any

from bench.environment import ROOT

SOURCES = ("rooftop-gardens", "walkable-cities", "public-libraries")


def brief(words: int, number: int = 1) -> dict[str, Any]:
    """A brief as the API takes it. ``number`` makes the topics of articles that are written at once differ."""
    return {
        "topic": f"What makes a city worth living in, part {number}",
        "tone": "professional",
        "target_audience": "people who plan cities",
        "min_words": words,
        "language": "en",
        "include_image": True,
        "seo_optimize": True,
        "sources": [source(name) for name in SOURCES],
    }


def source(name: str) -> dict[str, str]:
    """One of the sample essays of ``agents/samples/``, as a pasted source."""
    title, _, text = (ROOT / "agents" / "samples" / f"{name}.md").read_text(encoding="utf-8").partition("\n")
    return {"title": title.removeprefix("# ").strip(), "text": text.strip()}
