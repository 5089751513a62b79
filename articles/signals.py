"""Signals sent after a commit. Their arguments are ids and numbers, never content."""

from django.dispatch import Signal

events_recorded = Signal()
"""Sent once after events of an article are committed, with ``article_id`` and the numbers of their ``first`` and ``last``."""

api_key_created = Signal()
"""Sent when a key was created, with the ``key``."""

api_keys_revoked = Signal()
"""Sent when keys were revoked, with the ``keys``."""
