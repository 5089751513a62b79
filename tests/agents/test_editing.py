"""Editing: what editors are shown, and which of their replacements are made."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from agents.contract import Finding, Voice
from agents.crew.crew import StudioCrew
from agents.pipeline.edit import MOST_ADDED, MOST_UNUSED, improve, measurements, unused_material
from agents.pipeline.recipe import produce
from agents.pipeline.write import Draft
from agents.text.length import EDITED_SHARE
from tests import prompts
from tests.agents.recipes import (
    BRIEF,
    MemoryJournal,
    dependencies,
    draft_of,
    edits,
    make_context,
    outline_of,
    reading,
    sentences_judged,
)
from tests.agents.test_finding import several
from tests.model_server import ModelServer

OUTLINE = outline_of("What roofs hold", "Who pays", words=40)
TEXT = (
    "A planted roof holds most of the rain [S1]. The rooms below it stay cooler in July [S2].\n\n"
    "An engineer looks at the beams first. Whoever lives below is asked before anything is carried up the stairs."
)
LEAD = "Whoever has a flat roof can plant it, if the beams bear a wet bed. An engineer tells you which do."
VIETNAMESE = (
    "Những khu vườn trên mái nhà giúp thành phố mát hơn vào mùa hè và giữ lại nước mưa. Người dân sống bên dưới được hưởng lợi"
    " từ bóng râm và không khí trong lành hơn. Trước khi mang đất lên mái, kỹ sư phải kiểm tra các dầm chịu lực. "
)


async def edited(crew: StudioCrew, server: ModelServer, answer: str, text: str = TEXT, **brief: Any) -> str:
    server.fail(match=prompts.EDIT, text=answer)
    draft, _ = await improve(make_context(crew, **brief), Draft(OUTLINE, "", [text, TEXT]), [])
    first, second = draft.texts
    assert second == TEXT
    return first


def measured(crew: StudioCrew, *texts: str, findings: tuple[Finding, ...] = (), **brief: Any) -> str:
    context = make_context(crew, **brief)
    texts = texts if len(texts) > 1 else (*texts, "Another section.")
    return "\n".join([*measurements(context, texts), *unused_material(context, findings, texts)])


class TestImprove:
    async def test_every_part_is_improved_and_every_sentence_judged(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        journal = MemoryJournal()
        context = make_context(crew, journal=journal)
        await improve(context, Draft(outline_of(*("Roof", "Wall", "Door", "Gate"), words=250), LEAD, [TEXT] * 4), [])
        assert {"edit:revise:1", "edit:revise:3", "edit:verdicts:1", "edit:verdicts:3"} <= set(journal.done)

    async def test_the_verdicts_on_the_draft_are_known_afterwards(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.EDIT, text=edits())
        judged = sentences_judged("supported", "partly", "supported", instead="Milder.")
        model_server.fail(match=prompts.JUDGE, text=judged)
        _, known = await improve(make_context(crew), Draft(OUTLINE, "", [TEXT, "Tenants pay for it [S3]."]), [])
        assert Counter(each.verdict for each in known.values()) == {"supported": 2, "partly": 1}

    async def test_what_is_cited_nowhere_is_named(self, crew: StudioCrew, model_server: ModelServer) -> None:
        context = make_context(crew, several(3))
        context.show(context.reading, context.reading.passages)
        await improve(context, Draft(OUTLINE, "It is cited above [S3].", ["Nothing is cited.", "Nor here [S2]."]), [])
        (prompt,) = model_server.prompts(prompts.EDIT)
        assert "Source 1, Survey 1, is cited nowhere." in prompt
        task = prompt.partition("YOUR TASK")[2]
        assert not any(f"Source {number}, Survey {number}," in task for number in (2, 3))

    async def test_an_editor_is_told_how_long_the_part_is_and_should_be(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        await improve(make_context(crew), Draft(OUTLINE, "", [TEXT, "Word " * 90]), [])
        (prompt,) = model_server.prompts(prompts.EDIT)
        assert re.search(rf"this part has 1\d\d words and should have {round(80 * EDITED_SHARE)}: .* shorter", prompt)
        model_server.reset()
        longer = outline_of("A roof", "A wall", words=400)
        await improve(make_context(crew), Draft(longer, "", [TEXT, "Word " * 90]), [])
        most = f"words and may have {round(400 * EDITED_SHARE)} at most"
        assert any(most in prompt for prompt in model_server.prompts(prompts.EDIT))

    async def test_the_built_in_writer_is_not_edited(self) -> None:
        context = make_context(StudioCrew.without_model())
        object.__setattr__(context.dependencies, "has_model", False)
        draft = Draft(OUTLINE, "", [TEXT, TEXT])
        assert await improve(context, draft, []) == (draft, {})


class TestMeasured:
    """What code can see is given to the editors."""

    def test_findings_that_nobody_uses(self, crew: StudioCrew) -> None:
        findings = (
            Finding(number=1, statement="Roofs hold rain.", sources=["S1"]),
            Finding(number=2, statement="Rooms stay cool.", sources=["S2", "S3"]),
            Finding(number=3, statement="Nobody measured noise.", kind="open"),
            Finding(number=9, statement="It was so in 1998.", sources=["S4"]),
        )
        text = measured(crew, "It holds rain [S1].", findings=findings)
        assert "Not used: Rooms stay cool. [S2, S3]" in text
        assert text.count("Not used: ") == 2, "not what is used or open"

    @pytest.mark.parametrize(
        ("cited", "is_named"), [("[S1]", True), ("[S2]", True), ("", True), ("[S1, S2]", False), ("[S2] [S1]", False)]
    )
    def test_a_disagreement_that_is_not_shown_or_on_one_side_only(
        self, crew: StudioCrew, cited: str, is_named: bool
    ) -> None:
        both = Finding(number=1, statement="60 or 80 %.", kind="disagreement", sources=["S1", "S2"])
        text = measured(crew, f"A roof holds 60 % {cited}.", findings=(both,))
        assert ("Not shown, or on one side only: 60 or 80 %. [S1, S2]" in text) == is_named
        assert "Not used" not in text

    def test_a_few_findings_with_the_disagreements_first(self, crew: StudioCrew) -> None:
        facts = [Finding(number=n, statement=f"Fact {n}.", sources=["S2"]) for n in range(1, MOST_UNUSED + 3)]
        both = Finding(number=40, statement="60 or 80 %.", kind="disagreement", sources=["S1", "S2"])
        text = measured(crew, "It holds rain [S1].", findings=(*facts, both))
        assert text.index("60 or 80 %.") < text.index("Fact 1.")
        assert text.count("Not used: ") == MOST_UNUSED - 1

    def test_sources_that_are_not_cited(self, crew: StudioCrew) -> None:
        context = make_context(crew, several(3))
        text = "\n".join(unused_material(context, [], ["Roofs hold rain [S2].", "They do."]))
        assert "Source 1, Survey 1, is cited nowhere." in text
        assert "Source 3, Survey 3, is cited nowhere." in text
        assert "Source 2" not in text

    def test_arithmetic_that_is_wrong(self, crew: StudioCrew) -> None:
        text = measured(crew, "That is about 900 a year (60 × 60).", "That is 3,600 a year (60 × 60).")
        assert "Section 1: “That is about 900 a year (60 × 60)." in text
        assert "Section 2: “" not in text

    def test_sections_that_say_the_same(self, crew: StudioCrew) -> None:
        same = "Roofs hold the rain of a whole summer night, and let it go by morning. " * 4
        assert "Sections 1 and 3 say nearly the same" in measured(crew, same, "An engineer looks at beams.", same)

    def test_words_that_the_voice_avoids(self, crew: StudioCrew) -> None:
        voice = Voice(name="House", avoid=["leverage"])
        text = measured(crew, "Cities leverage their roofs.", "They do not.", voice=voice)
        assert "Section 1 uses words the voice avoids: leverage." in text

    async def test_all_of_it_is_in_the_prompt(self, crew: StudioCrew, model_server: ModelServer) -> None:
        texts = ["At 3 a day that is 10 (3 × 3).", "They do."]
        finding = Finding(number=1, statement="Rooms stay cool.", sources=["S2"])
        await improve(make_context(crew), Draft(OUTLINE, "", texts), [finding])
        (prompt,) = model_server.prompts(prompts.EDIT)
        assert "Not used: Rooms stay cool. [S2]" in prompt
        assert "Section 1: “At 3 a day that is 10 (3 × 3).”" in prompt


class TestEdits:
    async def test_replacements_are_made(self, crew: StudioCrew, model_server: ModelServer) -> None:
        pairs = ("most of the rain [S1]", "60 % of the rain [S1]"), ("An engineer looks at the beams first. ", "")
        made = await edited(crew, model_server, edits(*pairs))
        assert made == TEXT.replace("most of", "60 % of").replace("An engineer looks at the beams first. ", "")
        (prompt,) = model_server.prompts(prompts.EDIT)
        assert TEXT in prompt

    async def test_the_message_gives_the_number_of_changes(self, crew: StudioCrew, model_server: ModelServer) -> None:
        answer = edits(("most of the rain", "60 % of the rain"), ("Nowhere to be found", "Something"))
        model_server.fail(match=prompts.EDIT, text=answer)
        journal = MemoryJournal()
        await improve(make_context(crew, journal=journal), Draft(OUTLINE, "", [TEXT, TEXT]), [])
        assert journal.messages["edit:revise:1"] == "All 2 sections improved, 2 changes"
        assert journal.messages["edit:1"] == "“What roofs hold” revised, 1 change"

    @pytest.mark.parametrize(
        "pair",
        [
            ("Nowhere to be found in it", "Something"),
            ("the", "a"),
            (TEXT, ""),
            (TEXT, "Nobody pays."),
            (TEXT, VIETNAMESE),
            ("carried up the stairs.", "carried up the stairs, and then the"),
            ("An engineer looks at the beams first.", TEXT * 4),
        ],
        ids=[
            "nowhere",
            "ambiguous",
            "all deleted",
            "a remainder",
            "another language",
            "breaks off",
            "several times as long",
        ],
    )
    async def test_one_that_is_ambiguous_or_does_harm_is_not_made(
        self, crew: StudioCrew, model_server: ModelServer, pair: tuple[str, str]
    ) -> None:
        assert await edited(crew, model_server, edits(pair)) == TEXT

    async def test_one_that_cannot_be_made_does_not_stop_the_others(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        answer = edits((TEXT, ""), ("most of the rain", "60 % of the rain"))
        assert await edited(crew, model_server, answer) == TEXT.replace("most of", "60 % of")

    async def test_a_section_may_become_shorter(self, crew: StudioCrew, model_server: ModelServer) -> None:
        made = await edited(crew, model_server, edits((TEXT.partition("\n\n")[2], "An engineer looks first.")))
        assert made == f"{TEXT.partition(chr(10))[0]}\n\nAn engineer looks first."

    async def test_headings_that_are_put_in_stay_below_that_of_the_section(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        made = await edited(
            crew, model_server, edits(("An engineer looks at the beams first.", "## Beams\n\nAn engineer looks."))
        )
        assert made == TEXT.replace("An engineer looks at the beams first.", "### Beams\n\nAn engineer looks.")

    async def test_ids_that_were_never_read_are_not_put_in(self, crew: StudioCrew, model_server: ModelServer) -> None:
        made = await edited(crew, model_server, edits(("most of the rain [S1]", "60 % of the rain [S1][S99]")))
        assert made == TEXT.replace("most of", "60 % of")

    async def test_no_replacement_leaves_the_text(self, crew: StudioCrew, model_server: ModelServer) -> None:
        assert await edited(crew, model_server, edits()) == TEXT

    async def test_the_editor_of_a_part_sees_all_and_changes_nothing_else(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        outline, texts = outline_of(*("Roof", "Wall", "Door", "Gate"), words=250), [f"{TEXT} {n}." for n in range(4)]
        own, others = edits(("most of the rain", "60 % of the rain")), edits(("stay cooler", "stay cool"), section=1)
        for part, other in zip(("the introduction and sections 1 to 2", "sections 3 to 4"), (own, others), strict=True):
            model_server.fail(match=f"replacements: {part}", text=other)
        made, _ = await improve(make_context(crew), Draft(outline, LEAD, texts), [])
        assert made.texts == [texts[0].replace("most of", "60 % of"), *texts[1:]]
        assert all(text in prompt for text in texts for prompt in model_server.prompts(prompts.EDIT))

    @pytest.mark.parametrize(
        ("put", "approved", "heading"),
        [
            ("## What roofs may hold.", False, "What roofs may hold"),
            ("What roofs may hold", True, OUTLINE.sections[0].heading),
            ("", False, OUTLINE.sections[0].heading),
        ],
        ids=["replaced", "approved by a person", "deleted"],
    )
    async def test_a_heading_is_replaced_unless_a_person_approved_it(
        self, crew: StudioCrew, model_server: ModelServer, put: str, approved: bool, heading: str
    ) -> None:
        model_server.fail(match=prompts.EDIT, text=edits(("1. What roofs hold", put)))
        context = make_context(crew, approve_outline=approved)
        made, _ = await improve(context, Draft(OUTLINE, LEAD, [TEXT, TEXT]), [])
        assert [section.heading for section in made.outline.sections] == [heading, "Who pays"]
        assert (made.lead, made.texts) == (LEAD, [TEXT, TEXT])

    @pytest.mark.parametrize(
        ("put", "approved", "title"),
        [
            ("# Roofs pay in summer", False, "Roofs pay in summer"),
            ("Roofs pay in summer", True, OUTLINE.title),
            ("", False, OUTLINE.title),
        ],
        ids=["replaced", "approved by a person", "deleted"],
    )
    async def test_the_title_is_replaced_as_section_0_unless_a_person_approved_it(
        self, crew: StudioCrew, model_server: ModelServer, put: str, approved: bool, title: str
    ) -> None:
        model_server.fail(match=prompts.EDIT, text=edits((f"# {OUTLINE.title}", put), section=0))
        context = make_context(crew, approve_outline=approved)
        made, _ = await improve(context, Draft(OUTLINE, LEAD, [TEXT, TEXT]), [])
        assert made.outline.title == title
        assert (made.lead, made.texts) == (LEAD, [TEXT, TEXT])

    @pytest.mark.parametrize(("added", "grows"), [(MOST_ADDED - 10, True), (MOST_ADDED + 10, False)])
    async def test_a_short_section_may_grow_by_some_words(
        self, crew: StudioCrew, model_server: ModelServer, added: int, grows: bool
    ) -> None:
        """A share of a short section is no room for what it lacks."""
        short = "Roofs hold rain [S1]."
        longer = f"{short} {'Gardens on it hold more of the rain that falls. ' * round(added / 10)}".strip()
        model_server.fail(match=prompts.EDIT, text=edits((short, longer)))
        made, _ = await improve(make_context(crew), Draft(OUTLINE, LEAD, [short, TEXT]), [])
        assert (made.texts[0] == longer) == grows

    async def test_the_introduction_is_edited_as_section_0(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.EDIT, text=edits(("can plant it", "may plant it"), section=0))
        journal = MemoryJournal()
        made, _ = await improve(make_context(crew, journal=journal), Draft(OUTLINE, LEAD, [TEXT, TEXT]), [])
        assert (made.lead, made.texts) == (LEAD.replace("can plant", "may plant"), [TEXT, TEXT])
        assert journal.messages["edit"] == "“Introduction” revised, 1 change"
        (prompt,) = model_server.prompts(prompts.EDIT)
        assert f"# {OUTLINE.title}\n\n{LEAD}\n\n## 1. " in prompt
        assert "section (0 for the introduction)" in prompt

    async def test_the_editor_of_a_later_part_does_not_change_the_introduction(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        outline = outline_of(*("Roof", "Wall", "Door", "Gate"), words=250)
        model_server.fail(match="the introduction and sections 1 to 2", text=edits())
        changed = edits(("can plant it", "may plant it"), section=0)
        model_server.fail(match="replacements: sections 3 to 4", text=changed)
        made, _ = await improve(make_context(crew), Draft(outline, LEAD, [TEXT] * 4), [])
        assert made.lead == LEAD

    async def test_an_edit_of_an_older_version_is_read(self, crew: StudioCrew, model_server: ModelServer) -> None:
        older: dict[str, dict[str, object]] = {"edit:1": {"markdown": "As it was edited."}}
        done = {"edit:revise:1": {"replacements": [], "declined": ["No."]}, "edit:verdicts:1": {}}
        journal = MemoryJournal(done=older | done)
        made, _ = await improve(make_context(crew, journal=journal), Draft(OUTLINE, "", [TEXT, TEXT]), [])
        assert made.texts == ["As it was edited.", TEXT]
        assert model_server.calls == []


async def test_remaining_repetition_is_reported(crew: StudioCrew, model_server: ModelServer) -> None:
    model_server.choices.add("supported")
    same = "Roofs hold the rain of a whole summer night, and let it go by morning. " * 14
    model_server.fail(match=prompts.WRITE, text=draft_of(same, same, same))
    for task in (prompts.REWRITE, prompts.EXTEND):
        model_server.fail(match=task, text=same, times=99)
    made = await produce(BRIEF, MemoryJournal(), dependencies(crew, reading()))
    assert "Sections 1 and 2 say nearly the same. Merge them, or remove one." in made.notices
