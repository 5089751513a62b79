"""The evidence check: every sentence that states a fact is compared with its passages.

Code compares numbers, quotations and verbatim sentences exactly; the model judges the rest, and gives a wording for what its
passages do not bear. The draft is judged while others review it, so that its faults are repaired together with the rest; after
that only sentences that are new are judged. A wording is judged again. What is still not supported stays, marked for the
person who publishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from agents.contract import (
    CheckedText,
    DraftVerdict,
    DraftVerdicts,
    Outline,
    Passage,
    SentenceEvidence,
    Verdict,
)
from agents.crew import assignments
from agents.pipeline.context import RunContext, pluralize, run_concurrently
from agents.pipeline.steps import StepKey
from agents.text.citations import strip_unknown_marks
from agents.text.cleanup import PARAGRAPH_BREAK
from agents.text.escaping import escape_prose
from agents.text.evidence import (
    CitedSentence,
    cited_sentences,
    compare_with_passages,
    replace_sentences,
    verdict_key,
)
from agents.text.factual import uncited_factual_sentences
from agents.text.language import is_in_language
from agents.text.markdown import count_words
from agents.text.quotations import is_verbatim
from agents.text.replacing import replaced

MODEL_REASONS: Mapping[Verdict, str] = {
    "supported": "",
    "partly": "Its sources say only part of this.",
    "not": "Its sources do not say this.",
}


MIN_REWORDED = 0.5
"""A rewording shorter than this share of the sentence is not used."""


@dataclass(frozen=True)
class Statement:
    """A sentence to check. ``cited`` is its number among the sentences that cite, 0 if it cites nothing."""

    text: str
    plain: str
    before: str
    passages: tuple[str, ...] = ()
    cited: int = 0

    @property
    def for_prompt(self) -> str:
        return f"(before: {self.before}) {self.text}" if self.before else self.text


@dataclass(frozen=True)
class Judgement:
    """The verdict on a sentence, its reason unless it is ``supported``, who judged, and a wording that is supported."""

    verdict: Verdict
    reason: str
    by_code: bool
    instead: str = ""


KnownVerdicts = Mapping[str, Judgement]
"""Verdicts by ``verdict_key``: a sentence that stayed as it was, with its passages, is not judged twice."""

NONE_KNOWN: KnownVerdicts = MappingProxyType({})


def statements_of(text: str) -> list[Statement]:
    """The sentences of a section that cite, and the others that state a fact."""
    found = [
        Statement(each.marked, each.plain, each.before, tuple(each.passages), each.number)
        for each in cited_sentences(text)
    ]
    return found + [
        Statement(text[each.start : each.end], each.plain, each.before)
        for each in uncited_factual_sentences(text)
        if not each.own_reasoning
    ]


async def judge_draft(
    context: RunContext, outline: Outline, texts: Sequence[str], parts: Sequence[Sequence[int]]
) -> list[DraftVerdict]:
    """The verdicts on the sentences of the sections, those of a part in one call.

    None if there is nothing to compare with, or no model that could edit.
    """
    if not context.passages or not context.has_model:
        return []
    judged = await run_concurrently(*(judge_part(context, outline, texts, numbers) for numbers in parts))
    return [verdict for part in judged for verdict in part.verdicts]


async def judge_part(
    context: RunContext, outline: Outline, texts: Sequence[str], numbers: Sequence[int]
) -> DraftVerdicts:
    async def perform() -> DraftVerdicts:
        placed = [(number, statement) for number in numbers for statement in statements_of(texts[number - 1])]
        judged = await judge(context, outline, numbers, [statement for _, statement in placed], {})
        return DraftVerdicts(
            verdicts=[
                DraftVerdict(
                    key=key_of(context, statement),
                    section=number,
                    sentence=statement.plain,
                    verdict=each.verdict,
                    judged_by="code" if each.by_code else "model",
                    reason=each.reason,
                    instead=each.instead,
                )
                for (number, statement), each in zip(placed, judged, strict=True)
            ]
        )

    return await context.once(
        StepKey("edit", "verdicts", numbers[0]),
        DraftVerdicts,
        perform,
        "Comparing the sentences with the sources",
        lambda made: f"{pluralize(len(made.verdicts), 'sentence')} compared with the sources",
    )


def known_verdicts(judged: Sequence[DraftVerdict]) -> KnownVerdicts:
    return {
        each.key: Judgement(each.verdict, each.reason, by_code=each.judged_by == "code", instead=each.instead)
        for each in judged
    }


async def check_section(
    context: RunContext,
    outline: Outline,
    number: int,
    text: str,
    key: StepKey | None = None,
    before: CheckedText | None = None,
    known: KnownVerdicts = NONE_KNOWN,
) -> CheckedText:
    """Section ``number`` (from 1), or the introduction, 0, with the evidence for its sentences.

    If ``text`` only continues ``before``, only what was added is checked."""

    async def perform() -> CheckedText:
        if before is None or not text.startswith(before.markdown + PARAGRAPH_BREAK):
            return await checked(context, outline, number, text, known)
        added = await checked(context, outline, number, text.removeprefix(before.markdown + PARAGRAPH_BREAK), known)
        return CheckedText(
            markdown=before.markdown + PARAGRAPH_BREAK + added.markdown, evidence=[*before.evidence, *added.evidence]
        )

    key, heading = key or StepKey("edit", "evidence", number), name_of(outline, number)
    doing, done = f"Checking the evidence of “{heading}”", evidence_message(heading)
    return await context.once(key, CheckedText, perform, doing, done)


def name_of(outline: Outline, number: int) -> str:
    """The heading of section ``number`` (from 1); 0 is the introduction."""
    return outline.sections[number - 1].heading if number else "Introduction"


async def checked(
    context: RunContext, outline: Outline, number: int, text: str, known: KnownVerdicts = NONE_KNOWN
) -> CheckedText:
    if not context.passages:  # there is nothing to compare with, and a notice says so
        return CheckedText(markdown=text)
    statements = statements_of(text)
    judged = await judge(context, outline, [number], statements, known)
    reworded = with_wordings(text, statements, judged, context.brief.language)
    originals: dict[str, str] = {}
    if reworded != text:
        earlier = dict(zip([statement.plain for statement in statements], judged, strict=True))
        after = statements_of(reworded)
        fresh = [statement for statement in after if statement.plain not in earlier]
        again = await judge_again(context, fresh)
        by_text = earlier | dict(zip([statement.plain for statement in fresh], again, strict=True))
        if len(after) == len(statements):
            pairs = zip(statements, after, strict=True)
            originals = {new.plain: old.plain for old, new in pairs if new.plain != old.plain}
        statements, text = after, reworded
        judged = [by_text[statement.plain] for statement in statements]
    rows = [
        row(number, statement, judgement, key_of(context, statement), originals.get(statement.plain, ""))
        for statement, judgement in zip(statements, judged, strict=True)
    ]
    return CheckedText(markdown=text, evidence=rows)


def key_of(context: RunContext, statement: Statement) -> str:
    passages = context.passages_by_id
    cited = [passages[id] for id in statement.passages if id in passages]
    return verdict_key(statement.plain, cited, statement.before)


def row(section: int, statement: Statement, judgement: Judgement, key: str, was: str) -> SentenceEvidence:
    return SentenceEvidence(
        section=section,
        sentence=statement.plain,
        passages=list(statement.passages),
        verdict=judgement.verdict,
        judged_by="code" if judgement.by_code else "model",
        reason=judgement.reason,
        was=was,
        key=key,
    )


def judged_by_code(statement: Statement, passages: Mapping[str, Passage]) -> Judgement | None:
    """What code can decide: for a sentence that cites nothing, only that a passage holds it word for word."""
    if not statement.passages:
        verbatim = any(is_verbatim(statement.plain, passage.text) for passage in passages.values())
        return Judgement("supported", "", by_code=True) if verbatim else None
    cited = CitedSentence(0, 0, 0, statement.text, statement.plain, list(statement.passages))
    compared = compare_with_passages(cited, passages)
    return Judgement(*compared, by_code=True) if compared else None


async def judge(
    context: RunContext,
    outline: Outline,
    numbers: Sequence[int],
    statements: Sequence[Statement],
    known: KnownVerdicts,
) -> list[Judgement]:
    """A judgement for each statement that is not ``known``, by code if it is certain, else by the model, in one call for all.

    The model also words what code refuted, so that a wrong number is corrected and not only marked.
    """
    keys = [key_of(context, statement) for statement in statements]
    judged = [
        known.get(key) or judged_by_code(statement, context.passages_with_heads)
        for key, statement in zip(keys, statements, strict=True)
    ]
    open_ones = [
        at
        for at, (key, judgement) in enumerate(zip(keys, judged, strict=True))
        if key not in known and (judgement is None or judgement.verdict != "supported")
    ]
    if open_ones and context.has_model:
        shown = [statements[at].for_prompt for at in open_ones]
        answer = await context.ask(assignments.judge(context.shared(), context.brief, outline, numbers, shown))
        for at, each in zip(open_ones, answer.answers(), strict=True):
            by_code = judged[at]
            if by_code is None:
                judged[at] = Judgement(each.verdict, MODEL_REASONS[each.verdict], by_code=False, instead=each.instead)
            else:
                judged[at] = replace(by_code, instead=each.instead)
    unjudged = Judgement("partly", "No model could judge this.", by_code=False)
    return [judgement or unjudged for judgement in judged]


async def judge_again(context: RunContext, statements: Sequence[Statement]) -> list[Judgement]:
    """A judgement for each statement that was reworded."""
    judged = [judged_by_code(statement, context.passages_with_heads) for statement in statements]
    undecided = [at for at, judgement in enumerate(judged) if judgement is None]
    if undecided:
        shown = [statements[at].for_prompt for at in undecided]
        answer = await context.ask(assignments.judge_again(context.shared(), shown))
        for at, verdict in zip(undecided, answer.verdicts(), strict=True):
            judged[at] = Judgement(verdict, MODEL_REASONS[verdict], by_code=False)
    return [judgement for judgement in judged if judgement is not None]


def with_wordings(text: str, statements: Sequence[Statement], judged: Sequence[Judgement], language: str) -> str:
    """``text`` with the statements that are not supported replaced by what the model gave instead.

    Unchanged if that would change the language, or which passages are cited where.
    """
    pairs = [
        (statement, judgement.instead)
        for statement, judgement in zip(statements, judged, strict=True)
        if judgement.verdict != "supported" and is_rewording(statement.plain, judgement.instead)
    ]
    changed = replace_sentences(text, {statement.cited: instead for statement, instead in pairs if statement.cited})
    for statement, instead in pairs:
        if not statement.cited:
            plain = escape_prose(strip_unknown_marks(instead, ()))
            changed = replaced(changed, statement.text, plain) or changed
    same_citations = [each.passages for each in cited_sentences(changed)] == [
        each.passages for each in cited_sentences(text)
    ]
    foreign = is_in_language(changed, language) is False and is_in_language(text, language) is not False
    return changed if same_citations and not foreign else text


def is_rewording(sentence: str, instead: str) -> bool:
    """Whether ``instead`` is long enough to say what ``sentence`` said; a mere remainder would leave a hole in the text."""
    return count_words(instead) >= MIN_REWORDED * count_words(sentence)


def evidence_message(heading: str) -> Callable[[CheckedText], str]:
    """Makes a message such as “Costs” checked, 3 of 4 sentences supported."""

    def message(made: CheckedText) -> str:
        if not made.evidence:
            return f"“{heading}” checked, nothing to check"
        supported = sum(row.verdict == "supported" for row in made.evidence)
        return f"“{heading}” checked, {supported} of {pluralize(len(made.evidence), 'sentence')} supported"

    return message
