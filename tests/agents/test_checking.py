"""The evidence check: sentences that cite, held against what they cite."""

from __future__ import annotations

import json

from agents.contract import Manuscript, Outline, OutlineSection
from agents.crew.crew import StudioCrew
from agents.pipeline.context import RunContext
from agents.pipeline.evidence import check_section, checked
from agents.pipeline.recipe import produce, resize_and_check
from tests.agents.recipes import BRIEF, TEXT, MemoryJournal, dependencies, reading
from tests.model_server import ModelServer

CHECK, REWORD = "Check what an article cites", "say what the passages they cite do not say"
FILLERS = (
    "Nothing is cited in what opens this article, and that is well as it is. " * 14,
    "Here somebody tells at leisure how a morning in the garden begins and ends. " * 15,
    "Whoever reads on to the last part learns what the neighbours came to think. " * 15,
)
NO_REMARKS = '{"remarks": []}'


async def article_with(crew: StudioCrew, server: ModelServer, sentence: str) -> Manuscript:
    """An article whose first section opens with ``sentence``; nothing else in it cites anything."""
    server.fail(match="Read this article as its readers will", text=NO_REMARKS)
    for number, filler in enumerate(FILLERS, 1):
        server.fail(match=f"Your section is number {number}:", text=f"{sentence} {filler}" if number == 1 else filler)
    return await produce(BRIEF, MemoryJournal(), dependencies(crew))


async def test_words_that_stand_in_the_passage_need_no_judge(crew: StudioCrew, model_server: ModelServer) -> None:
    first = TEXT.split(". ")[0]
    (row,) = (await article_with(crew, model_server, f"{first} [S1].")).evidence
    assert (row.verdict, row.judged_by, row.section, row.passages) == ("supported", "code", 1, ["S1"])
    assert row.sentence == f"{first}."
    assert not model_server.prompts(CHECK)


async def test_a_figure_that_is_not_in_the_passage_is_reworded(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=REWORD, text=json.dumps({"s1": "A planted roof holds 60 % of what a summer rains."}))
    model_server.choices.add("supported")
    made = await article_with(crew, model_server, "A planted roof holds 90 % of a summer's rain [S1].")
    (row,), content = made.evidence, made.content
    assert "90" in model_server.prompts(REWORD)[0]
    assert (row.verdict, row.judged_by) == ("supported", "model")
    assert row.was == "A planted roof holds 90 % of a summer's rain."
    assert "A planted roof holds 60 % of what a summer rains.[^1]" in content
    assert "90 %" not in content


