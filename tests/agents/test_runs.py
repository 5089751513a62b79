"""One mark stands for a run of sentences; verdicts have a key; uncited statements of fact are found."""

from __future__ import annotations

import pytest

from agents.contract import Passage
from agents.text.evidence import cited_sentences, compare_with_passages, replace_sentences, verdict_key
from agents.text.factual import fact_kind, uncited_factual_sentences


def passage(text: str, id: str = "S1") -> Passage:
    return Passage(id=id, source=1, start=0, end=len(text), text=text)


def runs(markdown: str) -> list[tuple[str, list[str], bool]]:
    return [(cited.plain, cited.passages, cited.own_mark) for cited in cited_sentences(markdown)]


def test_a_mark_covers_the_sentences_since_the_mark_before_it() -> None:
    assert runs("Rents rose. They fell in May [S1]. Wages rose. Prices did not [S2, S3]. A last one.") == [
        ("Rents rose.", ["S1"], False),
        ("They fell in May.", ["S1"], True),
        ("Wages rose.", ["S2", "S3"], False),
        ("Prices did not.", ["S2", "S3"], True),
    ]


@pytest.mark.parametrize(
    "markdown",
    [
        "Rents rose.\n\nThey fell [S1].",
        "- Rents rose.\n- They fell [S1].",
        "## Rents rose\nThey fell [S1].",
        "| a | b |\n|---|---|\n| Rents rose. | They fell [S1]. |",
    ],
)
def test_a_run_ends_at_its_paragraph_item_or_cell(markdown: str) -> None:
    assert runs(markdown) == [("They fell.", ["S1"], True)]


def test_a_mark_in_a_paragraph_of_its_own_covers_the_paragraph_before() -> None:
    assert runs("Rents rose. They fell.\n\n[S2]") == [("Rents rose.", ["S2"], False), ("They fell.", ["S2"], True)]


@pytest.mark.parametrize(
    "own",
    [
        "Our own calculation: that is 900 euros a year.",
        "At 0.30 per kWh that is about 900 euros (3,000 × 0.30).",
        "As a worked example, take a flat of 70 m².",
        "We conclude that waiting pays.",
        "Eigene Rechnung: Das sind 900 Euro im Jahr.",
        "Ein Rechenbeispiel zeigt es.",
    ],
)
def test_labelled_reasoning_of_the_author_belongs_to_no_run(own: str) -> None:
    assert [plain for plain, _, _ in runs(f"Rents rose. {own} They fell [S1].")] == ["Rents rose.", "They fell."]


def test_a_source_with_an_estimate_of_its_own_is_no_reasoning_of_the_author() -> None:
    assert len(runs("The institute gave its own estimate. It was low [S1].")) == 2


def test_a_cited_sentence_knows_the_one_before_it() -> None:
    first, second, third = cited_sentences("Rents rose **fast** [S1]. It fell slightly [S2].\n\nThis lasted [S3].")
    assert (first.before, second.before, third.before) == ("", "Rents rose fast.", "It fell slightly.")


def test_the_numbers_of_a_run_are_compared_with_all_its_passages() -> None:
    passages = {"S1": passage("The rent is 77 euros."), "S2": passage("The flat has 180 rooms.", "S2")}
    text = "It has 180 rooms. It costs 77 euros [S1, S2]. It has 180 rooms. It costs 99 euros [S1]."
    verdicts = [compare_with_passages(cited, passages) for cited in cited_sentences(text)]
    assert [verdict and verdict[0] for verdict in verdicts] == [None, None, "not", "not"]


def test_the_result_of_a_correct_calculation_needs_no_passage() -> None:
    passages = {"S1": passage("It takes 3,000 kWh, and a kWh costs 0.30 euros.")}
    for result, expected in (("900", None), ("990", "not")):
        (cited,) = cited_sentences(f"That is about {result} euros a year (3,000 × 0.30) [S1].")
        verdict = compare_with_passages(cited, passages)
        assert (verdict and verdict[0]) == expected


