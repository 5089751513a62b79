"""The panel of sources: findings, the questions of the readers, and sources that are not cited."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.contract import SectionText
from agents.exceptions import FailureCode
from agents.pipeline.steps import StepKey
from articles.models import Article
from articles.runs.journal import fail_run
from tests.articles.page_parts import view_of
from tests.browser import stages, step_outputs
from tests.factories import make_completed_article

pytestmark = pytest.mark.django_db(transaction=True)


class TestSources:
    def test_findings_are_shown_with_their_passages_and_those_left_out_with_the_reason(
        self, client: Client, writer: User
    ) -> None:
        client.force_login(writer)
        shown = client.get(stages.finished(writer).get_absolute_url()).content.decode()
        used = shown[shown.index('id="research-findings"') :].partition("</details>")[0]
        assert "6 findings from the sources" in used
        assert 'href="#passage-S6" title="Notes of a community gardener"' in used
        assert "Sources disagree" in used
        left_out = shown[shown.index('id="research-dismissed"') :].partition("</details>")[0]
        assert left_out.index("No source says what the insurance costs.") < left_out.index(
            "Nothing can be said about it."
        )
        assert shown.count('class="cited"') == 6
        assert "1,440 words" in shown

    def test_the_recommendation_and_the_questions_of_the_readers_are_shown(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        shown = client.get(stages.finished(writer).get_absolute_url()).content.decode()
        answer = shown[shown.index('class="synthesis"') :].partition("</section>")[0]
        assert answer.index(step_outputs.ANSWER) < answer.index("Recommendation") < answer.index(step_outputs.POSITION)
        asked = shown[shown.index('id="readers-questions"') :].partition("</details>")[0]
        assert "4 questions of the readers" in asked
        assert asked.index("Does my roof bear it?") < asked.index("Section 2:</span> <bdi>Choosing a site")

    def test_sources_that_are_not_cited_are_named_with_the_reason(self, client: Client, writer: User) -> None:
        client.force_login(writer)
        shown = client.get(stages.finished(writer).get_absolute_url()).content.decode()
        unused = shown[shown.index('id="unused-sources"') :].partition("</section>")[0]
        assert unused.index("Old notes") < unused.index("Nothing was found in it that the article needs.")

    def test_findings_are_shown_without_steps(self, writer: User) -> None:
        article = stages.finished(writer)
        run = article.latest_run()
        assert run is not None
        run.steps.all().delete()
        research = view_of(article).research
        assert research.questions == step_outputs.QUESTIONS
        assert len(research.used) == 6
        assert len(research.dismissed) == 1
        assert research.synthesis == step_outputs.ANSWER

    def test_findings_of_an_older_version_are_shown(self, writer: User) -> None:
        article = make_completed_article(writer)
        kept = {
            "questions": ["Why?"],
            "findings": [{"statement": "Roofs are flat.", "sources": []}],
            "synthesis": "Flat.",
        }
        Article.objects.filter(pk=article.pk).update(research_data=kept)
        run = article.latest_run()
        assert run is not None
        run.steps.all().delete()
        view = view_of(article)
        assert [found.finding.statement for found in view.research.used] == ["Roofs are flat."]
        assert (view.research.synthesis, view.unused_sources) == ("Flat.", [])

    def test_an_unanswered_question_is_waiting(self, writer: User) -> None:
        article, held = stages.researched(writer)
        run = article.latest_run()
        assert run is not None
        run.steps.with_key(StepKey.parse("research:find:3")).delete()
        stages.begin(held, "research:find:2")
        assert [group.state for group in view_of(article).found.groups] == ["done", "working"]
        fail_run(held, "The model cannot be reached.", FailureCode.MODEL_UNAVAILABLE)
        assert [group.state for group in view_of(article).found.groups] == ["done", "stopped"]

    def test_findings_stored_by_another_version_are_omitted(self, writer: User) -> None:
        article, held = stages.researched(writer)
        stages.do(held, "research:find:1", SectionText(markdown="no findings"))
        assert view_of(article).found.groups[0].findings == []
