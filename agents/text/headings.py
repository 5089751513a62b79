"""The title and headings of an article: what is wrong with them, and what code makes of it.

A model is shown what is wrong once (:func:`heading_problems`); what it still gets wrong is put in order here
(:func:`fit_headings`), and its number only where that leaves a section for what one call can write.
"""

from __future__ import annotations

from collections.abc import Sequence

from agents.contract import MAX_HEADING, MAX_SECTIONS, Brief, Headings
from agents.exceptions import FailureCode, ModelError
from agents.text.cleanup import clean_heading
from agents.text.language import is_in_language
from agents.text.seo import Range, truncate

SPARE = 5
"""A fifth more or fewer sections than planned are well: each is about 150 to 240 words long still."""

LEAST_SHARE = 0.5
"""Of fewer than this share of the sections each would be longer than models write in one go."""

TITLE, HEADING = Range(5, MAX_HEADING), Range(2, MAX_HEADING)


def heading_problems(made: Headings, wanted: int, language: str) -> list[str]:
    """What is wrong with them, as instructions with figures; empty where all is well."""
    names = [clean_heading(heading) for heading in made.sections]
    folded = [name.casefold() for name in names]
    twice = {name.casefold(): name for name in names if folded.count(name.casefold()) > 1}
    problems = [f"The heading “{name}” stands there more than once." for name in twice.values()]
    if abs(len(names) - wanted) > wanted // SPARE:
        problems.append(f"There are {len(names)} headings; exactly {wanted} are needed.")
    short = [name for name in names if len(name) < HEADING.low]
    problems += [f"The heading “{name}” says nothing." for name in short]
    long = [name for name in (clean_heading(made.title), *names) if len(name) > MAX_HEADING]
    problems += [f"“{name[:60]}…” has {len(name)} characters; {MAX_HEADING} are the most." for name in long]
    if are_in(made.title, made.sections, language) is False:
        problems.append("Title and headings are not in the language asked for.")
    return problems


def are_in(title: str, headings: Sequence[str], language: str) -> bool | None:
    """Whether title and headings together are in ``language``; None where that cannot be told, as of few and short ones."""
    return is_in_language("\n".join((title, *headings)), language)


def fit_headings(made: Headings, wanted: int, brief: Brief) -> Headings:
    """Each heading once, within its length, and no more of them than ``wanted`` and a fifth.

    Raises ModelError where so few are left that their sections could not be written in the length asked for.
    """
    named: dict[str, str] = {}
    for heading in map(clean_heading, made.sections):
        if len(heading) >= HEADING.low:
            named.setdefault(heading.casefold(), truncate(heading, HEADING))
    headings = list(named.values())
    if len(headings) < max(2, wanted * LEAST_SHARE):
        raise ModelError(
            f"The model planned {len(headings)} of the {wanted} sections that {brief.min_words:,} words need, though it was"
            " told twice. Try again, ask for fewer words, or use another model for the outline.",
            code=FailureCode.MODEL_BAD_OUTPUT,
        )
    if len(headings) > min(wanted + wanted // SPARE, MAX_SECTIONS):
        headings = headings[:wanted]
    title = truncate(clean_heading(made.title), TITLE)
    return Headings(title=title if len(title) >= TITLE.low else truncate(brief.topic, TITLE), sections=headings)
