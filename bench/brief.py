"""What both sides are asked: the same topic, readers, tone and length, and the same sources to rest on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("rooftop-gardens", "walkable-cities", "public-libraries")


def brief(words: int, number: int = 1) -> dict[str, Any]:
    """A brief as the API takes it; ``number`` tells apart those that are written at once."""
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
    """One of the essays that come with the studio, as a source of the person's own."""
    title, _, text = (ROOT / "agents" / "samples" / f"{name}.md").read_text(encoding="utf-8").partition("\n")
    return {"title": title.removeprefix("# ").strip(), "text": text.strip()}
