"""Decisions about a manuscript, as pure functions: how it is divided, put together, held to its limits, and judged."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.citations import marks
from agents.contract import SEO, Brief, Manuscript, Outline, Passage, Reading
from agents.exceptions import ManuscriptIncomplete
from agents.research.ranking import rank
from agents.research.words import count_words

SECTION_WORDS = 190
MOST_SECTIONS = 26
LEAST_SHARE = 0.75
"""A model's article of fewer than this share of the words asked for does not meet its brief."""

SHORTLIST, A_SOURCE = 24, 8
SECTION_PASSAGES = 6
SEO_TITLE, SEO_DESCRIPTION = 60, 160


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
    named = {*section.sources, *marks(also)}
    chosen = [passage for passage in reading.passages if passage.id in named]
    rest = [passage for passage in reading.passages if passage.id not in named]
    wanted = max(SECTION_PASSAGES - len(chosen), 0)
    if wanted and rest:
        chosen += rank(rest, [section.heading, section.purpose, *section.points], limit=wanted, per_source=3)
    return chosen


def section_text(answer: str) -> str:
    """A writer's answer out of its code fence, without a heading of its own at the top, any further ones below the section's."""
    fenced = re.fullmatch(r"\s*```(?:markdown|md)?\n(.*?)\n```\s*", answer, flags=re.DOTALL)
    text = fenced.group(1) if fenced else answer
    body = re.sub(r"\A(?:\s*#{1,6} [^\n]*\n+)+", "", text.strip() + "\n").strip()
    return re.sub(r"^#{1,2} ", "### ", body, flags=re.MULTILINE)


def assemble(outline: Outline, texts: Sequence[str]) -> str:
    pairs = zip(outline.sections, texts, strict=True)
    return "\n\n".join(f"## {one_line(section.heading)}\n\n{text}" for section, text in pairs)


def one_line(text: str) -> str:
    return " ".join(text.split()).lstrip("# ")


def fit_seo(seo: SEO) -> SEO:
    """Held to what search results show; cut at a word, never amid one."""
    slug = re.sub(r"[^\w]+", "-", seo.slug.lower()).strip("-_")
    return seo.model_copy(
        update={
            "title": cut(one_line(seo.title), SEO_TITLE),
            "meta_description": cut(one_line(seo.meta_description), SEO_DESCRIPTION),
            "slug": slug[:80].rstrip("-"),
        }
    )


def cut(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, an ellipsis included where something was left out."""
    if len(text) <= limit:
        return text
    shortened = text[: limit - 1]
    return shortened.rpartition(" ")[0].rstrip(",;:– ") + "…" if " " in shortened else shortened + "…"


def visible_words(content: str) -> int:
    """Words of the text itself: footnotes and their marks are not what was asked for."""
    return count_words(re.sub(r"^\[\^\d+\]: .*$|\[\^\d+\]", "", content, flags=re.MULTILINE))


def check(brief: Brief, manuscript: Manuscript, *, has_model: bool) -> None:
    """Raise ManuscriptIncomplete where the run must not be called completed.

    The built-in writer is not held to the length: it never pads what the sources carry, and says how far they went.
    """
    words = visible_words(manuscript.content)
    if not words:
        raise ManuscriptIncomplete("Nothing was written. Try again, or use another model.")
    if has_model and words < brief.min_words * LEAST_SHARE:
        raise ManuscriptIncomplete(
            f"The model wrote {words:,} of the {brief.min_words:,} words asked for."
            " Try again, ask for fewer, or use another model."
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
    if manuscript.reading.unread:
        reasons = [f"{unread.title or unread.url}: {unread.reason}" for unread in manuscript.reading.unread[:5]]
        told.append(" ".join(["Not everything could be read.", *reasons]))
    if manuscript.picture_problem:
        told.append(f"It has no image. {manuscript.picture_problem}")
    return told
