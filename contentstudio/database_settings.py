"""Django's entry for a database, with the options that many writing processes need."""

from __future__ import annotations

from typing import Any

import dj_database_url

from contentstudio.environment import env


def database(url: str) -> dict[str, Any]:
    """An entry of Django's DATABASES."""
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    if config["ENGINE"].endswith("sqlite3"):
        config["CONN_MAX_AGE"] = None
        config["OPTIONS"] = {
            # A deferred transaction that starts to write while another one writes fails at once; an immediate one waits.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;"
            " PRAGMA journal_size_limit=27103364; PRAGMA cache_size=2000;",
        }
    else:
        config["CONN_MAX_AGE"] = 0
        config["CONN_HEALTH_CHECKS"] = True  # the server may have restarted since the connection was opened
        config["OPTIONS"] = {
            # Reconnects after 1, 2 and 4 s, then from 1 s again. By default the pool's delay would grow to a minute in a long
            # outage, and every request would wait for it.
            "pool": {
                "min_size": 0,
                "max_size": env.int("DATABASE_POOL", 10),
                "timeout": 10,
                "reconnect_timeout": 10,
            },
            # Give up an unresponsive server after half a minute; TCP alone would take a quarter of an hour.
            "connect_timeout": 5,
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,  # milliseconds
            **config.get("OPTIONS", {}),  # from the URL, such as ?sslmode=require
        }
    return config
