"""Kills random processes of the studio, and records which articles each kill affected."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
from redis import Redis
from redis.exceptions import RedisError

from tests.chaos.studio import LiveStudio

WEIGHTS = {"horse": 12, "worker": 10, "web": 4, "sweeper": 4, "redis": 4, "redis, emptied": 4, "pool": 1}


@dataclass
class Kill:
    """``victims`` are the articles whose process died of it; ``when`` is in seconds since 1970."""

    kind: str
    when: float
    victims: list[int] = field(default_factory=list)


class Killer:
    """Kills at random with ``seed``. ``restart_store`` restarts the database as another kind of kill."""

    def __init__(self, studio: LiveStudio, seed: int, restart_store: Callable[[], None] | None = None) -> None:
        self.studio = studio
        self.chance = random.Random(seed)
        self.kills: list[Kill] = []
        self._restart_store = restart_store
        self._weights = {**WEIGHTS, **({"store": 2} if restart_store else {})}

    def strike(self) -> None:
        """Kills one running process."""
        while True:
            kind = self.chance.choices([*self._weights], [*self._weights.values()])[0]
            if kind == "store" and self._restart_store:
                self.kills.append(Kill(kind, time.time()))
                self._restart_store()
                return
            if self._kill(kind):
                return

    def _kill(self, kind: str) -> bool:
        members = self.studio.members(kind.partition(",")[0])
        if not members:
            return False
        member, holders = self.chance.choice(members), self.studio.holders()
        try:
            doomed = {member.pid, *(child.pid for child in member.children(recursive=True))}
            if kind == "redis, emptied":
                empty(self.studio)
            kill = Kill(kind, time.time(), [article for article, pid in holders.items() if pid in doomed])
            member.kill()
        except psutil.NoSuchProcess:  # it ended in the meantime
            return False
        self.kills.append(kill)
        return True

    def tally(self) -> str:
        counts = Counter(kill.kind for kill in self.kills)
        return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())


def empty(studio: LiveStudio) -> None:
    """Deletes everything in Redis, as if its disk were lost. Redis may be unavailable."""
    with Redis(unix_socket_path=str(studio.var / "redis.sock"), socket_timeout=5) as redis:
        try:
            redis.flushall()
        except (RedisError, OSError) as error:
            print(f"Redis was unavailable when it was to be emptied: {error}")
