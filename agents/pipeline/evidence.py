"""The evidence check: every sentence that cites is compared with the passages it cites.

Code compares numbers, quotations and verbatim sentences exactly; the model judges the rest. A sentence that is not supported is
reworded once and judged again. If it is still not supported, it stays, marked for the person who publishes the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agents.contract import CheckedText, Outline, Passage, Reading, SentenceEvidence, Verdict
from agents.crew import assignments
from agents.pipeline.context import RunContext, pluralize
from agents.pipeline.steps import StepKey
from agents.text.cleanup import PARAGRAPH_BREAK
from agents.text.evidence import CitedSentence, cited_sentences, compare_with_passages, replace_sentences
from agents.text.language import is_in_language


@dataclass(frozen=True)
class Judgement:
    """The verdict on a sentence, its reason unless it is ``supported``, and whether code or a model judged."""

    verdict: Verdict
    reason: str
    by_code: bool


MODEL_REASONS: Mapping[Verdict, str] = {
    "supported": "",
    "partly": "Its sources say only part of this.",
    "not": "Its sources do not say this.",
}


async def check_section(
    context: RunContext,
    outline: Outline,
    reading: Reading,
    number: int,
    text: str,
    key: StepKey | None = None,
    before: CheckedText | None = None,
) -> CheckedText:
    """``text`` with the evidence for its sentences. If it only continues ``before``, only what was added is checked."""
    passages = {passage.id: passage for passage in reading.passages}

    async def perform() -> CheckedText:
        if before is None or not text.startswith(before.markdown + PARAGRAPH_BREAK):
            return await checked(context, number, text, passages)
        added = await checked(context, number, text.removeprefix(before.markdown + PARAGRAPH_BREAK), passages)
        return CheckedText(
            markdown=before.markdown + PARAGRAPH_BREAK + added.markdown, evidence=[*before.evidence, *added.evidence]
        )

    key, heading = key or StepKey("edit", "evidence", number), outline.sections[number - 1].heading
    doing, done = f"Checking the evidence of “{heading}”", evidence_message(heading)
    return await context.once(key, CheckedText, perform, doing, done)


async def checked(context: RunContext, number: int, text: str, passages: Mapping[str, Passage]) -> CheckedText:
    cited = cited_sentences(text)
    judged = await judge(context, cited, passages)
    refuted = [sentence for sentence in cited if judged[sentence.number].verdict == "not"]
    original: dict[int, str] = {}
    if refuted and context.dependencies.has_model:
        reasons = {sentence.number: judged[sentence.number].reason for sentence in refuted}
        answer = await context.ask(assignments.reword(context.brief, refuted, reasons, passages))
        reworded = replace_sentences(text, answer.by_number(refuted))
        after = cited_sentences(reworded)
        same_citations = [sentence.passages for sentence in after] == [sentence.passages for sentence in cited]
        if same_citations and not changes_language(text, reworded, context.brief.language):
            pairs = zip(cited, after, strict=True)
            original = {new.number: old.plain for old, new in pairs if new.plain != old.plain}
            judged |= await judge(context, [sentence for sentence in after if sentence.number in original], passages)
            text, cited = reworded, after
    rows = [
        SentenceEvidence(
            section=number,
            sentence=sentence.plain,
            passages=sentence.passages,
            verdict=judged[sentence.number].verdict,
            judged_by="code" if judged[sentence.number].by_code else "model",
            reason=judged[sentence.number].reason,
            was=original.get(sentence.number, ""),
        )
        for sentence in cited
    ]
    return CheckedText(markdown=text, evidence=rows)


def changes_language(text: str, reworded: str, language: str) -> bool:
    """Whether ``reworded`` is no longer in ``language``, although ``text`` was."""
    return is_in_language(reworded, language) is False and is_in_language(text, language) is not False


async def judge(
    context: RunContext, cited: Sequence[CitedSentence], passages: Mapping[str, Passage]
) -> dict[int, Judgement]:
    """Number of the sentence → its judgement: by code if it is certain, else by the model, in one call for all."""
    judged: dict[int, Judgement] = {}
    for sentence in cited:
        if compared := compare_with_passages(sentence, passages):
            judged[sentence.number] = Judgement(*compared, by_code=True)
    undecided = [sentence for sentence in cited if sentence.number not in judged]
    if undecided:
        answer = await context.ask(assignments.judge(context.brief, undecided, passages))
        for number, verdict in answer.by_number(undecided).items():
            judged[number] = Judgement(verdict, MODEL_REASONS[verdict], by_code=False)
    return judged


def evidence_message(heading: str) -> Callable[[CheckedText], str]:
    """Makes a message such as “Costs” checked, 3 of 4 cited sentences supported."""

    def message(made: CheckedText) -> str:
        if not made.evidence:
            return f"“{heading}” checked, nothing cited"
        supported = sum(row.verdict == "supported" for row in made.evidence)
        return f"“{heading}” checked, {supported} of {pluralize(len(made.evidence), 'cited sentence')} supported"

    return message
