"""Signals sent after a commit. Their arguments are ids and numbers, never content."""

from django.dispatch import Signal

events_recorded = Signal()
"""Sent once after events of an article are committed, with ``article_id`` and the numbers of their ``first`` and ``last``."""
