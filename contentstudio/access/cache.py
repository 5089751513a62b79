"""Django's cache in Redis, for limits and codes that were used. Without Redis it is empty, and nobody is locked out."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class JsonSerializer:
    """Instead of pickle: who can write to Redis must not run code in the web process."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


class FailOpenCache(RedisCache):
    def add(self, *args: Any, **options: Any) -> bool:
        return bool(self._attempt(super().add, True, *args, **options))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._attempt(super().get, default, key, default, version=version)

    def set(self, *args: Any, **options: Any) -> None:
        self._attempt(super().set, None, *args, **options)

    def delete(self, *args: Any, **options: Any) -> bool:
        return bool(self._attempt(super().delete, False, *args, **options))

    @staticmethod
    def _attempt(operation: Any, otherwise: Any, *args: Any, **options: Any) -> Any:
        try:
            return operation(*args, **options)
        except RedisError as error:
            log.warning("Sign-in works without limits, because Redis does not answer: %s", error)
            return otherwise
