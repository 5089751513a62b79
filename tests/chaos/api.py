"""A studio's API, whose requests are retried while the web is unavailable."""

from __future__ import annotations

import time
from typing import Any

import httpx


class StudioApi:
    """Base of a studio in processes of its own; ``said`` is its log."""

    _api: httpx.Client

    @property
    def said(self) -> str:
        raise NotImplementedError

    def use(self, address: str, key: str) -> None:
        """Send requests to ``address`` with this API key."""
        headers = {"Authorization": f"Bearer {key}"}
        self._api = httpx.Client(base_url=address, headers=headers, timeout=10, trust_env=False)

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of the answer."""
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = self._api.request(method, path, **request)
            except httpx.TransportError:
                assert time.monotonic() < deadline, f"the web has been away for a minute: {self.said[-2000:]}"
            else:
                if answer.status_code < 500:
                    assert answer.is_success, answer.text
                    return answer.json() if answer.content else None
                assert time.monotonic() < deadline, answer.text
            time.sleep(0.2)

    def order(self, topic: str, **brief: Any) -> int:
        """Order an article with a source of its own; its id."""
        source = {"title": topic, "text": f"{topic}: flat roofs are the largest unused surface of a city. " * 30}
        asked = {"topic": topic, "min_words": 400, "sources": [source], **brief}
        return int(self.ask("POST", "/articles/create", json=asked)["id"])

    def topics(self) -> dict[int, str]:
        """All articles: topic by id."""
        found = self.ask("GET", "/articles/", params={"limit": 100})
        items = list(found["items"])
        while len(items) < found["count"]:
            items += self.ask("GET", "/articles/", params={"limit": 100, "skip": len(items)})["items"]
        return {item["id"]: item["topic"] for item in items}

    def status(self, article: int) -> str:
        return str(self.ask("GET", f"/articles/{article}/status")["status"])

    def events(self, article: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            more = self.ask("GET", f"/articles/{article}/events", params={"after": found[-1]["seq"] if found else 0})
            found += more["items"]
            if not more["items"]:
                return found

    def result(self, article: int) -> dict[str, Any]:
        return dict(self.ask("GET", f"/articles/{article}/result"))
