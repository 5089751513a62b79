"""What readers of such articles complain of, each held by a test: length, language, loose ends, repetition, false citations."""

from __future__ import annotations

import re

import pytest

from agents.crew.crew import StudioCrew
from agents.exceptions import ManuscriptIncomplete
from agents.pipeline.recipe import produce
from agents.pipeline.steps import StepKey
from agents.pipeline.write import resize, write, write_section
from agents.text.length import length_score
from agents.text.markdown import count_words
from tests import prompts
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies, draft_of, edits, found, make_context, outline_of
from tests.model_server import ModelServer

LONG = "Roofs hold the rain of a whole summer night. " * 20
AGAIN = StepKey("edit", "length", 1)
VIETNAMESE = (
    "Những khu vườn trên mái nhà giúp thành phố mát hơn vào mùa hè và giữ lại nước mưa. Người dân sống bên dưới được hưởng lợi"
    " từ bóng râm và không khí trong lành hơn. Trước khi mang đất lên mái, kỹ sư phải kiểm tra các dầm chịu lực. "
)


@pytest.fixture
def quiet_editor(model_server: ModelServer) -> ModelServer:
    """A model that finds nothing to mend and everything supported: what is written stays."""
    model_server.fail(match=prompts.EDIT, text=edits(), times=99)
    model_server.choices.add("supported")
    return model_server


class TestLength:
    @pytest.mark.parametrize("words", [500, 1000, 3000, 5000])
    async def test_a_model_that_obeys_loosely_still_gives_the_length_asked_for(
        self, crew: StudioCrew, model_server: ModelServer, words: int
    ) -> None:
        model_server.obedience = (0.6, 1.4)
        made = await produce(BRIEF.model_copy(update={"min_words": words}), MemoryJournal(), dependencies(crew))
        assert length_score(count_words(made.content), words) >= 95

    @pytest.mark.parametrize("share", [0.6, 1.4])
    async def test_a_model_that_is_always_off_is_asked_for_another_figure(
        self, crew: StudioCrew, model_server: ModelServer, share: float
    ) -> None:
        model_server.obedience = (share, share)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert length_score(count_words(made.content), BRIEF.min_words) >= 95

    async def test_a_section_of_the_right_length_is_not_written_twice(
        self, crew: StudioCrew, quiet_editor: ModelServer
    ) -> None:
        await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert len(quiet_editor.prompts(prompts.WRITE)) == 1
        assert not quiet_editor.prompts(prompts.WRITE_SECTION)
        assert not quiet_editor.prompts(prompts.REWRITE)
        assert not quiet_editor.prompts(prompts.EXTEND)

    async def test_a_section_too_short_is_asked_for_once_more_with_its_text(
        self, crew: StudioCrew, quiet_editor: ModelServer
    ) -> None:
        quiet_editor.fail(match=prompts.WRITE, text=draft_of(LONG, "Too short.", LONG))
        quiet_editor.fail(match=prompts.write(2), text="Roofs are few and gardens fewer here.")
        await produce(BRIEF, MemoryJournal(), dependencies(crew))
        (prompt,) = quiet_editor.prompts(prompts.REWRITE)
        assert re.search(r"7 words long:\n<<<\w+\nRoofs are few and gardens fewer here\.\n", prompt)


class TestLanguage:
    async def test_a_section_in_the_wrong_language_is_written_again(
        self, crew: StudioCrew, quiet_editor: ModelServer
    ) -> None:
        quiet_editor.fail(match=prompts.REWRITE, text=VIETNAMESE * 4, times=9)
        brief = BRIEF.model_copy(update={"language": "vi"})
        made = await produce(brief, MemoryJournal(), dependencies(crew))
        assert made.content.count("mái nhà") == 12
        assert "roofs where rain" not in made.content

    async def test_the_prompt_names_the_language(self, crew: StudioCrew, quiet_editor: ModelServer) -> None:
        quiet_editor.fail(match=prompts.REWRITE, text=VIETNAMESE * 4, times=9)
        await produce(BRIEF.model_copy(update={"language": "vi"}), MemoryJournal(), dependencies(crew))
        assert all("Vietnamese (vi)" in prompt for prompt in quiet_editor.prompts(prompts.WRITE))

    async def test_an_article_in_another_language_is_not_called_complete(
        self, crew: StudioCrew, quiet_editor: ModelServer
    ) -> None:
        with pytest.raises(ManuscriptIncomplete, match="requested language"):
            await produce(BRIEF.model_copy(update={"language": "vi"}), MemoryJournal(), dependencies(crew))


