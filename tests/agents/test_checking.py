"""The evidence check: statements of fact, compared with what they rest on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agents.contract import CheckedText, Manuscript, SentenceEvidence
from agents.crew.crew import StudioCrew
from agents.pipeline.context import RunContext
from agents.pipeline.evidence import check_section, checked, judge_draft, known_verdicts
from agents.pipeline.recipe import produce, resize_and_check
from agents.pipeline.steps import StepKey
from tests import prompts
from tests.agents.recipes import (
    BRIEF,
    TEXT,
    MemoryJournal,
    dependencies,
    draft_of,
    edits,
    make_context,
    outline_of,
    sentences_judged,
)
from tests.model_server import ModelServer

FILLERS = (
    "Nothing is cited in what opens this article, and that is well as it is. " * 11,
    "Here somebody describes at leisure how a morning in the garden begins and ends. " * 12,
    "Whoever reads on to the last part learns what the neighbours came to think. " * 12,
)
"""Texts of about the length that is asked for, so that none is cut or extended."""

OUTLINE = outline_of("Who gains", "Who pays", words=40)
CLAIM = "Roofs make the people below them happy and rich [S1]."
OTHER = "Gardens make those who walk by stop and look up [S2]."
MILDER = "Roofs may make the people below them a little happier."


async def article_with(crew: StudioCrew, server: ModelServer, sentence: str) -> Manuscript:
    """An article whose first section opens with ``sentence``; nothing else in it states a fact."""
    server.fail(match=prompts.EDIT, text=edits())
    server.fail(match=prompts.WRITE, text=draft_of(f"{sentence} {FILLERS[0]}", *FILLERS[1:]))
    return await produce(BRIEF, MemoryJournal(), dependencies(crew))


def of_sections(made: Manuscript) -> list[SentenceEvidence]:
    return [row for row in made.evidence if row.section]


async def checked_text(crew: StudioCrew, text: str, **brief: Any) -> CheckedText:
    return await checked(make_context(crew, **brief), OUTLINE, 1, text)


async def test_without_sources_nothing_is_judged(crew: StudioCrew, model_server: ModelServer) -> None:
    context = make_context(crew)
    context.show(context.reading, [])
    made = await checked(context, OUTLINE, 1, "In 2024 roofs held 60 % of the rain.")
    assert made == CheckedText(markdown="In 2024 roofs held 60 % of the rain.")
    assert model_server.calls == []


class TestByCode:
    async def test_a_sentence_that_its_passage_contains_needs_no_judge(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        first = TEXT.split(". ")[0]
        (row,) = of_sections(await article_with(crew, model_server, f"{first} [S1]."))
        assert (row.verdict, row.judged_by, row.section, row.passages) == ("supported", "code", 1, ["S1"])
        assert row.sentence == f"{first}."
        assert not model_server.prompts(prompts.JUDGE)

    async def test_a_figure_that_is_not_in_the_passage_is_reworded(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        answer = sentences_judged("not", instead="A planted roof holds 60 % of what a summer rains.")
        model_server.fail(match=prompts.JUDGE, text=answer)
        model_server.choices.add("supported")
        made = await article_with(crew, model_server, "A planted roof holds 90 % of a summer's rain [S1].")
        (row,) = of_sections(made)
        assert (row.verdict, row.judged_by) == ("supported", "model")
        assert row.was == "A planted roof holds 90 % of a summer's rain."
        assert "A planted roof holds 60 % of what a summer rains.[^1]" in made.content
        assert "90 %" not in made.content

    async def test_dollars_in_a_rewording_stay_as_they_are_written(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        answer = sentences_judged("not", instead="A planted roof may cost $20 a month.")
        model_server.fail(match=prompts.JUDGE, text=answer)
        made = await checked_text(crew, "A planted roof costs $90 a month [S1].")
        assert made.markdown == "A planted roof may cost $20 a month [S1]."

    async def test_an_uncited_sentence_that_a_passage_contains_is_supported(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        made = await checked_text(crew, "A planted roof holds 60 % of a summer's rain.")
        assert [(row.verdict, row.judged_by, row.passages) for row in made.evidence] == [("supported", "code", [])]
        assert model_server.calls == []

    async def test_the_date_of_a_source_may_be_named(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.choices.add("supported")
        context = make_context(crew)
        context.reading.sources[0].date = "2019-05-31"
        made = await checked(context, OUTLINE, 1, "In 2019 a planted roof held 60 % of the rain [S1].")
        assert [(row.verdict, row.judged_by) for row in made.evidence] == [("supported", "model")]


class TestByModel:
    async def test_what_is_partly_or_not_supported_is_reworded_and_judged_again(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.JUDGE, text=sentences_judged("partly", "supported", instead=MILDER))
        model_server.fail(match=prompts.JUDGE_AGAIN, text='{"s1": "supported"}')
        made = await checked_text(crew, f"{CLAIM} {OTHER}")
        assert made.markdown == f"{MILDER.replace('.', ' [S1].')} {OTHER}"
        assert [(row.verdict, row.was) for row in made.evidence] == [
            ("supported", "Roofs make the people below them happy and rich."),
            ("supported", ""),
        ]
        (prompt,) = model_server.prompts(prompts.JUDGE_AGAIN)
        shown = prompt.partition("were rewritten")[2]
        assert "s1: Roofs may make" in shown
        assert "s2: " not in shown, "what was supported is not judged again"

    async def test_what_is_still_not_supported_is_marked(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.JUDGE, text=sentences_judged("not", instead=MILDER))
        model_server.fail(match=prompts.JUDGE_AGAIN, text='{"s1": "not"}')
        made = await article_with(crew, model_server, CLAIM)
        (row,) = of_sections(made)
        assert (row.verdict, row.judged_by, row.reason) == ("not", "model", "Its sources do not say this.")
        assert row.sentence == MILDER
        assert any("before publishing" in notice for notice in made.notices)
        again = [prompt for prompt in model_server.prompts(prompts.JUDGE_AGAIN) if MILDER.rstrip(".") in prompt]
        assert len(again) == 1, "it is reworded once"

    async def test_without_another_wording_the_sentence_stays(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.JUDGE, text=sentences_judged("partly"))
        made = await checked_text(crew, CLAIM)
        assert (made.markdown, made.evidence[0].verdict) == (CLAIM, "partly")
        assert not model_server.prompts(prompts.JUDGE_AGAIN)

    @pytest.mark.parametrize(
        ("instead", "taken"), [("Roofs may please.", False), ("Roofs may please some people.", True)]
    )
    async def test_a_remainder_of_a_sentence_is_no_rewording(
        self, crew: StudioCrew, model_server: ModelServer, instead: str, taken: bool
    ) -> None:
        model_server.fail(match=prompts.JUDGE, text=sentences_judged("not", instead=instead))
        made = await checked_text(crew, CLAIM)
        assert (made.markdown != CLAIM) is taken

    async def test_a_judge_sees_the_sentence_before(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.choices.add("supported")
        await checked_text(crew, f"{CLAIM} It pleases them in July [S2].")
        (prompt,) = model_server.prompts(prompts.JUDGE)
        before = "(before: Roofs make the people below them happy and rich.)"
        assert f"s2: {before} It pleases them in July [S2]." in prompt

    async def test_each_verdict_belongs_to_its_sentence(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(match=prompts.JUDGE, text=sentences_judged("partly", "supported"))
        made = await checked_text(crew, f"{CLAIM} {TEXT.split('. ')[0]} [S1]. {OTHER}")
        assert [(row.verdict, row.judged_by) for row in made.evidence] == [
            ("partly", "model"),
            ("supported", "code"),
            ("supported", "model"),
        ]

    async def test_statements_of_fact_without_a_mark_are_judged_too(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        text = "The city paid 4,000 euros for each roof. Gardens are pleasant. At 3 a day that is 9 (3 × 3)."
        instead = "The city paid some amount for each of the roofs."
        model_server.fail(match=prompts.JUDGE, text=sentences_judged("not", instead=instead))
        made = await checked_text(crew, text)
        (prompt,) = model_server.prompts(prompts.JUDGE)
        assert "s1: The city paid 4,000 euros for each roof.\n" in prompt
        assert "s2: " not in prompt, "neither what states no fact nor the author's own arithmetic"
        assert made.markdown == text.replace("The city paid 4,000 euros for each roof.", instead)

    async def test_rewordings_in_another_language_are_not_taken(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        text = " ".join(
            f"Những khu vườn trên mái nhà làm cho {n} người dân sống bên dưới rất vui và giàu có [S1]."
            for n in range(90, 93)
        )
        english = "Roofs make the people who live below them very happy and very rich in the end, as everybody says."
        model_server.fail(match=prompts.JUDGE, text=sentences_judged(*["not"] * 3, instead=english))
        made = await checked_text(crew, text, language="vi")
        assert made.markdown == text
        assert [(row.verdict, row.was) for row in made.evidence] == [("not", "")] * 3

    async def test_a_mark_in_a_wording_is_dropped(self, crew: StudioCrew, model_server: ModelServer) -> None:
        judged = json.loads(sentences_judged("not", "not"))
        judged["rewordings"][0]["instead"] = MILDER.replace(".", " [S3].")
        judged["rewordings"][1]["instead"] = "The city paid some amount for each of the roofs [S4]."
        model_server.fail(match=prompts.JUDGE, text=json.dumps(judged))
        made = await checked_text(crew, f"The city paid 4,000 euros for each roof.\n\n{CLAIM}")
        assert made.markdown == (f"The city paid some amount for each of the roofs.\n\n{MILDER.replace('.', ' [S1].')}")

    async def test_under_garbage_every_marker_still_resolves(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.choices.add("not")
        nonsense = "## Heading\n\n[S99] ``` [^4] and so on and on and on and on and on and on"
        model_server.fail(match=prompts.JUDGE, text=sentences_judged(*["not"] * 30, instead=nonsense))
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert "S99" not in made.content
        assert "[^4]" not in made.content.replace("[^4]:", "") or any(ref.number == 4 for ref in made.references)
        headings = [line for line in made.content.splitlines() if line.startswith("## ")]
        assert len(headings) == len(made.outline.sections)


class TestKnownVerdicts:
    """What was judged in the draft and stayed as it was is not judged again."""

    async def test_a_sentence_keeps_its_verdict_and_its_rewording(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.JUDGE, text=sentences_judged("partly", "supported", instead=MILDER))
        model_server.fail(match=prompts.JUDGE_AGAIN, text='{"s1": "supported"}')
        context = make_context(crew)
        judged = await judge_draft(context, OUTLINE, [CLAIM, OTHER], [[1, 2]])
        known = known_verdicts(judged)
        first, second = [
            await check_section(context, OUTLINE, number, text, known=known)
            for number, text in enumerate((CLAIM, OTHER), 1)
        ]
        assert first.markdown == MILDER.replace(".", " [S1].")
        assert [(row.verdict, row.was) for row in first.evidence] == [("supported", CLAIM.replace(" [S1]", ""))]
        assert [(row.verdict, row.judged_by) for row in second.evidence] == [("supported", "model")]
        assert len(model_server.prompts(prompts.JUDGE)) == 1

    async def test_only_what_the_edit_changed_is_judged(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.choices.add("supported")
        context = make_context(crew)
        known = known_verdicts(await judge_draft(context, OUTLINE, [f"{CLAIM} {OTHER}", "So."], [[1, 2]]))
        changed = OTHER.replace("stop and look up", "stop")
        await check_section(context, OUTLINE, 1, f"{CLAIM} {changed}", known=known)
        _, again = model_server.prompts(prompts.JUDGE)
        task = again.partition("YOUR TASK")[2]
        assert "Gardens make those who walk by stop [S2]." in task
        assert "s2:" not in task


class TestKeys:
    """A verdict is found again after a sentence moved, and not after it changed."""

    async def keys(self, crew: StudioCrew, *sentences: str) -> list[str]:
        return [row.key for row in (await checked_text(crew, " ".join(sentences))).evidence]

    async def test_they_survive_a_move(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.choices.add("supported")
        first = await self.keys(crew, CLAIM, OTHER)
        assert await self.keys(crew, OTHER, CLAIM) == first[::-1]
        assert len(set(first)) == 2

    async def test_another_wording_or_passage_has_another_key(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.choices.add("supported")
        changed = [CLAIM, CLAIM.replace("happy", "glad"), CLAIM.replace("S1", "S2")]
        assert len({(await self.keys(crew, each))[0] for each in changed}) == 3


class TestAfterResizing:
    async def before(self, context: RunContext) -> CheckedText:
        return await check_section(context, OUTLINE, 1, CLAIM)

    async def test_of_a_section_that_was_added_to_only_the_addition_is_judged(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.choices.add("supported")
        context = make_context(crew)
        before, again = await self.before(context), StepKey("edit", "evidence", 1, 2)
        made = await check_section(context, OUTLINE, 1, f"{CLAIM}\n\n{OTHER}", again, before)
        first, second = (prompt.partition("YOUR TASK")[2] for prompt in model_server.prompts(prompts.JUDGE))
        assert "s1: Roofs make" in first
        assert "s1: Gardens make" in second
        assert "s2:" not in second
        assert made.markdown == f"{CLAIM}\n\n{OTHER}"
        assert [row.passages for row in made.evidence] == [["S1"], ["S2"]]

    async def test_a_section_that_stayed_as_it_was_is_not_checked_again(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.choices.add("supported")
        context = make_context(crew)
        before = await self.before(context)
        model_server.fail(match=prompts.EXTEND, text="Whoever walks by, and then the")
        assert await resize_and_check(context, OUTLINE, 1, before, 19) == before
        assert len(model_server.prompts(prompts.JUDGE)) == 1

    async def test_a_section_that_grew_is_checked(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.choices.add("supported")
        context = make_context(crew)
        before = await self.before(context)
        model_server.fail(match=prompts.EXTEND, text=OTHER)
        made = await resize_and_check(context, OUTLINE, 1, before, 19)
        assert made.markdown == f"{CLAIM}\n\n{OTHER}"
        assert isinstance(context.journal, MemoryJournal)
        assert {"edit:1:length-3", "edit:evidence:1:again-1"} <= set(context.journal.done)


async def test_evidence_of_an_older_version_is_read(crew: StudioCrew, model_server: ModelServer) -> None:
    row = {"section": 1, "sentence": "A.", "passages": ["S1"], "verdict": "not", "judged_by": "model"}
    journal = MemoryJournal(done={"edit:evidence:1": {"markdown": "A [S1].", "evidence": [row]}})
    made = await check_section(make_context(crew, journal=journal), OUTLINE, 1, "B [S1].")
    assert (made.markdown, made.evidence[0].key) == ("A [S1].", "")
    assert model_server.calls == []
