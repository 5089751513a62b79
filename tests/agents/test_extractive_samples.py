"""The sample library answers what it can, and says nothing where it knows nothing."""

from __future__ import annotations

import pytest

from agents import samples
from agents.extractive.sentences import is_quotable
from agents.text.tokenizer import count_plain_words
from tests.agents.extractive_texts import split


@pytest.mark.parametrize(
    ("topic", "title"),
    [
        ("Rooftop gardening in big cities", "Rooftop gardens"),
        ("how do bees dance?", "Honey bees and their colony"),
        ("The best bread to bake at home", "Sourdough bread"),
        ("Walking to school", "Walkable cities"),
        ("Why libraries matter", "Public libraries"),
    ],
)
def test_the_essay_nearest_to_the_topic_comes_first(topic: str, title: str) -> None:
    assert samples.closest(topic)[0].title == title


@pytest.mark.parametrize(
    "topic", ["Quantum computing", "The future of work", "量子计算", "One speech to give", "the of and"]
)
def test_a_topic_no_essay_speaks_of_gets_none(topic: str) -> None:
    assert samples.closest(topic) == []


def test_no_more_essays_come_than_were_asked_for() -> None:
    topic = " ".join(samples.titles())
    assert len(samples.closest(topic)) == 2
    assert len(samples.closest(topic, limit=4)) == 4


def test_every_title_finds_its_own_essay() -> None:
    assert len(samples.titles()) >= 5
    for title in samples.titles():
        assert samples.closest(title)[0].title == title


def test_every_essay_carries_an_article_of_sentences_that_can_be_quoted() -> None:
    for title in samples.titles():
        text = samples.closest(title)[0].text
        assert 500 <= count_plain_words(text) <= 900
        prose = "\n\n".join(block for block in text.split("\n\n") if not block.startswith("#"))
        assert [
            sentence for sentence in split(prose) if not is_quotable(sentence) and count_plain_words(sentence) > 4
        ] == []
