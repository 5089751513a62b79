"""Voices: edited in the admin, chosen in the brief, and given to the writing agents as instructions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from agents import contract
from agents.text.quoting import quote
from agents.text.voices import avoided_words_in, voice_instructions
from articles.exceptions import UnknownVoice
from articles.models import Article, Voice
from tests.articles.clients import client_of, post
from tests.factories import StaffFactory, UserFactory, make_article

LIST = "admin:articles_voice_changelist"
ADD = "admin:articles_voice_add"


@pytest.fixture
def browser(client: Client, db: None) -> Client:
    client.force_login(StaffFactory.create())
    return client


@pytest.fixture
def house(db: None) -> Voice:
    return Voice.objects.create(name="House", description="Dry, short sentences.", avoid="leverage\nin order to")


def voice(**changes: Any) -> contract.Voice:
    return contract.Voice(**{"name": "House", **changes})


class TestInstructions:
    def test_without_a_voice_there_are_none(self) -> None:
        assert voice_instructions(None) == ""

    def test_they_have_all_fields_of_the_voice(self) -> None:
        instructions = voice_instructions(
            voice(description="Dry.", samples=["It rained."], prefer=["use", "roof"], avoid=["leverage"])
        )
        assert "“House”" in instructions
        assert "Dry." in instructions
        assert quote("It rained.") in instructions
        assert "use, roof" in instructions
        assert "leverage" in instructions

    def test_empty_fields_are_omitted(self) -> None:
        assert voice_instructions(voice()) == "Write in the voice “House”."

    def test_they_have_the_beginning_of_two_samples(self) -> None:
        instructions = voice_instructions(voice(samples=["first " * 400, "second", "third"]))
        assert instructions.count("first") == 150
        assert "first …" in instructions
        assert "second" in instructions
        assert "third" not in instructions

    def test_a_sample_without_spaces_is_shortened_too(self) -> None:
        assert len(voice_instructions(voice(samples=["屋上庭園は夏に涼しい。" * 400]))) < 700

    def test_braces_are_kept_literally(self) -> None:
        braces = "{x} {name} {{y}} {0}"
        instructions = voice_instructions(
            voice(name=braces, description=braces, samples=[braces], prefer=[braces], avoid=[braces])
        )
        assert instructions.count(braces) == 5


class TestAvoidedWords:
    @pytest.mark.parametrize(
        ("text", "words", "found"),
        [
            ("We leverage roofs.", ["leverage"], ["leverage"]),
            ("LEVERAGE", ["leverage"], ["leverage"]),
            ("Leveraged and deleverage.", ["leverage"], []),
            ("Planted in\norder  to cool.", ["in order to"], ["in order to"]),
            ("It’s cool.", ["it's"], ["it's"]),
            ("Die STRASSE ist lang.", ["Straße"], ["Straße"]),
            ("Cafe\u0301 au lait", ["café"], ["café"]),
            ("Cafés", ["café"], []),
            ("(synergy)", ["synergy", "roof"], ["synergy"]),
            ("Written in C++17.", ["C++"], ["C++"]),
            ("a.b", ["a+b", "a.b"], ["a.b"]),
            ("我们避免使用这个词。", ["避免"], ["避免"]),
            ("की बात", ["क"], []),
            ("", ["roof"], []),
        ],
    )
    def test_whole_words_are_found_in_any_case_and_script(self, text: str, words: list[str], found: list[str]) -> None:
        assert avoided_words_in(text, voice(avoid=words)) == found

    def test_without_a_voice_none_are_found(self) -> None:
        assert avoided_words_in("We leverage roofs.", None) == []


class TestModel:
    def test_samples_are_separated_by_dashes_and_words_by_lines(self) -> None:
        voice = Voice(name="A", samples="One.\n---\n\nTwo\n-- still two.\n-----\n", prefer=" roof \n\nuse\n")
        assert voice.as_contract().samples == ["One.", "Two\n-- still two."]
        assert voice.as_contract().prefer == ["roof", "use"]

    def test_the_error_of_an_unknown_name_lists_the_known_ones(self, house: Voice) -> None:
        Voice.objects.create(name="Annual report", description="Stiff.")
        assert Voice.objects.named("House") == house
        with pytest.raises(UnknownVoice, match=r"There is no voice “house”\. There are: Annual report, House\."):
            Voice.objects.named("house")

    def test_deleting_a_voice_keeps_the_articles_that_use_it(self, house: Voice) -> None:
        article = make_article(UserFactory.create(), voice=house)
        house.delete()
        article.refresh_from_db()
        assert article.voice is None


class TestAdmin:
    def form(self, **changes: str) -> dict[str, str]:
        return {"name": "House", "description": "Dry.", "samples": "", "prefer": "", "avoid": "", **changes}

    def test_a_voice_is_created(self, browser: Client) -> None:
        browser.post(reverse(ADD), self.form(samples="One.\r\n---\r\nTwo.", avoid="leverage\r\nsynergy"))
        made = Voice.objects.get().as_contract()
        assert (made.samples, made.avoid) == (["One.", "Two."], ["leverage", "synergy"])

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"description": "", "samples": " --- \n"}, "Add a description or a sample text"),
            ({"prefer": "roof\nUse", "avoid": "use\nleverage"}, "Both preferred and avoided: use."),
            ({"samples": "x" * 20_001}, "at most 20000 characters"),
            ({"name": ""}, "This field is required"),
        ],
    )
    def test_an_invalid_voice_is_refused_with_the_reason(
        self, browser: Client, changes: dict[str, str], error: str
    ) -> None:
        response = browser.post(reverse(ADD), self.form(**changes))
        assert error in response.content.decode()
        assert not Voice.objects.exists()

    def test_the_list_counts_the_words_and_articles_of_each(self, browser: Client, house: Voice) -> None:
        for _ in range(2):
            make_article(UserFactory.create(), voice=house)
        (shown,) = browser.get(reverse(LIST)).context["cl"].result_list
        page = browser.get(reverse(LIST)).content.decode()
        assert shown.articles == 2
        assert '<td class="field-avoided">2</td>' in page
        assert '<td class="field-used_by">2</td>' in page

    def test_deleting_a_voice_in_the_admin_keeps_articles(self, browser: Client, house: Voice) -> None:
        article = make_article(UserFactory.create(), voice=house)
        browser.post(reverse("admin:articles_voice_delete", args=[house.pk]), {"post": "yes"})
        assert not Voice.objects.exists()
        assert Article.objects.get() == article

    def test_staff_without_the_permission_are_refused(self, client: Client, house: Voice) -> None:
        user: User = UserFactory.create(is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_article"))
        client.force_login(user)
        assert client.get(reverse(LIST)).status_code == 403
        assert client.post(reverse(ADD), self.form()).status_code == 403

    def test_the_voice_of_an_article_can_be_changed(self, browser: Client, house: Voice) -> None:
        article = make_article(UserFactory.create())
        page = browser.get(reverse("admin:articles_article_change", args=[article.pk])).content.decode()
        assert '<option value="' + str(house.pk) + '">House</option>' in page


class TestApi:
    def test_a_brief_names_a_voice(self, house: Voice) -> None:
        api = client_of(UserFactory.create())
        brief = {"topic": "Roofs", "voice": " House ", "approve_outline": True, "allow_uncited": False}
        data = post(api, "/api/articles/create", brief).json()
        assert (data["voice"], data["approve_outline"], data["allow_uncited"]) == ("House", True, False)
        article = Article.objects.get()
        assert (article.voice, article.approve_outline, article.allow_uncited) == (house, True, False)
        assert api.get("/api/articles/").json()["items"][0]["voice"] == "House"

    def test_an_unknown_voice_is_refused_with_the_known_ones(self, house: Voice) -> None:
        answer = post(client_of(UserFactory.create()), "/api/articles/create", {"topic": "Roofs", "voice": "Hous"})
        assert answer.status_code == 422
        assert answer.json()["detail"] == "There is no voice “Hous”. There are: House."
        assert not Article.objects.exists()

    def test_a_list_with_voices_takes_no_more_queries(self, house: Voice, django_assert_num_queries: Any) -> None:
        owner = UserFactory.create()
        api = client_of(owner)
        api.get("/api/articles/")  # notes the key's use
        for _ in range(3):
            make_article(owner, voice=house)
        with django_assert_num_queries(2):  # the key, the rows
            assert {item["voice"] for item in api.get("/api/articles/").json()["items"]} == {"House"}


def test_avoided_words_match_hyphens_and_spaces_alike() -> None:
    voice = contract.Voice(name="Plain", avoid=["state-of-the-art"])
    for text in ("State of the art tools", "state‑of‑the‑art tools"):
        assert avoided_words_in(text, voice) == ["state-of-the-art"]
