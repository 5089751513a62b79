"""Editing, previews, revisions and downloads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from articles import views
from articles.exceptions import ExportFailed
from articles.exports import FORMATS
from articles.models import Article, UnsavedText
from articles.services import save_text
from tests.factories import UserFactory, make_article, make_completed_article

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(writer: User) -> Article:
    return make_completed_article(writer)


def edit(page: Client, article: Article, **changes: Any) -> Any:
    sent = {"title": "Roofs, revised", "content": "A new text.\r\n\r\nOf two parts.\r\n", "opened_at": 1, **changes}
    return page.post(reverse("text_edit", args=[article.pk]), sent, follow=True)


class TestEditing:
    def test_a_save_is_a_revision(self, page: Client, article: Article) -> None:
        response = edit(page, article)
        article.refresh_from_db()
        assert (article.title, article.content) == ("Roofs, revised", "A new text.\n\nOf two parts.\n")
        assert article.revisions.count() == 2
        assert "Saved as revision 2: 6 words." in response.content.decode()
        assert response.redirect_chain[-1][0] == article.get_absolute_url()

    def test_one_can_save_and_stay(self, page: Client, article: Article) -> None:
        response = edit(page, article, stay="yes")
        assert response.redirect_chain[-1][0] == reverse("text_edit", args=[article.pk])
        assert 'name="opened_at" value="2"' in response.content.decode()

    def test_a_conflict_keeps_what_was_typed(self, page: Client, article: Article) -> None:
        other = UserFactory.create(username="grace")
        save_text(article=article, by=other, title="Theirs", content="Their text.", opened_at=1)
        shown = edit(page, article, content="My careful words.").content.decode()
        assert "grace saved revision 2 after you opened this text, and changed 2 places that you changed, too" in shown
        assert "My careful words." in shown
        assert 'value="Roofs, revised"' in shown
        article.refresh_from_db()
        assert article.content == "Their text."

    def test_edits_of_different_sentences_are_merged(self, page: Client, article: Article) -> None:
        base = "One is first.[^1] Two is second.\n\nThree is third.\n\n[^1]: Survey.\n"
        other = UserFactory.create(username="grace")
        save_text(article=article, by=other, title="Roofs, revised", content=base, opened_at=1)
        theirs = base.replace("third", "the last")
        save_text(article=article, by=other, title="Roofs, revised", content=theirs, opened_at=2)
        shown = edit(page, article, content=base.replace("is first", "comes first"), opened_at=2).content.decode()
        assert "Saved as revision 4" in shown
        assert "It was merged with revision 3 by grace: 1 change taken over." in shown
        assert "/revisions/compare/?before=2&amp;after=3" in shown
        article.refresh_from_db()
        assert article.content == theirs.replace("is first", "comes first")

    def test_conflicts_are_resolved_place_by_place(self, page: Client, article: Article) -> None:
        base = "One is first.\n\nTwo is second.\n\nThree is third.\n\nFour is fourth.\n"
        other = UserFactory.create(username="grace")
        save_text(article=article, by=other, title="Roofs, revised", content=base, opened_at=1)
        theirs = base.replace("first", "hers").replace("third", "hers").replace("fourth", "hers")
        save_text(article=article, by=other, title="Roofs, revised", content=theirs, opened_at=2)
        mine = base.replace("first", "mine").replace("third", "mine")
        shown = edit(page, article, content=mine, opened_at=2)
        names = re.findall(r'name="(choice-\w+)" value="theirs"', shown.content.decode())
        assert len(names) == 2
        assert "1 other change of theirs" in shown.content.decode()
        merged = mine.replace("fourth", "hers")
        assert shown.context["form"].data["content"] == merged
        version = shown.context["form"].data["version"]
        sent = {"content": merged, "opened_at": 2, "version": version, names[0]: "theirs"}
        again = edit(page, article, **sent).content.decode()
        assert f'name="{names[0]}" value="theirs" checked' in again
        assert article.revisions.count() == 3
        sent |= {names[1]: "both", "version": UnsavedText.objects.get().version}
        assert "Saved as revision 4" in edit(page, article, **sent).content.decode()
        article.refresh_from_db()
        assert article.content == (
            "One is hers.\n\nTwo is second.\n\nThree is mine.\nThree is hers.\n\nFour is hers.\n"
        )
        assert not UnsavedText.objects.exists()

    def test_a_save_whose_answer_was_lost_is_not_saved_twice(self, page: Client, article: Article) -> None:
        for _ in range(2):
            assert "Saved as revision 2" in edit(page, article).content.decode()
        assert article.revisions.count() == 2

    def test_a_text_is_not_edited_while_the_crew_writes(self, page: Client, writer: User) -> None:
        article = make_article(writer)
        shown = edit(page, article, opened_at=0, content="Mine.").content.decode()
        assert "This article is being written" in shown
        assert "Mine." in shown

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"content": "  \r\n "}, "An article needs a text"),
            ({"content": ""}, "An article needs a text"),
            ({"title": ""}, "Enter a title."),
            ({"title": "x" * 301}, "Use at most 300 characters. This has 301."),
            ({"content": "x" * 200_001}, "Use at most 200,000 characters. This has 200,001."),
            ({"content": "a\0b"}, "Null characters are not allowed"),
        ],
    )
    def test_invalid_values_are_refused(
        self, page: Client, article: Article, changes: dict[str, str], said: str
    ) -> None:
        assert said in edit(page, article, **changes).content.decode()
        assert article.revisions.count() == 1

    def test_the_preview_is_what_readers_see(self, page: Client, article: Article) -> None:
        content = "## Load\n\nBeds are **heavy**.[^1] <script>alert(1)</script>\n\n[^1]: Survey."
        response = page.post(reverse("text_preview", args=[article.pk]), {"content": content})
        shown = response.content.decode()
        assert "<strong>heavy</strong>" in shown
        assert 'class="footnote-ref"' in shown
        assert "<script>" not in shown
        assert 'data-words="' in shown
        assert article.revisions.count() == 1

    def test_the_preview_warns_of_references_without_a_footnote(self, page: Client, article: Article) -> None:
        response = page.post(reverse("text_preview", args=[article.pk]), {"content": "Heavy.[^9] So.[^a]\n\n[^a]: A."})
        shown = response.content.decode()
        assert "[^9] has no footnote. Add a line such as “[^9]: Title of the source”." in shown
        assert 'title="Reference 9 has no footnote">9?</sup>' in shown

    def test_saving_warns_of_them_and_the_article_marks_them(self, page: Client, article: Article) -> None:
        shown = edit(page, article, content="Heavy.[^9] So.[^2][^9]").content.decode()
        assert "Saved as revision 2" in shown
        assert "[^9] and [^2] have no footnote." in shown
        body = shown.partition('class="paper"')[2].partition("</article>")[0]
        assert body.count('class="undefined-reference"') == 3
        assert "[^9]" not in body

    def test_a_text_without_such_references_is_saved_without_a_warning(self, page: Client, article: Article) -> None:
        content = "Heavy.[^1] Not one: \\[^2] `[^3]` [^4](https://example.org/).\n\n[^1]: Survey."
        assert "no footnote" not in edit(page, article, content=content).content.decode()


class TestDownloads:
    def test_the_menu_offers_each_format(self, page: Client, article: Article) -> None:
        shown = page.get(article.get_absolute_url()).content.decode()
        for format in FORMATS:
            assert reverse("article_download", args=[article.pk, format]) in shown

    def test_a_file_is_sent_to_be_saved(self, page: Client, article: Article) -> None:
        response = page.get(reverse("article_download", args=[article.pk, "md"]))
        assert response["Content-Type"] == "text/markdown; charset=utf-8"
        assert "attachment" in response["Content-Disposition"]
        assert response.content.decode().startswith("# Rooftop gardens")

    def test_an_unknown_format_is_not_found(self, page: Client, article: Article) -> None:
        assert page.get(reverse("article_download", args=[article.pk, "exe"])).status_code == 404

    def test_without_a_text_it_says_why_not(self, page: Client, writer: User) -> None:
        response = page.get(reverse("article_download", args=[make_article(writer).pk, "pdf"]), follow=True)
        assert "no text to export yet" in response.content.decode()

    def test_an_export_that_fails_says_why(
        self, page: Client, article: Article, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object, **options: object) -> None:
            raise ExportFailed("No font has these letters. Install fonts-noto-cjk.")

        monkeypatch.setattr(views.text, "download", fail)
        response = page.get(reverse("article_download", args=[article.pk, "pdf"]), follow=True)
        assert "Install fonts-noto-cjk" in response.content.decode()

    def test_another_users_text_is_not_found(self, page: Client) -> None:
        theirs = make_completed_article(UserFactory.create())
        assert page.get(reverse("article_download", args=[theirs.pk, "md"])).status_code == 404
