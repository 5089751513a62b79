"""What the crew made in each step of the article that pages show."""

from __future__ import annotations

from datetime import UTC, datetime

from agents.contract import (
    SEO,
    CheckedText,
    DismissedFinding,
    Finding,
    Outline,
    Passage,
    Plan,
    PlannedQuestion,
    PlannedSection,
    PlannedTerm,
    QuestionFindings,
    Reading,
    SentenceEvidence,
    Source,
    UnreadSource,
)
from agents.text.planned_outline import planned_outline
from articles.runs.findings import numbered_findings

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
roofs **11 °C cooler** at the surface.[^2]

None of that is new.

What has changed is that cities have begun to count what the heat costs them.[^1]

> A roof is the one plot in the city that nobody has to be moved from.

## Choosing a site

Start with load.

A saturated bed weighs 95–180 kg per square metre, so ask a structural engineer before you ask a gardener.[^2]
Access, water and wind come next; light is rarely the limit.

| Planting | Load, kg/m² | From, £/m² |
|:--|--:|--:|
| Extensive | 60–150 | 60 |
| Intensive | 180–500 | 150 |

## Who keeps it going

Most groups that last beyond the second season share three traits: a written lease, a named budget-holder and a rota
that somebody keeps. Where one of the three is missing, the garden rarely sees a fourth summer.[^3]

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
    return planned_outline(plan(), findings(), 1000, to_approve=False)


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
            excerpt=PASSAGES[(0, 1, 4)[number - 1]], words=1840 - 400 * number, brief_source=brief,
        )
        for number, (title, url, author, date, brief) in enumerate(known, 1)
    ]  # fmt: skip
    passages = [
        Passage(id=f"S{number}", source=source, start=0, end=len(text), text=text)
        for number, (source, text) in enumerate(zip((1, 2, 1, 2, 3, 3), PASSAGES, strict=True), 1)
    ]
    refused = UnreadSource(
        title="Roof loads", url="https://example.org/loads", reason="The site answered 403: it wants no robots."
    )
    return Reading(sources=sources, passages=passages, unread=[refused])
