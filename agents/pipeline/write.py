"""Writing: all sections concurrently, each checked for its length, its language and a complete last sentence."""

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
"""How often the total length is corrected after each section was corrected on its own."""

EXACT = 1.0, 1.0
"""Bounds for a section that is resized: any other length is a fault."""

Repair = Callable[[str, int, Sequence[str]], Assignment[str]]
"""Makes the assignment to repair a text; takes the text, the number of words to request, and the faults."""


async def write(context: RunContext, outline: Outline, reading: Reading) -> list[str]:
    numbers = range(1, len(outline.sections) + 1)
    texts = await run_concurrently(*(write_section(context, outline, reading, number) for number in numbers))
    return await correct_total(context, outline, reading, texts) if context.dependencies.has_model else texts


async def write_section(context: RunContext, outline: Outline, reading: Reading, number: int) -> str:
    section = outline.sections[number - 1]
    passages = section_passages(outline, number, reading)
    requested = context.calibration.words_to_request(round(section.words * REQUEST_FACTOR))
    key = StepKey("write", "section", number)

    async def perform() -> SectionText:
        first = assignments.write_section(context.brief, outline, number, reading, passages, requested)
        repair = partial(assignments.rewrite_section, context.brief, outline, number, passages)
        return SectionText(markdown=await repaired(context, key, first, repair, requested, section.words, reading))

    doing, done = f"Writing “{section.heading}”", length_message(section.heading, "written")
    return (await context.once(key, SectionText, perform, doing, done)).markdown


async def correct_total(context: RunContext, outline: Outline, reading: Reading, texts: list[str]) -> list[str]:
    """The texts, a few of them resized if together they are too short or too long."""
    wanted = [section.words for section in outline.sections]
    for attempt in range(1, ROUNDS + 1):
        again = sections_to_resize([count_words(text) for text in texts], wanted)
        if not again:
            break
        await context.plan(write=context.planned["write"] + len(again))
        keys = {number: StepKey("write", "length", number, attempt) for number in again}
        parts = (
            resize(context, outline, reading, number, texts[number - 1], words, keys[number])
            for number, words in again.items()
        )
        resized = dict(zip(again, await run_concurrently(*parts), strict=True))
        texts = [resized.get(number, text) for number, text in enumerate(texts, 1)]
    return texts


async def resize(
    context: RunContext, outline: Outline, reading: Reading, number: int, text: str, words: int, key: StepKey
) -> str:
    """Section ``number`` at about ``words`` words; unchanged if the new text is not better.

    A section that is only too short keeps its text and gets another paragraph, which takes a third of the time.
    """
    brief, passages, preview = (
        context.brief,
        section_passages(outline, number, reading, also=text),
        context.preview(key),
    )
    heading, missing = outline.sections[number - 1].heading, words - count_words(text)

    async def extended() -> SectionText:
        requested = context.calibration.words_to_request(missing)
        assignment = assignments.extend_section(brief, outline, number, passages, text, requested)
        written = clean(await context.ask(assignment, preview_after(text, preview)), reading)
        return SectionText(markdown=with_addition(text, written, words, brief.language))

    async def rewritten() -> SectionText:
        requested = context.calibration.words_to_request(words)
        wrong = faults(text, brief.language, words, EXACT)
        assignment = assignments.rewrite_section(brief, outline, number, passages, text, requested, wrong)
        written = clean(await context.ask(assignment, preview), reading)
        return SectionText(markdown=better(text, written, words, brief.language))

    perform = extended if missing > 0 and is_sound(text, brief.language) else rewritten
    doing, done = f"Adjusting “{heading}” to {words} words", length_message(heading, "adjusted")
    return (await context.once(key, SectionText, perform, doing, done)).markdown


def preview_after(text: str, preview: PreviewSink) -> PreviewSink:
    """Shows what is being added to ``text`` as a preview of the whole section."""
    before = text + PARAGRAPH_BREAK

    async def show(offset: int, more: str) -> None:
        await (preview(len(before) + offset, more) if offset else preview(0, before + more))

    return show


def with_addition(text: str, written: str, words: int, language: str) -> str:
    """The section with the paragraph that was requested. If the model returned the whole section, the better of the two."""
    is_addition = not repeated_sections([text, written]) and is_in_language(written, language) is not False
    return better(text, text + PARAGRAPH_BREAK + written if is_addition else written, words, language)


async def repaired(
    context: RunContext,
    key: StepKey,
    first: Assignment[str],
    repair: Repair,
    requested: int,
    wanted: int,
    reading: Reading,
    bounds: tuple[float, float] = (MIN_SECTION_SHARE, MAX_SECTION_SHARE),
) -> str:
    """The answer to ``first``. If its length, language or end is wrong it is repaired once, and the better text returned.

    ``first`` requests ``requested`` words so that about ``wanted`` are written. The built-in writer is not held to length or
    language: it quotes what its sources hold, in their language.
    """
    preview = context.preview(key)
    text = clean(await context.ask(first, preview), reading)
    if not context.dependencies.has_model:
        return text
    context.calibration.record(requested, count_words(text))
    wrong = faults(text, context.brief.language, wanted, bounds)
    if not wrong:
        return text
    assignment = repair(text, context.calibration.words_to_request(wanted), wrong)
    second = clean(await context.ask(assignment, preview), reading)
    return without_incomplete_end(better(text, second, wanted, context.brief.language))


def faults(text: str, language: str, words: int, bounds: tuple[float, float]) -> list[str]:
    """What is wrong with a section, as sentences for the model that repairs it."""
    messages = config("faults")
    found = {
        messages["language"].format(language=language_name(language)): is_in_language(text, language) is False,
        messages["end"]: not is_complete(text),
        messages["length"]: not is_within(count_words(text), words, bounds),
    }
    return [message for message, applies in found.items() if applies]


def better(text: str, other: str, words: int, language: str) -> str:
    """The better of two versions of a section; ``text`` is the first one.

    Compared in this order: language, complete last sentence, citations kept, distance from ``words``.
    """

    def rank(each: str) -> tuple[bool, bool, bool, int]:
        is_foreign, lost = is_in_language(each, language) is False, not keeps_citations(each, text)
        return is_foreign, not is_complete(each), lost, abs(count_words(each) - words)

    return min(text, other, key=rank)


def is_sound(text: str, language: str) -> bool:
    """Whether the text ends with a complete sentence and is in the requested language."""
    return is_complete(text) and is_in_language(text, language) is not False


def keeps_citations(written: str, text: str) -> bool:
    """Whether ``written`` cites at least half of the passages of ``text``: a shorter version may drop some."""
    cited = set(cited_ids(text))
    return 2 * len(cited.intersection(cited_ids(written))) >= len(cited)


def clean(answer: str, reading: Reading) -> str:
    """The model's answer without a heading of its own and without citations of anything that was not read."""
    known = {passage.id for passage in reading.passages}
    return strip_stray_citations(strip_unknown_marks(clean_section(answer), known))


def length_message(heading: str, done: str) -> Callable[[SectionText], str]:
    """Makes a message such as “Costs” written, 190 words."""
    return lambda made: f"“{heading}” {done}, {pluralize(count_words(made.markdown), 'word')}"
