"""Assignments of the editor: review, edits, the lead, and the check of sentences against their passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, cast

from pydantic import Field, create_model

from agents import extractive
from agents.contract import Brief, Edits, Lead, LLMOutput, Outline, Remark, ReviewAnswer, ReviewRemark, Verdict
from agents.crew.assignments.base import Assignment
from agents.crew.assignments.writing import section_fields
from agents.prompts import config
from agents.text.markdown import count_words
from agents.text.prompt_fields import bullet_list, language_name
from agents.text.quoting import quote, quote_markdown

Shared = tuple[str, ...]


def review(shared: Shared, outline: Outline, measured: Sequence[str], count: int) -> Assignment[ReviewAnswer]:
    """Up to ``count`` remarks on the article as a whole."""
    shape = remarks_on(len(outline.sections))
    fields: dict[str, object] = {"measured": bullet_list(measured), "count": count}
    return Assignment("review", shape, fields, lambda: shape(remarks=[]), shared)


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


def edit_section(
    shared: Shared, brief: Brief, outline: Outline, number: int, text: str, remarks: Sequence[Remark], words: int
) -> Assignment[Edits]:
    """Replacements in section ``number`` (from 1) that carry out ``remarks``. The built-in writer makes none."""
    fields = section_fields(brief, outline, number, words) | {
        "text": quote_markdown(text),
        "count": count_words(text),
        "remarks": quote(bullet_list(map(remark_line, remarks))),
    }
    return Assignment("edit_section", Edits, fields, lambda: Edits(replacements=[], declined=[]), shared)


def remark_line(remark: Remark) -> str:
    quoted = f"“{remark.quote}”: " if remark.quote else ""
    return f"{quoted}{remark.problem} {remark.instruction}".strip()


def write_lead(shared: Shared, brief: Brief, outline: Outline, texts: Sequence[str], words: str) -> Assignment[Lead]:
    """The title and the lead of the finished article. The built-in writer keeps the title and writes no lead."""
    fields: dict[str, object] = {"language": language_name(brief.language), "words": words}
    return Assignment("write_lead", Lead, fields, lambda: extractive.lead(brief, outline, texts), shared)


# The evidence


class JudgedSentence(LLMOutput):
    """``instead`` says no more than the passages; empty if the sentence is supported."""

    verdict: Verdict
    instead: str = Field(description="the sentence as the passages bear it; empty if it is supported")


class PerSentence(LLMOutput):
    """One answer per sentence, in fields ``s1``, ``s2`` …, so that none is missing or invented."""

    def answers(self) -> list[Any]:
        return [answer for _, answer in self]


def judge(
    shared: Shared, brief: Brief, outline: Outline, number: int, sentences: Sequence[str]
) -> Assignment[PerSentence]:
    """A verdict on each of ``sentences``, of section ``number`` (from 1), and what to say instead of a wrong one.

    Never used with the built-in writer, which quotes its passages word for word.
    """
    shape = judged_sentences(len(sentences))
    fields = section_fields(brief, outline, number, 0) | {"sentences": sentence_list(sentences)}
    kept = JudgedSentence(verdict="partly", instead="")
    return Assignment("judge", shape, fields, lambda: shape(**dict.fromkeys(shape.model_fields, kept)), shared)


def judge_again(shared: Shared, sentences: Sequence[str]) -> Assignment[PerSentence]:
    """A verdict on each of ``sentences``, which were rewritten."""
    shape = verdicts(len(sentences))
    fields: dict[str, object] = {"sentences": sentence_list(sentences)}
    return Assignment(
        "judge_again", shape, fields, lambda: shape(**dict.fromkeys(shape.model_fields, "partly")), shared
    )


def judge_frame(shared: Shared, brief: Brief, lines: Mapping[str, str]) -> Assignment[PerSentence]:
    """A verdict on each line around the article; ``lines`` are their texts by what they are, such as “Title”."""
    shape = judged_sentences(len(lines))
    texts = [f"({what}) {text}" for what, text in lines.items()]
    fields: dict[str, object] = {"language": language_name(brief.language), "sentences": sentence_list(texts)}
    kept = JudgedSentence(verdict="supported", instead="")
    return Assignment("judge_frame", shape, fields, lambda: shape(**dict.fromkeys(shape.model_fields, kept)), shared)


def sentence_list(sentences: Sequence[str]) -> str:
    return quote("\n".join(f"s{place}: {sentence}" for place, sentence in enumerate(sentences, 1)))


def judged_sentences(count: int) -> type[PerSentence]:
    """The answer of ``judge`` and ``judge_frame``."""
    return one_field_per_sentence("JudgedSentences", count, JudgedSentence)


def verdicts(count: int) -> type[PerSentence]:
    """The answer of ``judge_again``."""
    return one_field_per_sentence("Verdicts", count, Verdict)


@cache  # building a schema takes 2 ms; a section has few sentences
def one_field_per_sentence(name: str, count: int, answer: Any) -> type[PerSentence]:
    fields: dict[str, Any] = {f"s{place}": (answer, ...) for place in range(1, count + 1)}
    return cast(type[PerSentence], create_model(name, __base__=PerSentence, **fields))
