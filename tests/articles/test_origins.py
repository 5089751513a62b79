"""Where each sentence of a revision is from."""

from __future__ import annotations

import random
import time

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from articles.models import Article, Revision
from articles.revisions.origins import Origin, origins_of, read_stretches, stretches
from articles.services import restore_revision, save_text
from tests.articles.clients import client_of
from tests.factories import UserFactory, make_completed_article

pytestmark = pytest.mark.django_db

OF_THE_CREW = """Beds cost 120 euros.[^1] They are heavy on old roofs.

## Load

One ton is a lot for a roof.

[^1]: Survey."""


def of_the_crew(writer: User, content: str = OF_THE_CREW) -> Article:
    """An article whose first revision is the crew's."""
    article = Article.objects.create(owner=writer, topic="Beds", title="Beds", content=content, status="completed")
    crew: list[tuple[int, int, Origin]] = [(0, len(content), "crew")]
    Revision.objects.create(article=article, number=1, title="Beds", content=content, origin=crew)
    return article


def save(article: Article, content: str, origin: Origin = "person") -> dict[str, Origin]:
    """Save a text; its sentences with their origins."""
    newest = article.revisions.first()
    assert newest is not None
    revision = save_text(
        article=article, by=article.owner, title="Beds", content=content, opened_at=newest.number, origin=origin
    )
    return origins(revision)


def origins(revision: Revision) -> dict[str, Origin]:
    return {sentence.words: sentence.origin for sentence in origins_of(revision)}


def test_what_the_crew_wrote_is_the_crews(writer: User) -> None:
    revision = make_completed_article(writer).revisions.get()
    assert revision.origin is not None
    assert set(origins(revision).values()) == {"crew"}


def test_edits_are_told_apart(writer: User) -> None:
    text = OF_THE_CREW.replace("120", "140").replace("One ton", "Nobody asked me before they put it there. One ton")
    assert save(of_the_crew(writer), text) == {
        "Beds cost 140 euros.": "crew_edited",
        "They are heavy on old roofs.": "crew",
        "Load": "crew",
        "Nobody asked me before they put it there.": "person",
        "One ton is a lot for a roof.": "crew",
    }


def test_a_second_edit_keeps_the_origins_of_the_first(writer: User) -> None:
    article = of_the_crew(writer)
    edited = f"{OF_THE_CREW.replace('120', '140')}\n\nI measured it myself last summer.\n"
    save(article, edited)
    again = save(article, edited.replace("I measured it myself", "I measured it").replace("140", "150"))
    assert again["Beds cost 150 euros."] == "crew_edited"
    assert again["I measured it last summer."] == "person"


def test_moves_marks_and_emphasis_change_nothing(writer: User) -> None:
    text = "## **Load**\n\n- One ton is a lot for a roof.[^1]\n- Beds cost 120 euros. They are *heavy* on old roofs.\n"
    assert set(save(of_the_crew(writer), text).values()) == {"crew"}


def test_only_a_marker_at_the_start_is_left_out(writer: User) -> None:
    text = "It is **11 °C cooler** at noon - in 2024.\n\n1. I saw it.\n\n| Roof | Load |\n|---|---|\n| Flat | 60 |\n"
    assert list(save(of_the_crew(writer), text)) == [
        "It is 11 °C cooler at noon - in 2024.",
        "I saw it.",
        "Roof · Load",
        "Flat · 60",
    ]


def test_a_restored_sentence_is_of_whoever_wrote_it(writer: User) -> None:
    article = of_the_crew(writer)
    save(article, "All of this was written by me alone.")
    first = article.revisions.get(number=1)
    restored = restore_revision(article=article, by=writer, revision=first, opened_at=2)
    assert set(origins(restored).values()) == {"crew"}


def test_new_sentences_can_be_an_import_or_an_accepted_suggestion(writer: User) -> None:
    article = of_the_crew(writer)
    text = f"{OF_THE_CREW}\n\nA roof garden needs somebody with a key."
    assert save(article, text, "import")["A roof garden needs somebody with a key."] == "import"
    more = save(article, f"{text}\n\nWatering takes an hour in July.", "crew_edited")
    assert more["Watering takes an hour in July."] == "crew_edited"
    assert more["A roof garden needs somebody with a key."] == "import"


def test_revisions_of_older_versions_are_computed(writer: User) -> None:
    article = of_the_crew(writer)
    save(article, OF_THE_CREW.replace("120", "140"))
    expected = save(article, OF_THE_CREW.replace("120", "140").replace("heavy", "light"))
    Revision.objects.update(origin=None)
    assert origins(article.revisions.get(number=3)) == expected
    assert expected["They are light on old roofs."] == "crew_edited"


