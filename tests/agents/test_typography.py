"""Quotation marks become those of the article's language, where it is certain which marks are a pair."""

from __future__ import annotations

import pytest

from agents.text.quotations import missing_quotations
from agents.text.typography import localize_quotes
from tests.growth import in_proportion


@pytest.mark.parametrize(
    ("language", "text", "localized"),
    [
        ("de", 'Er nennt es "teuer" und “zu alt”.', "Er nennt es „teuer“ und „zu alt“."),
        ("de-AT", "Sie sagt «doch».", "Sie sagt „doch“."),
        ("de-CH", 'Er sagt „ja“, sie "nein".', "Er sagt «ja», sie «nein»."),
        ("de", "Er sagt “das ist ‘neu’ hier”.", "Er sagt „das ist ‚neu‘ hier“."),
        ("fr", 'Il dit "oui".', "Il dit «\u00a0oui\u00a0»."),
        ("fr", "Il dit « oui ».", "Il dit «\u00a0oui\u00a0»."),
        ("fr-CH", "Il dit “oui”.", "Il dit «\u202foui\u202f»."),
        ("en", 'They say "yes" and „no“.', "They say “yes” and “no”."),
        ("sv", 'Han sade "ja".', "Han sade ”ja”."),
        ("ja", "彼は“はい”と言った。", "彼は「はい」と言った。"),
        ("pl", "Mówi “tak”.", "Mówi „tak”."),
        ("de", '"Das gilt."[^1] Und "dies" auch.', "„Das gilt.“[^1] Und „dies“ auch."),
        ("de", 'Ein Rohr von 5" ist "dick".', 'Ein Rohr von 5" ist „dick“.'),
        ("de", '- "eins"\n- "zwei', '- „eins“\n- "zwei'),
    ],
)
def test_pairs_become_those_of_the_language(language: str, text: str, localized: str) -> None:
    assert localize_quotes(text, language) == localized
    assert localize_quotes(localized, language) == localized


@pytest.mark.parametrize(
    "text",
    [
        "Schon „richtig“ und »auch so«.",
        'Ein "verwaistes Zeichen und "noch eins".',
        "Es geht's, ’s ist ‘so’.",
        'Der Code `x = "y"` bleibt.',
        '```\nprint("x")\n```',
        '    print("x")',
        'Ein [Link](https://a.example/ "Titel").',
        'Der Tag <a title="x"> bleibt, und class="y" auch.',
        'Die Adresse https://a.example/?q="x" und <https://a.example/"x">.',
        '## Die "Frage"',
        '| "eins | zwei" |\n|---|---|\n',
        'Gezeigt wird \\"x\\".',
        'Ein "Absatz\n\nund "noch einer',
    ],
)
def test_what_is_right_uncertain_or_no_prose_stays(text: str) -> None:
    assert localize_quotes(text, "de") == text


def test_a_language_without_a_certain_style_is_left_alone() -> None:
    assert localize_quotes('قال "نعم".', "ar") == 'قال "نعم".'


@pytest.mark.parametrize(
    "language", ["de", "de-CH", "fr", "fr-CH", "en", "sv", "fi", "pl", "hu", "nb", "ja", "ru", "es"]
)
def test_a_quotation_is_still_recognised_in_every_style(language: str) -> None:
    sentence = localize_quotes("So steht es da: \"the roof holds 'most' water\", wie gesagt.", language)
    assert '"' not in sentence
    assert missing_quotations(sentence, ["In short, the roof holds most water of all."]) == []
    assert missing_quotations(sentence, ["In short, the roof leaks."]) == ["the roof holds 'most' water"]


@pytest.mark.parametrize("unit", ['"', '"a ', "„a ", "“", "« a ", "»a", '"a" ', "](", "<a", "\\", "`", "‘a "])
def test_it_takes_time_in_proportion(unit: str) -> None:
    assert in_proportion(lambda text: localize_quotes(text, "de"), unit, 10_000)
