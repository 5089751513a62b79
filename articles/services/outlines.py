"""Approves and regenerates outlines. A run that waits for approval holds no worker; any worker continues it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.utils import timezone

from agents.contract import (
    MAX_WORDS,
    MIN_WORDS,
    DismissedFinding,
    Outline,
    OutlineSection,
    PlannedQuestion,
    PlannedTerm,
    Reading,
)
from agents.pipeline.steps import StepKey
from agents.text.length import even_shares
from articles.exceptions import InvalidOutline, InvalidState
from articles.models import Article, Run, Status, Step, StepStatus
from articles.runs.clock import database_now
from articles.runs.event_log import ArticleTransaction, article_transaction, refresh
from articles.runs.queue import WAITING, enqueue
from articles.runs.stages import counts_of

APPROVED = StepKey("outline", "approved")
"""The step whose output is the outline a person approved. The recipe writes from it and makes no other."""

MIN_SECTION_WORDS, MAX_SECTION_WORDS = 50, 600
"""Words a person may set for a section."""

Planned = TypeVar("Planned", PlannedQuestion, PlannedTerm)

MIN_TITLE, MIN_HEADING = 5, 2
"""Minimum characters, as in ``agents.contract``, checked again after spaces are stripped."""


def approve_outline(*, article: Article, by: User, outline: Outline | None = None, seen_seq: int | None = None) -> Run:
    """Continue the run with ``outline``, or with the one it made.

    Sections of 0 words share the rest of the brief's length, and the brief's length becomes the sum. Unknown passages are
    removed. What ``outline`` does not set is taken from the waiting one: the answer, its caveat and the position, the form
    and the findings of a section with the same heading, and the questions and terms of the sections that still exist.
    Findings that no section has any more are dismissed.
    ``seen_seq`` is the article's ``last_seq`` as the person saw it. Raises InvalidOutline, and
    InvalidState if no outline waits, or another one than the person saw.
    """
    if outline is not None:
        check_section_words(outline)
    with article_transaction(article.pk) as tx:
        run = waiting_run(tx.article, seen_seq)
        waiting = Outline.model_validate(tx.article.outline)
        wanted = completed_outline(outline, waiting, by.get_username()) if outline else waiting
        approved = normalized(wanted, asked=tx.article.min_words, passages=passages_by_id(run))
        record_approval(tx, run, approved, by)
        resume(tx, run, WAITING)
    refresh(article)
    return run


def regenerate_outline(*, article: Article, by: User, wish: str, seen_seq: int | None = None) -> Run:
    """Make another outline according to ``wish``. It waits for approval again; the research is kept.

    Raises InvalidState if the outline does not wait, or is not the one that was seen (``seen_seq``).
    """
    with article_transaction(article.pk) as tx:
        run = waiting_run(tx.article, seen_seq)
        supersede_steps(run)
        tx.set(outline=None)
        resume(tx, run, f"{by.get_username()} asked for another outline", outline_wish=wish)
    refresh(article)
    return run


# The run


def waiting_run(article: Article, seen_seq: int | None) -> Run:
    """The run that waits for approval. The caller holds the article's row, so it waits until the caller is done."""
    run = article.latest_run()
    if run is None or run.status != Status.AWAITING_APPROVAL:
        decided = run.steps.with_key(APPROVED).first() if run else None
        if decided:
            raise InvalidState(f"{decided.message} already, so the outline can no longer be changed.")
        raise InvalidState(
            f"No outline of this article waits for approval: it is “{article.get_status_display().lower()}”."
        )
    if seen_seq not in (None, article.last_seq):
        raise InvalidState("The outline was regenerated since you opened it. Open the newest one and decide on that.")
    return run


def resume(tx: ArticleTransaction, run: Run, message: str, **changes: object) -> None:
    """Enqueue the run again. Attempts start at 0, as no worker was lost."""
    tx.change_status(run, Status.PENDING, message, attempts=0, enqueued_at=database_now(), **changes)
    enqueue(run)


def record_approval(tx: ArticleTransaction, run: Run, outline: Outline, by: User) -> None:
    now, stored, message = timezone.now(), outline.model_dump(mode="json"), f"Approved by {by.get_username()}"
    Step.objects.create(
        run=run,
        **APPROVED.columns(),
        status=StepStatus.COMPLETED,
        message=message,
        output=stored,
        counts=counts_of(outline),
        started_at=now,
        finished_at=now,
    )
    tx.set(outline=stored, min_words=sum(section.words for section in outline.sections))
    tx.log_step(run, APPROVED, StepStatus.COMPLETED, message, execution_time=0.0)


def supersede_steps(run: Run) -> None:
    """Supersede the outline's steps, so that they are done again. Their costs are kept."""
    run.steps.current().filter(stage="outline").update(status=StepStatus.SUPERSEDED)


def passages_by_id(run: Run) -> dict[str, str]:
    """The passages the run may cite: their texts by their ids."""
    read = run.steps.done().with_key(StepKey("research", "read")).values_list("output", flat=True).first()
    reading = Reading.model_validate(read) if read else Reading()
    return {passage.id: passage.text for passage in reading.passages}


# The outline


def check_section_words(outline: Outline) -> None:
    """Raise InvalidOutline if a person set words of a section outside the limits. 0 means automatic."""
    off = [
        section
        for section in outline.sections
        if section.words and not MIN_SECTION_WORDS <= section.words <= MAX_SECTION_WORDS
    ]
    if off:
        raise InvalidOutline(
            f"{quoted(off)}: a section has {MIN_SECTION_WORDS} to {MAX_SECTION_WORDS} words, or 0 for a share of the article’s."
        )


