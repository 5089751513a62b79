"""Articles at the stages of being written that pages show, made step by step as the crew would."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pydantic import BaseModel

from agents.contract import (
    CheckedAnswer,
    Edits,
    Findings,
    Manuscript,
    Picture,
    Questions,
    Reference,
    SectionText,
    SentenceEvidence,
    UnusedSource,
)
from agents.costs.usage import Usage
from articles.models import Article
from articles.runs.journal import complete_run
from articles.runs.lease import Claim
from articles.runs.step_writer import PlanChanged, write_changes
from articles.services import cancel_run, start_run
from tests.browser.step_outputs import (
    ANSWER,
    CONTENT,
    EVIDENCE,
    FOUND,
    QUESTIONS,
    SECTIONS,
    SEO_FOUND,
    TEXTS,
    TITLE,
    checked,
    findings,
    found,
    outline,
    plan,
    reading,
)
from tests.browser.threads import in_thread
from tests.factories import claim, make_article, step_completed, step_started


@in_thread
def begin(held: Claim, key: str, doing: str = "Working") -> None:
    write_changes(held, [step_started(key, doing)])


@in_thread
def finish(held: Claim, key: str, output: BaseModel, done: str = "Done") -> None:
    usage = Usage(calls=1, prompt_tokens=800, completion_tokens=240)
    write_changes(held, [step_completed(key, output, usage, done)])


def do(held: Claim, key: str, output: BaseModel, doing: str = "Working", done: str = "Done") -> None:
    begin(held, key, doing)
    finish(held, key, output, done)


@in_thread
def researched(owner: User, **brief: Any) -> tuple[Article, Claim]:
    """Research is done, the outline is being made."""
    article = make_article(owner, **brief)
    held = claim(article)
    write_changes(held, [PlanChanged({"research": 5, "outline": 2, "write": 4, "edit": 6, "seo": 1, "image": 2})])
    do(
        held,
        "research:plan",
        Questions(questions=list(QUESTIONS)),
        "Planning the research questions",
        "3 research questions planned",
    )
    do(held, "research:read", reading(), "Searching and reading sources", "3 sources read, 6 passages kept")
    for number in range(1, len(FOUND) + 1):
        do(
            held,
            f"research:find:{number}",
            found(number),
            "Reading 1 source closely",
            f"1 source read closely, {len(FOUND[number - 1])} findings",
        )
    begin(held, "outline:plan", "Planning 4 sections")
    article.refresh_from_db()
    return article, held


@in_thread
def planned(owner: User, **brief: Any) -> tuple[Article, Claim]:
    """The plan is made, and nothing is written yet."""
    article, held = researched(owner, **brief)
    finish(held, "outline:plan", plan(), f"“{TITLE}” planned, 4 sections")
    checked_answer = CheckedAnswer(planned=ANSWER, answer=ANSWER)
    do(held, "outline:answer", checked_answer, "Checking the answer against the sources", "Answer checked")
    article.refresh_from_db()
    return article, held


@in_thread
def outlined(owner: User, **brief: Any) -> tuple[Article, Claim]:
    """The outline is made, and all sections are being written."""
    article, held = planned(owner, **brief)
    for number, heading in enumerate(SECTIONS, 1):
        begin(held, f"write:{number}", f"Writing “{heading}”")
    article.refresh_from_db()
    return article, held


@in_thread
def half_written(owner: User, **brief: Any) -> tuple[Article, Claim]:
    """Two of four sections are written, the picture is being drawn."""
    article, held = outlined(owner, **brief)
    for number in (1, 2):
        finish(
            held, f"write:{number}", SectionText(markdown=TEXTS[number - 1]), f"{len(TEXTS[number - 1].split())} words"
        )
    do(
        held,
        "image:prompt",
        SectionText(markdown=""),
        "Planning the image",
        "Image planned: A roof of beds above a city",
    )
    begin(held, "image:draw", "Drawing the image")
    article.refresh_from_db()
    return article, held


@in_thread
def finished(owner: User, *, cover: bytes = b"", content: str = CONTENT, notice: str = "", **brief: Any) -> Article:
    """Everything is done; with ``cover``, a PNG, there is a picture."""
    article, held = half_written(owner, **brief)
    for number in (3, 4):
        finish(
            held, f"write:{number}", SectionText(markdown=TEXTS[number - 1]), f"{len(TEXTS[number - 1].split())} words"
        )
    do(held, "edit:revise:1", Edits(), "Improving all 4 sections", "All 4 sections improved, 1 change")
    do(
        held,
        "edit:2",
        SectionText(markdown=TEXTS[1]),
        "Revising “Choosing a site”",
        "“Choosing a site” revised, 64 words",
    )
    for number, heading in enumerate(SECTIONS, 1):
        do(held, f"edit:evidence:{number}", checked(number), f"Checking the evidence of “{heading}”", "Checked")
    do(
        held,
        "seo:describe",
        SEO_FOUND,
        "Writing the search description",
        f"Search description written: “{SEO_FOUND.title}”",
    )
    picture = None
    if cover:
        name = default_storage.save(f"covers/{article.pk}/cover.png", ContentFile(cover))
        alt = "Raised beds on a flat roof, with towers behind them in the evening light"
        picture = Picture(name=name, alt=alt, prompt="A roof garden at dusk, printed in three inks", drawn_by="studio")
        finish(held, "image:draw", picture, "Image drawn by the studio")
    complete(held, content=content, picture=picture, notice=notice)
    article.refresh_from_db()
    return article


@in_thread
def rewrite_cancelled(owner: User) -> Article:
    """An article with a finished text, whose second run was cancelled."""
    article = finished(owner, topic="How cities can put their flat roofs to use")
    start_run(article=article, by=owner)
    cancel_run(article=article, by=owner)
    return article


@in_thread
def complete(
    held: Claim,
    *,
    content: str = CONTENT,
    title: str = TITLE,
    picture: Picture | None = None,
    notice: str = "",
    evidence: list[SentenceEvidence] = EVIDENCE,
) -> None:
    references = [
        Reference(number=number, source=number, title=source.title, url=source.url, passages=[f"S{2 * number}"])
        for number, source in enumerate(reading().sources, 1)
    ]
    manuscript = Manuscript(
        title=title, content=content, outline=outline(), seo=SEO_FOUND, picture=picture, reading=reading(),
        findings=Findings(synthesis=ANSWER, findings=findings()), questions=QUESTIONS,
        references=references,
        unused_sources=[UnusedSource(source=3, title="Old notes", reason="Nothing was found in it that the article needs.")],
        evidence=evidence,
    )  # fmt: skip
    complete_run(held, manuscript, notice=notice)
