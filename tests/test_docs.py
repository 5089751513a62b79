"""What the documentation names exists: files, modules, classes, links, make targets, commands and decision records."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.environment import ROOT

DECISIONS = ROOT / "docs" / "decisions"
TEMPLATE = "0000-template.md"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

TOP_LEVEL = "accounts|agents|articles|bench|contentstudio|deploy|docs|setup|static|templates|tests"
PATH = re.compile(rf"`((?:{TOP_LEVEL})/[\w./-]*)`")
MODULE = re.compile(rf"`((?:{TOP_LEVEL})(?:\.\w+)+)`")
CLASS = re.compile(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)\b[^`]*`")
LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([\w-]+))?\)")
MAKE_TARGET = re.compile(r"(?:^    |`)make (?:\w+=\S+ )*([a-z-]+)", re.MULTILINE)
COMMAND = re.compile(r"manage\.py ([a-z]+(?:-[a-z]+)*)")


def is_current(page: Path) -> bool:
    """A superseded or rejected decision may name what has been removed since."""
    return page.parent != DECISIONS or "\n- Status: accepted\n" in page.read_text()


def names(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Each (page, name) that ``pattern`` finds in a current page."""
    return sorted(
        {
            (str(page.relative_to(ROOT)), name)
            for page in PAGES
            if is_current(page)
            for name in pattern.findall(page.read_text())
        }
    )


@cache
def python_source() -> str:
    folders = ("accounts", "agents", "articles", "bench", "contentstudio", "tests")
    return "\n".join(path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_path_it_names_exists() -> None:
    assert [(page, path) for page, path in names(PATH) if not (ROOT / path).exists()] == []


def test_each_module_it_names_exists() -> None:
    def exists(module: str) -> bool:
        path = ROOT / module.replace(".", "/")
        return path.is_dir() or path.with_suffix(".py").is_file()

    assert [(page, module) for page, module in names(MODULE) if not exists(module)] == []


def test_each_class_it_names_is_in_the_code() -> None:
    assert [(page, name) for page, name in names(CLASS) if not re.search(rf"\b{name}\b", python_source())] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_has_a_target(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text()):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


def test_each_make_target_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    found = names(MAKE_TARGET)
    assert found
    assert [(page, target) for page, target in found if target not in targets] == []


def test_each_command_it_names_exists() -> None:
    found = names(COMMAND)
    assert found
    assert [(page, command) for page, command in found if command not in get_commands()] == []


def test_the_index_of_decisions_lists_each_record() -> None:
    index = (DECISIONS / "README.md").read_text()
    listed = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \| ([\d-]+) \| (.*?) \|", index, re.MULTILINE)
    records = []
    for path in sorted(DECISIONS.glob("[0-9]*.md")):
        if path.name != TEMPLATE:
            text = path.read_text()
            head = re.match(r"# (\d{4})\. (.*)\n\n- Date: ([\d-]+)", text)
            assert head, f"{path.name} has no number, title or date"
            assert path.name.startswith(head[1])
            records.append((head[1], path.name, head[3], head[2]))
    assert listed == records


def test_the_security_page_names_tests_that_exist() -> None:
    named = re.findall(r"`((?:browser/)?test_\w+\.py)`", (ROOT / "docs" / "security.md").read_text())
    existing = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(named) > 40
    assert [name for name in named if name.rpartition("/")[2] not in existing] == []
