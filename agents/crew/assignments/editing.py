"""Assignments of the editor: improvements, the lead, and the check of sentences against their passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from pydantic import Field, create_model

from agents import extractive
from agents.contract import Brief, Choice, Improvements, Lead, LLMOutput, Outline, Verdict
from agents.crew.assignments.base import Assignment
from agents.crew.assignments.writing import sections_text
from agents.prompts import config
from agents.text.length import most_corrections, most_missing, most_replacements
from agents.text.prompt_fields import bullet_list, language_name
from agents.text.quoting import quote, quote_markdown

Shared = tuple[str, ...]


def choose_draft(shared: Shared, brief: Brief, drafts: Sequence[str]) -> Assignment[Choice]:
    """Which of two ``drafts`` is better. Never used with the built-in writer, which writes one."""
    texts = "\n\n".join(f"DRAFT {number}\n{quote_markdown(draft)}" for number, draft in enumerate(drafts, 1))
    fields: dict[str, object] = {"drafts": texts, "language": language_name(brief.language)}
    first = Choice(better=1, reason="", take_over=[], wrong=[])
    return Assignment("choose_draft", Choice, fields, lambda: first, shared)


def improve_sections(
    shared: Shared, brief: Brief, outline: Outline, numbers: Sequence[int], measured: Sequence[str], lengths: str
) -> Assignment[Improvements]:
    """Replacements that make the sections ``numbers`` (from 1) better. The built-in writer makes none.

    ``measured`` is what code sees in the article, as sentences; ``lengths`` says how long the sections are and should be.
    """
    words, which = sum(outline.sections[number - 1].words for number in numbers), sections_text(outline, numbers)
    fields: dict[str, object] = {
        "which": f"the introduction and {which}" if 1 in numbers else which,
        "measured": quote(bullet_list(measured)) if measured else "(nothing)",
        "lengths": lengths,
        "replacements": config("writing")["replacements"],
        "most": most_missing(words),
        "count": most_replacements(words),
        "language": language_name(brief.language),
    }
    return Assignment("improve_sections", Improvements, fields, lambda: Improvements(replacements=[]), shared)


def proofread(shared: Shared, brief: Brief, words: int) -> Assignment[Improvements]:
    """Replacements of what is wrong in the article of ``words`` words as a whole. The built-in writer makes none."""
    fields: dict[str, object] = {
        "replacements": config("writing")["replacements"],
        "count": most_corrections(words),
        "language": language_name(brief.language),
    }
    return Assignment("proofread", Improvements, fields, lambda: Improvements(replacements=[]), shared)


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
