"""The evidence check: every sentence that states a fact is compared with its passages.

Code compares numbers, quotations and verbatim sentences exactly; the model judges the rest, and gives a wording for what its
passages do not bear. That wording is judged again. What is still not supported stays, marked for the person who publishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agents.contract import CheckedText, Outline, Passage, SentenceEvidence, Verdict
from agents.crew import assignments
from agents.pipeline.context import RunContext, pluralize
from agents.pipeline.steps import StepKey
from agents.text.citations import strip_unknown_marks
from agents.text.cleanup import PARAGRAPH_BREAK
from agents.text.escaping import escape_markdown
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


async def check_section(
    context: RunContext,
    outline: Outline,
    number: int,
    text: str,
    key: StepKey | None = None,
    before: CheckedText | None = None,
) -> CheckedText:
    """``text`` with the evidence for its sentences. If it only continues ``before``, only what was added is checked."""

    async def perform() -> CheckedText:
        if before is None or not text.startswith(before.markdown + PARAGRAPH_BREAK):
            return await checked(context, outline, number, text)
        added = await checked(context, outline, number, text.removeprefix(before.markdown + PARAGRAPH_BREAK))
        return CheckedText(
            markdown=before.markdown + PARAGRAPH_BREAK + added.markdown, evidence=[*before.evidence, *added.evidence]
        )

    key, heading = key or StepKey("edit", "evidence", number), outline.sections[number - 1].heading
    doing, done = f"Checking the evidence of “{heading}”", evidence_message(heading)
    return await context.once(key, CheckedText, perform, doing, done)


async def checked(context: RunContext, outline: Outline, number: int, text: str) -> CheckedText:
    if not context.passages:  # there is nothing to compare with, and a notice says so
        return CheckedText(markdown=text)
    passages = {passage.id: passage for passage in context.reading.passages}
    with_heads = context.passages_with_heads
    statements = statements_of(text)
    judged = await judge(context, outline, number, statements, with_heads)
    reworded = with_wordings(text, statements, judged, context.brief.language)
    originals: dict[str, str] = {}
    if reworded != text:
        earlier = dict(zip([statement.plain for statement in statements], judged, strict=True))
        after = statements_of(reworded)
        fresh = [statement for statement in after if statement.plain not in earlier]
        again = await judge_again(context, fresh, with_heads)
        known = earlier | dict(zip([statement.plain for statement in fresh], again, strict=True))
        if len(after) == len(statements):
            pairs = zip(statements, after, strict=True)
            originals = {new.plain: old.plain for old, new in pairs if new.plain != old.plain}
        statements, text = after, reworded
        judged = [known[statement.plain] for statement in statements]
    rows = [
        row(number, statement, judgement, passages, originals.get(statement.plain, ""))
        for statement, judgement in zip(statements, judged, strict=True)
    ]
    return CheckedText(markdown=text, evidence=rows)


def row(
    section: int, statement: Statement, judgement: Judgement, passages: Mapping[str, Passage], was: str
) -> SentenceEvidence:
    of_statement = [passages[id] for id in statement.passages if id in passages]
    return SentenceEvidence(
        section=section,
        sentence=statement.plain,
        passages=list(statement.passages),
        verdict=judgement.verdict,
        judged_by="code" if judgement.by_code else "model",
        reason=judgement.reason,
        was=was,
        key=verdict_key(statement.plain, of_statement, statement.before),
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
    context: RunContext, outline: Outline, number: int, statements: Sequence[Statement], passages: Mapping[str, Passage]
) -> list[Judgement]:
    """A judgement for each statement, by code if it is certain, else by the model, in one call for all.

    The model also words what code refuted, so that a wrong number is corrected and not only marked.
    """
    judged = [judged_by_code(statement, passages) for statement in statements]
    open_ones = [at for at, judgement in enumerate(judged) if judgement is None or judgement.verdict != "supported"]
    if open_ones and context.has_model:
        shown = [statements[at].for_prompt for at in open_ones]
        answer = await context.ask(assignments.judge(context.shared(), context.brief, outline, number, shown))
        for at, each in zip(open_ones, answer.answers(), strict=True):
            by_code = judged[at]
            if by_code is None:
                judged[at] = Judgement(each.verdict, MODEL_REASONS[each.verdict], by_code=False, instead=each.instead)
            else:
                judged[at] = replace(by_code, instead=each.instead)
    unjudged = Judgement("partly", "No model could judge this.", by_code=False)
    return [judgement or unjudged for judgement in judged]


async def judge_again(
    context: RunContext, statements: Sequence[Statement], passages: Mapping[str, Passage]
) -> list[Judgement]:
    """A judgement for each statement that was reworded."""
    judged = [judged_by_code(statement, passages) for statement in statements]
    undecided = [at for at, judgement in enumerate(judged) if judgement is None]
    if undecided:
        shown = [statements[at].for_prompt for at in undecided]
        answer = await context.ask(assignments.judge_again(context.shared(), shown))
        for at, verdict in zip(undecided, answer.answers(), strict=True):
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
            plain = escape_markdown(strip_unknown_marks(instead, ()))
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
