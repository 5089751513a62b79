"""The title and headings of an article: what is wrong with them, and how code corrects it.

A model is shown its mistakes once (:func:`heading_problems`). What it still gets wrong is corrected here
(:func:`fit_headings`), unless too few headings are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.contract import MAX_HEADING, MAX_SECTIONS, Brief
from agents.exceptions import FailureCode, ModelError
from agents.text.cleanup import clean_heading
from agents.text.language import is_in_language
from agents.text.seo import Range, truncate

TOLERANCE = 5
"""Up to a fifth more or fewer sections than planned are accepted: each still has about 150 to 240 words."""

MIN_SHARE = 0.5
"""With fewer than this share of the planned sections, each would be longer than models write in one answer."""

TITLE, HEADING = Range(5, MAX_HEADING), Range(2, MAX_HEADING)


@dataclass(frozen=True)
class Headings:
    """The title and the headings of the sections, in order."""

    title: str
    sections: list[str]

    @staticmethod
    def key_of(heading: str) -> str:
        """What two headings that are the same have in common."""
        return truncate(clean_heading(heading), HEADING).casefold()


def heading_problems(title: str, headings: Sequence[str], wanted: int, language: str) -> list[str]:
    """What is wrong with them, as instructions with figures."""
    names = [clean_heading(heading) for heading in headings]
    folded = [name.casefold() for name in names]
    twice = {name.casefold(): name for name in names if folded.count(name.casefold()) > 1}
    problems = [f"The heading “{name}” is used more than once." for name in twice.values()]
    if abs(len(names) - wanted) > wanted // TOLERANCE:
        problems.append(f"There are {len(names)} headings; exactly {wanted} are needed.")
    short = [name for name in names if len(name) < HEADING.low]
    problems += [f"The heading “{name}” says nothing." for name in short]
    long = [name for name in (clean_heading(title), *names) if len(name) > MAX_HEADING]
    problems += [f"“{name[:60]}…” has {len(name)} characters; {MAX_HEADING} are the most." for name in long]
    if are_in_language(title, headings, language) is False:
        problems.append("Title and headings are not in the language asked for.")
    return problems


def are_in_language(title: str, headings: Sequence[str], language: str) -> bool | None:
    """Whether title and headings together are in ``language``; None if that is uncertain, as for few and short ones."""
    return is_in_language("\n".join((title, *headings)), language)


def fit_headings(title: str, headings: Sequence[str], wanted: int, brief: Brief) -> Headings:
    """Each heading once, within its length, and at most a fifth more of them than ``wanted``.

    Raises ModelError if so few are left that their sections would be too long for one answer each.
    """
    named: dict[str, str] = {}
    for heading in map(clean_heading, headings):
        if len(heading) >= HEADING.low:
            named.setdefault(heading.casefold(), truncate(heading, HEADING))
    kept = list(named.values())
    if len(kept) < max(2, wanted * MIN_SHARE):
        raise ModelError(
            f"The model planned {len(kept)} of the {wanted} sections that {brief.min_words:,} words need, even after a"
            " correction. Try again, ask for fewer words, or use another model for the outline.",
            code=FailureCode.MODEL_BAD_OUTPUT,
        )
    if len(kept) > min(wanted + wanted // TOLERANCE, MAX_SECTIONS):
        kept = kept[:wanted]
    fitted = truncate(clean_heading(title), TITLE)
    return Headings(fitted if len(fitted) >= TITLE.low else truncate(brief.topic, TITLE), kept)
