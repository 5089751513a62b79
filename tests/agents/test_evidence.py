"""Sentences that cite are found, judged by code if it is certain, and replaced without damage to the Markdown."""

from __future__ import annotations

import pytest

from agents.contract import Passage
from agents.text.citations import cited_ids
from agents.text.evidence import cited_sentences, compare_with_passages, replace_sentences
from agents.text.markdown import parse_blocks
from tests.growth import in_proportion

ROOFS = (
    "Flat roofs are the largest unused surface of a city. “We never water ours,” says the owner of one.\n"
    "A saturated bed weighs 95 to 180 kg per square metre, and 1,500 litres of rain stay in it."
)


def passages(*texts: str) -> dict[str, Passage]:
    return {
        f"S{number}": Passage(id=f"S{number}", source=1, start=0, end=len(text), text=text)
        for number, text in enumerate(texts, 1)
    }


def plains(markdown: str) -> list[tuple[str, list[str]]]:
    return [(cited.plain, cited.passages) for cited in cited_sentences(markdown)]


def verdict(sentence: str, *texts: str) -> str | None:
    (cited,) = cited_sentences(sentence)
    compared = compare_with_passages(cited, passages(*texts))
    return compared and compared[0]


@pytest.mark.parametrize(
    ("sentence", "text", "found"),
    [
        ("It was 22 % rarer [S1].", "The hazard ratio was 0.78.", None),
        ("It rose by 15 per cent [S1].", "The hazard ratio was 1.15.", None),
        ("It was 20 % rarer [S1].", "The hazard ratio was 0.78.", "not"),
        ("It had 22 cases [S1].", "The hazard ratio was 0.78.", "not"),
        ("It was 78 % rarer [S1].", "A share of 2.78 was measured.", "not"),
    ],
)
def test_a_ratio_may_be_given_as_the_change_it_means(sentence: str, text: str, found: str | None) -> None:
    assert verdict(sentence, text) == found


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("Roofs are flat [S3]. Bees dance. [S4] No mark.", [("Roofs are flat.", ["S3"]), ("Bees dance.", ["S4"])]),
        ("Roofs are flat.[S3] Bees dance [S4][S5]!", [("Roofs are flat.", ["S3"]), ("Bees dance!", ["S4", "S5"])]),
        ("Twice [S3] in one [S3, S4].", [("Twice in one.", ["S3", "S4"])]),
        ("Before [S3]. [S4] After.", [("Before.", ["S3", "S4"])]),
        ("[S4] What a paragraph begins with.", [("What a paragraph begins with.", ["S4"])]),
        ("Said before.\n\n[S2]", [("Said before.", ["S2"])]),
        ("[S2]", []),
        ("- An item [S1]\n- Another\n\n2. Numbered [S2].", [("An item", ["S1"]), ("Numbered.", ["S2"])]),
        ("> Quoted words\n> go on [S5]. Next.", [("Quoted words go on.", ["S5"])]),
        ("Wrapped\nwords [S1].\nMore.", [("Wrapped words.", ["S1"])]),
        ("### 3. A heading [S1]", [("A heading", ["S1"])]),
        ("**Bold one. [S3]** Bold **ends [S1].** [S2] Z.", [("Bold one.", ["S3"]), ("Bold ends.", ["S1", "S2"])]),
        ("A *word* and [a link](https://a.org) \\* `x` [S1].", [("A word and a link * x.", ["S1"])]),
        ("Open till 6 p.m. [S1] The bees sleep [S2].", [("Open till 6 p.m.", ["S1"]), ("The bees sleep.", ["S2"])]),
        ("屋顶很凉爽[S1]。植物很多。[S2]土很重", [("屋顶很凉爽。", ["S1"]), ("植物很多。", ["S2"])]),
        ("`code [S1]` is none.\n\n```\nx = [S2]\n```\n\n    more [S3]\n", []),
        ("Windows\r\nlines [S1].\r\n\r\nNext [S2].", [("Windows lines.", ["S1"]), ("Next.", ["S2"])]),
    ],
)
def test_every_sentence_that_cites_is_found_with_its_marks(
    markdown: str, expected: list[tuple[str, list[str]]]
) -> None:
    assert plains(markdown) == expected
    for number, cited in enumerate(cited_sentences(markdown), 1):
        assert cited.number == number
        assert markdown[cited.start : cited.end] == cited.text
        assert cited_ids(cited.text)


