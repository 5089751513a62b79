"""Assignments of the editor: review, edits, the lead, and the check of sentences against their passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, cast

from pydantic import Field, create_model

from agents import extractive
from agents.contract import Brief, Edits, Lead, LLMOutput, Outline, Remark, ReviewAnswer, ReviewRemark, Verdict
from agents.crew.assignments.base import Assignment
from agents.crew.assignments.writing import sections_text
from agents.prompts import config
from agents.text.prompt_fields import bullet_list, language_name
from agents.text.quoting import quote

Shared = tuple[str, ...]


def review(shared: Shared, outline: Outline, measured: Sequence[str], count: int) -> Assignment[ReviewAnswer]:
    """Up to ``count`` remarks on the article as a whole, by its editor."""
    shape = remarks_on(len(outline.sections))
    fields: dict[str, object] = {"measured": bullet_list(measured), "count": count}
    return Assignment("review", shape, fields, lambda: shape(remarks=[]), shared)


def review_use(shared: Shared, outline: Outline, count: int) -> Assignment[ReviewAnswer]:
    """Up to ``count`` remarks on what the readers cannot use as it is."""
    shape = remarks_on(len(outline.sections))
    return Assignment("review_use", shape, {"count": count}, lambda: shape(remarks=[]), shared)


def find_missing(
    shared: Shared, outline: Outline, sources: Sequence[int], groups: int, count: int, unused: Sequence[str]
) -> Assignment[ReviewAnswer]:
    """Up to ``count`` remarks on what the article lacks of ``sources``, which are one of ``groups`` parts of the reading.

    ``unused`` are sentences on the sources and findings that it does not cite.
    """
    shape = remarks_on(len(outline.sections))
    which = f"sources {', '.join(map(str, sources))}" if groups > 1 else "the sources"
    noticed = config("writing")["unused"].format(unused=bullet_list(unused)) if unused else ""
    fields: dict[str, object] = {"which": which, "count": count, "unused": noticed}
    return Assignment("find_missing", shape, fields, lambda: shape(remarks=[]), shared)


@cache
def remarks_on(sections: int) -> type[ReviewAnswer]:
    """The answer of reviewers of an article of ``sections`` sections, so that no other one is named."""
    allowed = Literal[tuple(range(1, sections + 1))]  # type: ignore[valid-type]  # made at run time
    remark = create_model("ReviewRemark", __base__=ReviewRemark, section=(allowed, ...))
    return create_model("ReviewAnswer", __base__=ReviewAnswer, remarks=(list[remark], Field(max_length=12)))  # type: ignore[valid-type]


def revise_sections(
    shared: Shared, brief: Brief, outline: Outline, numbers: Sequence[int], remarks: Sequence[Remark], lengths: str
) -> Assignment[Edits]:
    """Replacements in the sections ``numbers`` (from 1) that carry out ``remarks``. The built-in writer makes none.

    ``lengths`` says how long the sections are and may be.
    """
    fields: dict[str, object] = {
        "which": sections_text(outline, numbers),
        "remarks": quote(bullet_list(map(remark_line, remarks))),
        "lengths": lengths,
        "language": language_name(brief.language),
    }
    return Assignment("revise_sections", Edits, fields, lambda: Edits(replacements=[], declined=[]), shared)


def remark_line(remark: Remark) -> str:
    quoted = f", “{remark.quote}”" if remark.quote else ""
    return f"Section {remark.section}{quoted}: {remark.problem} {remark.instruction}".strip()


def write_lead(shared: Shared, brief: Brief, outline: Outline, texts: Sequence[str], words: str) -> Assignment[Lead]:
    """The title and the lead of the finished article. The built-in writer keeps the title and writes no lead."""
    fields: dict[str, object] = {"language": language_name(brief.language), "words": words}
    return Assignment("write_lead", Lead, fields, lambda: extractive.lead(brief, outline, texts), shared)


# The evidence


@dataclass(frozen=True)
class JudgedSentence:
    """``instead`` says no more than the passages; empty if the sentence is supported."""

    verdict: Verdict
    instead: str = ""


class PerSentence(LLMOutput):
    """A verdict per sentence, in fields ``s1``, ``s2`` …, so that none is missing or invented."""

    def verdicts(self) -> list[Verdict]:
        return [answer for name, answer in self if name != "rewordings"]


class Rewording(LLMOutput):
    """What to say instead of sentence ``sentence``."""

    sentence: int
    instead: str


class JudgedSentences(PerSentence):
    """Wordings are given apart, and only for what is not supported: most sentences are."""

    rewordings: list[Rewording] = []

    def answers(self) -> list[JudgedSentence]:
        instead = {each.sentence: each.instead for each in self.rewordings}
        return [
            JudgedSentence(verdict, "" if verdict == "supported" else instead.get(place, ""))
            for place, verdict in enumerate(self.verdicts(), 1)
        ]


def judge(
    shared: Shared, brief: Brief, outline: Outline, numbers: Sequence[int], sentences: Sequence[str]
) -> Assignment[JudgedSentences]:
    """A verdict on each of ``sentences``, of the sections ``numbers`` (from 1), and what to say instead of a wrong one.

    Never used with the built-in writer, which quotes its passages word for word.
    """
    shape = judged_sentences(len(sentences))
    fields: dict[str, object] = {
        "which": sections_text(outline, numbers),
        "language": language_name(brief.language),
        "sentences": sentence_list(sentences),
    }
    return Assignment("judge", shape, fields, lambda: shape(**same_verdict(len(sentences), "partly")), shared)


def judge_again(shared: Shared, sentences: Sequence[str]) -> Assignment[PerSentence]:
    """A verdict on each of ``sentences``, which were rewritten."""
    shape = verdicts(len(sentences))
    fields: dict[str, object] = {"sentences": sentence_list(sentences)}
    return Assignment("judge_again", shape, fields, lambda: shape(**same_verdict(len(sentences), "partly")), shared)


def judge_frame(shared: Shared, brief: Brief, lines: Mapping[str, str]) -> Assignment[JudgedSentences]:
    """A verdict on each line around the article; ``lines`` are their texts by what they are, such as “Title”."""
    shape = judged_sentences(len(lines))
    texts = [f"({what}) {text}" for what, text in lines.items()]
    fields: dict[str, object] = {"language": language_name(brief.language), "sentences": sentence_list(texts)}
    return Assignment("judge_frame", shape, fields, lambda: shape(**same_verdict(len(lines), "supported")), shared)


def sentence_list(sentences: Sequence[str]) -> str:
    return quote("\n".join(f"s{place}: {sentence}" for place, sentence in enumerate(sentences, 1)))


def same_verdict(count: int, verdict: Verdict) -> dict[str, Any]:
    return {f"s{place}": verdict for place in range(1, count + 1)}


@cache  # building a schema takes 2 ms; a section has few sentences
def judged_sentences(count: int) -> type[JudgedSentences]:
    """The answer of ``judge`` and ``judge_frame``."""
    rewordings = list[Rewording], Field(max_length=count)
    return cast(
        type[JudgedSentences],
        create_model("JudgedSentences", __base__=JudgedSentences, **verdict_fields(count), rewordings=rewordings),
    )


@cache
def verdicts(count: int) -> type[PerSentence]:
    """The answer of ``judge_again``."""
    return cast(type[PerSentence], create_model("Verdicts", __base__=PerSentence, **verdict_fields(count)))


def verdict_fields(count: int) -> dict[str, Any]:
    return {f"s{place}": (Verdict, ...) for place in range(1, count + 1)}
