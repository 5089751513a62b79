"""How good a finished article is, as far as that can be counted: no model is asked, and the same text has the same scores."""

from __future__ import annotations

from articles.quality.piece import ScoredText
from articles.quality.scores import Quality, judge

__all__ = ["Quality", "ScoredText", "judge"]
