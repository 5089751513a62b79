"""Scores of a finished article that can be computed without a model: the same text always has the same scores."""

from __future__ import annotations

from articles.quality.scored_text import ScoredText
from articles.quality.scores import Quality, score_text

__all__ = ["Quality", "ScoredText", "score_text"]
