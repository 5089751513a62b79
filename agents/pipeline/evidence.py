"""The evidence check: every sentence that cites is held against the passages it cites.

Numbers, quotations and quoted words are compared by code, exactly; the rest is judged by the model. What is not supported is
reworded once and judged again; what is still not supported stays, marked for the person who publishes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    verdict: Verdict
    reason: str
    by_code: bool


DOUBTED: Mapping[Verdict, str] = {
    "supported": "",
    "partly": "What it cites says only a part of this.",
    "not": "What it cites does not say this.",
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
    """``text`` with the evidence of all its sentences; where it goes on from ``before``, only what was added is asked about."""
    passages = {passage.id: passage for passage in reading.passages}

    async def perform() -> CheckedText:
        if before is None or not text.startswith(before.markdown + PARAGRAPH_BREAK):
            return await checked(context, number, text, passages)
        added = await checked(context, number, text.removeprefix(before.markdown + PARAGRAPH_BREAK), passages)
        return CheckedText(
            markdown=before.markdown + PARAGRAPH_BREAK + added.markdown, evidence=[*before.evidence, *added.evidence]
        )

    return await context.once(
        key or StepKey("edit", "evidence", number),
        CheckedText,
        perform,
        f"Checking the evidence of “{outline.sections[number - 1].heading}”",
        told,
    )


async def checked(context: RunContext, number: int, text: str, passages: Mapping[str, Passage]) -> CheckedText:
    cited = cited_sentences(text)
    judged = await judge(context, cited, passages)
    refuted = [sentence for sentence in cited if judged[sentence.number].verdict == "not"]
    was: dict[int, str] = {}
    if refuted and context.dependencies.has_model:
        reasons = {sentence.number: judged[sentence.number].reason for sentence in refuted}
        answer = await context.ask(assignments.reword(context.brief, refuted, reasons, passages))
        mended = replace_sentences(text, answer.by_number(refuted))
        after = cited_sentences(mended)
        same_citations = [sentence.passages for sentence in after] == [sentence.passages for sentence in cited]
        if same_citations and not left_language(text, mended, context.brief.language):
            pairs = zip(cited, after, strict=True)
            was = {new.number: old.plain for old, new in pairs if new.plain != old.plain}
            judged |= await judge(context, [sentence for sentence in after if sentence.number in was], passages)
            text, cited = mended, after
    return CheckedText(
        markdown=text,
        evidence=[evidence(number, sentence, judged[sentence.number], was) for sentence in cited],
    )


def left_language(text: str, mended: str, language: str) -> bool:
    """Whether ``mended`` is no longer in the language that ``text`` was in."""
    return is_in_language(mended, language) is False and is_in_language(text, language) is not False


async def judge(
    context: RunContext, cited: Sequence[CitedSentence], passages: Mapping[str, Passage]
) -> dict[int, Judgement]:
    """Number of the sentence → what was found: by code where it can tell, else by the model, in one call."""
    judged: dict[int, Judgement] = {}
    for sentence in cited:
        compared = compare_with_passages(sentence, passages)
        if compared:
            judged[sentence.number] = Judgement(*compared, by_code=True)
    open_ones = [sentence for sentence in cited if sentence.number not in judged]
    if open_ones:
        answer = await context.ask(assignments.judge(context.brief, open_ones, passages))
        judged |= {
            number: Judgement(verdict, DOUBTED[verdict], by_code=False)
            for number, verdict in answer.by_number(open_ones).items()
        }
    return judged


def evidence(section: int, sentence: CitedSentence, judged: Judgement, was: Mapping[int, str]) -> SentenceEvidence:
    return SentenceEvidence(
        section=section,
        sentence=sentence.plain,
        passages=sentence.passages,
        verdict=judged.verdict,
        judged_by="code" if judged.by_code else "model",
        reason=judged.reason,
        was=was.get(sentence.number, ""),
    )


def told(made: CheckedText) -> str:
    if not made.evidence:
        return "It cites nothing"
    supported = sum(row.verdict == "supported" for row in made.evidence)
    return f"{supported} of {pluralize(len(made.evidence), 'cited sentence')} supported"
