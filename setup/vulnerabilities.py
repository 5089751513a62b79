"""Asks an OSV service which locked versions have known vulnerabilities."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

SERVICE = os.environ.get("OSV_URL", "https://api.osv.dev")
"""Any server with the API of OSV, such as a mirror in a network without access to the internet."""
TIMEOUT = 30  # seconds
BATCH = 500  # packages of one question


class ServiceUnreachable(Exception):
    """It is not known whether there are vulnerabilities, which is not the same as none."""


@dataclass(frozen=True)
class Vulnerability:
    package: str
    version: str
    id: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}: {self.id}"


def known_vulnerabilities(packages: list[tuple[str, str]], service: str = SERVICE) -> list[Vulnerability]:
    """Raises ServiceUnreachable."""
    found = []
    for start in range(0, len(packages), BATCH):
        part = packages[start : start + BATCH]
        questions: list[dict[str, Any]] = [
            {"package": {"ecosystem": "PyPI", "name": name}, "version": version} for name, version in part
        ]
        while questions:
            results = ask(service, questions)
            found += [
                Vulnerability(question["package"]["name"], question["version"], entry["id"])
                for question, result in zip(questions, results, strict=True)
                for entry in result.get("vulns", [])
            ]
            questions = [
                question | {"page_token": result["next_page_token"]}
                for question, result in zip(questions, results, strict=True)
                if result.get("next_page_token")
            ]
    return found


def ask(service: str, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    request = urllib.request.Request(  # noqa: S310  (the address is an operator's)
        f"{service.rstrip('/')}/v1/querybatch",
        json.dumps({"queries": questions}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            results = json.load(answer)["results"]
    except (OSError, ValueError, KeyError) as error:
        raise ServiceUnreachable(f"{service} does not answer as an OSV service: {error}") from error
    if not isinstance(results, list) or len(results) != len(questions):
        raise ServiceUnreachable(f"{service} did not answer all of {len(questions)} questions.")
    return results


def accepted(path: Path, today: date) -> set[str]:
    """Ids that somebody has looked at: a line of ``path`` is an id, the day until which it is accepted, and the reason."""
    return {id for id, until, _ in accepted_lines(path) if date.fromisoformat(until) >= today}


def accepted_lines(path: Path) -> Iterator[tuple[str, str, str]]:
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            id, until, reason = line.split(maxsplit=2)
            yield id, until, reason
