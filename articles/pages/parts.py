"""Small parts of an article's page: its notices, its cover, and texts with a recommended length."""

from __future__ import annotations

from dataclasses import dataclass

from agents.contract import Stage
from agents.text.seo import display_width

MAX_NOTICE = 160  # characters that are shown unfolded

ACTIVITIES: dict[Stage, str] = {
    "research": "Researching",
    "outline": "Outlining",
    "write": "Writing sections",
    "edit": "Editing and checking sections",
    "seo": "Writing the SEO texts",
    "image": "Creating the image",
}


@dataclass(frozen=True)
class MeasuredText:
    """A text that search engines truncate, with the range of lengths they show in full, in characters."""

    label: str
    text: str
    low: int
    high: int

    @property
    def length(self) -> int:
        return display_width(self.text)

    @property
    def verdict(self) -> str:
        if self.length < self.low:
            return f"{self.low - self.length} too short ({self.low}–{self.high})"
        if self.length > self.high:
            return f"{self.length - self.high} too long ({self.low}–{self.high})"
        return f"within {self.low}–{self.high}"

    @property
    def fits(self) -> bool:
        return self.low <= self.length <= self.high


@dataclass(frozen=True)
class Cover:
    url: str
    alt: str
    prompt: str = ""
    drawn_by: str = ""


@dataclass(frozen=True)
class Notice:
    first: str
    rest: str

    @classmethod
    def of(cls, text: str) -> Notice:
        first, stop, rest = text.strip().partition(". ")
        return cls(first + stop.strip(), rest) if len(text) > MAX_NOTICE else cls(text.strip(), "")
