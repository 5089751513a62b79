"""One editor reads the whole article once more, after others worked at it side by side."""

from __future__ import annotations

from agents.crew.crew import StudioCrew
from agents.pipeline.edit import proofread
from agents.pipeline.write import Draft
from tests import prompts
from tests.agents.recipes import MemoryJournal, edits, make_context, outline_of
from tests.model_server import ModelServer

DRAFT = Draft(
    outline_of("Rain", "Heat"),
    "A roof holds 60 litres a year.",
    [
        "It holds 60 litres in a day [S1]. That is much.",
        "Rooms below it stay cool in July [S2]. Nobody measured how cool.",
    ],
)


async def test_it_mends_any_section_and_the_introduction(crew: StudioCrew, model_server: ModelServer) -> None:
    lead, rain = ("60 litres a year", "60 litres a day"), ("That is much.", "")
    answer = (
        edits(lead, section=0).removesuffix("]}") + ", " + edits(rain, section=1).removeprefix('{"replacements": [')
    )
    model_server.fail(match=prompts.PROOFREAD, text=answer)
    journal = MemoryJournal()
    made = await proofread(make_context(crew, journal=journal), DRAFT)
    assert made.lead == "A roof holds 60 litres a day."
    assert made.texts == ["It holds 60 litres in a day [S1].", DRAFT.texts[1]]
    assert journal.messages["edit:proofread"] == "Proofread, 2 changes"
    assert set(journal.done) == {"edit:proofread", "edit:corrected", "edit:corrected:1"}
    prompt = model_server.prompts(prompts.PROOFREAD)[0]
    assert DRAFT.lead in prompt
    assert all(text in prompt for text in DRAFT.texts)


async def test_title_and_headings_are_replaced_as_well(crew: StudioCrew, model_server: ModelServer) -> None:
    title, heading = (DRAFT.outline.title, "Roofs hold a day's rain"), ("Rain", "What a day brings")
    answer = (
        edits(title, section=0).removesuffix("]}") + ", " + edits(heading, section=1).removeprefix('{"replacements": [')
    )
    model_server.fail(match=prompts.PROOFREAD, text=answer)
    journal = MemoryJournal()
    made = await proofread(make_context(crew, journal=journal), DRAFT)
    assert made.outline.title == "Roofs hold a day's rain"
    assert [section.heading for section in made.outline.sections] == ["What a day brings", "Heat"]
    assert (made.lead, made.texts) == (DRAFT.lead, DRAFT.texts)
    assert set(journal.done) == {"edit:proofread"}


async def test_a_section_that_does_not_exist_is_ignored(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=prompts.PROOFREAD, text=edits(("That is much.", "It is much."), section=3))
    assert await proofread(make_context(crew), DRAFT) == DRAFT


async def test_a_resumed_run_does_not_read_it_again(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.fail(match=prompts.PROOFREAD, text=edits(("That is much.", "It is much.")))
    context = make_context(crew)
    assert await proofread(context, DRAFT) == await proofread(context, DRAFT) != DRAFT
    assert len(model_server.calls) == 1
