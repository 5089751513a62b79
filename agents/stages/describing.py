"""SEO: how the article is told of, held to the lengths that search results show."""

from __future__ import annotations

from agents import assignments
from agents.contract import SEO, Description, Outline
from agents.stages.desk import Desk, both
from agents.text.manuscript import assemble
from agents.text.seo import fit_seo, seo_problems


async def describe(desk: Desk, outline: Outline, texts: list[str]) -> SEO | None:
    if not desk.brief.seo_optimize:
        await desk.journal.skip("seo", "The brief asks for no SEO")
        return None

    async def perform() -> SEO:
        description, questions = await both(
            described(desk, outline, texts), desk.ask(assignments.answer_questions(desk.brief, outline, texts))
        )
        seo = SEO(**description.model_dump(), faq=questions.faq)
        return fit_seo(seo, title=outline.title, text=assemble(outline, texts))

    return await desk.once("seo:describe", SEO, perform, "Describing it for search", lambda made: f"“{made.title}”")


async def described(desk: Desk, outline: Outline, texts: list[str]) -> Description:
    """The description; the fields that are outside their limits, and only those, are asked for once more."""
    description = await desk.ask(assignments.describe_seo(desk.brief, outline, texts))
    problems = seo_problems(SEO(**description.model_dump()))
    if not problems or not desk.means.has_model:
        return description
    mended = await desk.ask(assignments.describe_again(desk.brief, outline, description, problems))
    return description.model_copy(update=dict(mended))