class TestEnds:
    async def test_a_text_that_ends_within_a_sentence_is_written_again(
        self, crew: StudioCrew, quiet_editor: ModelServer
    ) -> None:
        cut = f"{LONG}And then the"
        quiet_editor.fail(match=prompts.WRITE, text=draft_of(cut, LONG, LONG))
        quiet_editor.fail(match=prompts.write(1), text=cut)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert len(quiet_editor.prompts(prompts.REWRITE)) == 1
        assert "And then the" not in made.content

    async def test_what_still_breaks_off_ends_with_its_last_whole_sentence(
        self, crew: StudioCrew, quiet_editor: ModelServer
    ) -> None:
        cut = f"{LONG}And then the"
        quiet_editor.fail(match=prompts.WRITE, text=draft_of(cut, cut, cut))
        for task in (prompts.WRITE_SECTION, prompts.REWRITE, prompts.EXTEND):
            quiet_editor.fail(match=task, text=cut, times=99)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert "And then the" not in made.content
        assert made.content.rstrip().endswith("night.")


class TestCitations:
    async def test_ids_that_were_never_read_are_not_cited(self, crew: StudioCrew, quiet_editor: ModelServer) -> None:
        bad = "Roofs hold rain [0]. Gardens grow [12] on most of them [S99]. Rooms stay cool [S1]. " * 12
        for task in (prompts.WRITE, prompts.REWRITE, prompts.EXTEND):
            quiet_editor.fail(match=task, text=bad, times=99)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        text, _, notes = made.content.partition("\n[^1]:")
        assert "[0]" not in text
        assert "[12]" not in text
        assert "S99" not in made.content
        assert set(re.findall(r"\[\^(\d+)\]", text)) == {"1"}
        assert notes

    async def test_the_headings_are_those_of_the_outline(self, crew: StudioCrew, quiet_editor: ModelServer) -> None:
        own = "## Contents\n\n# Introduction\n\n" + "Roofs hold the rain of a summer night and morning. " * 20
        quiet_editor.fail(match=prompts.WRITE, text=own, times=99)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert re.findall("^## (.*)$", made.content, re.MULTILINE) == [part.heading for part in made.outline.sections]