async def test_what_is_still_not_supported_is_marked(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.choices.add("not")
    model_server.fail(match=REWORD, text=json.dumps({"s1": "Roofs were invented by the people of the river valley."}))
    made = await article_with(crew, model_server, "Roofs make the people below them happy and rich [S1].")
    (row,), content = made.evidence, made.content
    assert (row.verdict, row.judged_by) == ("not", "model")
    assert row.reason
    assert row.sentence == "Roofs were invented by the people of the river valley."
    assert row.sentence.rstrip(".") in content
    assert len(model_server.prompts(REWORD)) == 1, "it is reworded once"


async def test_what_is_partly_supported_stays_and_is_reported(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.choices.add("partly")
    made = await article_with(crew, model_server, "Roofs make people below them happy [S1].")
    assert [row.verdict for row in made.evidence] == ["partly"]
    assert not model_server.prompts(REWORD)
    assert any("before publishing" in notice for notice in made.notices)


async def test_each_verdict_is_of_its_own_sentence(crew: StudioCrew, model_server: ModelServer) -> None:
    known = TEXT.split(". ")[0]
    model_server.fail(match=CHECK, text=json.dumps({"s1": "partly", "s2": "supported"}))
    text = f"Roofs make people happy [S1]. {known} [S1]. Roofs make cities rich [S1]."
    made = await article_with(crew, model_server, text)
    assert [(row.verdict, row.judged_by) for row in made.evidence] == [
        ("partly", "model"),
        ("supported", "code"),
        ("supported", "model"),
    ]


async def test_only_cited_passages_are_shown_to_the_judge(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.choices.add("supported")
    await article_with(crew, model_server, "Roofs make people happy [S2].")
    (prompt,) = model_server.prompts(CHECK)
    assert "[S2]\n<<<" in prompt
    assert "[S1]\n<<<" not in prompt


async def test_under_garbage_every_marker_still_resolves(crew: StudioCrew, model_server: ModelServer) -> None:
    """A judge and a rewording that answer nonsense leave the text and its citations in order."""
    model_server.choices.add("not")
    nonsense = {f"s{number}": "## Heading\n\n[S99] ``` [^4]" for number in range(1, 30)}
    model_server.fail(match=REWORD, text=json.dumps(nonsense), times=1)
    made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
    assert "S99" not in made.content
    assert "[^4]" not in made.content.replace("[^4]:", "") or any(ref.number == 4 for ref in made.references)
    assert made.content.count("\n## ") + 1 == len(made.outline.sections)


async def test_rewordings_in_another_language_are_not_taken(crew: StudioCrew, model_server: ModelServer) -> None:
    claims = [
        f"Những khu vườn trên mái nhà làm cho {n} người dân sống bên dưới rất vui và giàu có [S1]."
        for n in range(90, 93)
    ]
    model_server.choices.add("supported")
    english = "Roofs make the people who live below them very happy and very rich in the end."
    model_server.fail(match=REWORD, text=json.dumps({f"s{number}": english for number in range(1, 4)}))
    context = RunContext(BRIEF.model_copy(update={"language": "vi"}), MemoryJournal(), dependencies(crew))
    text = " ".join(claims)
    made = await checked(context, 1, text, {passage.id: passage for passage in reading().passages})
    assert len(model_server.prompts(REWORD)) == 1
    assert made.markdown == text
    assert [(row.verdict, row.was) for row in made.evidence] == [("not", "")] * 3


async def test_of_a_section_that_was_added_to_only_the_addition_is_judged(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    model_server.choices.add("supported")
    old, new = "Roofs make the people below them happy [S1].", "Gardens make those who walk by stop and look up [S2]."
    outline = Outline(title="Roofs", sections=[OutlineSection(heading="Who gains", words=40)] * 2)
    context = RunContext(BRIEF, MemoryJournal(), dependencies(crew))
    before = await check_section(context, outline, reading(), 1, old)
    made = await check_section(context, outline, reading(), 1, f"{old}\n\n{new}", "edit:evidence:1:again-1", before)
    first, second = model_server.prompts(CHECK)
    assert "happy" in first
    assert "happy" not in second
    assert "look up" in second
    assert made.markdown == f"{old}\n\n{new}"
    assert [(row.passages, row.verdict) for row in made.evidence] == [(["S1"], "supported"), (["S2"], "supported")]


async def test_a_section_that_is_brought_back_is_checked_for_what_is_new_alone(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    model_server.choices.add("supported")
    old, new = "Roofs make the people below them happy [S1].", "Gardens make those who walk by stop and look up [S2]."
    outline = Outline(title="Roofs", sections=[OutlineSection(heading="Who gains", words=40)] * 2)
    context = RunContext(BRIEF, MemoryJournal(), dependencies(crew))
    before = await check_section(context, outline, reading(), 1, old)
    model_server.fail(match="too short by a paragraph", text=new)
    made = await resize_and_check(context, outline, reading(), 1, before, 18, attempt=1)
    assert made.markdown == f"{old}\n\n{new}"
    assert ["happy" in prompt for prompt in model_server.prompts(CHECK)] == [True, False]
    model_server.fail(match="too short by a paragraph", text="Whoever walks by, and then the")
    assert await resize_and_check(context, outline, reading(), 1, before, 18, attempt=2) == before
    assert len(model_server.prompts(CHECK)) == 2, "what is as it was is not checked again"
