"""Decisions about a manuscript, as pure functions: how it is divided, put together, held to its limits, and judged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from agents.contract import Brief, Manuscript, Outline, Passage, Reading
from agents.exceptions import ManuscriptIncomplete
from agents.text.citations import cited_ids, strip_unknown_marks
from agents.text.cleanup import one_line
from agents.text.language import is_in_language
from agents.text.near_duplicates import similarity, sketch
from agents.text.ngrams import folded_words, longest_shared_length
from agents.text.ranking import rank
from agents.text.tokenizer import count_words

SECTION_WORDS = 190
MOST_SECTIONS = 26
LEAST_SHARE = 0.75
"""A model's article of fewer than this share of the words asked for does not meet its brief."""

REPEATED = 0.4
"""Sections that share this much of their runs of five words say the same thing twice."""

COPIED_WORDS = 30
"""So many words in a row in two sections are a passage that was copied, not a term or a quotation."""

SHORTLIST, A_SOURCE = 10, 5
SECTION_PASSAGES = 6


def section_count(brief: Brief) -> int:
    """As many sections as the length needs, about 190 words each: they are written side by side, so more cost no time."""
    return min(max(round(brief.min_words / SECTION_WORDS), 2), MOST_SECTIONS)


def shortlist(reading: Reading, queries: Sequence[str]) -> list[Passage]:
    """The passages that answer the queries best, few enough for one prompt, no source crowding out the others."""
    sources = {passage.source for passage in reading.passages}
    per_source = max(A_SOURCE, SHORTLIST // max(len(sources), 1))
    return rank(reading.passages, queries, limit=SHORTLIST, per_source=per_source)


def section_passages(outline: Outline, number: int, reading: Reading, also: str = "") -> list[Passage]:
    """What section ``number`` (from 1) may rest on: what it was planned with, what ``also`` cites, the best of the rest."""
    section = outline.sections[number - 1]
    named = {*section.sources, *cited_ids(also)}
    chosen = [passage for passage in reading.passages if passage.id in named]
    wanted = SECTION_PASSAGES - len(chosen)
    if wanted <= 0:
        return chosen
    queries = [section.heading, section.purpose, *section.points]
    return chosen + rank(reading.passages, queries, limit=wanted, per_source=3, without=named)


def repeated_sections(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of sections (from 1) that say the same in nearly the same words, or hold the same passage; the earlier first."""
    bare = [strip_unknown_marks(text, ()) for text in texts]
    looked_at = [(number, sketch(text), folded_words(text)) for number, text in enumerate(bare, 1)]
    return [
        (one, other)
        for (one, first, words), (other, second, others) in combinations(looked_at, 2)
        if similarity(first, second) >= REPEATED
        or (first & second and longest_shared_length(words, others) >= COPIED_WORDS)
    ]


def foreign_sections(texts: Sequence[str], language: str) -> list[int]:
    """The sections (from 1) that are certainly in another language."""
    return [number for number, text in enumerate(texts, 1) if is_in_language(text, language) is False]


def assemble(outline: Outline, texts: Sequence[str]) -> str:
    pairs = zip(outline.sections, texts, strict=True)
    return "\n\n".join(f"## {one_line(section.heading)}\n\n{text}" for section, text in pairs)


def visible_words(content: str) -> int:
    """Words of the text itself: footnotes and their marks are not what was asked for."""
    return count_words(re.sub(r"^\[\^\d+\]: .*$|\[\^\d+\]", "", content, flags=re.MULTILINE))


def words_of(markdown: str) -> int:
    """Words of a section that is being written: marks of passages are not what was asked for."""
    return count_words(strip_unknown_marks(markdown, ()))


def normalized_ids(ids: Sequence[str]) -> list[str]:
    """Ids of passages as models give them (``S3``, ``[S3]``, ``s3``), each once, in order."""
    return list(dict.fromkeys(id.strip("[] ").upper() for id in ids))


def requested_words(brief: Brief, outline: Outline) -> int:
    """What the sections were to have together: a person who approves the outline may change it."""
    return sum(section.words for section in outline.sections) or brief.min_words


def check_complete(brief: Brief, manuscript: Manuscript, *, has_model: bool) -> None:
    """Raise ManuscriptIncomplete where the run must not be called completed.

    The built-in writer is not held to the length: it never pads what the sources carry, and says how far they went.
    """
    words, asked = visible_words(manuscript.content), requested_words(brief, manuscript.outline)
    if not words:
        raise ManuscriptIncomplete("Nothing was written. Try again, or use another model.")
    if has_model and words < asked * LEAST_SHARE:
        raise ManuscriptIncomplete(
            f"The model wrote {words:,} of the {asked:,} words asked for."
            " Try again, ask for fewer, or use another model."
        )
    if has_model and is_in_language(manuscript.content, brief.language) is False:
        raise ManuscriptIncomplete(
            f"The model did not write in the language asked for ({brief.language}), though it was told twice."
            " Use another model."
        )
    if brief.seo_optimize and manuscript.seo is None:
        raise ManuscriptIncomplete("The article was to be described for search, and is not. Try again.")
    if brief.include_image and manuscript.picture is None and not manuscript.picture_problem:
        raise ManuscriptIncomplete("The article was to have an image, and has none. Try again.")


def notices(brief: Brief, manuscript: Manuscript, *, has_model: bool) -> list[str]:
    """What a reader of the finished text has to know about how it was made."""
    told = []
    if not has_model:
        told.append(
            "Put together by the built-in extractive writer from sentences of its sources, word for word, because no model is"
            " configured."
        )
        words = visible_words(manuscript.content)
        if words < brief.min_words:
            told.append(
                f"The sources carry {words:,} of the {brief.min_words:,} words asked for: add sources for more."
            )
    if manuscript.reading.from_samples:
        told.append(
            "No source was given or found, so it quotes the studio's small sample library. It is for trying the studio."
        )
    if not manuscript.reading.sources:
        told.append(
            "No source could be read, so this text rests on the model's own knowledge and cites nothing."
            " Check its facts before you publish it."
        )
    doubted = sum(row.verdict != "supported" for row in manuscript.evidence)
    if doubted:
        told.append(
            "One sentence is not, or only in part, supported by what it cites. See Evidence before you publish."
            if doubted == 1
            else f"{doubted} sentences are not, or only in part, supported by what they cite. See Evidence before you publish."
        )
    told += [
        f"Section {number} is not in the language asked for ({brief.language}). Write it anew, or have it translated."
        for number in manuscript.foreign
    ]
    for one, other in manuscript.repeated:
        told.append(f"Sections {one} and {other} say nearly the same. Join them, or drop one.")
    if manuscript.reading.unread:
        reasons = [f"{unread.title or unread.url}: {unread.reason}" for unread in manuscript.reading.unread[:5]]
        told.append(" ".join(["Not everything could be read.", *reasons]))
    if manuscript.picture_problem:
        told.append(f"It has no image. {manuscript.picture_problem}")
    return told