def test_a_cell_of_a_table_is_a_sentence_and_a_cell_of_marks_belongs_to_the_one_before() -> None:
    table = "Above [S9].\n| Bed | Load |\n|---|:-:|\n| Wet | 180 kg [S1] |\n| Dry [S2] | [S3] |"
    assert plains(table) == [("Above.", ["S9"]), ("180 kg", ["S1"]), ("Dry", ["S2", "S3"])]


def test_a_verbatim_sentence_of_a_passage_is_supported() -> None:
    assert verdict("Flat roofs are a *city* thing [S1].", ROOFS) is None
    assert verdict("Flat **roofs** are the largest  unused surface of a city [S1].", ROOFS) == "supported"
    assert verdict("„We never water ours“, says the owner of one [S2].", "Other.", ROOFS) == "supported"
    assert verdict('"We never water ours," says the owner of one [S2].', "Other.", ROOFS) == "supported"


def test_a_part_of_a_sentence_is_not_its_words() -> None:
    for passage in ("It is a myth that flat roofs are cold in winter.", "Flat roofs are cold in winter, as fools say."):
        assert verdict("Flat roofs are cold in winter [S1].", passage) is None


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("It holds 1,000 litres [S1].", "1 000 litres"),
        ("It holds 1000 litres [S1].", "1.000 Liter"),
        ("It holds 1’000 litres [S1].", "1,000"),
        ("It holds 1.234.567,89 [S1].", "1,234,567.89"),
        ("It grew by 50 % [S1].", "grew by fifty per cent"),
        ("It grew by 50 percent [S1].", "grew by 50%"),
        ("It grew by fifty percent [S1].", "grew by 50 %"),
        ("It weighs 1.5 t [S1].", "1,5 t"),
        ("It weighs 2½ t [S1].", "2.50 t"),
        ("It weighs 95–180 kg [S1].", "between 95 and 180 kilogrammes"),
        ("From 1990–95 [S1].", "from 1990 to 1995"),
        ("It fell to −5 °C [S1].", "to -5 degrees, five below zero"),
        ("It costs 2 million [S1].", "2,000,000"),
        ("It costs 2–3 million [S1].", "2,000,000 to 3,000,000"),
        ("Es kostet 2,5 Mio. Euro [S1].", "2.5 million euros"),
        ("It costs 2 billion [S1].", "2 Milliarden"),
        ("Cuesta 2 mil millones [S1].", "2,000,000,000"),
        ("有50年 [S1]。", "50 年"),
        ("It has ５０ beds and ٥٠ pots [S1].", "50"),
        ("It holds 10 m² [S1].", "10 square metres"),
        ("In 2026 it was 26 [S1].", "2026 and 26"),
        ("On 12.10.2026 [S1].", "12 October 2026, the 10th month"),
        ("It has 250,000 [S1].", "two hundred and fifty thousand"),
    ],
)
def test_a_number_is_found_however_it_is_written(claim: str, passage: str) -> None:
    assert verdict(claim, f"The roof of it is in town: {passage}.") is None


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("It holds 1,000 litres [S1].", "11000 litres, 1,0001 and 100"),
        ("It holds 1,000 litres [S1].", "1 litre"),
        ("It weighs 1.5 t [S1].", "15 t and 1.55 t, 1 or 5"),
        ("It weighs 95–180 kg [S1].", "95 to 190 kg"),
        ("In 1995 [S1].", "in 1996"),
        ("It grew by 50 % [S1].", "grew by fifteen per cent and 5 %"),
        ("It grew by fifty percent [S1].", "by 51 %"),
        ("It costs 2 million [S1].", "2 thousand, or 2 billion"),
        ("It has 5 beds [S1].", "six beds"),
    ],
)
def test_a_number_that_no_passage_has_refutes_the_sentence(claim: str, passage: str) -> None:
    assert verdict(claim, f"The roof of it is in town: {passage}.") == "not"


