"""Which passages are shown if the reading does not fit into the budget."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from agents.contract import BriefSource, Passage, Reading, Source
from agents.research.addresses import Allowed
from agents.research.fetch import Fetcher
from agents.research.reading import read_all
from agents.text.ranking import rank_by_language
from agents.text.reading_selection import estimate_tokens, passage_tokens, question_rankings, select_passages
from agents.text.stop_words import stop_words

READ_AT = datetime(2026, 11, 22, tzinfo=UTC)
GERMAN = (
    "Die Wärmepumpe im unsanierten Altbau erreicht im Feldtest eine Jahresarbeitszahl von {0},{1}, wie das Institut berichtet.",
    "Wie viel der Einbau kostet, hängt von den Heizkörpern und der Größe des Hauses ab, und die Preise sind {0} Prozent höher.",
    "Das Gerät war im Garten des Nachbarn nach {0} Metern nicht mehr zu hören, und die Messung dauerte vier Wochen.",
    "Wer die Vorlauftemperatur unter {0} Grad senkt, der spart nach der Auswertung der Daten etwa {1} Prozent des Stroms.",
)
ENGLISH = (
    "In a field trial of {0} homes the heat pump reached a seasonal performance of {1} although the houses were not insulated.",
    "Installation costs fell by {0} per cent within a year, because fitters replaced fewer radiators than they had planned.",
    "Neighbours {0} metres away could not hear the outdoor unit in the garden, and the survey took several weeks to finish.",
    "Households that kept the flow temperature below {0} degrees used {1} per cent less electricity over the heating season.",
)
TOPIC_QUESTIONS = (
    "Wie viel kostet die Wärmepumpe im Altbau und wie hoch sind die Kosten für den Einbau?",
    "Wie effizient ist die Wärmepumpe im Altbau?",
    "Wie laut ist die Wärmepumpe für die Nachbarn und was sind die Regeln?",
)


def text(sentences: tuple[str, ...], seed: int, paragraphs: int = 4) -> str:
    """Paragraphs of about 110 words, unlike those of another seed."""
    chance = random.Random(seed)
    blocks = []
    for _ in range(paragraphs):
        lines = [chance.choice(sentences).format(chance.randint(10, 99), chance.randint(10, 99)) for _ in range(6)]
        blocks.append(" ".join(lines))
    return "\n\n".join(blocks)


def read(*sources: BriefSource) -> Reading:
    return asyncio.run(read_all(sources, [], fetcher=Fetcher(allowed=Allowed()), seconds=5, limit=0))


def given(*texts: str) -> list[BriefSource]:
    return [BriefSource(id=number, title=f"Source {number}", text=each) for number, each in enumerate(texts, 1)]


@pytest.fixture(scope="module")
def mixed() -> Reading:
    """Six German and four English sources, as for a German brief."""
    texts = [text(GERMAN, seed) for seed in range(6)] + [text(ENGLISH, seed) for seed in range(4)]
    return read(*given(*texts))


def tokens_of(passages: list[Passage], reading: Reading) -> int:
    sources = {source.number: source for source in reading.sources}
    return sum(passage_tokens(passage, sources[passage.source]) for passage in passages)


class TestBudget:
    def test_a_reading_that_fits_is_shown_whole(self, mixed: Reading) -> None:
        whole = tokens_of(mixed.passages, mixed)
        assert select_passages(mixed, TOPIC_QUESTIONS, whole) == mixed.passages
        assert len(select_passages(mixed, TOPIC_QUESTIONS, whole - 1)) == len(mixed.passages) - 1

    @pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
    def test_the_budget_is_used_and_kept(self, mixed: Reading, share: float) -> None:
        tokens = int(tokens_of(mixed.passages, mixed) * share)
        used = tokens_of(select_passages(mixed, TOPIC_QUESTIONS, tokens), mixed)
        assert tokens - 400 < used <= tokens

    def test_passages_are_in_reading_order_and_the_same_each_time(self, mixed: Reading) -> None:
        selected = select_passages(mixed, TOPIC_QUESTIONS, 4000)
        assert selected == [passage for passage in mixed.passages if passage in selected]
        assert selected == select_passages(mixed.model_copy(deep=True), TOPIC_QUESTIONS, 4000)

    def test_an_empty_reading_gives_nothing(self) -> None:
        assert select_passages(Reading(), TOPIC_QUESTIONS, 4000) == []

    def test_without_questions_the_sources_take_turns(self, mixed: Reading) -> None:
        counts = Counter(passage.source for passage in select_passages(mixed, [], 5000))
        assert len(counts) == 10
        assert max(counts.values()) - min(counts.values()) <= 1


class TestFairness:
    @pytest.mark.parametrize("tokens", [3500, 6000])
    def test_english_sources_reach_a_german_brief(self, mixed: Reading, tokens: int) -> None:
        counts = Counter(passage.source for passage in select_passages(mixed, TOPIC_QUESTIONS, tokens))
        assert counts.keys() == set(range(1, 11))

    def test_questions_in_both_languages_find_their_passages_in_both(self, mixed: Reading) -> None:
        questions = ["Wie laut ist die Wärmepumpe im Garten?", "How loud is the heat pump in the garden?"]
        selected = select_passages(mixed, questions, 4000)
        by_language = {source.number: source.language for source in mixed.sources}
        found = Counter(
            by_language[passage.source] for passage in selected if "Garten" in passage.text or "garden" in passage.text
        )
        assert found["de"] >= 4
        assert found["en"] >= 3

    def test_a_given_source_keeps_a_passage_even_if_no_budget_suffices(self, mixed: Reading) -> None:
        assert {passage.source for passage in select_passages(mixed, TOPIC_QUESTIONS, 10)} == set(range(1, 11))

    def test_it_keeps_the_one_that_answers(self) -> None:
        answer = "The warranty of the compressor ends after seven years. " * 12
        long = f"{text(ENGLISH, 7, 8)}\n\n{answer}\n\n{text(ENGLISH, 8, 8)}"
        reading = read(*given(long, *(text(ENGLISH, seed) for seed in range(20, 30))))
        selected = select_passages(reading, ["When does the warranty of the compressor end?"], 10)
        assert "warranty" in selected[0].text

    def test_each_question_keeps_its_best_passage(self) -> None:
        rare = "Insurance companies ask for a certificate of the refrigerant. " * 10
        common = [text(ENGLISH, seed, 6) for seed in range(12)]
        reading = read(*given(*common, f"{text(ENGLISH, 99, 6)}\n\n{rare}\n\n{text(ENGLISH, 98, 6)}"))
        reading.sources = [source.model_copy(update={"brief_source": None}) for source in reading.sources]
        questions = [
            "What does the heat pump reach in a field trial of homes?",
            "How did installation costs and radiators change?",
            "Could neighbours hear the outdoor unit?",
            "What did households with a low flow temperature use?",
            "Which certificate does insurance ask for?",
        ]
        assert any("refrigerant" in passage.text for passage in select_passages(reading, questions, 3000))

    def test_a_book_does_not_crowd_out_the_others(self) -> None:
        book = text(ENGLISH, 50, 900)
        reading = read(*given(*(text(ENGLISH, seed) for seed in range(9)), book))
        started = time.process_time()
        selected = select_passages(reading, ["How much did the installation cost?", "Is the heat pump loud?"], 16_000)
        assert time.process_time() - started < 3
        kept = Counter(passage.source for passage in selected)
        whole = Counter(passage.source for passage in reading.passages)
        assert all(kept[number] == whole[number] for number in range(1, 10))
        assert kept[10] > 20
        assert tokens_of(selected, reading) > 15_500

    def test_copies_of_one_text_take_one_place(self) -> None:
        release = text(ENGLISH, 60, 6)
        reading = read(*given(release, release + " The end.", *(text(ENGLISH, seed, 6) for seed in range(8))))
        assert [source.reason for source in reading.unread] == ["Same content as “Source 1”."]
        selected = select_passages(reading, ["How much did the installation cost?"], 4000)
        texts = [passage.text for passage in selected]
        assert len(texts) == len(set(texts))
        assert {passage.source for passage in selected} == {source.number for source in reading.sources}


class TestNeighbours:
    def test_what_follows_and_precedes_a_hit_is_shown(self) -> None:
        filler = [text(ENGLISH, seed, 1) for seed in range(40)]
        answer = "The warranty of the compressor ends after seven years. " * 12
        sources = [Source(number=number, title="Trial", read_at=READ_AT, sha256="0" * 64) for number in (1, 2)]
        blocks = [*filler[:10], answer, *filler[10:20]]
        passages = [
            Passage(id=f"S{place}", source=number, start=0, end=len(block), text=block)
            for place, (number, block) in enumerate([(1, each) for each in blocks] + [(2, each) for each in filler], 1)
        ]
        reading = Reading(sources=sources, passages=passages)
        ids = [passage.id for passage in select_passages(reading, ["When does the compressor's warranty end?"], 2000)]
        assert {"S10", "S11", "S12"} <= set(ids)


class TestLanguages:
    PASSAGES = (
        Passage(
            id="S1",
            source=1,
            start=0,
            end=1,
            text="Die Kosten und die Preise der Pumpe, und wie viel die Montage kostet.",
        ),
        Passage(id="S2", source=1, start=0, end=1, text="Die Pumpe ist leise, und die Nachbarn hören die Pumpe nicht."),
        Passage(id="S3", source=2, start=0, end=1, text="Old pumps die early in a war of words with the neighbours."),
        Passage(id="S4", source=2, start=0, end=1, text="The Pumpe of the maker is quiet."),
    )
    SPOKEN = ("de", "de", "en", "en")

    def ids(self, question: str) -> dict[str, list[str]]:
        ranked = rank_by_language(self.PASSAGES, self.SPOKEN, question)
        return {language: [passage.id for passage in passages] for language, passages in ranked.items()}

    def test_stop_words_match_nothing_in_any_language(self) -> None:
        assert self.ids("Was war das und wie ist die?") == {"de": [], "en": []}

    def test_each_language_has_a_ranking_of_its_own(self) -> None:
        assert self.ids("Wie leise ist die Pumpe?") == {"de": ["S2", "S1"], "en": ["S4"]}

    def test_a_word_that_is_a_stop_word_elsewhere_counts_in_a_question_of_its_language(self) -> None:
        assert self.ids("What was said about the war of words?")["en"] == ["S3"]

    @pytest.mark.parametrize("language", ["de", "de-CH", "fr", "pl", "vi", "fi", "nb", "ar"])
    def test_there_are_stop_words_for_other_languages_too(self, language: str) -> None:
        assert len(stop_words(language)) > 100

    def test_english_stop_words_leave_out_what_a_text_may_be_about(self) -> None:
        assert not stop_words("en") & {"computer", "fire", "system", "work", "number", "home"}
        assert stop_words("en") >= {"how", "which", "the", "main"}
        assert stop_words("xx") == stop_words("") == frozenset()


class TestOldRuns:
    def test_sources_without_a_language_are_detected(self, mixed: Reading) -> None:
        bare = mixed.model_copy(deep=True)
        for source in bare.sources:
            source.language = ""
        rankings = question_rankings(bare, TOPIC_QUESTIONS)
        assert rankings == question_rankings(mixed, TOPIC_QUESTIONS)
        assert len(rankings) == 2 * len(TOPIC_QUESTIONS)


@pytest.mark.parametrize(
    ("sample", "tokens"),
    [("", 0), ("word " * 100, 125), ("Wärme ist gut. " * 10, 38), ("热泵" * 50, 100), ("насос" * 20, 50)],
)
def test_tokens_are_estimated_by_script(sample: str, tokens: int) -> None:
    assert estimate_tokens(sample) == tokens


def test_a_source_has_tokens_for_its_head() -> None:
    passage = Passage(id="S1", source=1, start=0, end=4, text="Word")
    source = Source(number=1, title="", read_at=READ_AT, sha256="0" * 64)
    longer = source.model_copy(update={"publisher": "Institute of Roofs and Gardens"})
    assert passage_tokens(passage, longer) > passage_tokens(passage, source)