def normalized(outline: Outline, *, asked: int, passages: Collection[str]) -> Outline:
    """``outline`` with headings in one line, words distributed, and no question or term of an unknown section.

    Raises InvalidOutline.
    """
    shares = distribute_words([section.words for section in outline.sections], asked)
    sections = [
        section.model_copy(
            update={
                "heading": one_line(section.heading),
                "sources": [id for id in dict.fromkeys(section.sources) if id in passages],
                "words": words,
            }
        )
        for section, words in zip(outline.sections, shares, strict=True)
    ]
    check_headings(one_line(outline.title), sections)
    if not MIN_WORDS <= sum(shares) <= MAX_WORDS:
        raise InvalidOutline(
            f"The sections come to {sum(shares):,} words. An article has {MIN_WORDS} to {MAX_WORDS:,}: change theirs."
        )
    places = {number: number for number in range(1, len(sections) + 1)}
    changes = {
        **{name: one_line(getattr(outline, name)) for name in ("title", "answer", "caveat", "position")},
        "questions": moved_with_sections(outline.questions, places),
        "terms": moved_with_sections(outline.terms, places),
        "sections": sections,
    }
    return outline.model_copy(update=changes)


def completed_outline(outline: Outline, waiting: Outline, by: str) -> Outline:
    """``outline`` with what it does not set taken from ``waiting``, and each finding of that in one place.

    Questions and terms that are not set move with their sections.
    """
    sent, places = outline.model_fields_set, places_of_sections(waiting, outline)
    of_waiting: dict[str, Any] = {
        "answer": waiting.answer,
        "caveat": waiting.caveat,
        "position": waiting.position,
        "questions": moved_with_sections(waiting.questions, places),
        "terms": moved_with_sections(waiting.terms, places),
    }
    kept = {name: value for name, value in of_waiting.items() if name not in sent}
    return with_findings(outline, waiting, by).model_copy(update=kept)


def with_findings(outline: Outline, waiting: Outline, by: str) -> Outline:
    """``outline`` with each finding of ``waiting`` in one place, and unset forms and findings as in ``waiting``.

    A finding belongs to the first section that names it. One that no section has is dismissed, for its earlier reason or
    because ``by`` removed it.
    """
    before = {one_line(section.heading).casefold(): section for section in waiting.sections}
    reasons = {each.finding: each.reason for each in (*waiting.dismissed, *outline.dismissed)}
    known = {*reasons, *(number for section in waiting.sections for number in section.findings)}
    left = set(known)
    sections = []
    for section in outline.sections:
        old = before.get(one_line(section.heading).casefold())
        kept = {
            name: getattr(old, name) for name in ("form", "findings") if old and name not in section.model_fields_set
        }
        merged = section.model_copy(update=kept)
        findings = [number for number in dict.fromkeys(merged.findings) if number in left]
        left -= set(findings)
        sections.append(merged.model_copy(update={"findings": findings}))
    dismissed = [
        DismissedFinding(finding=number, reason=reasons.get(number) or f"Removed by {by}") for number in sorted(left)
    ]
    return outline.model_copy(update={"sections": sections, "dismissed": dismissed})


def places_of_sections(before: Outline, after: Outline) -> dict[int, int]:
    """Number of a section of ``before`` → its number in ``after``, without the sections that were removed.

    A section is known by its heading, a renamed one by its purpose or its findings.
    """
    headings = {one_line(section.heading).casefold(): number for number, section in enumerate(after.sections, 1)}
    places: dict[int, int] = {}
    for number, section in enumerate(before.sections, 1):
        if place := headings.get(one_line(section.heading).casefold()):
            places[number] = place
    taken = set(places.values())
    for number, section in enumerate(before.sections, 1):
        for place, other in enumerate(after.sections, 1):
            if number not in places and place not in taken and is_renamed(section, other):
                places[number] = place
                taken.add(place)
    return places


def is_renamed(before: OutlineSection, after: OutlineSection) -> bool:
    same_purpose = bool(before.purpose) and before.purpose == after.purpose
    return same_purpose or not set(before.findings).isdisjoint(after.findings)


def moved_with_sections(planned: Sequence[Planned], places: Mapping[int, int]) -> list[Planned]:
    """``planned`` with the numbers of their sections replaced by those in ``places``; those of other sections are dropped."""
    return [each.model_copy(update={"section": places[each.section]}) for each in planned if each.section in places]


def distribute_words(words: Sequence[int], asked: int) -> list[int]:
    """``words`` of the sections, each 0 replaced by an even share of the rest of ``asked``, but at least the minimum."""
    blanks = words.count(0)
    shares = iter(even_shares(max(asked - sum(words), 0), blanks) if blanks else [])
    return [given or max(next(shares), MIN_SECTION_WORDS) for given in words]


def check_headings(title: str, sections: Sequence[OutlineSection]) -> None:
    blank = [str(number) for number, section in enumerate(sections, 1) if len(section.heading) < MIN_HEADING]
    if blank:
        raise InvalidOutline(f"Section {', '.join(blank)} has no heading. Give it one, or remove it.")
    if len(title) < MIN_TITLE:
        raise InvalidOutline(f"The title is too short: give it {MIN_TITLE} letters or more.")
    known = [section.heading.casefold() for section in sections]
    twice = [section for number, section in enumerate(sections) if section.heading.casefold() in known[:number]]
    if twice:
        raise InvalidOutline(f"{quoted(twice)} is used twice. Give each section a heading of its own.")


def quoted(sections: Sequence[OutlineSection]) -> str:
    return ", ".join(f"“{section.heading}”" for section in sections)


def one_line(text: str) -> str:
    return " ".join(text.split())
