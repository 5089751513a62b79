"""A comparison: a folder with ``brief.yaml`` and the sources, each a Markdown or text file with a YAML head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

SUFFIXES = (".md", ".txt")
FENCE = "---"
Model = TypeVar("Model", bound=BaseModel)


class JudgeError(Exception):
    """Something a person has to correct: a file of the comparison, a verdict, or a setting."""


class Brief(BaseModel):
    """What every system is asked to write."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    topic: str = Field(min_length=5, max_length=500)
    tone: str = "professional"
    audience: str = "general readers"
    words: int = Field(default=1000, ge=300, le=5000)
    language: str = "en"
    notes: str = ""
    keywords: list[str] = []


class SourceHead(BaseModel):
    """The YAML head of a source. ``kind`` is free text, such as study, press, official, advocacy or vendor."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    title: str = Field(min_length=1, max_length=300)
    url: str = ""
    publisher: str = ""
    author: str = ""
    date: str = ""
    kind: str = ""

    @field_validator("date", mode="before")
    @classmethod
    def as_text(cls, value: Any) -> str:
        """YAML reads 2024-05-31 as a date and 2024 as a number."""
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Source:
    """``number`` counts from 1 in the order of the file names."""

    number: int
    head: SourceHead
    text: str

    @property
    def label(self) -> str:
        """Its head in one line: title — publisher, author, date, kind, link."""
        head = self.head
        details = ", ".join(part for part in (head.publisher, head.author, head.date, head.kind, head.url) if part)
        return f"{head.title} — {details}" if details else head.title

    def as_prompt(self) -> str:
        return f"[{self.number}] {self.label}\n\n{self.text}"


@dataclass(frozen=True)
class Comparison:
    folder: Path
    brief: Brief
    sources: Sequence[Source]

    @property
    def output(self) -> Path:
        """The folder of prompts, articles and scores. It is created if needed."""
        folder = self.folder / "output"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @classmethod
    def read(cls, folder: Path) -> Comparison:
        """Raises JudgeError, naming the file and the field."""
        if not folder.is_dir():
            raise JudgeError(f"{folder} is not a folder. Give the folder with brief.yaml and the sources.")
        brief_file = folder / "brief.yaml"
        if not brief_file.is_file():
            raise JudgeError(f"{brief_file} does not exist. It needs at least a topic.")
        brief = parse(Brief, brief_file.read_text(encoding="utf-8"), brief_file)
        files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
        if not files:
            raise JudgeError(f"{folder} has no sources: *.md or *.txt files that begin with a YAML head.")
        return cls(folder, brief, [read_source(path, number) for number, path in enumerate(files, 1)])


def read_source(path: Path, number: int) -> Source:
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].strip() != FENCE or FENCE not in (line.strip() for line in lines[1:]):
        raise JudgeError(f"{path}: no head. Begin the file with a line ---, title: …, url: …, and another line ---.")
    end = next(index for index, line in enumerate(lines) if index and line.strip() == FENCE)
    head = parse(SourceHead, "\n".join(lines[1:end]), path)
    text = "\n".join(lines[end + 1 :]).strip()
    if not text:
        raise JudgeError(f"{path}: no text below the head.")
    return Source(number, head, text)


def parse(model: type[Model], text: str, path: Path) -> Model:
    """The YAML ``text`` of ``path`` as a ``model``. Raises JudgeError."""
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise JudgeError(f"{path}: invalid YAML: {' '.join(str(error).split())}") from error
    try:
        return model.model_validate(loaded if loaded is not None else {})
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        raise JudgeError(f"{path}: {'; '.join(problems)}") from error
