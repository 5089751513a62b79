"""What readers of such articles complain of, each held by a test: length, language, loose ends, repetition, false citations."""

from __future__ import annotations

import re

import pytest

from agents.contract import Outline, OutlineSection, Remark, Voice
from agents.crew.crew import StudioCrew
from agents.exceptions import ManuscriptIncomplete
from agents.pipeline.context import RunContext
from agents.pipeline.edit import edit_section
from agents.pipeline.recipe import produce
from agents.pipeline.write import resize, write_section
from agents.text.length import length_score
from agents.text.markdown import count_words
from tests.agents.recipes import BRIEF, MemoryJournal, dependencies, reading
from tests.model_server import ModelServer

WRITE, REWRITE, MEND = "You write one section", "You wrote one section", "Mend one section"
EXTEND = "too short by a paragraph"
VIETNAMESE = (
    "Những khu vườn trên mái nhà giúp thành phố mát hơn vào mùa hè và giữ lại nước mưa. Người dân sống bên dưới được hưởng lợi"
    " từ bóng râm và không khí trong lành hơn. Trước khi mang đất lên mái, kỹ sư phải kiểm tra các dầm chịu lực. "
)
NO_REMARKS = '{"remarks": []}'


@pytest.fixture
def quiet_review(model_server: ModelServer) -> ModelServer:
    """A model that finds nothing to mend and everything supported: what is written stays."""
    model_server.fail(match="Read this article as its readers will", text=NO_REMARKS, times=99)
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
        self, crew: StudioCrew, quiet_review: ModelServer
    ) -> None:
        await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert len(quiet_review.prompts(WRITE)) == 3
        assert not quiet_review.prompts(REWRITE)

    async def test_a_section_too_short_is_asked_for_once_more_with_its_text(
        self, crew: StudioCrew, quiet_review: ModelServer
    ) -> None:
        quiet_review.fail(match="Your section is number 2", text="Roofs are few and gardens fewer here.")
        await produce(BRIEF, MemoryJournal(), dependencies(crew))
        (prompt,) = quiet_review.prompts(REWRITE)
        assert re.search(r"7 words long:\n<<<\w+\nRoofs are few and gardens fewer here\.\n", prompt)

    async def test_an_edit_that_shortens_a_section_to_nothing_is_not_taken(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        model_server.choices.add("supported")
        remark = '{"remarks": [{"section": 2, "kind": "gap", "instruction": "Say who pays."}]}'
        model_server.fail(match="Read this article as its readers will", text=remark)
        for task in (MEND, REWRITE):
            model_server.fail(match=task, text="Nobody pays.", times=9)
        journal = MemoryJournal()
        await produce(BRIEF, journal, dependencies(crew))
        assert journal.done["edit:2"] == journal.done["write:2"]


class TestLanguage:
    async def test_a_section_in_the_wrong_language_is_written_again(
        self, crew: StudioCrew, quiet_review: ModelServer
    ) -> None:
        quiet_review.fail(match=REWRITE, text=VIETNAMESE * 4, times=9)
        brief = BRIEF.model_copy(update={"language": "vi"})
        made = await produce(brief, MemoryJournal(), dependencies(crew))
        assert made.content.count("mái nhà") == 12
        assert "roofs where rain" not in made.content

    async def test_the_prompt_names_the_language(self, crew: StudioCrew, quiet_review: ModelServer) -> None:
        quiet_review.fail(match=REWRITE, text=VIETNAMESE * 4, times=9)
        await produce(BRIEF.model_copy(update={"language": "vi"}), MemoryJournal(), dependencies(crew))
        assert all("Vietnamese (vi)" in prompt for prompt in quiet_review.prompts(WRITE))

    async def test_an_article_in_another_language_is_not_called_complete(
        self, crew: StudioCrew, quiet_review: ModelServer
    ) -> None:
        with pytest.raises(ManuscriptIncomplete, match="requested language"):
            await produce(BRIEF.model_copy(update={"language": "vi"}), MemoryJournal(), dependencies(crew))


class TestEnds:
    async def test_a_text_that_ends_within_a_sentence_is_written_again(
        self, crew: StudioCrew, quiet_review: ModelServer
    ) -> None:
        cut = "Roofs hold the rain of a whole summer night. " * 22 + "And then the"
        quiet_review.fail(match="Your section is number 1", text=cut)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert len(quiet_review.prompts(REWRITE)) == 1
        assert "And then the" not in made.content

    async def test_what_still_breaks_off_ends_with_its_last_whole_sentence(
        self, crew: StudioCrew, quiet_review: ModelServer
    ) -> None:
        cut = "Roofs hold the rain of a whole summer night. " * 22 + "And then the"
        for task in (WRITE, REWRITE, MEND):
            quiet_review.fail(match=task, text=cut, times=99)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert "And then the" not in made.content
        assert made.content.rstrip().endswith("night.")


class TestRepetition:
    async def test_sections_that_say_the_same_are_mended(self, crew: StudioCrew, quiet_review: ModelServer) -> None:
        same = "Roofs hold the rain of a whole summer night, and let it go by morning. " * 14
        for number in (1, 3):
            quiet_review.fail(match=f"Your section is number {number}", text=same)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        (prompt,) = quiet_review.prompts(MEND)
        assert "says nearly the same as section 1" in prompt
        assert made.repeated == []

    async def test_remaining_repetition_is_reported(self, crew: StudioCrew, quiet_review: ModelServer) -> None:
        same = "Roofs hold the rain of a whole summer night, and let it go by morning. " * 14
        for task in (WRITE, REWRITE, MEND):
            quiet_review.fail(match=task, text=same, times=99)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert "Sections 1 and 2 say nearly the same. Merge them, or remove one." in made.notices


class TestCitations:
    async def test_ids_that_were_never_read_are_not_cited(self, crew: StudioCrew, quiet_review: ModelServer) -> None:
        bad = "Roofs hold rain [0]. Gardens grow [12] on most of them [S99]. Rooms stay cool [S1]. " * 12
        for task in (WRITE, REWRITE, MEND):
            quiet_review.fail(match=task, text=bad, times=99)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        text, _, notes = made.content.partition("\n[^1]:")
        assert "[0]" not in text
        assert "[12]" not in text
        assert "S99" not in made.content
        assert set(re.findall(r"\[\^(\d+)\]", text)) == {"1"}
        assert notes

    async def test_the_headings_are_those_of_the_outline(self, crew: StudioCrew, quiet_review: ModelServer) -> None:
        own = "## Contents\n\n# Introduction\n\n" + "Roofs hold the rain of a summer night and morning. " * 20
        quiet_review.fail(match=WRITE, text=own, times=99)
        made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
        assert re.findall("^## (.*)$", made.content, re.MULTILINE) == [part.heading for part in made.outline.sections]


async def test_the_voice_is_in_the_prompt_and_words_it_avoids_are_edited_out(
    crew: StudioCrew, quiet_review: ModelServer
) -> None:
    voice = Voice(name="House", description="Short and dry.", avoid=["leverage"])
    text = "Cities leverage their roofs, and the rain stays where it falls at night. " * 15
    quiet_review.fail(match="Your section is number 2", text=text)
    await produce(BRIEF.model_copy(update={"voice": voice}), MemoryJournal(), dependencies(crew))
    assert all("Short and dry." in prompt for prompt in quiet_review.prompts(WRITE))
    (prompt,) = quiet_review.prompts(MEND)
    assert "which the voice avoids: leverage" in prompt


class TestSecondPass:
    """A section that is written again for its length alone must not come out worse than it went in."""

    ENGLISH = "Flat roofs hold the rain of a whole summer night and let it go by morning [S1]. " * 8
    CITED = VIETNAMESE.replace("mưa. ", "mưa [S1]. ") * 3
    OUTLINE = Outline(title="Roofs of the city", sections=[OutlineSection(heading="What roofs hold", words=100)] * 2)

    @staticmethod
    async def adjusted(crew: StudioCrew, server: ModelServer, text: str, written: str, language: str) -> str:
        server.fail(match=REWRITE, text=written)
        context = RunContext(BRIEF.model_copy(update={"language": language}), MemoryJournal(), dependencies(crew))
        return await resize(
            context, TestSecondPass.OUTLINE, reading(), 1, text.strip(), count_words(written), "write:1:again-1"
        )

    async def test_one_in_another_language_is_not_taken(self, crew: StudioCrew, model_server: ModelServer) -> None:
        kept = await self.adjusted(crew, model_server, self.CITED, self.ENGLISH, "vi")
        assert kept == self.CITED.strip()

    async def test_one_that_breaks_off_is_not_taken(self, crew: StudioCrew, model_server: ModelServer) -> None:
        kept = await self.adjusted(crew, model_server, self.ENGLISH, f"{self.ENGLISH * 2} And then the", "en")
        assert kept == self.ENGLISH.strip()

    async def test_one_without_its_citations_is_not_taken(self, crew: StudioCrew, model_server: ModelServer) -> None:
        bare = self.ENGLISH.replace(" [S1]", "") * 2
        assert await self.adjusted(crew, model_server, self.ENGLISH, bare, "en") == self.ENGLISH.strip()

    async def test_one_that_cites_on_and_is_nearer_to_its_length_is_taken(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        longer = (self.ENGLISH * 2).strip()
        assert await self.adjusted(crew, model_server, self.ENGLISH, longer, "en") == longer

    async def test_one_that_is_too_short_gets_a_paragraph_and_stays_as_it_is(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        more = "Gardens above the street cool the rooms below them, which the neighbours noticed first [S1]. " * 4
        model_server.fail(match=EXTEND, text=more)
        journal, text = MemoryJournal(), self.ENGLISH.strip()
        context = RunContext(BRIEF, journal, dependencies(crew))
        words = count_words(text) + count_words(more)
        extended = await resize(context, self.OUTLINE, reading(), 1, text, words, "write:1:again-1")
        assert extended == f"{text}\n\n{more.strip()}"
        (prompt,) = model_server.prompts(EXTEND)
        assert f"about {count_words(more)} words" in prompt
        assert journal.shown["write:1:again-1"] == extended

    async def test_a_paragraph_in_another_language_is_not_taken(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        assert await self.adjusted(crew, model_server, self.ENGLISH, self.CITED * 2, "en") == self.ENGLISH.strip()

    async def test_it_mends_a_language_although_the_length_was_right(
        self, crew: StudioCrew, model_server: ModelServer
    ) -> None:
        assert await self.adjusted(crew, model_server, self.ENGLISH, self.CITED, "vi") == self.CITED.strip()


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
        self, crew: StudioCrew, quiet_review: ModelServer, text: str, language: str, fault: str
    ) -> None:
        quiet_review.fail(match="Your section is number 1", text=text)
        brief = BRIEF.model_copy(update={"language": language})
        outline = Outline(
            title="Roofs of the city", sections=[OutlineSection(heading="What roofs hold", words=200)] * 2
        )
        await write_section(RunContext(brief, MemoryJournal(), dependencies(crew)), outline, reading(), 1)
        (prompt,) = quiet_review.prompts(REWRITE)
        wrong = prompt.partition("What is wrong with it:\n")[2].partition("\n\n")[0]
        assert wrong.startswith(f"- {fault}")
        assert wrong.count("\n") == 0


class TestEdits:
    @pytest.mark.parametrize(
        ("language", "text", "edited"),
        [
            ("vi", VIETNAMESE * 3, TestSecondPass.ENGLISH * 2),
            ("en", TestSecondPass.ENGLISH, TestSecondPass.ENGLISH.replace(" [S1]", "")),
        ],
        ids=["language", "citations"],
    )
    async def test_an_edit_that_loses_it_is_not_taken(
        self, crew: StudioCrew, model_server: ModelServer, language: str, text: str, edited: str
    ) -> None:
        for task in (MEND, REWRITE):
            model_server.fail(match=task, text=edited)
        section = OutlineSection(heading="What roofs hold", words=100)
        outline = Outline(title="Roofs of the city", sections=[section, section])
        context = RunContext(BRIEF.model_copy(update={"language": language}), MemoryJournal(), dependencies(crew))
        remarks = [Remark(section=1, kind="tone", instruction="Say it drily.")]
        assert await edit_section(context, outline, reading(), 1, text.strip(), remarks) == text.strip()


async def test_a_section_left_in_another_language_is_named(crew: StudioCrew, quiet_review: ModelServer) -> None:
    quiet_review.fail(match="Your section is number 2", text=VIETNAMESE * 3)
    quiet_review.fail(match="Section 2, ", text=VIETNAMESE * 3, times=9)
    made = await produce(BRIEF, MemoryJournal(), dependencies(crew))
    (notice,) = [notice for notice in made.notices if "not in the requested language" in notice]
    assert notice.startswith("Section 2 is not in the requested language (en).")
