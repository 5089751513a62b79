"""Interface texts, messages, docstrings and documentation use plain technical English: no banned phrase appears in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment import ROOT

# Words of a private English. Use the field's term instead: reports, shows; again; during; affects; notification; budget.
WORDS = (
    r"told",
    r"tells?(?!\s+(?:whether|how)\b|(?:\s+\S+){1,5}\s+apart\b)",
    r"anew",
    r"amid",
    r"befalls?",
    r"befell",
    r"doorbells?",
    r"gulps?",
    r"purses?",
    r"scribes?",
)

PHRASES = (
    # "where" for "if", and possessives
    r"where nothing",
    r"none of ours",
    r"\bof (ours|yours)\b",
    r"nothing can use it any ?more",
    # actions
    r"[>\"“]go on[<\"”]",
    r"\bgo on with\b",
    r"going on begins",
    r"look at it and change it",
    r"approve it as it is",
    r"make (this|it) the text again",
    r"is the article's again",
    r"make a key",
    r"out evenly",
    r"should do otherwise",
    r"or ask for another",
    r"add another text\b(?! source)",
    # costs and limits
    r"\bceilings?\b",
    r"would pass one",
    r"raise it in the admin",
    r"limit of tokens",
    r"most tokens of one answer",
    r"of them cached",
    r"no model was asked",
    # status
    r"where it stands",
    r"what else was made",
    r"\bwaiting for you\b",
    r"to answer again",
    r"fell silent",
    r"they can write at once",
    r"the first has waited",
    # the brief
    r"one address a line",
    r"for those who cannot see",
    r"the crew stops instead",
    r"none in particular",
    r"manner of writing",
    r"look at this again",
    r"\bgive a \.txt",
    r"title of the text",
    # evidence, sources and outline
    r"not, or only in part",
    r"was found to be so",
    r"what it said before",
    r"say nothing to it",
    r"passages it rests on",
    r"stands there twice",
    r"see all 1 of them",
    # SEO
    r"does not speak of",
    r"work the primary keyword",
    r"\bto put right\b",
    r"\bto make better\b",
    r"as they should be",
    r"does not stand in it",
    r"where somebody shares it",
    r"divide it:",
    r"read well on a screen",
    # errors and notices
    r"way to the internet",
    r"not everything could be read",
    r"have the operator",
    r"page was too old",
    r"repeat what you did",
    r"made no sense here",
    r"there is nothing at this address",
    r"what there is",
    r"is not known, or was revoked",
    r"somebody else's: you may",
    r"choosing a picture",
    r"mending “",
)
BANNED = re.compile("|".join([*(rf"\b{word}\b" for word in WORDS), *PHRASES]), re.IGNORECASE)


def found_in(text: str) -> list[str]:
    return [match[0] for match in BANNED.finditer(text)]


def written_files() -> Iterator[Path]:
    for name in ("README.md", "CHANGELOG.md", "Makefile", ".env.example"):
        yield ROOT / name
    yield from (ROOT / "docs").rglob("*.md")
    yield from (ROOT / "templates").rglob("*.html")
    yield from (ROOT / "articles" / "exports" / "templates").iterdir()
    yield from (ROOT / "static" / "js").glob("*.js")


def python_files() -> Iterator[Path]:
    for folder in ("agents", "articles", "contentstudio", "setup"):
        yield from (path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def strings(source: str) -> Iterator[str]:
    """Each string literal, docstrings included; an f-string as its parts."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def prose(path: Path) -> str:
    """The text of a file; of Markdown without code, which names fields of the API and tests."""
    text = path.read_text()
    return re.sub(r"```.*?```|`[^`\n]+`", "", text, flags=re.DOTALL) if path.suffix == ".md" else text


@pytest.mark.parametrize(
    "text",
    [
        "The log tells more.",
        "A source that is told as such.",
        "Ceilings of costs",
        "Write without citations where nothing could be read",
        '<button type="submit">Go on</button>',
        "Please look at this again. What you typed is all still here.",
    ],
)
def test_a_banned_phrase_is_found(text: str) -> None:
    assert found_in(text)


@pytest.mark.parametrize(
    "text", ["Spending limits", "Continue writing", "Restore this version", "Enough to tell whether it is one."]
)
def test_plain_english_is_accepted(text: str) -> None:
    assert found_in(text) == []


def test_docs_templates_and_scripts_are_plain() -> None:
    found = [(str(path.relative_to(ROOT)), phrase) for path in written_files() for phrase in found_in(prose(path))]
    assert found == []


def test_python_strings_are_plain() -> None:
    found = [
        (str(path.relative_to(ROOT)), phrase)
        for path in python_files()
        for text in strings(path.read_text())
        for phrase in found_in(text)
    ]
    assert found == []
