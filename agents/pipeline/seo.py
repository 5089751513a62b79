"""The search description of the article, within the lengths that search results show, and the questions readers ask."""

from __future__ import annotations

from agents.contract import FAQ, SEO, Outline, SearchDescription
from agents.crew import assignments
from agents.pipeline.context import RunContext, run_both
from agents.pipeline.steps import StepKey
from agents.prompts import config
from agents.text.language import is_in_language
from agents.text.manuscript import assemble
from agents.text.prompt_fields import language_name
from agents.text.seo import fit_seo, missing_keyword_problems, seo_problems


async def describe(context: RunContext, outline: Outline, texts: list[str], lead: str = "") -> SEO | None:
    if not context.brief.seo_optimize:
        await context.journal.skip("seo", "The brief asks for no SEO")
        return None

    async def perform() -> SEO:
        description, questions = await run_both(
            described(context, outline, texts, lead), answered(context, outline, texts, lead)
        )
        seo = SEO(**description.model_dump(), faq=questions.faq)
        return fit_seo(seo, title=outline.title, text=assemble(outline, texts))

    return await context.once(
        StepKey("seo", "describe"),
        SEO,
        perform,
        "Writing the search description",
        lambda made: f"Search description written: “{made.title}”",
    )


async def described(context: RunContext, outline: Outline, texts: list[str], lead: str = "") -> SearchDescription:
    """The description. Fields that violate their limits, and only those, are requested once more.

    Title and description are left empty if they are still in another language: they are then made from the article.
    """
    description = await context.ask(assignments.describe_seo(context.brief, outline, texts, lead))
    if not context.dependencies.has_model:
        return description
    problems = wrong_fields(description, context.brief.language)
    if not problems:
        return description
    corrected = await context.ask(assignments.describe_again(context.brief, outline, description, problems))
    description = description.model_copy(update=dict(corrected))
    if is_foreign(description, context.brief.language):
        return description.model_copy(update={"title": "", "meta_description": ""})
    return description


def wrong_fields(description: SearchDescription, language: str) -> dict[str, list[str]]:
    """Field → problems."""
    problems = seo_problems(SEO(**description.model_dump()))
    for name, unsaid in missing_keyword_problems(description).items():
        problems.setdefault(name, []).extend(unsaid)
    if is_foreign(description, language):
        for name in ("title", "meta_description"):
            problems.setdefault(name, []).append("Title and description are not in the language asked for.")
    return problems


def is_foreign(description: SearchDescription, language: str) -> bool:
    """Title and description are checked together: each alone is too short."""
    return is_in_language(f"{description.title}\n{description.meta_description}", language) is False


async def answered(context: RunContext, outline: Outline, texts: list[str], lead: str = "") -> FAQ:
    """The questions readers ask. If they are in another language they are requested once more, then dropped."""
    brief = context.brief
    faq = await context.ask(assignments.answer_questions(brief, outline, texts, lead))
    if not context.dependencies.has_model or not foreign_questions(faq, brief.language):
        return faq
    wrong = config("faults")["questions"].format(language=language_name(brief.language))
    faq = await context.ask(assignments.answer_questions(brief, outline, texts, lead, wrong))
    return FAQ(faq=[]) if foreign_questions(faq, brief.language) else faq


def foreign_questions(faq: FAQ, language: str) -> bool:
    return is_in_language("\n".join(f"{each.question}\n{each.answer}" for each in faq.faq), language) is False
