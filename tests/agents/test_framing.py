"""The lead of a draft without one, and the check of what stands around the article."""

from __future__ import annotations

import json
from typing import Any

from agents.contract import SEO, FAQItem, FramedArticle, Lead
from agents.crew.crew import StudioCrew
from agents.pipeline.lead import check_frame, write_lead
from agents.pipeline.recipe import produce
from tests import prompts
from tests.agents.recipes import (
    BRIEF,
    MemoryJournal,
    dependencies,
    draft_of,
    make_context,
    outline_of,
    sentences_judged,
)
from tests.model_server import ModelServer

OUTLINE = outline_of("What roofs hold", "Who pays for the soil")
TEXTS = ["Roofs hold the rain of a summer night [S1].", "Whoever lives below pays for the soil."]
LEAD = Lead(
    title="Roofs hold all the rain",
    lead="Whoever has a flat roof can plant it. It holds 60 % of the rain, as one city measured. Ask an engineer first.",
)
MILDER = "It holds up to 60 % of the rain, as one city measured."
FAQ = [FAQItem(question="How much rain?", answer="All of it."), FAQItem(question="Who pays?", answer="The tenants.")]
SEARCH = SEO(title="Roofs", meta_description="Roofs.", slug="roofs", keywords=["roofs"], faq=FAQ)
TITLE, HEADING, ANSWER = "s1", "s2", "s4"
"""Places of the title, the first heading and the first answer among the lines judged."""


def verdicts(**instead: str) -> str:
    """The judge's answer: the lines named get another wording, the others are supported."""
    judged = {f"s{at}": "supported" for at in range(1, 6)} | dict.fromkeys(instead, "partly")
    rewordings = [{"sentence": int(place[1:]), "instead": text} for place, text in instead.items()]
    return json.dumps({**judged, "rewordings": rewordings})


async def framed(crew: StudioCrew, server: ModelServer, answer: str, **brief: Any) -> FramedArticle:
    server.fail(match=prompts.FRAME, text=answer)
    return await check_frame(make_context(crew, **brief), OUTLINE, SEARCH)


