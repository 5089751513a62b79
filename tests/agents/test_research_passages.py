from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate, pairwise

import pytest

from agents.contract import Passage
from agents.research.passages import is_boilerplate, split_passages
from agents.text.near_duplicates import find_near_duplicates, similarity, sketch
from agents.text.ranking import rank_by_language, terms
from agents.text.tokenizer import count_plain_words, sentences

WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "omega")


def prose(chance: random.Random, words: int) -> str:
    """That many words or a few more, in sentences of 4 to 40."""
    found: list[str] = []
    count = 0
    while count < words:
        length = chance.randint(4, 40)
        found.append(" ".join(chance.choices(WORDS, k=length)).capitalize() + ".")
        count += length
    return " ".join(found)


def written(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_sentences_end_where_a_reader_would_end_them() -> None:
    text = (
        "Dr. Smith came to the U.S. in 2019. He met J. Doe there.It was fun! Node.js runs v1.2.3 of it. See e.g. Fig. 3"
        ' for more… and on. It ends.[3] Does it? "Yes." Indeed'
    )

    assert written(text) == [
        "Dr. Smith came to the U.S. in 2019.",
        "He met J. Doe there.",
        "It was fun!",
        "Node.js runs v1.2.3 of it.",
        "See e.g. Fig. 3 for more… and on.",
        "It ends.[3]",
        "Does it?",
        '"Yes."',
        "Indeed",
    ]


def test_sentences_end_with_their_line_and_a_lists_number_is_none() -> None:
    assert written("A heading\n1. First item\n2. Second item. With two.\n") == [
        "A heading",
        "1. First item",
        "2. Second item.",
        "With two.",
    ]


def test_sentences_without_spaces_between_them_are_told_apart() -> None:
    assert written("東京は大きい。「京都は古い。」終わり") == ["東京は大きい。", "「京都は古い。」", "終わり"]


def test_sentences_of_a_part_have_the_offsets_of_the_whole() -> None:
    text = "Leave me out. Take me. And me."

    assert [text[start:end] for start, end in sentences(text, 14)] == ["Take me.", "And me."]


@pytest.mark.parametrize("seed", range(20))
def test_passages_have_80_to_200_words_and_leave_nothing_out(seed: int) -> None:
    chance = random.Random(seed)
    kinds: list[Callable[[], str]] = [
        lambda: prose(chance, chance.randint(5, 400)),
        lambda: "A heading",
        lambda: "- an item of a list",
    ]
    text = "\n\n".join(chance.choice(kinds)() for _ in range(40))

    spans = split_passages(text)
    counts = [count_plain_words(text, start, end) for start, end in spans]

    assert all(80 <= count <= 200 for count in counts[:-1])
    assert counts[-1] <= 200
    assert sum(counts) == count_plain_words(text)
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


def test_passages_end_with_a_sentence_and_where_they_can_with_a_paragraph() -> None:
    chance = random.Random(1)
    paragraphs = [prose(chance, 90) for _ in range(4)]
    text = "\n".join(paragraphs)

    assert [text[start:end] for start, end in split_passages(text)] == paragraphs


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    sentence = "Alpha beta gamma delta epsilon zeta eta theta iota kappa."  # ten words
    text = " ".join([sentence] * 40)

    assert [count_plain_words(text, start, end) for start, end in split_passages(text)] == [150, 150, 100]


def test_a_passage_does_not_end_with_a_heading_only_because_it_is_long_enough_with_it() -> None:
    first = "Alpha " * 74 + "beta."
    second = " ".join(["Alpha beta gamma delta epsilon zeta eta theta iota kappa."] * 9)
    text = f"{first}\nWhat is told in the second part\n{second}"

    assert split_passages(text) == [(0, len(text))]


def test_a_heading_goes_with_what_follows_it() -> None:
    chance = random.Random(2)
    first, second = prose(chance, 90), prose(chance, 90)
    text = f"{first}\nThe second part\n{second}"

    assert [text[start:end] for start, end in split_passages(text)] == [first, f"The second part\n{second}"]


@pytest.mark.parametrize("text", ["One word", "A single short paragraph. It is a source all the same.", "Heading only"])
def test_a_short_text_is_one_passage(text: str) -> None:
    assert split_passages(text) == [(0, len(text))]


@pytest.mark.parametrize("text", ["", "  \n\n ", "…!? --- ***\n---"])
def test_a_text_without_a_word_has_no_passage(text: str) -> None:
    assert split_passages(text) == []


def test_a_short_rest_joins_the_passage_before_it() -> None:
    chance = random.Random(4)
    text = f"{prose(chance, 90)}\n{prose(chance, 20)}"

    assert split_passages(text) == [(0, len(text))]


@pytest.mark.parametrize("text", ["word " * 5000, "x" * 100_000, "漢字" * 20_000, "a. " * 20_000, "Ab.Cd" * 10_000])
def test_a_text_that_is_no_prose_is_cut_all_the_same(text: str) -> None:
    spans = split_passages(text)

    assert all(count_plain_words(text, start, end) <= 200 for start, end in spans)
    assert spans[-1][1] == len(text.rstrip())


def test_a_menu_is_boilerplate_and_a_list_with_sentences_is_not() -> None:
    assert is_boilerplate("Home\nAbout us\nContact\nSign in")
    assert is_boilerplate("---")
    assert not is_boilerplate("Tools\nTake a spade.\nIt must be sharp.")
    assert not is_boilerplate("a line of more than six words without a full stop")


def test_nearly_the_same_words_are_a_repetition() -> None:
    chance = random.Random(5)
    text = prose(chance, 200)
    other = prose(chance, 200)

    assert find_near_duplicates([text, other, text.replace("omega", "OMEGA") + " One more word.", other]) == [
        None,
        None,
        0,
        1,
    ]


def test_long_texts_are_compared_by_a_sample() -> None:
    chance = random.Random(6)
    text = prose(chance, 20_000)
    half = text[: len(text) // 2]

    assert similarity(sketch(text), sketch(text + " The end.")) > 0.95
    assert 0.4 < similarity(sketch(text), sketch(half)) < 0.6


def test_texts_shorter_than_a_shingle_are_compared_as_a_whole() -> None:
    assert find_near_duplicates(["One two", "one two", "one", "…", "!"]) == [None, 0, None, None, 3]
    assert similarity(sketch("One"), sketch("Two")) == 0.0


def passages(*texts: tuple[int, str]) -> list[Passage]:
    return [
        Passage(id=f"S{place}", source=source, start=0, end=len(text), text=text)
        for place, (source, text) in enumerate(texts, start=1)
    ]


LIBRARY = passages(
    (1, "Heat pumps move heat from outside into a house, even in winter."),
    (1, "A heat pump needs electricity, about a quarter of the heat it gives."),
    (1, "Heat pumps hum softly in the garden."),
    (2, "Solar panels make electricity on sunny days."),
    (3, "Rye bread keeps for a week."),
)


def ranked(question: str) -> list[str]:
    return [passage.id for passage in rank_by_language(LIBRARY, ["en"] * len(LIBRARY), question)["en"]]


def test_the_passages_that_answer_a_question_best_come_first() -> None:
    assert ranked("How do heat pumps work in winter?")[0] == "S1"
    assert ranked("What about solar panels?") == ["S4"]


@pytest.mark.parametrize("question", ["the of and", "Wärmepumpe", ""])
def test_passages_that_share_no_term_are_not_ranked(question: str) -> None:
    assert ranked(question) == []
    assert rank_by_language([], [], question) == {}


def test_ranking_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    assert ranked("heat pump")

    assert capfd.readouterr() == ("", "")


def test_terms_are_found_in_any_script() -> None:
    assert terms("How do Heat-Pumps work? Gas, glass") == ["heat", "pump", "work", "gas", "glass"]
    assert terms("東京都 Straße") == ["東京", "京都", "strasse"]
    assert terms("都") == ["都"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("– — … ***", 0),
        ("Well-known words – 3.5 of them, aren't they?", 7),
        ("don't count 1,000 marks — or dashes—here", 7),
        ("屋顶花园 cool", 5),
        ("हिन्दी शब्द", 2),
        ("한국어 단어", 2),
        ("สวัสดีชาวโลก", 3),
        ("x" * 130, 3),
    ],
)
def test_words_are_counted_as_a_reader_counts_them(text: str, words: int) -> None:
    assert count_plain_words(text) == words
    assert count_plain_words(f"one {text} one", 4, 4 + len(text)) == words


def test_short_hindi_prose_is_no_menu() -> None:
    assert not is_boilerplate("हरी छतें शहर को ठंडा रखती हैं।\nलागत कम है।")


def test_terms_keep_their_vowel_signs() -> None:
    assert terms("हरी छतें") == ["हरी", "छतें"]
    assert terms("หลังคา") == ["หลั", "ลัง", "ังค", "งคา"]


def test_a_passage_ends_with_its_page() -> None:
    chance = random.Random(3)
    pages = [prose(chance, words) for words in (60, 30, 230, 90)]
    text, starts = joined(pages)

    for start, end in split_passages(text, starts):
        assert sum(text[start:end] in page for page in pages) == 1
    assert {start for start, _ in split_passages(text, starts)} >= set(starts)


def joined(pages: list[str]) -> tuple[str, list[int]]:
    """The text of a PDF, and where its pages begin."""
    return "\n\n".join(pages), list(accumulate((len(page) + 2 for page in pages[:-1]), initial=0))


def test_the_end_of_a_page_joins_the_passage_before_it_and_a_title_page_the_next_page() -> None:
    chance = random.Random(4)
    title, first, end, second = "A report on roofs", prose(chance, 100), prose(chance, 20), prose(chance, 40)
    pages = [title, f"{first}\n{end}", second]
    text, starts = joined(pages)

    assert [text[start:end] for start, end in split_passages(text, starts)] == [f"{title}\n\n{first}\n{end}", second]
