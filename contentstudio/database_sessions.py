"""How soon PostgreSQL ends the session of a machine that is cut off: it would hold its row locks for two hours otherwise.

The options in ``database_settings`` are about this end of the connection; these parameters are about the server's.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

PARAMETERS = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds
}
"""Half a minute in all. PostgreSQL ignores them on a Unix socket."""

QUERY = f"SELECT {', '.join(['set_config(%s, %s, false)'] * len(PARAMETERS))}"
VALUES = [word for parameter in PARAMETERS.items() for word in parameter]

limited: WeakSet[Any] = WeakSet()
"""psycopg's connections that have the parameters. Django sends its signal again whenever one is taken from the pool."""


def connect() -> None:
    connection_created.connect(limit_silence, dispatch_uid="database-sessions")


def limit_silence(*, connection: BaseDatabaseWrapper, **signal: Any) -> None:
    """Set the parameters with a query: PgBouncer refuses them as options of the connection."""
    if connection.vendor != "postgresql" or connection.connection in limited:
        return
    with connection.cursor() as cursor:
        cursor.execute(QUERY, VALUES)
    limited.add(connection.connection)
