"""The lead of a draft that has none, and the check of title, headings and answers to readers' questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents.contract import SEO, FramedArticle, Lead, Outline, SentenceEvidence, Verdict
from agents.crew import assignments
from agents.crew.assignments.editing import JudgedSentence
from agents.pipeline.context import RunContext, pluralize
from agents.pipeline.evidence import MODEL_REASONS
from agents.pipeline.steps import StepKey
from agents.pipeline.write import clean, is_sound, lead_words
from agents.text.citations import strip_unknown_marks
from agents.text.cleanup import clean_heading, one_line
from agents.text.headings import HEADING, TITLE
from agents.text.manuscript import requested_words
from agents.text.seo import truncate


async def write_lead(context: RunContext, outline: Outline, texts: list[str]) -> Lead:
    """The lead of a draft without one, which may be empty, and the title.

    The title is the outline's if a person approved it or the model gives none.
    """

    async def perform() -> Lead:
        words = lead_words(requested_words(context.brief, outline))
        bounds = f"{round(words * 0.8)} to {round(words * 1.2)}"
        shared = context.shared(outline, texts)
        made = await context.ask(assignments.write_lead(shared, context.brief, outline, texts, bounds))
        title = truncate(clean_heading(made.title), TITLE)
        lead = one_line(strip_unknown_marks(clean(made.lead, context.reading), ()))
        return Lead(
            title=outline.title if context.brief.approve_outline or len(title) < TITLE.low else title,
            lead=lead if lead and is_sound(lead, context.brief.language) else "",
        )

    return await context.once(
        StepKey("edit", "lead"),
        Lead,
        perform,
        "Writing the title and the lead",
        lambda made: f"“{made.title}”: title and lead written",
    )


async def check_frame(context: RunContext, outline: Outline, seo: SEO | None) -> FramedArticle:
    """Title, headings and questions, with what the sources do not bear reworded."""
    unchecked = FramedArticle(
        title=outline.title, headings=[section.heading for section in outline.sections], faq=seo.faq if seo else []
    )
    if not context.has_model or not context.passages:
        return unchecked

    async def perform() -> FramedArticle:
        lines = {"Title": unchecked.title}
        lines |= {f"Heading {at}": heading for at, heading in enumerate(unchecked.headings, 1)}
        lines |= {f"Answer to “{item.question}”": item.answer for item in unchecked.faq}
        answer = await context.ask(assignments.judge_frame(context.shared(), context.brief, lines))
        judged = dict(zip(lines, answer.answers(), strict=True))
        made = framed(unchecked, judged, approved=context.brief.approve_outline)
        return made.model_copy(update={"evidence": await judged_again(context, made.evidence)})

    return await context.once(
        StepKey("edit", "frame"),
        FramedArticle,
        perform,
        "Checking title and headings",
        lambda made: f"Title and headings checked, {pluralize(changes(unchecked, made), 'change')}",
    )


def changes(before: FramedArticle, after: FramedArticle) -> int:
    """How many lines differ."""
    lines = [[each.title, *each.headings, *(item.answer for item in each.faq)] for each in (before, after)]
    return sum(one != other for one, other in zip(*lines, strict=True))


def framed(unchecked: FramedArticle, judged: Mapping[str, JudgedSentence], *, approved: bool) -> FramedArticle:
    """``unchecked`` with the lines that are not supported replaced by what the model gave instead.

    Title and headings that a person ``approved`` stay. The row of evidence is that of the title, as section 0.
    """

    def checked(what: str, text: str) -> str:
        judgement = judged[what]
        if approved and what.startswith(("Title", "Heading ")):
            return text
        instead = one_line(strip_unknown_marks(judgement.instead, ()))
        return instead if judgement.verdict != "supported" and instead else text

    title = truncate(clean_heading(checked("Title", unchecked.title)), TITLE)
    return FramedArticle(
        title=title,
        headings=[
            truncate(clean_heading(checked(f"Heading {at}", heading)), HEADING)
            for at, heading in enumerate(unchecked.headings, 1)
        ],
        faq=[
            item.model_copy(update={"answer": checked(f"Answer to “{item.question}”", item.answer)})
            for item in unchecked.faq
        ],
        evidence=[evidence_row(title, unchecked.title, judged["Title"])],
    )


def evidence_row(now: str, was: str, judgement: JudgedSentence) -> SentenceEvidence:
    return SentenceEvidence(
        section=0,
        sentence=now,
        passages=[],
        verdict=judgement.verdict,
        judged_by="model",
        reason=MODEL_REASONS[judgement.verdict],
        was=was if now != was else "",
    )


async def judged_again(context: RunContext, rows: Sequence[SentenceEvidence]) -> list[SentenceEvidence]:
    """The rows, with a verdict of its own for each line that was reworded."""
    reworded = [row for row in rows if row.was]
    if not reworded:
        return list(rows)
    answer = await context.ask(assignments.judge_again(context.shared(), [row.sentence for row in reworded]))
    verdicts = iter(answer.verdicts())
    return [with_verdict(row, next(verdicts)) if row.was else row for row in rows]


def with_verdict(row: SentenceEvidence, verdict: Verdict) -> SentenceEvidence:
    return row.model_copy(update={"verdict": verdict, "reason": MODEL_REASONS[verdict]})
