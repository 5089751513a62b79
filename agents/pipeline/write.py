"""Writing: the whole article as one draft, or parts of a few sections side by side; drafts are then cut into their sections.

The writer sees the brief, all sources and the outline, and nothing else: findings, forms and lengths of sections made texts of
figures without a line of thought.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agents.contract import Outline, Reading, SectionText
from agents.crew import assignments
from agents.crew.assignments.writing import sections_text
from agents.llm.preview import PreviewSink
from agents.pipeline.context import RunContext, pluralize, run_concurrently
from agents.pipeline.previews import text_preview
from agents.pipeline.steps import StepKey
from agents.prompts import config
from agents.text.citations import cited_ids, strip_stray_citations, strip_unknown_marks
from agents.text.cleanup import PARAGRAPH_BREAK, clean_heading, clean_section, is_complete, without_incomplete_end
from agents.text.draft_sections import headings_of, opening_of, sections_of, with_headings
from agents.text.headings import HEADING, TITLE
from agents.text.language import is_in_language
from agents.text.length import WHOLE_WORDS, is_within, parts_of
from agents.text.manuscript import repeated_sections, requested_words
from agents.text.markdown import count_words
from agents.text.planning import distribute_words
from agents.text.prompt_fields import language_name

HEADING_WORDS = 8
"""Words a heading has, which count as well."""

MAX_LEAD = 150

MIN_SHARE = 0.3
"""A section of less than this share of its words is written again: a fragment."""


def has_second_draft(context: RunContext) -> bool:
    """Whether a second draft is written, with a structure of its own.

    Not of an article that is too long for one draft, nor if a person approved the outline, which a draft has to follow.
    """
    brief = context.brief
    return context.has_model and not brief.approve_outline and brief.min_words <= WHOLE_WORDS and bool(context.passages)


@dataclass(frozen=True)
class Draft:
    """A text with the outline it follows, whose title and headings are those of the text. ``lead`` may be empty."""

    outline: Outline
    lead: str
    texts: list[str]


async def write(context: RunContext, outline: Outline) -> Draft:
    """The text, with citation marks. What a part lacks is written by itself."""
    count = len(outline.sections)
    parts = [
        numbers for numbers in parts_to_write(context, outline) if not await has_older_sections(context, numbers, count)
    ]
    await context.plan(write=(len(parts) or count) + has_second_draft(context))
    drafts = await run_concurrently(*(write_part(context, outline, numbers) for numbers in parts))
    written = [texts_of(context, outline, draft) for draft in drafts]
    for part in written:
        record_length(context, outline, part)
    texts = {number: text for part in written for number, text in part.items()}
    missing = [number for number in range(1, count + 1) if not texts.get(number)]
    await context.plan(write=len(parts) + len(missing) + has_second_draft(context))
    alone = await run_concurrently(*(write_section(context, outline, number) for number in missing))
    texts |= dict(zip(missing, alone, strict=True))
    ordered = [texts[number] for number in range(1, count + 1)]
    title, lead = opening_of(drafts[0]) if 1 in (parts or [[]])[0] else ("", "")
    return Draft(
        outline=as_written(context, outline, title, "".join(f"\n{draft}" for draft in drafts), ordered),
        lead=lead if (lead := clean(lead, context.reading)) and is_sound(lead, context.brief.language) else "",
        texts=ordered,
    )


def as_written(context: RunContext, outline: Outline, title: str, draft: str, texts: Sequence[str]) -> Outline:
    """``outline`` with the title, the headings and the proportions of the draft. What a person approved stays."""
    if context.brief.approve_outline or not context.has_model:
        return outline
    total = sum(section.words for section in outline.sections)
    shares = distribute_words([count_words(text) for text in texts], total)
    headings = {number: clean_heading(heading) for number, heading in headings_of(draft).items()}
    sections = []
    for number, (section, words) in enumerate(zip(outline.sections, shares, strict=True), 1):
        heading = headings.get(number, "")
        fits = HEADING.low <= len(heading) <= HEADING.high
        sections.append(section.model_copy(update={"heading": heading if fits else section.heading, "words": words}))
    title = clean_heading(title)
    return outline.model_copy(
        update={"title": title if TITLE.low <= len(title) <= TITLE.high else outline.title, "sections": sections}
    )


def parts_to_write(context: RunContext, outline: Outline) -> list[list[int]]:
    """The sections in parts that are written side by side; in one if the brief asks for it and it is not too long."""
    if context.brief.writing == "whole" and requested_words(context.brief, outline) <= WHOLE_WORDS:
        return [list(range(1, len(outline.sections) + 1))]
    first, *others = (section.words for section in outline.sections)
    return parts_of([first + lead_words(requested_words(context.brief, outline)), *others])


async def has_older_sections(context: RunContext, numbers: list[int], sections: int) -> bool:
    """Whether an older version, which wrote each section by itself, has begun with these."""
    recall = context.journal.recall
    if await recall(draft_key(numbers, sections), SectionText):
        return False
    return any([await recall(StepKey("write", "section", number), SectionText) for number in numbers])


def lead_words(total: int) -> int:
    """The words of the introduction of an article of ``total`` words."""
    return min(total // 11, MAX_LEAD)


def body_words(total: int, sections: int) -> int:
    """The words of all sections of an article of ``total`` words, without lead and headings."""
    return total - lead_words(total) - HEADING_WORDS * (sections + 1)


def without_lead(context: RunContext, outline: Outline) -> Outline:
    """The outline with the words of lead and headings taken off its sections, which its writers and editors work with."""
    if not context.has_model:
        return outline
    total = requested_words(context.brief, outline)
    share = body_words(total, len(outline.sections)) / total
    sections = [section.model_copy(update={"words": round(section.words * share)}) for section in outline.sections]
    return outline.model_copy(update={"sections": sections})


def with_lead(context: RunContext, outline: Outline, planned: Outline) -> Outline:
    """The outline of the finished text with the words of ``planned``, which include lead and headings."""
    words = [section.words for section in planned.sections]
    if not context.brief.approve_outline and context.has_model:
        words = distribute_words([section.words for section in outline.sections], sum(words))
    pairs = zip(outline.sections, words, strict=True)
    sections = [section.model_copy(update={"words": share}) for section, share in pairs]
    return outline.model_copy(update={"sections": sections})


async def write_part(context: RunContext, outline: Outline, numbers: list[int]) -> str:
    """The draft of the sections ``numbers``, each below its heading; with title and introduction if the first is among them."""
    key = draft_key(numbers, len(outline.sections))
    total = requested_words(context.brief, outline)
    opening = lead_words(total) if 1 in numbers else 0
    wanted = {number: outline.sections[number - 1].words for number in numbers}

    async def perform() -> SectionText:
        shared = context.shared(outline)
        assignment = assignments.write_sections(shared, context.brief, outline, wanted, opening, context.passages)
        planned = {number: (outline.sections[number - 1].heading, words) for number, words in wanted.items()}
        draft = await context.ask(assignment, context.preview(key))
        return SectionText(markdown=with_headings(draft, planned, opening))

    made = await context.once(
        key,
        SectionText,
        perform,
        f"Writing {sections_text(outline, numbers)}",
        lambda made: f"Draft written, {pluralize(count_words(made.markdown), 'word')}",
    )
    return made.markdown


def texts_of(context: RunContext, outline: Outline, draft: str) -> dict[int, str]:
    """Section (from 1) → its text; empty for a fragment."""
    language = context.brief.language
    texts = {}
    for number, text in enumerate(sections_of(draft, len(outline.sections)), 1):
        if text := clean(text, context.reading):
            enough = count_words(text) >= MIN_SHARE * outline.sections[number - 1].words
            texts[number] = text if enough and is_sound(text, language) else ""
    return texts


def record_length(context: RunContext, outline: Outline, texts: Mapping[int, str]) -> None:
    """Remember how much longer than asked the part came out: a sample for each section, whose own length nobody asked for."""
    made = {number: count_words(text) for number, text in texts.items() if text}
    for _ in made:
        context.calibration.record(sum(outline.sections[number - 1].words for number in made), sum(made.values()))


def draft_key(numbers: list[int], sections: int) -> StepKey:
    """A part is named by its first section, the whole article by 0."""
    return StepKey("write", "draft", 0 if len(numbers) == sections else numbers[0])


async def write_section(context: RunContext, outline: Outline, number: int) -> str:
    section = outline.sections[number - 1]
    words = section.words
    key = StepKey("write", "section", number)
    requested, tried = words, 0  # of a section that was written before the run stopped, only the result is known

    async def perform() -> SectionText:
        nonlocal requested, tried
        shared = context.shared(outline)
        requested = context.calibration.words_to_request(words)
        first = assignments.write_section(shared, context.brief, outline, number, context.passages, requested)
        preview = context.preview(key)
        text = clean(await context.ask(first, preview), context.reading)
        if not context.has_model:
            return SectionText(markdown=text)
        tried = count_words(text)
        if wrong := faults(text, context.brief.language, words, (MIN_SHARE, 2.0)):
            repair = assignments.rewrite_section(shared, context.brief, outline, number, text, words, wrong)
            second = clean(await context.ask(repair, preview), context.reading)
            text = without_incomplete_end(better(text, second, words, context.brief.language))
        return SectionText(markdown=text)

    doing, done = f"Writing “{section.heading}”", length_message(section.heading, "written")
    made = await context.once(key, SectionText, perform, doing, done)
    if context.has_model:
        context.calibration.record(requested, tried or count_words(made.markdown))
    return made.markdown


async def resize(context: RunContext, outline: Outline, number: int, text: str, words: int, key: StepKey) -> str:
    """Section ``number`` (from 1) at about ``words`` words: with another paragraph if it is too short, else cut."""
    heading, missing = outline.sections[number - 1].heading, words - count_words(text)
    shared, brief, preview = context.shared(outline), context.brief, context.preview(key)

    async def extended() -> SectionText:
        requested = context.calibration.words_to_request(missing)
        assignment = assignments.extend_section(shared, brief, outline, number, text, requested)
        written = clean(await context.ask(assignment, preview_after(text, preview)), context.reading)
        return SectionText(markdown=with_addition(text, written, words, brief.language))

    async def cut() -> SectionText:
        requested = context.calibration.words_to_request(words)
        wrong = [config("faults")["long"].format(count=count_words(text), words=words)]
        assignment = assignments.rewrite_section(shared, brief, outline, number, text, requested, wrong)
        written = clean(await context.ask(assignment, preview), context.reading)
        return SectionText(markdown=better(text, written, words, brief.language))

    perform = extended if missing > 0 else cut
    doing, done = f"Adjusting “{heading}” to {words} words", length_message(heading, "adjusted")
    return (await context.once(key, SectionText, perform, doing, done)).markdown


def preview_after(text: str, preview: PreviewSink) -> PreviewSink:
    """Shows what is being added to ``text`` as a preview of the whole section."""
    return text_preview(preview, lambda added: text + PARAGRAPH_BREAK + added)


def with_addition(text: str, written: str, words: int, language: str) -> str:
    """The section with the paragraph that was requested. If the model returned the whole section, the better of the two."""
    is_addition = not repeated_sections([text, written]) and is_in_language(written, language) is not False
    return better(text, text + PARAGRAPH_BREAK + written if is_addition else written, words, language)


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


def keeps_citations(written: str, text: str) -> bool:
    """Whether ``written`` cites at least half of the passages of ``text``: a shorter version may drop some."""
    cited = set(cited_ids(text))
    return 2 * len(cited.intersection(cited_ids(written))) >= len(cited)


def is_sound(text: str, language: str) -> bool:
    """Whether the text ends with a complete sentence and is in the requested language."""
    return is_complete(text) and is_in_language(text, language) is not False


def clean(answer: str, reading: Reading) -> str:
    """The model's answer without a heading of its own and without citations of anything that was not read."""
    known = {passage.id for passage in reading.passages}
    return strip_stray_citations(strip_unknown_marks(clean_section(answer), known))


def length_message(heading: str, done: str) -> Callable[[SectionText], str]:
    """Makes a message such as “Costs” written, 190 words."""
    return lambda made: f"“{heading}” {done}, {pluralize(count_words(made.markdown), 'word')}"
