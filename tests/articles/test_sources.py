"""The sources of a brief: what is accepted, and that refused ones leave no files."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pypandoc
import pytest
import typst
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from pydantic import ValidationError
from pytest_django import DjangoAssertNumQueries, Settings

from agents.worker.uploads import read_upload
from articles.exceptions import InvalidSource, InvalidState
from articles.management.commands.sweep import clean_up
from articles.models import Article, Source
from articles.operations.orphaned_files import remove_orphaned_uploads
from articles.services import (
    BriefInput,
    NewSource,
    change_brief_and_start,
    create_article,
    document_problems,
    documents,
)
from tests.articles.clients import post
from tests.environment import VAR
from tests.factories import make_article, make_completed_article, make_processing_article

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_files")]

BRIEF = BriefInput(topic="Rooftop gardens")
UPLOADS = VAR / "uploads"
NEW = "/articles/new/"


def uploads() -> list[str]:
    return sorted(path.name for path in UPLOADS.iterdir()) if UPLOADS.exists() else []


def text_file(name: str = "notes.txt", content: bytes = b"Roofs hold rain.") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


REPORT: dict[str, Any] = {
    "title": "Roof report",
    "text": "Planted roofs stay cool.",
    "url": "https://example.org/report",
    "kind": "press release of a manufacturer",
    "publisher": "Institute of Roofs",
    "author": "A. Writer",
    "date": "2024-05",
}


class TestTextWithLink:
    def test_the_api_takes_a_text_with_its_link_and_details(self, api: Client) -> None:
        answer = post(api, "/api/articles/create", {"topic": "Rooftops", "sources": [REPORT]})
        assert answer.status_code == 201, answer.content
        article = Article.objects.get()
        source = article.sources.get()
        assert source.as_brief_source().model_dump(exclude={"id", "path"}) == REPORT
        (listed,) = api.get(f"/api/articles/{article.pk}/sources").json()["items"]
        shown = {name: value for name, value in REPORT.items() if name != "text"} | {"type": "text"}
        assert listed | shown == listed

    def test_the_page_takes_them_too(self, owner: User) -> None:
        page = Client()
        page.force_login(owner)
        sent = {"text-TOTAL_FORMS": "1", "text-INITIAL_FORMS": "0"}
        sent |= {f"text-0-{name}": value for name, value in REPORT.items()}
        answer = page.post(NEW, {**BRIEF.model_dump(exclude={"voice", "keywords"}), **sent})
        assert answer.status_code == 302, answer.context["form"].errors
        assert Article.objects.get().sources.get().as_brief_source().model_dump(exclude={"id", "path"}) == REPORT

    def test_the_page_asks_for_the_text_of_a_link(self, owner: User) -> None:
        page = Client()
        page.force_login(owner)
        sent = {"text-TOTAL_FORMS": "1", "text-INITIAL_FORMS": "0", "text-0-url": "https://example.org/report"}
        form = page.post(NEW, {"topic": "Rooftops", **sent}).context["texts"].forms[0]
        assert "Paste the text" in form.errors["text"][0]
        assert form.details_are_used

    def test_a_wrong_date_is_named_at_its_field(self, api: Client, owner: User) -> None:
        answer = post(api, "/api/articles/create", {"topic": "Rooftops", "sources": [REPORT | {"date": "May 2024"}]})
        assert answer.json()["detail"].startswith("sources.0.date: is not a date; use the form 2024-05-31")
        page = Client()
        page.force_login(owner)
        sent = {"text-TOTAL_FORMS": "1", "text-INITIAL_FORMS": "0", "text-0-text": "a", "text-0-date": "May 2024"}
        form = page.post(NEW, {"topic": "Rooftops", **sent}).context["texts"].forms[0]
        assert form.errors["date"] == ["Is not a date; use the form 2024-05-31, 2024-05 or 2024."]

    def test_a_kind_has_80_characters(self, api: Client, owner: User) -> None:
        answer = post(api, "/api/articles/create", {"topic": "Rooftops", "sources": [REPORT | {"kind": "k" * 81}]})
        assert answer.json()["detail"].startswith("sources.0.kind: String should have at most 80 characters")
        page = Client()
        page.force_login(owner)
        sent = {"text-TOTAL_FORMS": "1", "text-INITIAL_FORMS": "0", "text-0-text": "a", "text-0-kind": "k" * 81}
        form = page.post(NEW, {"topic": "Rooftops", **sent}).context["texts"].forms[0]
        assert "80 characters" in form.errors["kind"][0]

    def test_lists_know_the_type_without_the_text(
        self, owner: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        article = make_article(owner, sources=(NewSource(**REPORT), NewSource(url="https://example.org/a")))
        with django_assert_num_queries(1):
            assert [source.type for source in article.sources.without_texts()] == ["text", "page"]


class TestRules:
    @pytest.mark.parametrize("values", [{}, {"text": " "}, {"title": "Only a title", "publisher": "Institute"}])
    def test_a_source_has_content(self, values: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="give text, url or both"):
            NewSource(**values)

    @pytest.mark.parametrize("values", [{"text": "a"}, {"url": "https://example.org"}])
    def test_an_upload_is_the_only_content_of_its_source(self, values: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="or else an upload"):
            NewSource(upload=text_file(), **values)

    @pytest.mark.parametrize("date", ["", "2024", "2024-02", "2024-02-29"])
    def test_a_date_may_lack_its_day_and_month(self, date: str) -> None:
        assert NewSource(text="a", date=date).date == date

    @pytest.mark.parametrize("date", ["24", "2024-13", "2023-02-29", "2024-2-9", "20240229", "May 2024", "2024-W01-1"])
    def test_another_date_is_refused(self, date: str) -> None:
        with pytest.raises(ValidationError, match="is not a date"):
            NewSource(text="a", date=date)

    def test_the_link_of_a_text_may_lead_to_a_private_host(self) -> None:
        assert NewSource(text="Minutes of the board", url="http://10.1.2.3/minutes").url == "http://10.1.2.3/minutes"
        with pytest.raises(ValidationError, match="is not a URL"):
            NewSource(text="Minutes", url="javascript:alert(1)")

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "localhost",
            "localhost.",
            "api.localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "\uff11\uff12\uff17.0.0.1",
        ],
    )
    def test_an_address_that_spells_out_a_private_host_is_refused_at_its_field(
        self, api: Client, owner: User, host: str
    ) -> None:
        url = f"http://{host}/page"
        answer = post(api, "/api/articles/create", {"topic": "Rooftops", "sources": [{"url": url}]})
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("sources.0.url: is in a private network")
        page = Client()
        page.force_login(owner)
        texts = {"text-TOTAL_FORMS": "0", "text-INITIAL_FORMS": "0"}
        form = page.post(NEW, {"topic": "Rooftops", "addresses": url, **texts}).context["form"]
        assert "is in a private network" in form.errors["addresses"][0]
        assert not Article.objects.exists()

    def test_an_allowed_private_host_and_a_public_address_are_accepted(self, settings: Settings) -> None:
        settings.FETCH_ALLOW = ["10.1.0.0/16", "localhost"]
        for url in ("http://10.1.2.3/wiki", "http://localhost:8080/", "https://93.184.215.14/", "https://example.org"):
            assert NewSource(url=url).url == url

    def test_pasted_texts_have_a_limit_together_that_fits_one_request(self, api: Client, settings: Settings) -> None:
        texts = [{"text": "a" * settings.MAX_PASTED_CHARACTERS} for _ in range(3)]
        answer = post(api, "/api/articles/create", {"topic": "Rooftops", "sources": texts})
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith(
            "sources: The pasted texts have 600,000 characters together; 500,000 fit"
        )
        longest = [{"text": "\u00e9" * 125_000} for _ in range(4)]  # each character takes six bytes of JSON
        assert post(api, "/api/articles/create", {"topic": "Rooftops", "sources": longest}).status_code == 201

    def test_the_page_names_the_field_of_texts_that_are_too_long_together(self, owner: User) -> None:
        page = Client()
        page.force_login(owner)
        sent = {"topic": "Rooftops", "text-TOTAL_FORMS": "3", "text-INITIAL_FORMS": "0"}
        sent |= {f"text-{number}-text": "a" * 190_000 for number in range(3)}
        texts = page.post(NEW, sent).context["texts"]
        assert "570,000 characters together" in texts.forms[-1].errors["text"][0]

    def test_sources_of_all_kinds_are_counted_together(self, owner: User) -> None:
        page = Client()
        page.force_login(owner)
        sent: dict[str, Any] = {
            **{"topic": "Rooftops", "min_words": "500", "language": "en", "tone": "dry", "target_audience": "all"},
            "writing": "parallel",
            **{"text-TOTAL_FORMS": "1", "text-INITIAL_FORMS": "0", "text-0-text": "Mine."},
            "addresses": "\n".join(f"https://example.org/{number}" for number in range(10)),
            "documents": [text_file(f"{number}.txt") for number in range(10)],
        }
        form = page.post(NEW, sent).context["form"]
        assert form.errors == {"documents": ["21 sources are too many: an article takes up to 20."]}
        assert uploads() == []


class TestDocuments:
    def test_readable_documents_are_accepted(self) -> None:
        docx = pypandoc.convert_text("Roofs hold rain.", "docx", "markdown", outputfile=str(UPLOADS.parent / "t.docx"))
        assert docx == ""
        body = (UPLOADS.parent / "t.docx").read_bytes()
        pdf = typst.compile(b"Roofs hold rain.")
        files = [text_file(), text_file("a.md"), text_file("a.docx", body), text_file("a.pdf", pdf)]
        assert document_problems(files) == []
        assert files[2].read() == body, "the file is still to be read from its beginning"

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("a.exe", b"x", "not a supported document"),
            ("a.txt", b"", "is empty"),
            ("a.docx", b"PK\3\4 broken", "not a valid Word document"),
            ("a.pdf", b"Just text.", "not a PDF file"),
            ("a.pdf", b"%PDF-1.7 broken", "damaged"),
            ("a.txt", b"\x89PNG\0\0\0", "not a text file"),
            ("a.md", b"--- ***", "no text"),
        ],
    )
    def test_damaged_documents_are_refused_at_the_field(
        self, owner: User, name: str, content: bytes, reason: str
    ) -> None:
        page = Client()
        page.force_login(owner)
        texts = {"text-TOTAL_FORMS": "0", "text-INITIAL_FORMS": "0"}
        form = page.post(NEW, {"topic": "Rooftops", "documents": [text_file(name, content)], **texts}).context["form"]
        (problem,) = form.errors["documents"]
        assert problem.startswith(f"“{name}” ")
        assert reason in problem
        assert not Article.objects.exists()

    def test_the_check_has_a_time_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents, "SECONDS", 0.0)
        began = time.monotonic()
        assert document_problems([text_file("a.pdf", b"%PDF-1.7 broken")]) == [], "the worker will say so"
        assert time.monotonic() - began < 10


class TestStoring:
    def test_a_document_is_stored_where_workers_can_read_it(self, owner: User) -> None:
        article = create_article(by=owner, brief=BRIEF, sources=[NewSource(upload=text_file("../notes.txt"))])
        row = article.sources.get()
        given = row.as_brief_source()
        assert (given.title, row.type, str(row)) == ("notes.txt", "document", "notes.txt")
        assert read_upload(given.path) == b"Roofs hold rain."

    def test_sources_are_named_by_their_content(self, owner: User) -> None:
        article = make_article(owner, sources=(NewSource(text="One of many"), NewSource(url="https://example.org/a")))
        types = [(str(row), row.type) for row in article.sources.all()]
        assert types == [("One of many", "text"), ("https://example.org/a", "page")]

    def test_21_documents_leave_no_file(self, owner: User) -> None:
        sources = [NewSource(upload=text_file(f"{number}.txt")) for number in range(21)]
        with pytest.raises(InvalidSource, match="21 sources are too many"):
            create_article(by=owner, brief=BRIEF, sources=sources)
        assert (uploads(), Article.objects.exists()) == ([], False)

    def test_an_article_that_cannot_be_stored_leaves_no_file(
        self, owner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(**_: Any) -> None:
            assert len(uploads()) == 2, "files are written before the transaction"
            assert not [row for row in connection.queries if "articles_article" in row["sql"]]
            raise InvalidState("The month is used up.")

        monkeypatch.setattr("articles.services.articles.start_run", refuse)
        with pytest.raises(InvalidState):
            create_article(by=owner, brief=BRIEF, sources=[NewSource(upload=text_file()) for _ in range(2)])
        assert (uploads(), Source.objects.exists()) == ([], False)

    def test_listing_sources_takes_one_query(
        self, api: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        article = make_article(owner, sources=tuple(NewSource(text=f"Text {number}") for number in range(20)))
        api.get("/api/articles/active/tasks")
        with django_assert_num_queries(3) as captured:  # the key, the article, its sources
            items = api.get(f"/api/articles/{article.pk}/sources").json()["items"]
        assert [item["type"] for item in items] == ["text"] * 20
        assert '"articles_source"."text",' not in captured.captured_queries[-1]["sql"]


class TestOrphans:
    def test_the_daily_tidy_deletes_old_files_without_a_source(self, owner: User) -> None:
        article = create_article(by=owner, brief=BRIEF, sources=[NewSource(upload=text_file("kept.txt"))])
        kept = article.sources.get().upload.name
        assert kept
        for name, hours in (("orphan.txt", 2), ("just-written.txt", 0), (kept, 2)):
            (UPLOADS / name).write_bytes(b"x")
            os.utime(UPLOADS / name, (time.time() - hours * 3600,) * 2)
        assert clean_up()
        assert uploads() == ["just-written.txt", "kept.txt"]
        assert remove_orphaned_uploads() == 0

    def test_the_daily_tidy_deletes_images_of_articles_that_are_gone(self, owner: User) -> None:
        article = make_article(owner)
        names = [f"covers/{article.pk}/a.png", f"covers/{article.pk + 1}/b.png", f"covers/{article.pk + 1}/c.png"]
        for name, hours in zip(names, (2, 2, 0), strict=True):
            path = Path(default_storage.path(default_storage.save(name, ContentFile(b"x"))))
            os.utime(path, (time.time() - hours * 3600,) * 2)
        assert clean_up()
        assert [default_storage.exists(name) for name in names] == [True, False, True]


class TestWritingAgain:
    def test_brief_and_sources_change_together(self, owner: User) -> None:
        article = make_completed_article(owner)
        old = Source.objects.create(article=article, text="Old")
        brief = BriefInput.of(article, min_words=500)
        run = change_brief_and_start(
            article=article, by=owner, brief=brief, add=[NewSource(text="New")], remove=[old.pk]
        )
        assert (article.min_words, article.latest_run()) == (500, run)
        assert [source.text for source in article.sources.all()] == ["New"]
        assert article.content, "the finished text stays"

    def test_nothing_changes_while_a_run_is_active(self, owner: User) -> None:
        article, _ = make_processing_article(owner)
        brief = BriefInput.of(article, min_words=500)
        with pytest.raises(InvalidState, match="being written"):
            change_brief_and_start(article=article, by=owner, brief=brief, add=[NewSource(upload=text_file())])
        article.refresh_from_db()
        assert (article.min_words, article.sources.count(), uploads()) == (1000, 0, [])
