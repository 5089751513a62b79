"""Title and lead, written last from the finished text, and the check of what stands around the article."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents.contract import SEO, Finding, FramedArticle, Lead, Outline, SentenceEvidence, Verdict
from agents.crew import assignments
from agents.crew.assignments.editing import JudgedSentence
from agents.pipeline.context import RunContext, pluralize
from agents.pipeline.evidence import MODEL_REASONS, is_rewording
from agents.pipeline.steps import StepKey
from agents.pipeline.write import clean, is_sound, lead_words
from agents.text.citations import strip_unknown_marks
from agents.text.cleanup import clean_heading, one_line
from agents.text.headings import HEADING, TITLE
from agents.text.manuscript import requested_words
from agents.text.seo import truncate
from agents.text.tokenizer import sentences


async def write_lead(context: RunContext, outline: Outline, findings: list[Finding], texts: list[str]) -> Lead:
    """The lead, which may be empty, and the title: the outline's if a person approved it or the model gives none."""

    async def perform() -> Lead:
        words = lead_words(requested_words(context.brief, outline))
        bounds = f"{round(words * 0.8)} to {round(words * 1.2)}"
        shared = context.shared(findings, outline, texts)
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


async def check_frame(context: RunContext, outline: Outline, lead: Lead, seo: SEO | None) -> FramedArticle:
    """Title, lead, headings and questions, with what the sources do not bear reworded."""
    lead_sentences = [lead.lead[start:end] for start, end in sentences(lead.lead)]
    unchecked = FramedArticle(
        title=lead.title,
        lead=lead.lead,
        headings=[section.heading for section in outline.sections],
        faq=seo.faq if seo else [],
    )
    if not context.has_model or not context.passages:
        return unchecked

    async def perform() -> FramedArticle:
        lines = {"Title": lead.title}
        lines |= {f"Lead, sentence {at}": sentence for at, sentence in enumerate(lead_sentences, 1)}
        lines |= {f"Heading {at}": heading for at, heading in enumerate(unchecked.headings, 1)}
        lines |= {f"Answer to “{item.question}”": item.answer for item in unchecked.faq}
        answer = await context.ask(assignments.judge_frame(context.shared(), context.brief, lines))
        judged = dict(zip(lines, answer.answers(), strict=True))
        made = framed(unchecked, judged, lead_sentences, approved=context.brief.approve_outline)
        return made.model_copy(update={"evidence": await judged_again(context, made.evidence)})

    return await context.once(
        StepKey("edit", "frame"),
        FramedArticle,
        perform,
        "Checking title, lead and headings",
        lambda made: (
            f"Title, lead and headings checked, {pluralize(sum(bool(row.was) for row in made.evidence), 'change')}"
        ),
    )


def framed(
    unchecked: FramedArticle, judged: Mapping[str, JudgedSentence], lead_sentences: Sequence[str], *, approved: bool
) -> FramedArticle:
    """``unchecked`` with the lines that are not supported replaced by what the model gave instead.

    Title and headings that a person ``approved`` stay. The rows of evidence are those of title and lead, as section 0.
    """

    def checked(what: str, text: str) -> str:
        judgement = judged[what]
        if approved and what.startswith(("Title", "Heading ")):
            return text
        instead = one_line(strip_unknown_marks(judgement.instead, ()))
        return instead if judgement.verdict != "supported" and instead else text

    lead, rows = unchecked.lead, []
    for at, sentence in enumerate(lead_sentences, 1):
        now = checked(f"Lead, sentence {at}", sentence)
        now = now if is_rewording(sentence, now) else sentence
        lead = lead.replace(sentence, now, 1)
        rows.append(evidence_row(now, sentence, judged[f"Lead, sentence {at}"]))
    title = truncate(clean_heading(checked("Title", unchecked.title)), TITLE)
    rows.insert(0, evidence_row(title, unchecked.title, judged["Title"]))
    return FramedArticle(
        title=title,
        lead=lead,
        headings=[
            truncate(clean_heading(checked(f"Heading {at}", heading)), HEADING)
            for at, heading in enumerate(unchecked.headings, 1)
        ],
        faq=[
            item.model_copy(update={"answer": checked(f"Answer to “{item.question}”", item.answer)})
            for item in unchecked.faq
        ],
        evidence=rows,
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
