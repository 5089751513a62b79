"""The brief form: what it takes, what it refuses in words, and that nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from articles.models import Article, Source, Voice
from articles.services import cancel_run

pytestmark = pytest.mark.django_db

NEW = "/articles/new/"


def brief(**changes: Any) -> dict[str, Any]:
    """What a browser sends for a form that is filled in."""
    return {
        "topic": "How cities can put their flat roofs to use",
        "min_words": "1200",
        "language": "en-GB",
        "tone": "dry",
        "target_audience": "planners",
        "writing": "parallel",
        "keywords": "roofs, heat , ",
        "notes": "Leave out solar panels.",
        "include_image": "on",
        "allow_uncited": "on",
        "addresses": "",
        "text-TOTAL_FORMS": "1",
        "text-INITIAL_FORMS": "0",
        "text-0-title": "",
        "text-0-text": "",
        **changes,
    }


def refused(page: Client, **changes: Any) -> str:
    """The form as it comes back, nothing having been made."""
    response = page.post(NEW, brief(**changes))
    assert response.status_code == 200
    assert not Article.objects.exists()
    shown: str = response.content.decode()
    assert "Nothing was lost." in shown
    assert "Leave out solar panels." in shown
    return shown


def test_a_brief_becomes_an_article_that_waits_for_the_crew(page: Client, writer: User) -> None:
    response = page.post(NEW, brief())
    article = Article.objects.get()
    assert response["Location"] == article.get_absolute_url()
    assert (article.owner, article.min_words, article.language) == (writer, 1200, "en-GB")
    assert (article.tone, article.target_audience) == ("dry", "planners")
    assert article.keywords == ["roofs", "heat"]
    assert (article.include_image, article.seo_optimize) == (True, False)
    assert article.runs.count() == 1


def test_the_options_are_as_shipped_until_somebody_changes_them(page: Client) -> None:
    page.post(NEW, brief())
    usual = Article.objects.get()
    assert (usual.voice, usual.approve_outline, usual.allow_uncited) == (None, False, True)
    form = page.get(NEW).context["form"]
    assert (form["approve_outline"].value(), form["allow_uncited"].value()) == (False, True)


def test_the_outline_is_shown_first_and_sources_are_required_where_that_is_asked(page: Client) -> None:
    page.post(NEW, brief(approve_outline="on", allow_uncited=""))
    asked = Article.objects.get()
    assert (asked.approve_outline, asked.allow_uncited) == (True, False)


def test_the_way_of_writing_is_chosen_and_kept_for_the_next_run(page: Client) -> None:
    assert page.get(NEW).context["form"]["writing"].value() == "parallel"
    page.post(NEW, brief(writing="whole"))
    article = Article.objects.get()
    assert article.writing == "whole"
    cancel_run(article=article, by=article.owner)
    again = page.get(f"/articles/{article.pk}/write-again")
    assert again.context["form"]["writing"].value() == "whole"


def test_a_way_of_writing_there_is_not_is_refused(page: Client) -> None:
    assert "Select a valid choice. backwards is not one of the available choices." in refused(page, writing="backwards")


def test_a_voice_is_chosen_by_its_name(page: Client) -> None:
    voice = Voice.objects.create(name="House & home", description="Dry.")
    assert '<option value="House &amp; home">' in page.get(NEW).content.decode()
    page.post(NEW, brief(voice="House & home"))
    assert Article.objects.get().voice == voice


def test_without_voices_there_is_nothing_to_choose(page: Client) -> None:
    assert "id_voice" not in page.get(NEW).content.decode()


def test_a_voice_that_is_gone_is_said(page: Client) -> None:
    assert "There is no voice “House”. An administrator can make one." in refused(page, voice="House")
    Voice.objects.create(name="Other", description="Dry.")
    assert "There is no voice “House”. There are: Other." in refused(page, voice="House")
    assert "There is no voice" in refused(page, voice="\0")


def test_htmx_is_sent_to_the_article(page: Client) -> None:
    response = page.post(NEW, brief(), headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == Article.objects.get().get_absolute_url()


def test_sources_of_all_kinds_come_along(page: Client) -> None:
    document = SimpleUploadedFile("survey.md", b"# Survey\n\n312 flat roofs.")
    texts = {"text-TOTAL_FORMS": "2", "text-0-title": "Notes", "text-0-text": "Roofs are flat.", "text-1-text": "More."}
    page.post(NEW, brief(documents=[document], addresses="https://example.org/a\n\nhttp://example.org/b \n", **texts))
    found = [(source.type, source.title or source.url or source.text) for source in Source.objects.all()]
    assert found == [
        ("text", "Notes"),
        ("text", "More."),
        ("page", "https://example.org/a"),
        ("page", "http://example.org/b"),
        ("document", "survey.md"),
    ]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("topic", "", "Enter a topic."),
        ("topic", "    ", "Enter a topic."),
        ("topic", "Roof", "at least 5 characters"),
        ("topic", "x" * 501, "Use at most 500 characters. This has 501."),
        ("topic", "Roofs\0 and nulls", "Null characters are not allowed"),
        ("min_words", "", "Enter a whole number from 300 to 5,000."),
        ("min_words", "299", "Enter a whole number from 300 to 5,000."),
        ("min_words", "5001", "Enter a whole number from 300 to 5,000."),
        ("min_words", "many", "Enter a whole number from 300 to 5,000."),
        ("language", "klingon", "Should be a BCP 47 tag, such as en or pt-BR."),
        ("tone", "x" * 101, "at most 100 characters"),
        ("keywords", ",".join("abcdefghijklmnopqrstuvwxyz"), "at most 20 keywords"),
        ("keywords", "x" * 101, "at most 100 characters"),
        ("addresses", "example", "“example” is not a URL"),
        ("addresses", "javascript:alert(1)", "is not a URL"),
        ("addresses", "\n".join(f"https://example.org/{n}" for n in range(21)), "takes up to 20"),
        ("text-0-text", "x" * 200_001, "Use at most 200,000 characters. This has 200,001."),
        ("text-TOTAL_FORMS", "21", "Use at most 20 pasted texts."),
    ],
)
def test_invalid_values_are_refused(page: Client, field: str, value: str, said: str) -> None:
    assert said in refused(page, **{field: value})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("sheet.xlsx", b"PK", "“sheet.xlsx” is not a supported document"),
        ("empty.txt", b"", "is empty"),
        ("<b>.exe", b"MZ", "“&lt;b&gt;.exe” is not a supported"),
    ],
)
def test_it_refuses_a_document_by_name(page: Client, name: str, content: bytes, said: str) -> None:
    good = SimpleUploadedFile("good.txt", b"Roofs.")
    assert said in refused(page, documents=[good, SimpleUploadedFile(name, content)])


def test_it_refuses_a_document_that_is_too_large(page: Client, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    assert "larger than 1 MB" in refused(page, documents=[SimpleUploadedFile("long.txt", b"x" * (1024 * 1024 + 1))])


def test_everything_typed_is_still_there_after_an_error(page: Client) -> None:
    typed = {"addresses": "https://example.org/a", "text-0-title": "Notes of mine", "text-0-text": "Roofs are <flat>."}
    shown = refused(page, topic="Roof", tone="wry", **typed)
    for value in (
        "https://example.org/a",
        "Notes of mine",
        "Roofs are &lt;flat&gt;.",
        'value="wry"',
        "Roof</textarea>",
    ):
        assert value in shown
    assert '<details class="more" open>' in shown


def test_a_form_without_its_count_of_texts_is_refused_and_kept(page: Client) -> None:
    sent = brief()
    del sent["text-TOTAL_FORMS"]
    response = page.post(NEW, sent)
    assert response.status_code == 200
    assert "The form arrived incomplete" in response.content.decode()


def test_it_says_what_happens_without_a_model(page: Client, settings: Any) -> None:
    settings.HAS_MODEL = False
    shown = page.get(NEW).content.decode()
    assert "The built-in writer selects" in shown
    assert "Rooftop gardens; Sourdough bread" in shown, "topics a newcomer may try"
    settings.HAS_MODEL = True
    assert "The built-in writer selects" not in page.get(NEW).content.decode()


def test_a_body_that_is_too_large_is_refused_in_words(page: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = page.post(NEW, brief(notes="x" * 2000))
    assert response.status_code == 400
    assert "Bad request" in response.content.decode()
