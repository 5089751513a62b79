"""The start that all calls of an article share: brief, date and sources; once they exist, findings, plan and article.

Providers cache identical starts of prompts. So the parts are always in the same order, each is built once and passed on as it
is, and what differs between calls comes after them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import groupby

from agents.contract import Brief, Outline, OutlineSection, Passage, Reading, Source
from agents.prompts import prompt_texts
from agents.text.markdown import count_words
from agents.text.passage_heads import passage_head
from agents.text.prompt_fields import bullet_list, language_name
from agents.text.quoting import quote, quote_markdown
from agents.text.voices import voice_instructions

_ID_IN_MATERIAL = re.compile(r"\[(?=[Ss][0-9])")
"""What would look like the id of another passage inside of one."""


def brief_text(brief: Brief) -> str:
    lines = [
        f"Topic: {brief.topic}",
        f"Readers: {brief.target_audience}",
        f"Tone: {brief.tone}",
        f"Language: {language_name(brief.language)}",
        f"Length: about {brief.min_words} words",
    ]
    if brief.keywords:
        lines.append(f"Keywords: {', '.join(brief.keywords)}")
    if brief.notes:
        lines.append(f"Notes of the person who asked: {brief.notes}")
    return "\n".join(lines)


def units_hint(language: str) -> str:
    """Which units the readers of ``language`` use."""
    if language.casefold() in ("en-us", "es-us"):
        return "Its readers use US units; give metric ones beside them if the source does."
    return "Its readers use metric units; convert others and keep the original beside them if it is a quotation."


def brief_block(brief: Brief, today: date, passages: Sequence[Passage] = (), reading: Reading | None = None) -> str:
    """The first block of every prompt: the brief, today's date, and ``passages`` under the heads of their sources.

    Without ``reading`` nothing is said about sources, because they are not read yet.
    """
    blocks = prompt_texts("shared")
    voice = voice_instructions(brief.voice)
    head = blocks["brief"].format(
        brief=brief_text(brief), voice=voice, today=f"{today:%-d %B %Y}", units=units_hint(brief.language)
    )
    parts = [head]
    if reading is not None:
        parts.append(
            blocks["sources"].format(reading=reading_text(passages, reading)) if passages else blocks["no_sources"]
        )
    return "\n\n".join([*parts, ""])


def reading_text(passages: Sequence[Passage], reading: Reading) -> str:
    """The passages in order, each source quoted as a whole below its head, which is material as well."""
    sources = {source.number: source for source in reading.sources}
    return "\n\n".join(
        quote("\n".join([source_head(sources[number], first), *map(passage_line, (first, *others))]))
        for number, (first, *others) in groupby(passages, key=lambda passage: passage.source)
    )


def source_head(source: Source, passage: Passage) -> str:
    """``Source 3: Title — publisher, author, date, kind, language``, without the parts that are not known."""
    head = passage_head(passage.model_copy(update={"page": 0}), source)
    return f"Source {source.number}: {head.partition('] ')[2]}"


def passage_line(passage: Passage) -> str:
    """The passage behind its id. What looks like an id in its text is changed so that it does not."""
    page = f" (p. {passage.page})" if passage.page else ""
    return f"[{passage.id}]{page} {_ID_IN_MATERIAL.sub('(', passage.text)}"


def plan_block(outline: Outline) -> str:
    """The outline, quoted: its texts were made from the sources. Parts it does not have are left out."""
    blocks = prompt_texts("shared")
    parts = {
        "caveat": outline.caveat,
        "position": outline.position,
    }
    planned = blocks["planned"].format(
        title=outline.title,
        answer=outline.answer or "(open)",
        sections="\n".join(planned_line(number, section) for number, section in enumerate(outline.sections, 1)),
        **{name: blocks[name].format(**{name: text}) if text else "" for name, text in parts.items()},
    )
    return blocks["plan"].format(plan=quote(planned)) + "\n\n"


def planned_line(number: int, section: OutlineSection) -> str:
    return f"{number}. {section.heading}: {section.purpose}"


def article_block(outline: Outline, lead: str, texts: Sequence[str]) -> str:
    pairs = enumerate(zip(outline.sections, texts, strict=True), 1)
    opening = f"# {outline.title}\n\n{lead}\n\n" if lead else ""
    article = "\n\n".join(
        f"## {number}. {section.heading} ({count_words(text)} of {section.words} words)\n\n{text}"
        for number, (section, text) in pairs
    )
    return prompt_texts("shared")["article"].format(article=quote_markdown(opening + article)) + "\n\n"


def points_text(points: Sequence[str]) -> str:
    return quote(bullet_list(points)) if points else "- what its heading and purpose say"
