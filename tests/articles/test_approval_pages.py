"""The outline pages: the editor without JavaScript, the list, and permissions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.contract import Outline
from articles.forms.outline import FIELDS
from articles.live.consumers import ArticleConsumer
from articles.live.snapshots import read_snapshot
from articles.models import Article, Run, Status
from articles.pages.fragments import fragments
from articles.services import approve_outline, regenerate_outline
from tests.factories import StaffFactory, UserFactory, claim, make_article
from tests.outlines import ANSWER, POSITION, SECTIONS, TITLE, make_outline, make_waiting_article, outline

pytestmark = pytest.mark.django_db

HEADINGS = list(SECTIONS)


@pytest.fixture
def page(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def article(owner: User) -> Article:
    return make_waiting_article(owner)


def typed(article: Article, **changes: Any) -> dict[str, Any]:
    """What the browser sends of the page as it was opened."""
    sections = outline().sections
    sent: dict[str, Any] = {
        "seen_seq": article.last_seq,
        "title": TITLE,
        "answer": ANSWER,
        "position": POSITION,
        "wish": "",
        "planned_as": [str(number) for number in range(1, len(sections) + 1)],
        "heading": [section.heading for section in sections],
        "purpose": [section.purpose for section in sections],
        "layout": [section.form for section in sections],
        "points": ["\r\n".join(section.points) for section in sections],
        "findings": [" ".join(map(str, section.findings)) for section in sections],
        "words": [section.words for section in sections],
        "sources": [", ".join(section.sources) for section in sections],
    }
    return sent | changes


def press(page: Client, article: Article, do: str, **changes: Any) -> Any:
    return page.post(f"/articles/{article.pk}/outline/", typed(article, do=do, **changes))


def headings(answer: Any) -> list[str]:
    """The sections on the page, in order; the empty one that scripts copy is left out."""
    html = answer.content.decode().partition("<template")[0]
    found = re.findall(r'<input type="text" name="heading"(?: value="([^"]*)")?', html)
    return [text.replace("&#x27;", "'") for text in found]


class TestTheEditor:
    def test_it_shows_the_whole_outline(self, page: Client, article: Article) -> None:
        html = page.get(f"/articles/{article.pk}/outline/").content.decode()
        for part in (
            TITLE,
            *HEADINGS,
            "What there is to gain",
            "Unused surface\nHeat",
            ANSWER,
            POSITION,
            '<option value="table" selected>',
            "Flat roofs make up 8–12 % of the built footprint.",
            "In 1998 there were 12 such gardens.",
            'value="S1, S2"',
            'value="250"',
        ):
            assert part in html
        assert "At the surface, planted roofs were 11 °C cooler" in html, "the text of a passage it rests on"
        assert "<b>1,000</b> words, as requested" in " ".join(html.split())

    @pytest.mark.parametrize(
        ("do", "order"),
        [
            ("up-3", [0, 2, 1, 3]),
            ("down-1", [1, 0, 2, 3]),
            ("remove-2", [0, 2, 3]),
            ("up-1", [0, 1, 2, 3]),
            ("down-4", [0, 1, 2, 3]),
            ("remove-9", [0, 1, 2, 3]),
            ("up-x", [0, 1, 2, 3]),
            ("", [0, 1, 2, 3]),
        ],
    )
    def test_sections_are_moved_and_removed_by_buttons(
        self, page: Client, article: Article, do: str, order: list[int]
    ) -> None:
        assert headings(press(page, article, do)) == [HEADINGS[at] for at in order]
        article.refresh_from_db()
        assert article.status == Status.AWAITING_APPROVAL

    def test_typed_text_moves_with_its_section_and_is_not_validated_yet(self, page: Client, article: Article) -> None:
        html = press(page, article, "up-4", title="", words=[250, 250, 250, "many"]).content.decode()
        assert html.index("What gardens that last have in common.") < html.index("What a square metre costs")
        assert 'value="many"' in html
        assert "errorlist" not in html

    def test_a_section_is_added_at_the_end(self, page: Client, article: Article) -> None:
        assert headings(press(page, article, "add")) == [*HEADINGS, ""]

    def test_two_sections_stay_and_thirty_are_enough(self, page: Client, article: Article) -> None:
        two = {name: typed(article)[name][:2] for name in FIELDS}
        assert headings(press(page, article, "remove-1", **two)) == HEADINGS[:2]
        assert len(headings(press(page, article, "add", heading=["A"] * 30))) == 30

    def test_words_can_be_distributed_again(self, page: Client, article: Article) -> None:
        html = press(page, article, "share", words=[100, 200, 50, ""]).content.decode()
        assert html.count('placeholder="250"') == 4
        assert "as requested" in html

    def test_the_sum_follows_what_is_typed(self, page: Client, article: Article) -> None:
        html = press(page, article, "", words=[100, 200, 50, 300]).content.decode()
        assert "<b>650</b> words; 1,000 requested" in " ".join(html.split())

    def test_shares_are_computed_by_the_server(self, page: Client, article: Article) -> None:
        words = {"words": ["400", "", "", "many"]}
        html = " ".join(page.post(f"/articles/{article.pk}/outline/words", words).content.decode().split())
        assert 'data-shares="400 200 200 200"' in html
        assert "<b>1,000</b> words, as requested" in html
        article.refresh_from_db()
        assert article.status == Status.AWAITING_APPROVAL

    def test_shares_need_access_to_the_article(self, client: Client, article: Article) -> None:
        client.force_login(UserFactory.create())
        assert client.post(f"/articles/{article.pk}/outline/words", {"words": "5"}).status_code == 404

    def test_a_malformed_form_breaks_nothing(self, page: Client, article: Article) -> None:
        """Fields that are missing, doubled or left out altogether, and numbers that are none."""
        lone = {"do": "approve", "heading": ["A", "B"], "words": "5"}
        for data in ({}, {"do": "approve"}, lone, {"do": "up-1"}, {"do": "up-" + "9" * 5000}):
            assert page.post(f"/articles/{article.pk}/outline/", data).status_code == 200
        endless = {"do": "redo", "wish": "Shorter", "seen_seq": "9" * 5000}
        assert page.post(f"/articles/{article.pk}/outline/", endless).status_code == 302

    def test_findings_move_with_their_section(self, page: Client, article: Article) -> None:
        html = press(page, article, "up-2").content.decode().partition("<template")[0]
        assert re.findall(r'name="findings" value="([\d ]*)"', html) == ["3", "1 2", "4"]


class TestApproving:
    def test_answer_form_and_findings_are_taken_as_typed(self, page: Client, article: Article) -> None:
        kept = {name: typed(article)[name][:3] for name in FIELDS}
        changed = {
            **kept,
            "layout": ["list", "prose", "steps"],
            "words": [400, 300, 300],
            "answer": "Start\r\nwith the load.",
        }
        press(page, article, "approve", **changed)
        article.refresh_from_db()
        approved = Outline.model_validate(article.outline)
        assert approved.answer == "Start with the load."
        assert [section.form for section in approved.sections] == ["list", "prose", "steps"]
        assert [section.findings for section in approved.sections] == [[1, 2], [3], []]
        reasons = {each.finding: each.reason for each in approved.dismissed}
        assert reasons == {4: f"Removed by {article.owner.get_username()}", 5: "Old"}

    def test_position_and_questions_follow_what_is_typed(self, page: Client, article: Article) -> None:
        """A section is known by its number in the plan, whatever its heading is now."""
        sent = {name: [typed(article)[name][at] for at in (3, 1, 0)] for name in FIELDS}
        sent |= {"heading": ["A new name", "Another", HEADINGS[0]], "words": [400, 300, 300]}
        press(page, article, "approve", position="Wait\r\na year.", **sent)
        article.refresh_from_db()
        approved = Outline.model_validate(article.outline)
        assert approved.position == "Wait a year."
        assert [(each.question, each.section) for each in approved.questions] == [
            ("What do I gain?", 3),
            ("Does my roof bear it?", 2),
            ("Who waters it in summer?", 1),
        ]
        assert [(each.term, each.section) for each in approved.terms] == [("saturated bed", 2), ("lease", 1)]

    def test_questions_of_a_removed_section_are_dropped(self, page: Client, article: Article) -> None:
        kept = {name: typed(article)[name][:3] for name in FIELDS} | {"words": [400, 300, 300]}
        press(page, article, "approve", **kept | {"planned_as": ["1", "x", "1"]})
        article.refresh_from_db()
        approved = Outline.model_validate(article.outline)
        assert [(each.question, each.section) for each in approved.questions] == [("What do I gain?", 1)]
        assert approved.terms == []

    def test_the_run_continues_with_the_edited_outline(self, page: Client, article: Article) -> None:
        changed = {"heading": [*HEADINGS[:3], "Who waters it"], "words": [400, 300, 200, ""], "do": "approve"}
        answer = page.post(f"/articles/{article.pk}/outline/", typed(article, **changed), follow=True)
        assert answer.redirect_chain == [(f"/articles/{article.pk}/", 302)]
        assert "Outline approved: 4 sections, 1,000 words." in answer.content.decode()
        article.refresh_from_db()
        approved = Outline.model_validate(article.outline)
        assert [section.heading for section in approved.sections][-1] == "Who waters it"
        assert [section.words for section in approved.sections] == [400, 300, 200, 100]
        assert approved.sections[0].points == ["Unused surface", "Heat"]
        assert approved.sections[0].sources == ["S1", "S2"]
        assert article.status == Status.PENDING

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"title": "Oh"}, "at least 5 characters"),
            ({"answer": "a" * 1001}, "at most 1,000 characters"),
            ({"position": "a" * 1001}, "at most 1,000 characters"),
            ({"layout": ["poem", "", "prose", "prose"]}, "poem is not one of the available choices"),
            ({"heading": ["", *HEADINGS[1:]]}, "Enter a heading."),
            ({"heading": ["A" * 121, *HEADINGS[1:]]}, "at most 120 characters"),
            ({"heading": [HEADINGS[1], *HEADINGS[1:]]}, "is used twice"),
            ({"words": [20, 250, 250, 250]}, "Enter a whole number from 50 to 600."),
            ({"words": ["many", 250, 250, 250]}, "Enter a whole number"),
            ({"words": [50, 50, 50, 50]}, "come to 200 words"),
            ({"points": ["\n".join("abcdefghijklm"), "", "", ""]}, "at most 12 points"),
            ({"sources": ["S1, s99", "", "", ""]}, "There is no passage S99"),
            ({"sources": [" ".join(f"S{n}" for n in range(1, 30)), "", "", ""]}, "There is no passage S4, S5"),
        ],
    )
    def test_errors_are_shown_and_typed_text_is_kept(
        self, page: Client, article: Article, changes: dict[str, Any], reason: str
    ) -> None:
        purpose = ["What I typed for an hour", "", "", ""]
        answer = press(page, article, "approve", purpose=purpose, wish="Kept, too", **changes)
        html = answer.content.decode()
        assert reason in html
        assert "What I typed for an hour" in html
        assert "Kept, too" in html
        assert headings(answer) == changes.get("heading", HEADINGS)
        article.refresh_from_db()
        assert article.status == Status.AWAITING_APPROVAL

    def test_a_second_approval_is_refused_and_loses_nothing(self, page: Client, article: Article) -> None:
        seen = typed(article, do="approve", title="My title of it")
        approve_outline(article=article, by=UserFactory.create(username="ada"))
        html = page.post(f"/articles/{article.pk}/outline/", seen).content.decode()
        assert "Approved by ada already" in html
        assert "My title of it" in html

    def test_it_can_be_approved_unchanged_on_the_article_page(self, page: Client, article: Article) -> None:
        html = page.get(f"/articles/{article.pk}/").content.decode()
        assert f'form="approve-form" name="seen_seq" value="{article.last_seq}"' in html
        page.post(f"/articles/{article.pk}/outline/approve", {"seen_seq": article.last_seq})
        article.refresh_from_db()
        assert article.status == Status.PENDING

    def test_a_regenerated_outline_is_not_approved_unseen(self, page: Client, article: Article, owner: User) -> None:
        seen = article.last_seq
        regenerate_outline(article=article, by=owner, wish="Shorter")
        make_outline(claim(article), outline())
        answer = page.post(f"/articles/{article.pk}/outline/approve", {"seen_seq": seen}, follow=True)
        assert "regenerated since you opened it" in answer.content.decode()
        article.refresh_from_db()
        assert article.status == Status.AWAITING_APPROVAL


class TestAskingForAnother:
    def test_the_wish_is_stored_with_the_run_and_shown_again(self, page: Client, article: Article) -> None:
        assert press(page, article, "redo", wish="Begin with the costs").status_code == 302
        assert Run.objects.get().outline_wish == "Begin with the costs"
        make_outline(claim(article), outline())
        assert "Begin with the costs</textarea>" in page.get(f"/articles/{article.pk}/outline/").content.decode()

    def test_a_wish_is_required(self, page: Client, article: Article) -> None:
        html = press(page, article, "redo", wish="  ", heading=["Mine", "", "", ""]).content.decode()
        assert html.count("Say what should change.") == 1
        assert 'value="Mine"' in html


class TestWhoMayDecide:
    @pytest.mark.parametrize("address", ["outline/", "outline/approve"])
    def test_other_users_get_404(self, client: Client, article: Article, address: str) -> None:
        client.force_login(UserFactory.create())
        assert client.post(f"/articles/{article.pk}/{address}", {"do": "approve"}).status_code == 404
        assert client.get(f"/articles/{article.pk}/outline/").status_code == 404

    def test_sign_in_is_required(self, client: Client, article: Article) -> None:
        assert client.get(f"/articles/{article.pk}/outline/").headers["Location"].startswith("/sign-in/")

    def test_an_article_that_does_not_wait_has_no_editor(self, page: Client, owner: User) -> None:
        answer = page.get(f"/articles/{make_article(owner).pk}/outline/", follow=True)
        assert "This article has no outline waiting for approval." in answer.content.decode()


class TestBeingNoticed:
    def test_the_list_links_to_waiting_outlines(self, page: Client, article: Article, owner: User) -> None:
        make_article(owner)
        html = page.get("/").content.decode()
        assert "1 in progress" in html
        assert ">1 needs your approval</a>" in html
        assert f'href="/articles/{article.pk}/outline/">Review outline' in html
        assert html.count('id="row-') == 2
        assert page.get("/?status=awaiting_approval").content.decode().count('id="row-') == 1

    def test_the_article_page_opens_the_outline(self, page: Client, article: Article) -> None:
        html = page.get(f"/articles/{article.pk}/").content.decode()
        assert "The outline is ready for your approval." in html
        assert 'data-first="outline"' in html
        assert 'id="cancel"' in html

    def test_watchers_get_the_approval_and_stay_connected(self, article: Article) -> None:
        html = fragments(article, list(article.events.after(article.last_seq - 1)))
        assert 'id="outline-waits"' in html
        assert 'data-active="yes"' in html
        snapshot = read_snapshot(ArticleConsumer.render_events, article.pk, article.last_seq - 1)
        assert snapshot is not None
        assert '"new_status": "awaiting_approval"' in snapshot.texts[0]
        assert not snapshot.has_ended


class TestInTheAdmin:
    def test_outlines_are_approved_and_refusals_have_a_reason(
        self, client: Client, article: Article, owner: User
    ) -> None:
        client.force_login(StaffFactory.create(username="grace"))
        both = [article.pk, make_article(owner).pk]
        address = "/admin/articles/article/"
        html = client.post(address, {"action": "approve", "_selected_action": both}, follow=True).content.decode()
        assert "Approved: 1." in html
        assert "No outline of this article waits for approval" in html
        article.refresh_from_db()
        assert article.status == Status.PENDING