def test_a_sentence_of_a_run_is_replaced_without_a_mark_of_its_own() -> None:
    assert replace_sentences("Rents rose. They fell [S1].", {1: "Rents stayed"}) == "Rents stayed. They fell [S1]."
    assert [cited.marked for cited in cited_sentences("Rents rose. They fell [S1].")] == [
        "Rents rose. [S1]",
        "They fell [S1].",
    ]


def test_german_dates_and_amounts_do_not_end_a_sentence() -> None:
    text = "In der 8. Schulstufe und im 3. Lebensjahr gilt das [S1]."
    assert [each.plain for each in cited_sentences(text)] == ["In der 8. Schulstufe und im 3. Lebensjahr gilt das."]
    text = "Am 3. Oktober kostete es 2,5 Mio. Euro. Danach sank der Preis [S1]."
    assert [plain for plain, _, _ in runs(text)] == [
        "Am 3. Oktober kostete es 2,5 Mio. Euro.",
        "Danach sank der Preis.",
    ]


def test_a_verdict_key_depends_on_texts_only() -> None:
    one, other = passage("Rents  rose by 3 %."), passage("Wages fell.", "S2")
    key = verdict_key("Rents rose by “3 %” [S1].", [one, other])
    moved = [passage("Wages fell.", "S7"), passage("Rents rose by 3 %.", "S9")]
    assert verdict_key('Rents **rose** by\n"3 %" [S7, S9].', moved) == key
    assert verdict_key("Rents rose by “4 %” [S1].", [one, other]) != key
    assert verdict_key("Rents rose by “3 %” [S1].", [one]) != key


def test_the_sentence_before_is_part_of_the_key_only_if_it_is_referred_to() -> None:
    read = [passage("Rents fell slightly.")]
    assert verdict_key("It fell slightly.", read, "Rents rose.") != verdict_key(
        "It fell slightly.", read, "Wages rose."
    )
    assert verdict_key("Rents fell.", read, "Rents rose.") == verdict_key("Rents fell.", read, "Wages rose.")


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("Rents rose by 13 %.", "figure"),
        ("It cost two hundred euros.", "figure"),
        ("Es kostete 2,5 Mio. Euro.", "figure"),
        ("The law came in May 2024.", "date"),
        ("Das Gesetz gilt seit dem 3. Oktober.", "date"),
        ("“We never saw this before,” the owner says.", "quotation"),
        ("The Institute for Energy warns of a shortage.", "attribution"),
        ("According to the ministry, prices will fall.", "attribution"),
        ("Laut Verbraucherzentrale lohnt es sich nicht.", "attribution"),
        ("Die Stiftung Warentest empfiehlt zu warten.", "attribution"),
        ("There are two reasons.", None),
        ("It says a lot about a city.", None),
        ("Choose it if your house is insulated.", None),
        ("Warten lohnt sich nicht immer.", None),
    ],
)
def test_what_makes_a_sentence_a_statement_of_fact(sentence: str, kind: str | None) -> None:
    assert fact_kind(sentence) == kind


def test_uncited_statements_of_fact_are_found_in_title_headings_and_text() -> None:
    text = (
        "## Costs fell by 4 %\n\nRents rose by 3 %. It was cold [S1]. Wages rose by 5 %.\n\n"
        "Eigene Rechnung: 3 × 4 = 12.\n\n| a | b |\n|---|---|\n| x | 77 |\n\n```\n99\n```\n"
    )
    found = [
        (each.plain, each.place, each.own_reasoning) for each in uncited_factual_sentences(text, "The 2 % *question*")
    ]
    assert found == [
        ("The 2 % question", "title", False),
        ("Costs fell by 4 %", "heading", False),
        ("Wages rose by 5 %.", "text", False),
        ("Eigene Rechnung: 3 × 4 = 12.", "text", True),
        ("77", "text", False),
    ]
    assert all(text[each.start : each.end].startswith(each.plain[:5]) for each in uncited_factual_sentences(text))
