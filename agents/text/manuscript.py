"""Decisions about a manuscript, as pure functions: its sections, their passages, what is wrong with it, its notices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from agents.contract import Brief, Manuscript, Outline
from agents.exceptions import ManuscriptIncomplete
from agents.text.citations import strip_unknown_marks
from agents.text.cleanup import one_line
from agents.text.language import is_in_language
from agents.text.markdown import count_words
from agents.text.near_duplicates import similarity, sketch
from agents.text.ngrams import folded_words, longest_shared_length

MIN_LENGTH_SHARE = 0.75
"""An article a model wrote in fewer than this share of the requested words does not meet its brief."""

REPEATED_SIMILARITY = 0.4
"""Sections that share so much of their five-word shingles say the same thing twice."""

COPIED_WORDS = 30
"""So many consecutive words in two sections are a copied passage, not a term or a quotation."""

NAMED_UNREAD = 2
"""Sources that could not be read whose reasons a notice gives; of more it gives the number only."""


def repeated_sections(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of sections (from 1) in nearly the same words or with a common passage; the earlier first."""
    bare = [strip_unknown_marks(text, ()) for text in texts]
    sections = [(number, sketch(text), folded_words(text)) for number, text in enumerate(bare, 1)]
    return [
        (one, other)
        for (one, first, words), (other, second, others) in combinations(sections, 2)
        if similarity(first, second) >= REPEATED_SIMILARITY
        or (first & second and longest_shared_length(words, others) >= COPIED_WORDS)
    ]


def foreign_sections(texts: Sequence[str], language: str) -> list[int]:
    """The sections (from 1) that are certainly in another language."""
    return [number for number, text in enumerate(texts, 1) if is_in_language(text, language) is False]


def assemble(outline: Outline, texts: Sequence[str]) -> str:
    pairs = zip(outline.sections, texts, strict=True)
    return "\n\n".join(f"## {one_line(section.heading)}\n\n{text}" for section, text in pairs)


def normalized_ids(ids: Sequence[str]) -> list[str]:
    """Ids of passages as models give them (``S3``, ``[S3]``, ``s3``), each once, in order."""
    return list(dict.fromkeys(id.strip("[] ").upper() for id in ids))


def requested_words(brief: Brief, outline: Outline) -> int:
    """The total of the sections: a person who approves the outline may change it."""
    return sum(section.words for section in outline.sections) or brief.min_words


def check_complete(brief: Brief, manuscript: Manuscript, *, has_model: bool) -> None:
    """Raise ManuscriptIncomplete if the run must not be called completed.

    The built-in writer may fall short of the length: it adds nothing to what its sources hold, and a notice says so.
    """
    words, requested = count_words(manuscript.content), requested_words(brief, manuscript.outline)
    if not words:
        raise ManuscriptIncomplete("Nothing was written. Try again, or use another model.")
    if has_model and words < requested * MIN_LENGTH_SHARE:
        raise ManuscriptIncomplete(
            f"The model wrote {words:,} of the {requested:,} words you asked for."
            " Try again, ask for fewer, or use another model."
        )
    if has_model and is_in_language(manuscript.content, brief.language) is False:
        raise ManuscriptIncomplete(
            f"The model did not write in the requested language ({brief.language}), even after a correction."
            " Use another model."
        )
    if brief.seo_optimize and manuscript.seo is None:
        raise ManuscriptIncomplete("The search description is missing. Try again.")
    if brief.include_image and manuscript.picture is None and not manuscript.picture_problem:
        raise ManuscriptIncomplete("The image is missing. Try again.")


def notices(brief: Brief, manuscript: Manuscript, *, has_model: bool) -> list[str]:
    """What a person has to know before publishing, one paragraph each."""
    found = []
    if not has_model:
        found.append(
            "Written by the built-in extractive writer, because no model is configured: it quotes its sources word for word."
        )
        words, requested = count_words(manuscript.content), requested_words(brief, manuscript.outline)
        if words < requested:
            found.append(
                f"The article has {words:,} of the {requested:,} words you asked for: its sources hold no more."
                " Add sources for a longer article."
            )
    if manuscript.reading.from_samples:
        found.append(
            "No source was given or found, so it quotes the studio's sample library, which is meant for trying the studio."
        )
    if not manuscript.reading.sources:
        found.append(
            "No source could be read, so the text relies on the model's own knowledge and has no citations."
            " Check its facts before publishing."
        )
    if doubted := sum(row.verdict != "supported" for row in manuscript.evidence):
        found.append(
            "1 sentence is not fully supported by its sources. Review it before publishing."
            if doubted == 1
            else f"{doubted} sentences are not fully supported by their sources. Review them before publishing."
        )
    found += [
        f"Section {number} is not in the requested language ({brief.language}). Rewrite or translate it."
        for number in manuscript.foreign
    ]
    found += [
        f"Sections {one} and {other} say nearly the same. Merge them, or remove one."
        for one, other in manuscript.repeated
    ]
    if unread := manuscript.reading.unread:
        reasons = [f"{each.title or each.url}: {each.reason}" for each in unread]
        details = reasons if len(unread) <= NAMED_UNREAD else ["The reasons are listed under Sources."]
        found.append(" ".join([f"Some sources could not be read ({len(unread)}).", *details]))
    if manuscript.picture_problem:
        found.append(f"The article has no image. {manuscript.picture_problem}")
    return found
