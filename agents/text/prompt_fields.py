"""The text of the fields of a prompt: brief, outline, passages and what was written so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf.locale import LANG_INFO

from agents.contract import Brief, Finding, Outline, OutlineSection
from agents.text.syntax import citation_mark


def brief_fields(brief: Brief) -> dict[str, object]:
    """The fields ``brief`` and ``language``, which every task has."""
    language = language_name(brief.language)
    lines = [
        f"Topic: {brief.topic}",
        f"Readers: {brief.target_audience}",
        f"Tone: {brief.tone}",
        f"Language: {language}",
    ]
    if brief.keywords:
        lines.append(f"Keywords: {', '.join(brief.keywords)}")
    if brief.notes:
        lines.append(f"Notes of the person who asked: {brief.notes}")
    return {"brief": "\n".join(lines), "language": language}


def language_name(tag: str) -> str:
    """``vi`` → ``Vietnamese (vi)``: models follow a name more reliably than a tag."""
    known = LANG_INFO.get(tag.casefold()) or LANG_INFO.get(tag.partition("-")[0].casefold()) or {}
    name = known.get("name")
    return f"{name} ({tag})" if name else tag


def bullet_list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "- (none)"


def numbered_list(lines: Iterable[str]) -> str:
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def finding_line(finding: Finding) -> str:
    return f"{finding.statement} {' '.join(citation_mark([id]) for id in finding.sources)}"


def outline_text(outline: Outline) -> str:
    return numbered_list(map(heading_line, outline.sections))


def heading_line(section: OutlineSection) -> str:
    return f"{section.heading}: {section.purpose}" if section.purpose else section.heading


def numbered_article(outline: Outline, texts: Sequence[str], lead: str = "") -> str:
    """The whole article with numbered sections, for tasks that refer to them by number."""
    pairs = enumerate(zip(outline.sections, texts, strict=True), 1)
    sections = (f"## {number}. {section.heading}\n\n{text}" for number, (section, text) in pairs)
    return "\n\n".join([*([lead] if lead else []), *sections])
