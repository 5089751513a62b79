"""The pages of revisions: list, comparison, restoring, names."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from articles.models import Article, Revision
from articles.services import save_text, start_run
from tests.articles.clients import client_of, post
from tests.factories import UserFactory, make_article, make_completed_article

pytestmark = pytest.mark.django_db

FIRST = "Beds cost 120 euros.[^1] They are heavy. Roofs hold them.\n\n## Load\n\nOne ton.\n\n[^1]: Survey."


@pytest.fixture
def article(writer: User) -> Article:
    return make_completed_article(writer)


@pytest.fixture
def edited(article: Article) -> Article:
    """Revision 2 is ``FIRST``; revision 3 has another figure and lacks a sentence."""
    content = FIRST.replace("120", "140").replace("They are heavy. ", "")
    save_text(article=article, by=article.owner, title="Beds", content=FIRST, opened_at=1)
    save_text(article=article, by=article.owner, title="Beds on roofs", content=content, opened_at=2)
    return article


def edit(page: Client, article: Article, **changes: Any) -> Any:
    sent = {"title": "Roofs, revised", "content": "A new text.\r\n\r\nOf two parts.\r\n", "opened_at": 1, **changes}
    return page.post(reverse("text_edit", args=[article.pk]), sent, follow=True)


class TestRevisions:
    def test_they_are_listed_newest_first(self, page: Client, article: Article) -> None:
        edit(page, article)
        shown = page.get(reverse("revision_list", args=[article.pk])).content.decode()
        assert shown.index("Revision 2") < shown.index("Revision 1")
        assert "The crew" in shown
        assert "ada" in shown

    def test_an_article_without_any_says_so(self, page: Client, writer: User) -> None:
        shown = page.get(reverse("revision_list", args=[make_article(writer).pk])).content.decode()
        assert "No revisions" in shown

    def test_an_earlier_text_is_made_the_articles_again(self, page: Client, article: Article) -> None:
        before = article.content
        edit(page, article)
        assert "Restore this version" in page.get(reverse("revision_detail", args=[article.pk, 1])).content.decode()
        response = page.post(reverse("restore_revision", args=[article.pk, 1]), follow=True)
        article.refresh_from_db()
        assert article.content == before
        assert "Restored revision 1 (saved as revision 3)." in response.content.decode()

    def test_the_newest_text_is_not_restored(self, page: Client, article: Article) -> None:
        shown = page.get(reverse("revision_detail", args=[article.pk, 1])).content.decode()
        assert "Restore this version" not in shown

    def test_nothing_is_restored_while_the_crew_writes(self, page: Client, article: Article) -> None:
        start_run(article=article, by=article.owner)
        response = page.post(reverse("restore_revision", args=[article.pk, 1]), follow=True)
        assert "This article is being written" in response.content.decode()

    @pytest.mark.parametrize("name", ["revision_detail", "restore_revision"])
    def test_a_revision_that_is_not_there_is_not_found(self, page: Client, article: Article, name: str) -> None:
        send = page.get if name == "revision_detail" else page.post
        assert send(reverse(name, args=[article.pk, 9])).status_code == 404

    def test_another_users_revision_is_not_found(self, page: Client) -> None:
        theirs = make_completed_article(UserFactory.create())
        assert page.get(reverse("revision_detail", args=[theirs.pk, 1])).status_code == 404


class TestTheList:
    def test_it_says_who_changed_what_in_a_line(self, page: Client, edited: Article) -> None:
        shown = page.get(reverse("revision_list", args=[edited.pk])).content.decode()
        assert "<b>ada:</b> Title changed, 1 sentence changed, 1 removed in the introduction, 3 words fewer" in shown
        assert "<b>The crew:</b>" in shown

    def test_it_says_which_revision_was_restored(self, page: Client, edited: Article) -> None:
        page.post(reverse("restore_revision", args=[edited.pk, 2]))
        assert "Restored revision 2" in page.get(reverse("revision_list", args=[edited.pk])).content.decode()

    def test_of_a_very_long_text_it_says_how_the_length_changed(self, page: Client, article: Article) -> None:
        save_text(article=article, by=article.owner, title="T", content="- word\n" * 12_000, opened_at=1)
        save_text(article=article, by=article.owner, title="T", content="- word\n" * 11_000, opened_at=2)
        shown = page.get(reverse("revision_list", args=[article.pk])).content.decode()
        assert "Text changed, -1,000 words" in shown

    def test_it_has_pages(self, page: Client, article: Article) -> None:
        rows = [Revision(article=article, number=number, title="T", content=str(number)) for number in range(2, 25)]
        Revision.objects.bulk_create(rows)
        first = page.get(reverse("revision_list", args=[article.pk])).content.decode()
        assert ("Revision 24<" in first, "Revision 4<" in first) == (True, False)
        assert "Revision 4<" in page.get(reverse("revision_list", args=[article.pk]), {"page": 2}).content.decode()


class TestComparing:
    def compare(self, page: Client, article: Article, **query: Any) -> str:
        return page.get(reverse("revision_compare", args=[article.pk]), query).content.decode()

    def test_words_are_marked_and_screen_readers_hear_it(self, page: Client, edited: Article) -> None:
        shown = self.compare(page, edited)
        assert '<del><span class="visually-hidden">[removed: </span>120<span' in shown
        assert '<ins><span class="visually-hidden">[added: </span>140<span' in shown
        assert "They are heavy." in shown
        assert 'name="title"' in shown

    def test_both_texts_stand_side_by_side(self, page: Client, edited: Article) -> None:
        shown = self.compare(page, edited, before=2, after=3, view="sides")
        left, right = shown.partition('class="side-diff"')[2].split('<td dir="auto"')[3:5]
        assert ("120" in left, "140" in left) == (True, False)
        assert ("120" in right, "140" in right) == (False, True)

    def test_long_unchanged_passages_are_folded(self, page: Client, article: Article) -> None:
        blocks = [f"Paragraph {number} stays as it is." for number in range(20)]
        save_text(article=article, by=article.owner, title="T", content="\n\n".join(blocks), opened_at=1)
        blocks[10] = "Paragraph 10 does not."
        save_text(article=article, by=article.owner, title="T", content="\n\n".join(blocks), opened_at=2)
        assert self.compare(page, article).count("9 unchanged passages") == 1

    def test_the_older_one_is_always_on_the_left(self, page: Client, edited: Article) -> None:
        shown = self.compare(page, edited, before=3, after=2)
        assert "selected>2" in " ".join(shown.partition('name="before"')[2].partition("</select>")[0].split()).replace(
            " >", ">"
        )
        assert "[removed: </span>120<" in shown

    def test_a_text_that_is_the_same_has_no_difference(self, page: Client, edited: Article) -> None:
        assert "No difference" in self.compare(page, edited, before=2, after=2)

    def test_signs_of_headings_and_quotations_are_shown_by_their_looks(self, page: Client, article: Article) -> None:
        save_text(article=article, by=article.owner, title="T", content="## Load\n\n> One ton.\n\nX.", opened_at=1)
        save_text(article=article, by=article.owner, title="T", content="## Loads\n\n> Two ton.\n\nX.", opened_at=2)
        shown = self.compare(page, article)
        assert ("## " in shown, "&gt; " in shown) == (False, False)
        save_text(article=article, by=article.owner, title="T", content="### Loads\n\n> Two ton.\n\nX.", opened_at=3)
        assert "[added: </span>###<" in self.compare(page, article)

    def test_markup_of_a_text_is_escaped(self, page: Client, article: Article) -> None:
        attack = '<script>alert(1)</script>[^"><img>]'
        save_text(article=article, by=article.owner, title=attack, content=f"{attack} x.", opened_at=1)
        shown = self.compare(page, article) + self.compare(page, article, view="sides")
        assert "<script>alert" not in shown
        assert "<img>" not in shown

    def test_a_revision_that_is_not_there_is_not_found(self, page: Client, edited: Article) -> None:
        assert page.get(reverse("revision_compare", args=[edited.pk]), {"before": 9}).status_code == 404
        assert page.get(reverse("revision_compare", args=[make_article(edited.owner).pk])).status_code == 404

    def test_changes_are_restored_into_the_current_text_only(self, page: Client, edited: Article) -> None:
        assert "restore-form" not in self.compare(page, edited, before=1, after=2)
        assert "compare revision 1 with the current text" in self.compare(page, edited, before=1, after=2)
        start_run(article=edited, by=edited.owner)
        assert "restore-form" not in self.compare(page, edited)


class TestRestoringOneChange:
    def restore(self, page: Client, article: Article, number: int = 2, **sent: Any) -> str:
        path = reverse("restore_change", args=[article.pk, number])
        return page.post(path, {"revision": 3, **sent}, follow=True).content.decode()

    def test_an_older_sentence_comes_back_and_nothing_else(self, page: Client, edited: Article) -> None:
        shown = self.restore(page, edited, change=2)
        edited.refresh_from_db()
        assert edited.content == FIRST.replace("120", "140")
        assert edited.title == "Beds on roofs"
        assert "Restored the passage of revision 2 (saved as revision 4)." in shown
        assert "What changed" in shown

    def test_the_title_comes_back_alone(self, page: Client, edited: Article) -> None:
        before = edited.content
        self.restore(page, edited, title="yes")
        edited.refresh_from_db()
        assert (edited.title, edited.content) == ("Beds", before)

    def test_a_newer_revision_is_not_overwritten(self, page: Client, edited: Article) -> None:
        save_text(article=edited, by=edited.owner, title="T", content="Newer.", opened_at=3)
        assert "saved revision 4 after you opened this text" in self.restore(page, edited, change=2)
        edited.refresh_from_db()
        assert edited.content == "Newer."

    @pytest.mark.parametrize("sent", [{"change": 99}, {"change": 1, "revision": 17}, {"change": 1, "revision": "x"}])
    def test_what_is_not_there_is_refused(self, page: Client, edited: Article, sent: dict[str, Any]) -> None:
        path = reverse("restore_change", args=[edited.pk, 2])
        page.post(path, {"revision": 3, **sent})
        assert edited.revisions.count() == 3

    def test_nothing_is_restored_while_the_crew_writes(self, page: Client, edited: Article) -> None:
        start_run(article=edited, by=edited.owner)
        assert "This article is being written" in self.restore(page, edited, change=2)


class TestNames:
    def test_a_revision_is_named_and_the_name_removed(self, page: Client, article: Article) -> None:
        path = reverse("name_revision", args=[article.pk, 1])
        page.post(path, {"name": "  Sent to the\nclient "})
        assert article.revisions.get().name == "Sent to the client"
        assert "Sent to the client" in page.get(reverse("revision_list", args=[article.pk])).content.decode()
        page.post(path, {"name": ""})
        assert article.revisions.get().name == ""

    def test_a_name_that_is_too_long_is_refused(self, page: Client, article: Article) -> None:
        shown = page.post(reverse("name_revision", args=[article.pk, 1]), {"name": "x" * 101}, follow=True)
        assert "at most 100 characters" in shown.content.decode()
        assert article.revisions.get().name == ""

    def test_only_those_who_may_change_the_article_name_them(self, article: Article) -> None:
        other = client_of(UserFactory.create())
        assert post(other, f"/api/articles/{article.pk}/revisions/1/restore", {"revision": 1}).status_code == 404


class TestTheApi:
    @pytest.fixture
    def api(self, edited: Article) -> Client:
        return client_of(edited.owner)

    def test_two_revisions_are_compared(self, api: Client, edited: Article) -> None:
        body = api.get(f"/api/articles/{edited.pk}/revisions/3/compare/2").json()
        assert (body["before"], body["after"], body["words"], body["count"]) == (2, 3, -3, 2)
        assert body["summary"].startswith("Title changed, 1 sentence changed, 1 removed")
        assert {"kind": "removed", "text": "120 "} in body["changes"][0]["pieces"]
        assert {"kind": "added", "text": "on roofs"} in body["title"]

    def test_a_passage_is_restored(self, api: Client, edited: Article) -> None:
        path = f"/api/articles/{edited.pk}/revisions/2/restore"
        response = post(api, path, {"revision": 3, "changes": [1]})
        assert (response.status_code, response.json()["number"]) == (201, 4)
        assert response.json()["content"] == FIRST.replace("They are heavy. ", "")
        assert post(api, path, {"revision": 3, "changes": [1]}).status_code == 409
        assert post(api, path, {"revision": 4, "changes": [9]}).status_code == 422

    def test_a_whole_revision_is_restored(self, api: Client, edited: Article) -> None:
        body = post(api, f"/api/articles/{edited.pk}/revisions/2/restore", {"revision": 3}).json()
        assert (body["title"], body["content"], body["summary"]) == ("Beds", FIRST, "Restored revision 2")

    def test_a_revision_is_named(self, api: Client, edited: Article) -> None:
        path = f"/api/articles/{edited.pk}/revisions/2"
        assert api.patch(path, {"name": "Draft"}, content_type="application/json").json()["name"] == "Draft"
        assert api.get(path).json()["name"] == "Draft"
