"""One set of rules for the brief, for the page, the API, the admin and the command."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.contract import Brief
from articles.api.schemas.articles import ArticleOut
from articles.exceptions import InvalidInput, UnknownVoice
from articles.forms.brief import BriefForm
from articles.models import Article, Voice
from articles.runs.journal import read_brief
from articles.services import BriefInput, change_brief
from tests.articles.clients import client_of
from tests.factories import StaffFactory, claim, make_article, make_completed_article

pytestmark = pytest.mark.django_db

TOPIC = "Rooftop gardens"
LONG = "k" * 101

REFUSED = [
    ("topic", ".....", "no letter or digit"),
    ("topic", "\u200b" * 9, "no letter or digit"),
    ("topic", "Roof", "5 characters"),
    ("tone", "x" * 101, "100 characters"),
    ("language", "en; drop", "BCP 47"),
    ("language", "klingon", "BCP 47"),
    ("keywords", [LONG], "100 characters"),
    ("keywords", ["k"] * 21, "20"),
]


def page_error(values: dict[str, Any], owner: User) -> str:
    """The error the page shows for this brief, empty if it is accepted. The other functions do the same."""
    client = Client()
    client.force_login(owner)
    form = {
        "min_words": 1000,
        "tone": "dry",
        "target_audience": "all",
        "language": "en",
        "writing": "parallel",
        **values,
    }
    form["keywords"] = ",".join(values.get("keywords", []))
    texts = {"text-TOTAL_FORMS": "0", "text-INITIAL_FORMS": "0"}
    response = client.post(reverse("article_new"), form | texts)
    return "" if response.status_code == 302 else response.content.decode()


def api_error(values: dict[str, Any], owner: User) -> str:
    response = client_of(owner).post("/api/articles/create", json.dumps(values), content_type="application/json")
    return "" if response.status_code == 201 else response.json()["detail"]


def command_error(values: dict[str, Any], owner: User, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("articles.management.commands.write.write", lambda article: None)
    options = {**values, "keywords": ",".join(values.get("keywords", []))}
    try:
        call_command("write", options.pop("topic"), user=owner.username, **options)
    except CommandError as error:
        return "" if Article.objects.exists() else str(error)  # it is made, but not written here
    return ""


def admin_error(values: dict[str, Any], owner: User) -> str:
    article = make_completed_article(owner, topic=TOPIC)
    client = Client()
    client.force_login(StaffFactory.create())
    page = reverse("admin:articles_article_change", args=[article.pk])
    form = client.get(page).context["adminform"].form
    sent = {name: "" if (value := form[name].value()) is None else value for name in form.fields}
    sent = {name: value for name, value in sent.items() if value is not False}
    sent |= {name: "\n".join(value) if name == "keywords" else value for name, value in values.items()}
    sent |= {
        f"{prefix}-{count}": 0
        for prefix in ("runs", "revisions", "sources")
        for count in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    response = client.post(page, sent)
    return "" if response.status_code == 302 else response.content.decode()


@pytest.fixture(params=["page", "api", "command", "admin"])
def entrance(request: pytest.FixtureRequest, owner: User, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "command":
        return lambda values: command_error(values, owner, monkeypatch)
    send = {"page": page_error, "api": api_error, "admin": admin_error}[request.param]
    return lambda values: send(values, owner)


@pytest.mark.parametrize(("field", "value", "reason"), REFUSED)
def test_each_entrance_refuses_the_same(entrance: Any, field: str, value: Any, reason: str) -> None:
    assert reason in entrance({"topic": TOPIC, field: value})
    assert not Article.objects.filter(**{field: value}).exists()


def test_each_entrance_strips_control_characters_and_takes_any_language_tag(entrance: Any) -> None:
    assert (
        entrance({"topic": "Roofs \x07 of\x1b \t the  city", "language": "gsw-CH", "keywords": ["bee\x08hive"]}) == ""
    )
    article = Article.objects.get()
    assert (article.topic, article.language, article.keywords) == ("Roofs of the city", "gsw-CH", ["bee hive"])


def test_every_field_has_a_place_at_each_entrance() -> None:
    fields = BriefInput.model_fields.keys()
    assert fields <= BriefForm.base_fields.keys()
    assert fields <= Brief.model_fields.keys()
    assert fields <= ArticleOut.model_fields.keys()
    assert fields <= {field.name for field in Article._meta.get_fields()}


def test_the_page_keeps_a_language_it_does_not_list() -> None:
    form = BriefForm(initial={"language": "gsw-CH"})
    assert '<option value="gsw-CH" selected>' in str(form["language"])


class TestInput:
    def test_messages_are_by_field(self) -> None:
        with pytest.raises(InvalidInput) as refused:
            BriefInput.parse({"topic": "", "min_words": 1, "keywords": ["good", LONG]})
        assert refused.value.fields == {
            "topic": ["Use at least 5 characters."],
            "min_words": ["Use 300 or more."],
            "keywords": ["Item 2: Use at most 100 characters."],
        }
        assert str(refused.value).startswith("topic: Use at least 5 characters. min_words: Use 300")

    def test_an_unknown_voice_is_refused_when_it_is_stored(self) -> None:
        with pytest.raises(UnknownVoice):
            BriefInput(topic=TOPIC, voice="House").columns()

    def test_a_brief_of_an_article_can_be_changed(self, owner: User) -> None:
        voice = Voice.objects.create(name="House", description="Dry.")
        article = make_article(owner, voice=voice, keywords=["roof"])
        changed = BriefInput.of(article, min_words=800)
        assert (changed.voice, changed.keywords, changed.min_words) == ("House", ["roof"], 800)


class TestChanging:
    def test_only_the_named_fields_are_written(self, owner: User) -> None:
        article = make_completed_article(owner)
        stale = BriefInput.of(article, tone="wry")
        Article.objects.filter(pk=article.pk).update(min_words=700)  # as an approved outline does
        change_brief(article=article, brief=stale, only={"tone"})
        assert (article.tone, article.min_words) == ("wry", 700)


def test_a_stored_brief_that_breaks_todays_rules_is_still_written(owner: User, settings: Settings) -> None:
    article = make_article(owner)
    Article.objects.filter(pk=article.pk).update(topic="…", language="mediaeval latin")
    brief = read_brief(claim(article))
    assert (brief.topic, brief.language) == ("…", "mediaeval latin")
