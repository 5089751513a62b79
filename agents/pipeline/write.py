"""Writing: all sections side by side, each held to its length and to the language of the brief."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from agents.contract import Outline, Reading, SectionText
from agents.crew import assignments
from agents.crew.assignments import Assignment
from agents.llm.preview import PreviewSink
from agents.pipeline.context import RunContext, pluralize, run_concurrently
from agents.pipeline.steps import StepKey
from agents.prompts import config
from agents.text.citations import cited_ids, strip_stray_citations, strip_unknown_marks
from agents.text.cleanup import PARAGRAPH_BREAK, clean_section, is_complete, without_incomplete_end
from agents.text.language import is_in_language
from agents.text.length import MAX_SECTION_SHARE, MIN_SECTION_SHARE, REQUEST_FACTOR, is_within, sections_to_resize
from agents.text.manuscript import repeated_sections, section_passages
from agents.text.markdown import count_words
from agents.text.prompt_fields import language_name

ROUNDS = 2
"""How often the sections are looked at together once each was held to its own length."""

EXACT = 1.0, 1.0
"""The bounds of a section that is written again for the sake of the whole: where it is not at its new length, it is off."""

Restated = Callable[[str, int, Sequence[str]], Assignment[str]]
"""The same assignment again with the text it gave, how many words it has to have, and what is wrong with it."""


async def write(context: RunContext, outline: Outline, reading: Reading) -> list[str]:
    numbers = range(1, len(outline.sections) + 1)
    texts = await run_concurrently(*(write_section(context, outline, reading, number) for number in numbers))
    return await level(context, outline, reading, texts) if context.dependencies.has_model else texts


async def write_section(context: RunContext, outline: Outline, reading: Reading, number: int) -> str:
    section = outline.sections[number - 1]
    passages = section_passages(outline, number, reading)
    asked = context.calibration.words_to_request(round(section.words * REQUEST_FACTOR))

    async def perform() -> SectionText:
        first = assignments.write_section(context.brief, outline, number, reading, passages, asked)
        again = partial(assignments.rewrite_section, context.brief, outline, number, passages)
        return SectionText(
            markdown=await controlled(
                context, StepKey("write", "section", number), first, again, asked, section.words, reading
            )
        )

    made = await context.once(
        StepKey("write", "section", number), SectionText, perform, f"Writing “{section.heading}”", told_length
    )
    return made.markdown


async def level(context: RunContext, outline: Outline, reading: Reading, texts: list[str]) -> list[str]:
    """The texts, some of them written again where together they are too short or too long."""
    wanted = [section.words for section in outline.sections]
    for turn in range(1, ROUNDS + 1):
        again = sections_to_resize([count_words(text) for text in texts], wanted)
        if not again:
            break
        await context.plan(write=context.planned["write"] + len(again))
        parts = (
            resize(
                context, outline, reading, number, texts[number - 1], words, StepKey("write", "length", number, turn)
            )
            for number, words in again.items()
        )
        adjusted = dict(zip(again, await run_concurrently(*parts), strict=True))
        texts = [adjusted.get(number, text) for number, text in enumerate(texts, 1)]
    return texts


async def resize(
    context: RunContext, outline: Outline, reading: Reading, number: int, text: str, words: int, key: StepKey
) -> str:
    """Section ``number`` at about ``words`` words; as it was where what was written in its place is not better.

    One that is only too short stays as it is and gets another paragraph: that is written in a third of the time.
    """
    brief, passages, preview = (
        context.brief,
        section_passages(outline, number, reading, also=text),
        context.preview(key),
    )
    more = words - count_words(text)

    async def extended() -> SectionText:
        assignment = assignments.extend_section(
            brief, outline, number, passages, text, context.calibration.words_to_request(more)
        )
        written = clean(await context.ask(assignment, preview_after(text, preview)), reading)
        return SectionText(markdown=with_addition(text, written, words, brief.language))

    async def rewritten() -> SectionText:
        wrong, figure = faults(text, brief.language, words, EXACT), context.calibration.words_to_request(words)
        assignment = assignments.rewrite_section(brief, outline, number, passages, text, figure, wrong)
        written = clean(await context.ask(assignment, preview), reading)
        return SectionText(markdown=better(text, written, words, brief.language))

    perform = extended if more > 0 and sound(text, brief.language) else rewritten
    doing = f"Bringing “{outline.sections[number - 1].heading}” to {words} words"
    return (await context.once(key, SectionText, perform, doing, told_length)).markdown


def preview_after(text: str, preview: PreviewSink) -> PreviewSink:
    """Shows what is added to ``text``, with ``text`` before it."""
    before = text + PARAGRAPH_BREAK

    async def show(offset: int, more: str) -> None:
        await (preview(len(before) + offset, more) if offset else preview(0, before + more))

    return show


def with_addition(text: str, written: str, words: int, language: str) -> str:
    """The section with the paragraph that was asked for; where it came as a whole instead, the better of the two."""
    is_addition = not repeated_sections([text, written]) and is_in_language(written, language) is not False
    return better(text, text + PARAGRAPH_BREAK + written if is_addition else written, words, language)


async def controlled(
    context: RunContext,
    key: StepKey,
    first: Assignment[str],
    again: Restated,
    asked: int,
    wanted: int,
    reading: Reading,
    bounds: tuple[float, float] = (MIN_SECTION_SHARE, MAX_SECTION_SHARE),
) -> str:
    """The answer to ``first``; where its length, its language or its end is wrong, of it and one repair the better one.

    ``asked`` words are what ``first`` names, ``wanted`` what is to come of it. The built-in writer is not held to either: it
    pads nothing, and quotes in whatever language its sources are.
    """
    preview = context.preview(key)
    text = clean(await context.ask(first, preview), reading)
    if not context.dependencies.has_model:
        return text
    context.calibration.record(asked, count_words(text))
    wrong = faults(text, context.brief.language, wanted, bounds)
    if not wrong:
        return text
    repaired = clean(
        await context.ask(again(text, context.calibration.words_to_request(wanted), wrong), preview), reading
    )
    return without_incomplete_end(better(text, repaired, wanted, context.brief.language))


def faults(text: str, language: str, words: int, bounds: tuple[float, float]) -> list[str]:
    """What is wrong with a section, as sentences for whoever writes it again; empty where nothing is."""
    told = config("faults")
    found = {
        told["language"].format(language=language_name(language)): is_in_language(text, language) is False,
        told["end"]: not is_complete(text),
        told["length"]: not is_within(count_words(text), words, bounds),
    }
    return [fault for fault, is_there in found.items() if is_there]


def better(text: str, written: str, words: int, language: str) -> str:
    """Of a section and what was written in its place the one to keep.

    What counts is, in this order: the language asked for, an end where a sentence ends, the citations, about ``words`` words.
    """

    def rank(each: str) -> tuple[bool, bool, bool, int]:
        foreign, lost = is_in_language(each, language) is False, not still_cites(each, text)
        return foreign, not is_complete(each), lost, abs(count_words(each) - words)

    return min(text, written, key=rank)


def sound(text: str, language: str) -> bool:
    """Whether the text is in the language asked for, and ends where a sentence ends."""
    return is_complete(text) and is_in_language(text, language) is not False


def still_cites(written: str, text: str) -> bool:
    """Whether ``written`` cites at least half of the passages that ``text`` cites: one that had to be shorter may spare some."""
    cited = set(cited_ids(text))
    return 2 * len(cited.intersection(cited_ids(written))) >= len(cited)


def clean(answer: str, reading: Reading) -> str:
    """What the writer gave, without a heading of its own and without citations of what was not read."""
    return strip_stray_citations(
        strip_unknown_marks(clean_section(answer), {passage.id for passage in reading.passages})
    )


def told_length(made: SectionText) -> str:
    return pluralize(count_words(made.markdown), "word")
