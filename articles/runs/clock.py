"""The clock of the database. Those of the machines may differ by minutes, and a lease written by one is read by others."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.utils import timezone


def database_now() -> datetime:
    """For values to be stored or compared; conditions of queries use Django's ``Now``. SQLite is on this machine."""
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
