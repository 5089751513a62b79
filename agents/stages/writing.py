"""Writing: all sections side by side, each held to its length and to the language of the brief."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agents import assignments
from agents.assignments import Assignment
from agents.contract import Outline, Reading, Text
from agents.stages.desk import Desk, counted, side_by_side
from agents.text.citations import strip_strays, strip_unknown
from agents.text.language import is_in
from agents.text.length import AIM, LONG, SHORT, adjustments, fits
from agents.text.manuscript import is_whole, section_passages, section_text, without_loose_end, words_of

ROUNDS = 2
"""How often the sections are looked at together once each was held to its own length."""

Restated = Callable[[str, int], Assignment[str]]
"""The same assignment again with the text it gave, and how many words it has to have."""


async def write(desk: Desk, outline: Outline, reading: Reading) -> list[str]:
    numbers = range(1, len(outline.sections) + 1)
    texts = await side_by_side(*(write_section(desk, outline, reading, number) for number in numbers))
    return await level(desk, outline, reading, texts) if desk.means.has_model else texts


async def write_section(desk: Desk, outline: Outline, reading: Reading, number: int) -> str:
    section = outline.sections[number - 1]
    passages = section_passages(outline, number, reading)
    asked = desk.pace.figure(round(section.words * AIM))

    async def perform() -> Text:
        first = assignments.write_section(desk.brief, outline, number, reading, passages, asked)
        again = partial(assignments.rewrite_section, desk.brief, outline, number, passages)
        return Text(markdown=await controlled(desk, f"write:{number}", first, again, asked, section.words, reading))

    made = await desk.once(f"write:{number}", Text, perform, f"Writing “{section.heading}”", told_length)
    return made.markdown


async def level(desk: Desk, outline: Outline, reading: Reading, texts: list[str]) -> list[str]:
    """The texts, some of them written again where together they are too short or too long."""
    wanted = [section.words for section in outline.sections]
    for turn in range(1, ROUNDS + 1):
        again = adjustments([words_of(text) for text in texts], wanted)
        if not again:
            break
        await desk.plan(write=desk.planned["write"] + len(again))
        parts = (
            adjust(desk, outline, reading, number, texts[number - 1], words, f"write:{number}:again-{turn}")
            for number, words in again.items()
        )
        adjusted = dict(zip(again, await side_by_side(*parts), strict=True))
        texts = [adjusted.get(number, text) for number, text in enumerate(texts, 1)]
    return texts


async def adjust(desk: Desk, outline: Outline, reading: Reading, number: int, text: str, words: int, key: str) -> str:
    """Section ``number`` at about ``words`` words; as it was where that came no nearer to it."""
    passages = section_passages(outline, number, reading, also=text)

    async def perform() -> Text:
        assignment = assignments.rewrite_section(desk.brief, outline, number, passages, text, desk.pace.figure(words))
        written = clean(await desk.ask(assignment, desk.draft(key)), reading)
        return Text(markdown=nearest([text, written], words))

    doing = f"Bringing “{outline.sections[number - 1].heading}” to {words} words"
    return (await desk.once(key, Text, perform, doing, told_length)).markdown


async def controlled(
    desk: Desk,
    key: str,
    first: Assignment[str],
    again: Restated,
    asked: int,
    wanted: int,
    reading: Reading,
    bounds: tuple[float, float] = (SHORT, LONG),
) -> str:
    """The answer to ``first``; where its length, its language or its end is wrong, of it and one repair the better one.

    ``asked`` words are what ``first`` names, ``wanted`` what is to come of it. The built-in writer is not held to either: it
    pads nothing, and quotes in whatever language its sources are.
    """
    draft = desk.draft(key)
    text = clean(await desk.ask(first, draft), reading)
    if not desk.means.has_model:
        return text
    desk.pace.note(asked, words_of(text))
    if sound(text, desk.brief.language) and fits(words_of(text), wanted, bounds):
        return text
    repaired = clean(await desk.ask(again(text, desk.pace.figure(wanted)), draft), reading)
    candidates = [each for each in (text, repaired) if sound(each, desk.brief.language)]
    return without_loose_end(nearest(candidates or [repaired], wanted))


def sound(text: str, language: str) -> bool:
    """Whether the text is in the language asked for, and ends where a sentence ends."""
    return is_whole(text) and is_in(text, language) is not False


def clean(answer: str, reading: Reading) -> str:
    """What the writer gave, without a heading of its own and without citations of what was not read."""
    return strip_strays(strip_unknown(section_text(answer), {passage.id for passage in reading.passages}))


def nearest(texts: list[str], words: int) -> str:
    return min(texts, key=lambda text: abs(words_of(text) - words))


def told_length(made: Text) -> str:
    return counted(words_of(made.markdown), "word")