class TestSecondPass:
    """A section that is written again for its length alone must not come out worse than it went in."""

    ENGLISH = "Flat roofs hold the rain of a whole summer night and let it go by morning [S1]. " * 8
    CITED = VIETNAMESE.replace("mưa. ", "mưa [S1]. ") * 3
    OUTLINE = outline_of("What roofs hold", "Who pays", words=100)

    @staticmethod
    async def adjusted(crew: StudioCrew, server: ModelServer, text: str, written: str, language: str) -> str:
        for task in (prompts.REWRITE, prompts.EXTEND):
            server.fail(match=task, text=written)
        context = make_context(crew, language=language)
        return await resize(context, TestSecondPass.OUTLINE, 1, text.strip(), count_words(written), AGAIN)

    async def test_one_in_another_language_is_not_taken(self, crew: StudioCrew, model_server: ModelServer) -> None:
        kept = await self.adjusted(crew, model_server, self.CITED, self.ENGLISH, "vi")
        assert kept == self.CITED.strip()

    async def test_one_that_breaks_off_is_not_taken(self, crew: StudioCrew, model_server: ModelServer) -> None:
        kept = await self.adjusted(crew, model_server, self.ENGLISH, f"{self.ENGLISH * 2} And then the", "en")
        assert kept == self.ENGLISH.strip()

    async def test_one_without_its_citations_is_not_taken(self, crew: StudioCrew, model_server: ModelServer) -> None:
        bare = self.ENGLISH.replace(" [S1]", "")
        assert await self.adjusted(crew, model_server, self.ENGLISH * 2, bare, "en") == (self.ENGLISH * 2).strip()

    async def test_one_that_cites_on_and_is_nearer_to_its_length_is_taken(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        longer = (self.ENGLISH * 2).strip()
        assert await self.adjusted(crew, model_server, self.ENGLISH, longer, "en") == longer

    async def test_one_that_is_too_short_gets_a_paragraph_and_stays_as_it_is(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        more = "Gardens above the street cool the rooms below them, which the neighbours noticed first [S1]. " * 4
        model_server.fail(match=prompts.EXTEND, text=more)
        journal, text = MemoryJournal(), self.ENGLISH.strip()
        context = make_context(crew, journal=journal)
        words = count_words(text) + count_words(more)
        extended = await resize(context, self.OUTLINE, 1, text, words, AGAIN)
        assert extended == f"{text}\n\n{more.strip()}"
        (prompt,) = model_server.prompts(prompts.EXTEND)
        assert f"about {count_words(more)} words" in prompt
        assert journal.shown[str(AGAIN)] == extended

    async def test_a_paragraph_in_another_language_is_not_taken(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        assert await self.adjusted(crew, model_server, self.ENGLISH, self.CITED * 2, "en") == self.ENGLISH.strip()


class TestWhatIsWrong:
    """The prompt to write a section again says why."""

    @pytest.mark.parametrize(
        ("text", "language", "fault"),
        [
            ("Roofs hold the rain of a whole summer night. " * 22, "vi", "It is not in Vietnamese (vi)"),
            ("Roofs hold the rain of a whole summer night. " * 22 + "And then the", "en", "It breaks off"),
            ("Roofs hold the rain of a whole summer night.", "en", "It has to be another length."),
        ],
    )
    async def test_the_fault_and_no_other_is_named(
        self, crew: StudioCrew, quiet_editor: ModelServer, text: str, language: str, fault: str
    ) -> None:
        quiet_editor.fail(match=prompts.write(1), text=text)
        await write_section(make_context(crew, language=language), outline_of("What roofs hold", "Who pays"), 1)
        (prompt,) = quiet_editor.prompts(prompts.REWRITE)
        wrong = prompt.partition("What is wrong with it:\n")[2].partition("\n\n")[0]
        assert wrong.startswith(f"- {fault}")
        assert wrong.count("\n") == 0


async def test_a_section_left_in_another_language_is_named(crew: StudioCrew, quiet_editor: ModelServer) -> None:
    quiet_editor.fail(match="Write sections 1 to 2", text=draft_of(LONG, VIETNAMESE * 3))
    for task in (prompts.write(2), f"{prompts.REWRITE}2, ", 'Section 2, "'):
        quiet_editor.fail(match=task, text=VIETNAMESE * 3, times=9)
    brief = BRIEF.model_copy(update={"min_words": 900})
    made = await produce(brief, MemoryJournal(), dependencies(crew))
    (notice,) = [notice for notice in made.notices if "not in the requested language" in notice]
    assert notice.startswith("Section 2 is not in the requested language (en).")


class TestPoints:
    """What a person approved has to be said, at the length they want; a model's proposal does not reach the writer."""

    OUTLINE = outline_of("What roofs hold", "Options compared", words=150, points=["It holds 60 % [S1]."])

    @pytest.mark.parametrize("approved", [True, False])
    async def test_a_writer_sees_them_if_they_were_approved(
        self, crew: StudioCrew, model_server: ModelServer, approved: bool
    ) -> None:
        context = make_context(crew, approve_outline=approved)
        await write(context, self.OUTLINE)
        (whole,) = model_server.prompts(prompts.WRITE)
        assert whole.count("It holds 60 % [S1].") == (2 if approved else 0)
        assert ("Approved by the person who asked" in whole) == approved
        assert [f"{number}. (150 words)" in whole for number in (1, 2)] == [approved] * 2
        await write_section(context, self.OUTLINE, 2)
        (second,) = model_server.prompts(prompts.write(2))
        assert second.count("It holds 60 % [S1].") == approved
        assert ("2. (150 words)" in second) == approved


async def test_a_writer_sees_brief_sources_and_outline_and_no_findings(
    crew: StudioCrew, model_server: ModelServer
) -> None:
    model_server.fail(match=prompts.FIND, text=found("A finding about the rain of a city."))
    await produce(BRIEF, MemoryJournal(), dependencies(crew))
    (prompt,) = model_server.prompts(prompts.WRITE)
    assert all(block in prompt for block in ("THE BRIEF\n", "THE SOURCES,", "THE OUTLINE\n"))
    assert not model_server.prompts("THE FINDINGS")
    holding = model_server.prompts("A finding about the rain of a city.")
    assert all(prompts.EDIT in each for each in holding), "an editor alone is told what is not used"
