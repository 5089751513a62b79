"""Articles at the stages of being written that pages show, made step by step as the crew would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pydantic import BaseModel

from agents.contract import (
    SEO,
    CheckedAnswer,
    CheckedText,
    DismissedFinding,
    Finding,
    Findings,
    Manuscript,
    Outline,
    Passage,
    Picture,
    Plan,
    PlannedQuestion,
    PlannedSection,
    PlannedTerm,
    QuestionFindings,
    Questions,
    Reading,
    Reference,
    Review,
    SectionText,
    SentenceEvidence,
    Source,
    UnreadSource,
    UnusedSource,
)
from agents.costs.usage import Usage
from agents.text.planned_outline import planned_outline
from articles.models import Article
from articles.runs.findings import numbered_findings
from articles.runs.journal import complete_run
from articles.runs.lease import Claim
from articles.runs.step_writer import PlanChanged, write_changes
from tests.browser.threads import in_thread
from tests.factories import claim, make_article, step_completed, step_started

TITLE = "Rooftop gardens: what the evidence says"
SECTIONS = {
    "Why rooftops matter": "What there is to gain, and for whom.",
    "Choosing a site": "Load, access, water and wind, in this order.",
    "What it costs": "What a square metre costs to build, and to keep.",
    "Who keeps it going": "What gardens that last have in common.",
}
TEXTS = [
    "Flat roofs are the largest unused surface of a city. Surveys of three councils put the usable area at 8–12 % of the "
    "built footprint [S1], and summer readings show planted roofs **11 °C cooler** at the surface [S2].\n\nNone of that is "
    "new. What has changed is that cities have begun to count what the heat costs them [S1, S3].",
    "Start with load. A saturated bed weighs 95–180 kg per square metre, so ask a structural engineer before you ask a "
    "gardener [S4]. Access, water and wind come next; light is rarely the limit.\n\n- A staircase that takes a barrow\n- A "
    "tap within 20 m\n- A parapet, or a rail of 110 cm",
    "Extensive planting costs from £60 a square metre and intensive beds from £150, most of it for waterproofing and "
    "structure [S5]. Upkeep is the larger bill in the long run: about two hours a square metre in the first year, and half "
    "of that once it is established.",
    "Most groups that last beyond the second season share three traits: a written lease, a named budget-holder and a rota "
    "that somebody keeps [S6]. Where one of the three is missing, the garden rarely sees a fourth summer [S6].",
]
CONTENT = """Flat roofs are the largest unused surface of a city. Three surveys, two budgets and one very hot July say what it
takes to change that.

## Why rooftops matter

Surveys of three councils put the usable area at 8–12 % of the built footprint,[^1] and summer readings show planted
roofs **11 °C cooler** at the surface.[^2] None of that is new. What has changed is that cities have begun to count
what the heat costs them.[^1]

> A roof is the one plot in the city that nobody has to be moved from.

## Choosing a site

Start with load. A saturated bed weighs 95–180 kg per square metre, so ask a structural engineer before you ask a
gardener.[^2] Access, water and wind come next; light is rarely the limit.

| Planting | Load, kg/m² | From, £/m² |
|:--|--:|--:|
| Extensive | 60–150 | 60 |
| Intensive | 180–500 | 150 |

## Who keeps it going

Most groups that last beyond the second season share three traits: a written lease, a named budget-holder and a rota
that somebody keeps.[^3] Where one of the three is missing, the garden rarely sees a fourth summer.

