"""The search description: problems for the model, and corrections by code."""

from __future__ import annotations

import random
from typing import Any

import pytest

from agents.contract import SEO, FAQItem
from agents.text.seo import DESCRIPTION, SLUG_LENGTH, TITLE, display_width, fit_seo, seo_problems, slug_of

TITLE_OF_ARTICLE = "Rooftop gardens: what the evidence says"
TEXT = """## Why rooftops matter

Flat roofs are the *largest* unused surface of a city [S3]. Planted roofs run **11 °C** cooler in summer.[^1] Beds that are
wet weigh more than most old roofs were built to carry, so an engineer comes first.

- A staircase that takes a barrow

[^1]: City roofs surveyed. <https://example.org/roofs>
"""
GOOD = SEO(
    title="What rooftop gardens do for a hot city",
    meta_description="How much cooler a planted roof is in summer, what it weighs when it is wet, and what to ask an engineer "
    "before the first bed is built.",
    slug="rooftop-gardens-hot-city",
    keywords=["rooftop garden", "green roof"],
    faq=[FAQItem(question="How much cooler is a planted roof?", answer="Up to 11 °C in summer.")],
)


def seo(**changes: object) -> SEO:
    return GOOD.model_copy(update=changes)


def fitted(title: str = TITLE_OF_ARTICLE, text: str = TEXT, **changes: object) -> SEO:
    return fit_seo(seo(**changes), title=title, text=text)


def test_a_description_within_the_limits_is_unchanged() -> None:
    assert seo_problems(GOOD) == {}
    assert fitted() == GOOD


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": "x" * 71}, "The title has 71 characters; 30 to 60 are needed."),
        ({"title": "Roofs"}, "The title has 5 characters; 30 to 60 are needed."),
        ({"meta_description": "Short."}, "The description has 6 characters; 120 to 160 are needed."),
        ({"meta_description": "x" * 161}, "The description has 161 characters; 120 to 160 are needed."),
        ({"slug": "Rooftop Gardens & Co"}, "must be lower-case words joined by single hyphens"),
        ({"slug": "rooftop--gardens-now"}, "must be lower-case words joined by single hyphens"),
        ({"slug": "roofs"}, "The number of words in the slug is 1; 3 to 6 are needed."),
        ({"slug": "a-b-c-d-e-f-g"}, "The number of words in the slug is 7; 3 to 6 are needed."),
        ({"slug": "-".join(["x" * 30] * 3)}, "The slug has 92 characters; 75 are the most."),
        ({"keywords": []}, "There are 0 keywords; 1 to 10 are needed."),
        ({"keywords": [str(number) for number in range(11)]}, "There are 11 keywords; 1 to 10 are needed."),
        ({"keywords": ["Roof", "roof "]}, "The keyword “roof” is listed more than once."),
        ({"keywords": ["roof", " "]}, "A keyword is empty."),
        ({"keywords": ["x" * 81]}, "A keyword has 81 characters; 80 are the most."),
        ({"faq": [FAQItem(question="Why?", answer="word " * 61)]}, "Answer 1 has 61 words; 60 are the most."),
    ],
)
def test_each_problem_names_its_figures(changes: dict[str, Any], problem: str) -> None:
    assert problem in "\n".join(each for found in seo_problems(seo(**changes)).values() for each in found)
    assert seo_problems(fitted(**changes)) == {}


def test_a_title_that_is_too_long_is_replaced_by_its_first_part() -> None:
    title = "Rooftop gardens in a hot dense city: what the evidence says of heat, water and cost"
    assert fit_seo(seo(title=title), title=TITLE_OF_ARTICLE, text=TEXT).title == "Rooftop gardens in a hot dense city"


def test_a_title_outside_the_limits_is_replaced_by_the_articles() -> None:
    assert fit_seo(seo(title="Roofs"), title=TITLE_OF_ARTICLE, text=TEXT).title == TITLE_OF_ARTICLE
    assert fit_seo(seo(title="word " * 30), title=TITLE_OF_ARTICLE, text=TEXT).title == TITLE_OF_ARTICLE


def test_a_short_title_is_extended_with_words_of_the_article() -> None:
    title = fit_seo(seo(title="Roofs"), title="Green roofs", text=TEXT).title
    assert title == "Green roofs: Flat roofs are the largest unused surface of a…"


def test_a_description_is_extended_with_a_whole_sentence_if_one_fits() -> None:
    start = "What a planted roof does for the people who live in a house below it."
    assert fitted(meta_description=start).meta_description == (
        f"{start} Flat roofs are the largest unused surface of a city."
    )


def test_a_description_that_is_too_long_ends_with_a_whole_sentence_if_possible() -> None:
    first = (
        "How much cooler a planted roof is in summer, what it weighs when it is wet,"
        " and what to ask an engineer about it before you start."
    )
    assert (
        fitted(meta_description=f"{first} And more that no result would ever show in full.").meta_description == first
    )


def test_a_single_long_sentence_is_truncated_at_a_word() -> None:
    description = fitted(meta_description="seedlings " * 30).meta_description
    assert description == "seedlings " * 15 + "seedlings…"