def test_many_revisions_of_older_versions_are_computed(writer: User) -> None:
    article = of_the_crew(writer)
    text = OF_THE_CREW
    rows = []
    for number in range(2, 1202):
        text = text.replace("Load", f"Load {number}") if number == 2 else text.replace(f"d {number - 1}", f"d {number}")
        rows.append(Revision(article=article, number=number, title="Beds", content=text, saved_by=writer))
    Revision.objects.bulk_create(rows)
    assert origins(article.revisions.get(number=1201))["Load 1201"] == "crew_edited"


WORDS = [
    f"{start}{end}" for start in ("ba", "ko", "mi", "tu", "re", "sol") for end in ("ran", "lim", "pek", "dos", "zu")
]


def sentence(choice: random.Random) -> str:
    return " ".join(choice.sample(WORDS, 9)).capitalize() + "."


@pytest.mark.parametrize("seed", range(20))
def test_random_edits(writer: User, seed: int) -> None:
    """Ten edits each: the origins are those of a model that knows what was done to each sentence."""
    choice = random.Random(seed)
    model: list[tuple[str, Origin]] = [(sentence(choice), "crew") for _ in range(12)]
    article = of_the_crew(writer, " ".join(text for text, _ in model))
    for _ in range(10):
        at = choice.randrange(len(model))
        match choice.choice(("change", "move", "add", "remove")):
            case "change":
                text, origin = model[at]
                word = choice.choice(text[:-1].split()[1:])
                model[at] = (
                    text.replace(word, f"x{choice.randrange(10**6)}"),
                    "crew_edited" if origin != "person" else origin,
                )
            case "move":
                model.insert(choice.randrange(len(model)), model.pop(at))
            case "add":
                model.insert(
                    at,
                    (
                        f"Q{choice.randrange(10**6)} {' '.join(f'y{choice.randrange(10**6)}' for _ in range(6))}.",
                        "person",
                    ),
                )
            case "remove" if len(model) > 3:
                model.pop(at)
        content = "".join(text + choice.choice((" ", "\n\n")) for text, _ in model)
        assert save(article, content) == dict(model)


def test_stretches_are_short_and_read_back(writer: User) -> None:
    article = of_the_crew(writer)
    save(article, f"{OF_THE_CREW}\n\nI measured it myself last summer.\n")
    revision = article.revisions.get(number=2)
    assert revision.origin is not None
    assert [each[2] for each in revision.origin] == ["crew", "person"]
    assert stretches(read_stretches(revision.content, revision.origin)) == [tuple(each) for each in revision.origin]


def test_a_long_text_is_traced_quickly(writer: User) -> None:
    choice = random.Random(1)
    text = "\n\n".join(" ".join(sentence(choice) for _ in range(5)) for _ in range(100))
    article = of_the_crew(writer, text)
    edited = ". ".join(part.replace("ban", "bon", 1) if n % 3 else part for n, part in enumerate(text.split(". ")))
    began = time.process_time()
    save(article, edited)
    assert time.process_time() - began < 1.5


class TestShown:
    def test_the_api_lists_them(self, writer: User) -> None:
        article = of_the_crew(writer)
        content = OF_THE_CREW.replace("120", "140")
        save(article, content)
        answer = client_of(writer).get(f"/api/articles/{article.pk}/revisions/2/origins").json()
        assert answer["words"] == {"crew": 15, "crew_edited": 4, "person": 0, "import": 0}
        [edited] = [each for each in answer["sentences"] if each["origin"] == "crew_edited"]
        assert content[edited["start"] : edited["end"]] == "Beds cost 140 euros.[^1]"

    def test_the_page_shades_them(self, client: Client, writer: User) -> None:
        article = of_the_crew(writer)
        save(article, f"{OF_THE_CREW.replace('120', '140')}\n\n<script>I measured it</script> myself last summer.")
        client.force_login(writer)
        shown = client.get(reverse("article_origins", args=[article.pk])).content.decode()
        assert '<span class="origin is-crew_edited">Beds cost 140 euros.</span>' in shown
        assert "&lt;script&gt;I measured it" in shown
        assert "<script>I" not in shown

    def test_the_article_links_to_them(self, client: Client, writer: User) -> None:
        article = make_completed_article(writer)
        client.force_login(writer)
        shown = client.get(article.get_absolute_url()).content.decode()
        assert f'<a href="{reverse("article_origins", args=[article.pk])}">Who wrote what</a>' in shown

    def test_another_users_are_not_found(self, client: Client, writer: User) -> None:
        article = of_the_crew(UserFactory.create())
        client.force_login(writer)
        assert client.get(reverse("article_origins", args=[article.pk])).status_code == 404
        assert client_of(writer).get(f"/api/articles/{article.pk}/revisions/1/origins").status_code == 404