[^1]: City roofs surveyed. <https://example.org/roofs> (read 22 November 2026)
[^2]: Planted roofs in summer. <https://example.org/heat> (read 22 November 2026)
[^3]: Notes of a community gardener (read 22 November 2026)
"""
SEO_FOUND = SEO(
    title="Rooftop Gardens: What the Evidence Says",
    meta_description="Flat roofs are a city’s largest unused surface. What surveys, budgets and summer readings say about"
    " planting them, and what makes a garden last.",
    slug="rooftop-gardens-evidence",
    keywords=["rooftop garden", "green roof cost", "urban heat", "community garden"],
)
PASSAGES = [
    "Surveys of three councils put the usable area of flat roofs at 8–12 % of the built footprint.",
    "At the surface, planted roofs were 11 °C cooler on the hottest days of July.",
    "The city puts the cost of its last heat wave at £4.1 million.",
    "A saturated bed weighs between 95 and 180 kg per square metre.",
    "Extensive planting begins at £60 a square metre, intensive beds at £150.",
    "Of 41 groups, those that lasted had a written lease, a named budget-holder and a rota.",
]
QUESTIONS = [
    "How much usable roof does a city have, and what does it bear?",
    "What do planted roofs change in summer, and at what price?",
    "Which gardens are still there after five years?",
]
FOUND = [
    [
        Finding(
            statement="Flat roofs make up 8–12 % of the built footprint.", kind="figure", date="2025", sources=["S1"]
        ),
        Finding(statement="A saturated bed weighs 95–180 kg per square metre.", kind="figure", sources=["S4"]),
    ],
    [
        Finding(
            statement="Planted roofs are 11 °C cooler on the hottest days.", kind="figure", date="2026", sources=["S2"]
        ),
        Finding(statement="Planting begins at £60 a square metre.", kind="figure", date="March 2021", sources=["S5"]),
        Finding(
            statement="One source puts the upkeep at two hours a square metre, another at one: it leaves out watering.",
            kind="disagreement",
            sources=["S5", "S6"],
        ),
    ],
    [
        Finding(statement="Those with a written lease, a named budget-holder and a rota last.", sources=["S6"]),
        Finding(statement="No source says what the insurance costs.", kind="open"),
    ],
]
"""By group of sources."""
OWNED = [[1, 3], [2], [4, 5], [6]]
ANSWER = "Yes, if the roof bears 180 kg per square metre and somebody is named to keep it. Planting begins at £60 a square metre."
POSITION = "Ask an engineer before a gardener, and plant nothing without a lease."
READERS_ASK = [
    (1, "What do I gain from it?"),
    (2, "Does my roof bear it?"),
    (3, "What does a square metre cost?"),
    (4, "Who waters it in August?"),
]
"""The number of the section that answers each question of the readers."""
EVIDENCE = [
    SentenceEvidence(
        section=1,
        sentence="Surveys of three councils put the usable area at 8–12 % of the built footprint, and summer readings show"
        " planted roofs 11 °C cooler at the surface.",
        passages=["S1", "S2"],
        verdict="supported",
        judged_by="model",
    ),
    SentenceEvidence(
        section=1,
        sentence="What has changed is that cities have begun to count what the heat costs them.",
        passages=["S1", "S3"],
        verdict="partly",
        judged_by="model",
        reason="Its sources say only part of this.",
    ),
    SentenceEvidence(
        section=2,
        sentence="A saturated bed weighs 95–180 kg per square metre, so ask a structural engineer before you ask a gardener.",
        passages=["S4"],
        verdict="supported",
        judged_by="code",
        was="A saturated bed weighs up to 250 kg per square metre, so ask an engineer before you ask a gardener.",
    ),
    SentenceEvidence(
        section=3,
        sentence="Extensive planting costs from £60 a square metre and intensive beds from £150, most of it for waterproofing"
        " and structure.",
        passages=["S5"],
        verdict="supported",
        judged_by="model",
    ),
    SentenceEvidence(
        section=4,
        sentence="Most groups that last beyond the second season share three traits: a written lease, a named budget-holder"
        " and a rota that somebody keeps.",
        passages=["S6"],
        verdict="supported",
        judged_by="model",
    ),
    SentenceEvidence(
        section=4,
        sentence="Where one of the three is missing, the garden rarely sees a fourth summer.",
        passages=["S6"],
        verdict="not",
        judged_by="code",
        reason="The number fourth does not appear in the passages it cites.",
    ),
]
"""Of ``TEXTS``; the third section's sentence does not stand in ``CONTENT``, as if a person had taken it out."""


def plan() -> Plan:
    sections = [
        PlannedSection(heading=heading, purpose=purpose, form="prose", words=250, findings=owned)
        for (heading, purpose), owned in zip(SECTIONS.items(), OWNED, strict=True)
    ]
    sections[2].form = "table"
    left_out = DismissedFinding(finding=7, reason="Nothing can be said about it.")
    return Plan(
        answer=ANSWER,
        position=POSITION,
        title=TITLE,
        questions=[PlannedQuestion(question=question, section=section) for section, question in READERS_ASK],
        terms=[PlannedTerm(term="saturated bed", section=2)],
        sections=sections,
        dismissed=[left_out],
    )


def findings() -> list[Finding]:
    return numbered_findings(map(found, range(1, len(FOUND) + 1)))


def outline() -> Outline:
    return planned_outline(plan(), findings(), 1000)


def found(number: int) -> QuestionFindings:
    return QuestionFindings(findings=FOUND[number - 1])


def checked(number: int) -> CheckedText:
    return CheckedText(markdown=TEXTS[number - 1], evidence=[row for row in EVIDENCE if row.section == number])


def reading() -> Reading:
    read = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    known = [
        ("City roofs surveyed", "https://example.org/roofs", "Office for Urban Planning", "2025-03-11", None),
        ("Planted roofs in summer", "https://example.org/heat", "", "2026-09-02", None),
        ("Notes of a community gardener", "", "", "", 1),
    ]
    sources = [
        Source(
            number=number, title=title, url=url, author=author, date=date, read_at=read, sha256="0" * 64,
            excerpt=PASSAGES[2 * number - 2], words=1840 - 400 * number, brief_source=brief,
        )
        for number, (title, url, author, date, brief) in enumerate(known, 1)
    ]  # fmt: skip
    passages = [
        Passage(id=f"S{number}", source=(number + 1) // 2, start=0, end=len(text), text=text)
        for number, text in enumerate(PASSAGES, 1)
    ]
    refused = UnreadSource(
        title="Roof loads", url="https://example.org/loads", reason="The site answered 403: it wants no robots."
    )
    return Reading(sources=sources, passages=passages, unread=[refused])


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
    do(held, "edit:review", Review(remarks=[]), "Reviewing the whole article", "Article reviewed, 1 remark")
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
        findings=Findings(synthesis=ANSWER, findings=findings()), questions=QUESTIONS, references=references,
        unused_sources=[UnusedSource(source=3, title="Old notes", reason="Nothing was found in it that the article needs.")],
        evidence=evidence,
    )  # fmt: skip
    complete_run(held, manuscript, notice=notice)