@pytest.mark.parametrize(
    "claim",
    [
        "There are two reasons [S1].",
        "CO2, H1N1, F-16 and Covid-19 are names [S1].",
        "The 20th century and the 1990s were long [S1].",
        "Am 3. Oktober war es so weit [S1].",
        "(1) First, (2) second [S1].",
        "### 3.2 Water [S1]",
        "The twenty-first bed [S1].",
        "As others [12] say [S1].",
    ],
)
def test_what_is_no_number_of_the_claim_is_not_looked_for(claim: str) -> None:
    assert verdict(claim, "The roof of it is in town.") is None


def test_a_small_number_is_not_missed_where_the_passage_may_spell_it_in_another_language() -> None:
    assert verdict("Es gibt 5 Gründe [S1].", "Es gibt fünf Gründe dafür.") is None
    assert verdict("Es gibt 50 Gründe [S1].", "Es gibt viele Gründe dafür.") == "not"


@pytest.mark.parametrize(
    ("quotation", "expected"),
    [
        ("“we never water ours”", None),
        ("„we never water ours“", None),
        ("«We  never water ours»", None),
        ('"we never … ours"', None),
        ("“we never [ever] water ours”", None),
        ("“we always water ours”", "not"),
        ("「we always water ours」", "not"),
        ('"we always water ours"', "not"),
        ("“always water”", None),
        ("“water ours says the own”", "not"),
        ("“and 1,500 litres of rain”", None),
        ('A 5" pipe is far wider than a 4" pipe', "not"),
    ],
)
def test_a_quotation_must_stand_in_a_passage(quotation: str, expected: str | None) -> None:
    assert verdict(f"They told us: {quotation} [S1].", ROOFS) == expected


def test_a_quotation_may_end_with_a_symbol_and_have_no_spaces_around_it() -> None:
    assert verdict("They say “we lost 50 %” [S1].", "Then we lost 50 %, they say.") is None
    assert verdict("他说“屋顶非常凉爽”[S1]。", "因为屋顶非常凉爽所以好。") is None


@pytest.mark.parametrize(
    ("claim", "passage", "converted"),
    [
        ("It weighs 2 lb [S1].", "0.9 kg", True),
        ("It holds 60 °F [S1].", "15.5 °C", True),
        ("It is 95 to 180 kg, or 209 to 397 lb [S1].", "95 to 180 kg", True),
        ("It weighs 3 lb [S1].", "0.9 kg", False),
        ("It weighs 2 kg [S1].", "1.95 kg", False),
        ("It is 95 to 180 kg, or 209 to 500 lb [S1].", "95 to 180 kg", False),
    ],
)
def test_a_number_in_another_unit_is_stated_if_it_is_the_same_amount(claim: str, passage: str, converted: bool) -> None:
    assert (verdict(claim, f"The roof of it is in town: {passage}.") is None) is converted


def test_the_reason_names_what_is_missing() -> None:
    (cited,) = cited_sentences("It weighs 95 to 200 kg, or 3 million grammes [S1].")
    assert compare_with_passages(cited, passages(ROOFS)) == (
        "not",
        "The numbers 200 and 3 million do not appear in the passages it cites.",
    )
    (cited,) = cited_sentences("They say “it is very wet” [S1].")
    assert compare_with_passages(cited, passages(ROOFS)) == (
        "not",
        "The quotation “it is very wet” does not appear in the passages it cites.",
    )


def test_only_the_passages_it_cites_count_and_all_of_them() -> None:
    assert verdict("Both 180 and 77 [S1, S2].", ROOFS, "77 beds") is None
    assert verdict("Both 180 and 77 [S1].", ROOFS, "77 beds") == "not"
    assert verdict("Nothing was read [S9].", ROOFS) == "not"


def test_other_words_keep_marks_and_place() -> None:
    text = "First one [S1]. **Second one** stands. [S2, S3]\n\n- An item\n  that goes on [S4]\n\nLast. [S1]"
    new = replace_sentences(
        text, {1: "It is new", 2: "That is **very** new! [S9]", 3: "A new item", 4: "He said “no.”"}
    )
    assert new == "It is new [S1]. That is very new [S2, S3]!\n\n- A new item [S4]\n\nHe said “no.” [S1]"
    assert [cited.passages for cited in cited_sentences(new)] == [["S1"], ["S2", "S3"], ["S4"], ["S1"]]


