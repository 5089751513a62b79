"""What the store announces, once it is committed. Arguments are ids and numbers, never content."""

from django.dispatch import Signal

event_recorded = Signal()
"""Sent with ``article_id`` and ``seq`` after each event is committed."""