def test_overlong_words_are_truncated() -> None:
    made = fit_seo(seo(title="x" * 200, meta_description="y" * 500), title="z" * 300, text="")
    assert (len(made.title), len(made.meta_description)) == (60, 160)


def test_nothing_is_added_from_an_empty_article() -> None:
    made = fit_seo(seo(title="Roofs", meta_description="", slug=""), title="Sleep", text="")
    assert (made.title, made.meta_description, made.slug) == ("Roofs", "Sleep", "sleep")


def test_marks_footnotes_and_emphasis_are_removed() -> None:
    marked = seo(title="**Rooftop gardens** cool a whole city [S3]", meta_description="Cool.[^1] `Roofs` [S1, S2].")
    made = fit_seo(marked, title=TITLE_OF_ARTICLE, text=TEXT)
    assert made.title == "Rooftop gardens cool a whole city"
    assert made.meta_description.startswith("Cool. Roofs.")
    assert not any(mark in made.meta_description for mark in ("[", "*", "`", "##", "staircase"))


def test_chinese_characters_count_by_their_width() -> None:
    assert display_width("屋顶花园") == 8
    made = fit_seo(
        seo(title="屋顶花园", meta_description="屋顶花园。"),
        title="屋顶花园如何为炎热的城市降温并收集雨水",
        text="平屋顶是城市里最大的未利用表面。种植屋顶在夏天凉快十一度。湿透的土壤比大多数旧屋顶能承受的更重。" * 2,
    )
    assert made.title == "屋顶花园如何为炎热的城市降温并收集雨水"
    assert DESCRIPTION.low <= display_width(made.meta_description) <= DESCRIPTION.high
    assert " " not in made.meta_description


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Vườn trên mái ở Đà Nẵng", "vuon-tren-mai-o-da-nang"),
        ("Große Höfe & Łódź", "grosse-hofe-lodz"),
        ("屋顶花园", "屋顶花园"),
        ("屋顶花园 AI", "屋顶花园-ai"),
        ("Крыши города", "крыши-города"),
        ("What the roofs of a city do for the people in it", "what-roofs-city-do-people-it"),
        ("!!! ???", "article"),
        ("word " * 30, "word-word-word-word-word-word"),
        ("x" * 200, "x" * SLUG_LENGTH),
    ],
)
def test_any_title_gives_a_slug(title: str, slug: str) -> None:
    assert slug_of(title) == slug


def test_a_given_slug_with_enough_words_is_kept() -> None:
    assert fitted(slug="https://example.org/blog/Green_Roofs-Explained/").slug == "green-roofs-explained"
    assert fitted(slug="roofs").slug == "rooftop-gardens-what-the-evidence-says"


def test_duplicate_keywords_are_removed_in_order() -> None:
    assert fitted(keywords=["Roof", "bed", "roof", " ", "Bed", "soil"]).keywords == ["Roof", "bed", "soil"]
    assert fitted(keywords=[" ", "x" * 81]).keywords == [TITLE_OF_ARTICLE]


def test_faq_answers_are_limited_to_60_words() -> None:
    sentence = "A wet bed weighs more than most old roofs were built to carry. "
    long, endless = FAQItem(question="Weight?", answer=sentence * 9), FAQItem(question="Cost?", answer="pounds " * 90)
    made = fitted(faq=[long, long, endless, FAQItem(question=" ", answer="lost")]).faq
    assert [one.question for one in made] == ["Weight?", "Cost?"]
    assert made[0].answer == (sentence * 4).strip()
    assert made[1].answer == "pounds " * 59 + "pounds…"


def test_any_model_output_is_brought_within_the_limits() -> None:
    chance = random.Random(7)
    signs = "aäß đ屋。.,:;–—-*_`[]()<>S3^1#\n\t😀 word"
    for _ in range(150):
        rubbish = ["".join(chance.choices(signs, k=chance.randint(0, 400))) for _ in range(4)]
        made = fit_seo(
            SEO(title=rubbish[0], meta_description=rubbish[1], slug=rubbish[2], keywords=[rubbish[3]]),
            title=TITLE_OF_ARTICLE,
            text=TEXT,
        )
        assert seo_problems(made) == {}
        assert TITLE.low <= display_width(made.title) <= TITLE.high
        assert DESCRIPTION.low <= display_width(made.meta_description) <= DESCRIPTION.high


@pytest.mark.parametrize(
    "slug",
    ["หลังคา-สีเขียว", "น้ำ-ฝน", "हरी-छतें-शहर-को"],
)
def test_vowel_signs_are_kept_in_slugs(slug: str) -> None:
    assert slug_of(slug.replace("-", " ")) == slug
    assert "slug" not in seo_problems(seo(slug=slug))


def test_letters_that_do_not_decompose_have_an_ascii_form() -> None:
    assert slug_of("Ærø çatıları Þór") == "aero-catilari-thor"


def test_a_short_ascii_slug_is_replaced_by_a_chinese_title() -> None:
    made = fitted(title="屋顶花园如何为城市降温", slug="green-roofs")
    assert "slug" not in seo_problems(made)