def test_a_label_in_bold_stays_bold_whether_the_wording_repeats_it_or_not() -> None:
    text = "1. **Storage:** The school has lockers for phones [S3].\n2. **Costs:** A locker costs 5 euros [S2]."
    wordings = {1: "Storage: The school has some lockers for phones.", 2: "A locker costs about 5 euros."}
    assert replace_sentences(text, wordings) == (
        "1. **Storage:** The school has some lockers for phones [S3].\n2. **Costs:** A locker costs about 5 euros [S2]."
    )


def test_emphasis_around_several_sentences_stays_whole() -> None:
    assert replace_sentences("**One. Two [S1].**", {2: "New."}) == "**One. New [S1].**"
    assert replace_sentences("**One. Two [S1].**", {1: "New."}) == "**New. Two [S1].**"
    assert replace_sentences("**One [S1]. Two.**", {1: "New."}) == "**New [S1]. Two.**"


@pytest.mark.parametrize(
    "words",
    [
        "# A heading",
        "- an item",
        "1. an item",
        "> a quotation",
        "<script>alert(1)</script>",
        "Line one\n\n## Line two",
        "a [link](javascript:alert(1)) and ![picture](x)",
        "[^1]: a note",
        "| a | b |",
        "=== x",
        "text [S7] of others [S8]",
        "$x^2$ ~~gone~~ *bold*",
    ],
)
def test_other_words_cannot_smuggle_in_markdown_or_marks(words: str) -> None:
    text = "Some words were here before it [S1].\n\n| a | b |\n|---|---|\n| these words were here [S2] | x |"
    new = replace_sentences(text, {1: words, 2: words})
    assert new != text
    assert cited_ids(new) == ["S1", "S2"]
    assert [token.type for token in parse_blocks(new)] == [token.type for token in parse_blocks(text)]
    assert new.count("\n") == text.count("\n")
    assert [len(plains(new)), new.count(" | x |")] == [2, 1]


def test_a_reader_sees_other_words_just_as_they_are() -> None:
    table = "| a | b |\n|---|---|\n| Some words were here [S1] | x |"
    new = replace_sentences(table, {1: r"5 \* 6 | \_x\_ \[y](z) [^1] <b> ~z~"})
    assert new.endswith(r"| 5 \* 6 \| \_x\_ \[y\](z) \[\^1\] \<b\> \~z\~ [S1] | x |")


@pytest.mark.parametrize(
    "words", ["", " \n", "…", "```\ncode\n```", "word " * 81, "four words are many here now so", "One. And another."]
)
def test_words_that_are_none_or_absurd_are_ignored(words: str) -> None:
    text = "Two words [S1]."
    assert replace_sentences(text, {1: words, 7: "No such sentence"}) == text


@pytest.mark.parametrize(
    ("unit", "times", "end"),
    [
        ("[S1]", 5000, ""),
        ("a [S1]. ", 2000, ""),
        ("| a [S1] ", 2000, ""),
        ("9", 20_000, " [S1]"),
        ('"', 20_000, "x [S1]"),
    ],
)
def test_no_text_keeps_a_reader_waiting(unit: str, times: int, end: str) -> None:
    read = passages("1,000 " * 200 + '"' * 2000)

    def compared(text: str) -> None:
        for cited in cited_sentences(text):
            compare_with_passages(cited, read)

    assert in_proportion(compared, unit, times, end)


def test_hindi_sentences_are_split() -> None:
    text = "हरी छतें शहर को ठंडा रखती हैं [S1]। लागत 15 लाख है [S2]। पौधे लगाए हैं।"
    assert [cited.passages for cited in cited_sentences(text)] == [["S1"], ["S2"]]


def test_british_quotations_are_compared_too() -> None:
    passage = Passage(id="S1", source=1, start=0, end=20, text="The roof is red.")
    [cited] = cited_sentences("He said ‘the roof isn’t green and safe’ [S1].")
    verdict = compare_with_passages(cited, {"S1": passage})
    assert verdict
    assert "quotation" in verdict[1]
