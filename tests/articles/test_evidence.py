"""The evidence of an article: its rows, the panel that shows them, the API, and the effect of edits."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.contract import CheckedText
from agents.exceptions import FailureCode
from articles.evidence.results import EvidenceSummary
from articles.evidence.standing import current_text
from articles.models import Article, Evidence
from articles.pages import ArticleView
from articles.runs.journal import fail_run
from articles.services import retry_run, save_text, start_run
from tests.articles.clients import client_of
from tests.articles.page_parts import view_of
from tests.browser import stages, step_outputs
from tests.factories import StaffFactory, UserFactory, claim, make_article, make_completed_article

pytestmark = pytest.mark.django_db(transaction=True)


SUMMARY = {
    "sentences": 5,
    "supported": 3,
    "partly": 1,
    "unsupported": 1,
    "reworded": 1,
    "edited": 0,
    "unchecked": 0,
    "uncited": 0,
}
"""Of the finished article; one of its six checked sentences is not in the text."""


def place_of_each(view: ArticleView) -> dict[str, str]:
    """Ref of each row → the anchor of its sentence in the text, or "changed" if the text no longer has it."""
    rows = [row for section in view.evidence for row in section.rows]
    return {row.checked.ref: row.place if row.stands else "changed" for row in rows}


def loaded_panel(client: Client, article: Article) -> str:
    """The panel as HTMX loads it."""
    response = client.get(f"{article.get_absolute_url()}evidence/", headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response.content.decode()


class TestRows:
    def test_they_are_stored_with_the_text(self, writer: User) -> None:
        article = stages.finished(writer)
        rows = Evidence.objects.filter(run=article.latest_run())
        assert [(row.number, row.section, row.verdict, row.judged_by) for row in rows] == [
            (1, 1, "supported", "model"),
            (2, 1, "partly", "model"),
            (3, 2, "supported", "code"),
            (4, 3, "supported", "model"),
            (5, 4, "supported", "model"),
            (6, 4, "not", "code"),
        ]

    def test_the_summary_counts_them(self, writer: User) -> None:
        summary = EvidenceSummary(sentences=5, supported=3, partly=1, unsupported=1, reworded=1)
        article = stages.finished(writer)
        assert current_text(article).summary == view_of(article).evidence_summary == summary

    def test_the_admin_shows_them_with_their_run(self, client: Client, writer: User) -> None:
        run = stages.finished(writer).latest_run()
        assert run is not None
        client.force_login(StaffFactory.create())
        shown = client.get(f"/admin/articles/run/{run.pk}/change/").content.decode()
        assert "Where one of the three is missing" in shown
        assert "compared word for word" in shown


class TestPanel:
    def test_it_shows_each_sentence_beside_its_passages(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        shown = loaded_panel(client, stages.finished(writer))
        assert "<b>3 of 5</b> cited sentences supported </p>" in " ".join(shown.split())
        row = shown[shown.index('id="evidence-2-1"') :].partition("</article>")[0]
        for text in (
            "compared word for word",
            'href="#a-ev2-1">Show in the text',
            "<mark>A saturated bed weighs</mark> between <mark>95</mark> and <mark>180 kg per square metre</mark>.",
            "<del>up to 250</del> <ins>95–180</ins>",
            'href="https://example.org/heat#:~:text=A%20saturated%20bed%20',
            "reference 2",
            'href="#passage-S4"',
        ):
            assert text in row, text

    def test_the_page_leaves_it_out_until_its_tab_is_opened(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        article = stages.finished(writer)
        shown = client.get(article.get_absolute_url()).content.decode()
        assert "3 of 5 cited sentences supported</a>" in shown
        assert f'hx-get="{article.get_absolute_url()}evidence/" hx-trigger="intersect once"' in shown
        assert 'class="evidence-row' not in shown
        assert (
            f'<a href="{article.get_absolute_url()}evidence/#evidence-2-1"' in shown.partition("<noscript>\n    <p>")[2]
        )

    def test_it_is_a_page_whose_links_lead_to_the_article(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        article = stages.finished(writer)
        shown = client.get(f"{article.get_absolute_url()}evidence/").content.decode()
        assert "<h1>Evidence</h1>" in shown
        assert f'href="{article.get_absolute_url()}#a-ev2-1">Show in the text' in shown
        assert f'href="{article.get_absolute_url()}#passage-S4"' in shown

    def test_another_users_panel_is_not_found(self, client: Client, writer: User) -> None:
        client.force_login(UserFactory.create())
        assert client.get(f"{stages.finished(writer).get_absolute_url()}evidence/").status_code == 404

    def test_unsupported_sentences_are_marked_and_supported_ones_linked(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        shown = client.get(stages.finished(writer).get_absolute_url()).content.decode()
        assert '<span class="doubted is-partly">What has changed' in shown
        assert '<span class="doubted is-not">Where one of the three' in shown
        assert '<a class="evidence-link is-supported" id="a-ev1-1" href="#evidence-1-1"' in shown
        assert 'title="“Surveys of three councils put' in shown

    def test_internal_links_have_targets_and_ids_are_unique(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        shown = client.get(stages.finished(writer).get_absolute_url()).content.decode()
        ids = re.findall(r' id="([^"]+)"', shown)
        assert sorted(ids) == sorted(set(ids))
        assert set(re.findall(r' href="#([^"]+)"', shown)) <= set(ids)

    def test_an_article_that_was_not_checked_says_so(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        article = make_completed_article(writer)
        assert "no citations" in client.get(article.get_absolute_url()).content.decode()
        run = article.latest_run()
        assert run is not None
        run.steps.all().delete()
        Article.objects.update(outline=None)
        shown = client.get(article.get_absolute_url()).content.decode()
        assert "The evidence of this text was not checked." in shown

    def test_hostile_content_is_escaped(self, client: Client, writer: User) -> None:
        script = "<script>alert('gotcha')</script>"
        client.force_login(writer)
        article, held = stages.half_written(writer)
        row = step_outputs.EVIDENCE[0].model_copy(
            update={"sentence": script, "was": f'"{script}', "reason": script, "passages": ["S1", '"><script>']}
        )
        stages.do(held, "edit:evidence:1", CheckedText(markdown=script, evidence=[row]))
        assert "<script>alert" not in client.get(article.get_absolute_url()).content.decode()
        stages.complete(held, content=f"{script}\n", evidence=[row])
        shown = client.get(article.get_absolute_url()).content.decode()
        assert "<script>alert" not in shown
        assert "<script>alert" not in loaded_panel(client, article)
        assert 'class="doubted is-edited' in shown  # it cites a passage that was not read
        assert 'id="a-ev1-1"' in shown


class TestEditedText:
    def test_unchanged_sentences_keep_their_marks_and_others_are_marked_as_changed(self, writer: User) -> None:
        article = stages.finished(writer)
        assert place_of_each(view_of(article)) == {
            "1-1": "a-ev1-1", "1-2": "a-ev1-2", "2-1": "a-ev2-1", "3-1": "changed", "4-1": "a-ev4-1", "4-2": "a-ev4-2"
        }  # fmt: skip
        text = article.content.replace("rarely sees a fourth", "never sees a fourth").replace(
            "95–180 kg", "**95–180** kg"
        )
        save_text(article=article, by=writer, title=article.title, content=text, opened_at=1)
        view = view_of(article)
        assert place_of_each(view)["2-1"] == "a-ev2-1"
        assert place_of_each(view)["4-2"] == "changed"
        assert (view.evidence_summary.sentences, view.evidence_summary.edited) == (5, 1)

    @pytest.mark.parametrize("relabelled", [False, True])
    def test_references_are_numbered_as_in_the_edited_text(
        self, client: Client, writer: User, relabelled: bool
    ) -> None:
        article = stages.finished(writer)
        first, moved = article.content.split("## Who keeps it going\n\n")
        moved, _, definitions = moved.partition("\n\n[^1]:")
        text = f"{moved}\n\n{first}\n\n[^1]:{definitions}"
        if relabelled:
            text = text.replace("[^1]", "[^survey]").replace("[^2]", "[^1]").replace("[^3]", "[^2]")
        save_text(article=article, by=writer, title=article.title, content=text, opened_at=1)
        order = ["Notes of a community gardener", "City roofs surveyed", "Planted roofs in summer"]

        client.force_login(writer)
        shown = client.get(article.get_absolute_url()).content.decode()
        for number, title in enumerate(order, 1):
            assert title in shown.partition(f'<li id="a-fn{number}">')[2].partition("</li>")[0]
            assert (
                f"<span>reference {number}</span>" in shown.partition('id="sources-body"')[2].partition(title)[2][:600]
            )
        row = loaded_panel(client, article).partition('id="evidence-4-1"')[2].partition("</article>")[0]
        assert "reference 1<" in row
        assert 'title="“Of 41 groups' in shown.partition('id="a-fnref1"')[2][:60]

        answer = client_of(writer).get(f"/api/articles/{article.pk}/evidence").json()
        passages = [passage for item in answer["items"] for passage in item["passages"]]
        assert {passage["reference"]: passage["source"] for passage in passages} == dict(enumerate(order, 1))

    def test_a_source_that_the_edited_text_does_not_cite_has_no_number(self, writer: User) -> None:
        article = stages.finished(writer)
        text = article.content.replace("[^1]", "").replace(": City roofs surveyed.", "City roofs surveyed.")
        save_text(article=article, by=writer, title=article.title, content=text, opened_at=1)
        view = view_of(article)
        assert [(reference.number, reference.source) for reference in view.references] == [(1, 2), (2, 3)]
        references = {
            cited.passage.id: cited.reference for s in view.evidence for row in s.rows for cited in row.checked.cited
        }
        assert (references["S1"], references["S2"], references["S6"]) == (None, 1, 2)
        assert [source.cited_as for source in view.sources] == [[], [1], [2]]

    def test_a_new_run_shows_its_own_evidence_and_marks_nothing_in_the_old_text(self, writer: User) -> None:
        article = stages.finished(writer)
        start_run(article=article, by=writer)
        view = view_of(article)
        assert view.checked_sentences == []
        assert "evidence-link" not in view.body
        held = claim(article)
        stages.do(held, "outline:plan", step_outputs.plan())
        stages.do(held, "edit:evidence:4", step_outputs.checked(4))
        view = view_of(article)
        assert [row.ref for row in view.checked_sentences] == ["4-1", "4-2"]
        assert view.sections[3].html.count('href="#evidence-4-') == 2
        assert "evidence-link" not in view.body

    def test_a_failed_run_keeps_the_evidence_of_the_text(self, writer: User) -> None:
        article = stages.finished(writer)
        start_run(article=article, by=writer)
        held = claim(article)
        stages.do(held, "outline:plan", step_outputs.plan())
        stages.do(
            held, "edit:evidence:4", CheckedText(markdown=step_outputs.TEXTS[3], evidence=step_outputs.EVIDENCE[:1])
        )
        fail_run(held, "The model cannot be reached.", FailureCode.MODEL_UNAVAILABLE)
        view = view_of(article)
        assert place_of_each(view)["4-2"] == "a-ev4-2"
        assert "evidence-link" in view.body
        assert "evidence-link" not in view.sections[3].html
        retry_run(article=Article.objects.get(pk=article.pk), by=writer)
        assert [row.row.sentence for row in view_of(article).checked_sentences] == [step_outputs.EVIDENCE[0].sentence]


class TestApi:
    def get(self, writer: User, path: str) -> Any:
        answer = client_of(writer).get(f"/api/articles/{path}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def test_it_lists_each_sentence_with_its_passages(self, writer: User) -> None:
        article = stages.finished(writer)
        data = self.get(writer, f"{article.pk}/evidence")
        assert data["summary"] == SUMMARY
        assert data["items"][2] == {
            "number": 3,
            "section": 2,
            "sentence": step_outputs.EVIDENCE[2].sentence,
            "was": step_outputs.EVIDENCE[2].was,
            "verdict": "supported",
            "judged_by": "code",
            "reason": "",
            "stands": True,
            "passages": [
                {
                    "id": "S4",
                    "text": step_outputs.PASSAGES[3],
                    "source": "Planted roofs in summer",
                    "url": "https://example.org/heat",
                    "link": "https://example.org/heat#:~:text=A%20saturated%20bed%20weighs%20between%2095%20and%20180%20kg"
                    "%20per%20square%20metre.",
                    "page": None,
                    "reference": 2,
                }
            ],
        }
        assert [item["stands"] for item in data["items"]] == [True, True, True, False, True, True]

    def test_a_running_article_lists_what_was_checked_so_far(self, writer: User) -> None:
        article, held = stages.half_written(writer)
        stages.do(held, "edit:evidence:2", step_outputs.checked(2))
        data = self.get(writer, f"{article.pk}/evidence")
        assert data["summary"]["sentences"] == 1
        assert data["items"][0]["stands"] is True

    def test_the_result_has_a_summary(self, writer: User) -> None:
        data = self.get(writer, f"{stages.finished(writer).pk}/result")
        assert data["evidence"] == SUMMARY

    def test_another_users_evidence_is_not_found(self, writer: User) -> None:
        article = stages.finished(UserFactory.create())
        assert client_of(writer).get(f"/api/articles/{article.pk}/evidence").status_code == 404

    def test_an_unchecked_article_has_no_evidence(self, writer: User) -> None:
        data = self.get(writer, f"{make_article(writer).pk}/evidence")
        assert (data["summary"]["sentences"], data["items"]) == (0, [])