class TestLead:
    async def test_it_is_written_from_the_finished_text(self, crew: StudioCrew, model_server: ModelServer) -> None:
        model_server.fail(
            match=prompts.LEAD, text=json.dumps({"title": "1. Roofs hold rain.", "lead": "Roofs [S1]\nhold rain."})
        )
        made = await write_lead(make_context(crew), OUTLINE, TEXTS)
        assert made == Lead(title="Roofs hold rain", lead="Roofs hold rain.")
        (prompt,) = model_server.prompts(prompts.LEAD)
        assert all(text in prompt for text in TEXTS)

    async def test_one_that_breaks_off_or_is_in_another_language_is_left_out(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        broken = "Roofs hold the rain of a summer. And then the"
        foreign = (
            "Những khu vườn trên mái nhà giúp thành phố mát hơn vào mùa hè và giữ lại nước mưa cho người dân ở dưới."
        )
        for lead in (broken, foreign):
            model_server.fail(match=prompts.LEAD, text=json.dumps({"title": "Roofs hold rain", "lead": lead}))
            assert (await write_lead(make_context(crew), OUTLINE, TEXTS)).lead == ""

    async def test_a_title_that_is_too_short_gives_way_to_the_outlines(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.LEAD, text='{"title": "Hm", "lead": ""}')
        assert (await write_lead(make_context(crew), OUTLINE, TEXTS)).title == OUTLINE.title

    async def test_a_draft_without_one_gets_title_and_lead_from_its_edited_text(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.choices.add("supported")
        model_server.fail(match=prompts.WRITE, text=draft_of(*["Whoever lives below is asked before. " * 28] * 3))
        model_server.fail(match=prompts.LEAD, text=LEAD.model_dump_json())
        journal = MemoryJournal()
        made = await produce(BRIEF, journal, dependencies(crew))
        assert made.title == made.outline.title == LEAD.title
        assert made.content.startswith(f"{LEAD.lead}\n\n## {made.outline.sections[0].heading}\n")
        (last,) = [call for call in model_server.calls if prompts.LEAD in call.prompt]
        edits = [call for call in model_server.calls if prompts.WRITE in call.prompt or prompts.EDIT in call.prompt]
        assert all(each.ended <= last.at for each in edits)
        assert "edit:evidence" in journal.done, "it is checked like an introduction"
        assert len(journal.steps("edit")) == journal.planned["edit"]

    async def test_the_introduction_of_the_draft_stands_above_the_first_section_and_is_checked(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        text = "Whoever lives below is asked before anything is carried up. " * 16
        draft = draft_of(text, text, text, opening=f"# Roofs hold most of the rain\n\n{LEAD.lead}")
        model_server.fail(match=prompts.WRITE, text=draft)
        model_server.fail(match=prompts.EDIT, text='{"replacements": []}')
        model_server.fail(match="sentences of the introduction", text=sentences_judged("partly", instead=MILDER))
        model_server.choices.add("supported")
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert not model_server.prompts(prompts.LEAD)
        assert made.title == "Roofs hold most of the rain"
        lead = LEAD.lead.replace("It holds 60 % of the rain, as one city measured.", MILDER)
        assert made.content.startswith(f"{lead}\n\n## Heading 1\n")
        assert made.findings
        assert made.findings.synthesis == lead
        (row,) = [each for each in made.evidence if each.section == 0 and each.sentence != made.title]
        assert (row.sentence, row.was) == (MILDER, "It holds 60 % of the rain, as one city measured.")


class TestCheck:
    async def test_every_line_around_the_article_is_judged(self, crew: StudioCrew, model_server: ModelServer) -> None:
        await framed(crew, model_server, verdicts())
        (prompt,) = model_server.prompts(prompts.FRAME)
        lines = [OUTLINE.title, "What roofs hold", "Who pays for the soil", "All of it.", "The tenants."]
        assert [f"s{at}: " in prompt and line in prompt for at, line in enumerate(lines, 1)] == [True] * 5

    async def test_what_the_sources_do_not_bear_is_replaced(self, crew: StudioCrew, model_server: ModelServer) -> None:
        instead = {
            TITLE: "Roofs hold much of the rain",
            HEADING: "What some roofs hold.",
            ANSWER: "60 % of it [S1].",
        }
        made = await framed(crew, model_server, verdicts(**instead))
        assert made.title == "Roofs hold much of the rain"
        assert made.headings == ["What some roofs hold", "Who pays for the soil"]
        assert [each.answer for each in made.faq] == ["60 % of it.", "The tenants."]

    async def test_the_title_has_evidence_as_section_0(self, crew: StudioCrew, model_server: ModelServer) -> None:
        (row,) = (await framed(crew, model_server, verdicts(s2="What some roofs hold"))).evidence
        assert (row.section, row.sentence, row.verdict, row.was) == (0, OUTLINE.title, "supported", "")

    async def test_a_reworded_title_has_the_verdict_of_its_new_words(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.JUDGE_AGAIN, text='{"s1": "not"}')
        made = await framed(crew, model_server, verdicts(s1="Roofs hold much of the rain"))
        (prompt,) = model_server.prompts(prompts.JUDGE_AGAIN)
        assert "s1: Roofs hold much of the rain" in prompt
        (row,) = made.evidence
        assert (row.sentence, row.was) == ("Roofs hold much of the rain", OUTLINE.title)
        assert (row.verdict, row.reason) == ("not", "Its sources do not say this.")

    async def test_what_a_person_approved_stays(self, crew: StudioCrew, model_server: ModelServer) -> None:
        answer = verdicts(s1="Another title", s2="Another heading")
        made = await framed(crew, model_server, answer, approve_outline=True)
        assert (made.title, made.headings[0]) == (OUTLINE.title, "What roofs hold")
        assert made.evidence[0].verdict == "partly", "the person sees that the title claims more"
        model_server.fail(match=prompts.LEAD, text='{"title": "Another title", "lead": ""}')
        lead = await write_lead(make_context(crew, approve_outline=True), OUTLINE, TEXTS)
        assert lead.title == OUTLINE.title

    async def test_a_check_of_an_older_version_is_read(self, crew: StudioCrew, model_server: ModelServer) -> None:
        """It checked the lead as well."""
        older = {"title": "Roofs hold rain", "lead": "They do.", "headings": ["A", "B"], "faq": [], "evidence": []}
        journal = MemoryJournal(done={"edit:frame": older})
        made = await check_frame(make_context(crew, journal=journal), OUTLINE, SEARCH)
        assert (made.title, made.headings) == ("Roofs hold rain", ["A", "B"])
        assert model_server.calls == []

    async def test_corrected_headings_and_answers_reach_the_article(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.fail(match=prompts.WRITE, text=draft_of(*["Whoever lives below is asked before. " * 28] * 3))
        judged = {f"s{at}": "not" for at in range(1, 6)}
        rewordings = [{"sentence": at, "instead": f"A line that was corrected {at}"} for at in range(1, 6)]
        model_server.fail(match=prompts.LEAD, text=json.dumps({"title": "Roofs hold rain", "lead": ""}))
        model_server.fail(match=prompts.ASK, text=json.dumps({"faq": [{"question": "Who pays?", "answer": "All."}]}))
        model_server.fail(match=prompts.FRAME, text=json.dumps({**judged, "rewordings": rewordings}))
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert made.title == "A line that was corrected 1"
        headings = [f"A line that was corrected {at}" for at in (2, 3, 4)]
        assert [section.heading for section in made.outline.sections] == headings
        assert all(f"## {heading}\n" in made.content for heading in headings)
        assert made.seo
        assert [each.answer for each in made.seo.faq] == ["A line that was corrected 5"]

    async def test_without_sources_nothing_is_judged(self, crew: StudioCrew, model_server: ModelServer) -> None:
        context = make_context(crew)
        context.show(context.reading, [])
        made = await check_frame(context, OUTLINE, None)
        assert (made.title, made.faq, made.evidence) == (OUTLINE.title, [], [])
        assert model_server.calls == []
