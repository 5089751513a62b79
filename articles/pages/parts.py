"""Parts of the page that are worked out once and shown as they are."""

from __future__ import annotations

from dataclasses import dataclass

from agents.text.seo import width


@dataclass(frozen=True)
class Measured:
    """A text that search engines cut, beside the length they show in full, in characters."""

    label: str
    text: str
    low: int
    high: int

    @property
    def length(self) -> int:
        return width(self.text)

    @property
    def verdict(self) -> str:
        if self.length < self.low:
            return f"{self.low - self.length} short of {self.low}"
        if self.length > self.high:
            return f"{self.length - self.high} over {self.high}"
        return f"fits {self.low}–{self.high}"

    @property
    def fits(self) -> bool:
        return self.low <= self.length <= self.high


@dataclass(frozen=True)
class Cover:
    url: str
    alt: str
    prompt: str = ""
    drawn_by: str = ""
