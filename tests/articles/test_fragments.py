"""The fragments that bring what happened since an event into the article's page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.contract import (
    CheckedAnswer,
    CheckedText,
    OldOutline,
    OldSectionPlan,
    PlannedQuestion,
    SectionText,
)
from agents.costs.usage import Usage
from agents.exceptions import FailureCode
from articles.models import Article
from articles.pages import ArticleView
from articles.runs.journal import fail_run
from articles.runs.step_writer import write_changes
from tests.articles.page_parts import compact, part, roots, since, view_of
from tests.browser import stages, step_outputs
from tests.factories import step_failed

pytestmark = pytest.mark.django_db(transaction=True)


class TestFragments:
    def test_each_carries_the_number_of_its_newest_event(self, writer: User) -> None:
        article, _ = stages.researched(writer)
        assert f'id="seq" data-seq="{article.last_seq}"' in since(article, article.last_seq - 1)

    def test_an_outline_brings_the_sections_it_plans(self, writer: User) -> None:
        article, held = stages.researched(writer)
        stages.finish(held, "outline:plan", step_outputs.plan())
        html = since(article, article.last_seq)
        assert roots(html) == [
            "seq", "timeline", "outline-body", "plan-body", "draft-body", "findings-body", "evidence-body", "questions-body",
        ]  # fmt: skip
        assert html.count('class="draft-section is-waiting"') == 4
        assert html.count('class="evidence-section"') == 4
        assert "not checked yet" in html

    def test_a_plan_is_shown_with_its_answer_and_who_owns_which_findings(self, writer: User) -> None:
        article, held = stages.researched(writer)
        stages.finish(held, "outline:plan", step_outputs.plan())
        html = since(article, article.last_seq)
        plan, findings = compact(part(html, "plan-body")), compact(part(html, "findings-body"))
        assert step_outputs.ANSWER in plan
        assert "<span>2 findings</span> <span>about 225 words</span>" in plan
        assert '<span class="mark">Table</span>' in plan
        assert findings.count("section 3</p>") == 2
        assert '<b>Left out:</b> <span dir="auto">Nothing can be said about it.</span>' in findings

    def test_a_corrected_answer_replaces_that_of_the_plan(self, writer: User) -> None:
        article, held = stages.outlined(writer)
        checked = CheckedAnswer(planned=step_outputs.ANSWER, problem="Too much", answer="Only if it bears 95 kg.")
        stages.do(held, "outline:answer", checked)
        html = since(article, article.last_seq)
        assert {"outline-body", "plan-body", "questions-body"} <= set(roots(html))
        assert html.count("Only if it bears 95 kg.") == 3
        assert step_outputs.ANSWER not in html

    def test_a_plan_in_the_making_has_a_place_for_its_lines(self, writer: User) -> None:
        article, held = stages.researched(writer)
        html = since(article, article.last_seq - 1)
        assert roots(html) == ["seq", "timeline", "plan-body"]
        assert 'class="stream-lines plan-lines" data-step="outline:plan"' in html
        fail_run(held, "The model cannot be reached.", FailureCode.MODEL_UNAVAILABLE)
        assert "stream-lines" not in since(article, 0)

    def test_the_plan_has_the_position_and_the_questions_of_each_section(self, writer: User) -> None:
        article, held = stages.researched(writer)
        made = step_outputs.plan()
        made.questions.append(PlannedQuestion(question="Of no section?", section=9))
        stages.finish(held, "outline:plan", made)
        html = since(article, article.last_seq)
        plan = compact(part(html, "plan-body"))
        assert step_outputs.POSITION in plan
        assert plan.index(step_outputs.ANSWER) < plan.index(step_outputs.POSITION) < plan.index("Why rooftops matter")
        row = plan.partition('id="plan-2"')[2].partition('id="plan-3"')[0]
        assert "Does my roof bear it?" in row
        assert "What do I gain from it?" not in row
        assert "Of no section?" not in html

    def test_an_outline_of_an_older_version_is_shown(self, writer: User) -> None:
        article, held = stages.researched(writer)
        stages.do(held, "outline:make", OldOutline(title="Roofs of the city", sections=["Why", "How"]))
        stages.do(held, "outline:2", OldSectionPlan(purpose="Load comes first.", points=["Ask"], sources=["S4"]))
        shown = view_of(article).outline
        assert shown is not None
        assert [(section.heading, section.purpose) for section in shown.sections] == [
            ("Why", ""), ("How", "Load comes first."),
        ]  # fmt: skip

    def test_what_a_person_approved_is_the_outline(self, writer: User) -> None:
        article, held = stages.researched(writer)
        stages.finish(held, "outline:plan", step_outputs.plan())
        outline = step_outputs.outline()
        approved = outline.model_copy(update={"sections": outline.sections[2:]})
        stages.do(held, "outline:approved", approved)
        headings = [section.heading for section in ArticleView(Article.objects.get(pk=article.pk)).sections]
        assert headings == ["What it costs", "Who keeps it going"]

    def test_findings_come_as_cards(self, writer: User) -> None:
        article, held = stages.researched(writer)
        seq = article.last_seq
        stages.do(held, "research:find:2", step_outputs.found(2))
        html = since(article, seq)
        assert roots(html) == ["seq", "timeline", "findings-body", "questions-body"]
        cards = compact(part(html, "findings-body"))
        assert "7 from 3 sources" in cards
        assert 'class="finding is-disagreement" data-section="0"' in cards
        assert "<b>Sources disagree</b>" in cards
        assert '<span dir="auto">March 2021</span> <span class="finding-age">5 years old</span>' in cards
        assert 'href="#passage-S6"' in cards

    def test_findings_have_a_place_for_their_lines_while_they_come(self, writer: User) -> None:
        article, held = stages.researched(writer)
        seq = article.last_seq
        stages.begin(held, "research:find:3", "Reading 1 source closely")
        html = since(article, seq)
        assert roots(html) == ["seq", "timeline", "findings-body"]
        assert 'class="stream-lines finding-lines" data-step="research:find:3"' in html
        assert "Reading 1 source closely" in html
        assert "Flat roofs make up" in html, "those of other groups stay"

    def test_a_row_of_the_plan_follows_its_section(self, writer: User) -> None:
        article, held = stages.outlined(writer)
        stages.finish(held, "write:2", SectionText(markdown="It is **heavy** [S4]."))
        html = since(article, article.last_seq)
        assert "3 words" in part(html, "plan-2")
        assert 'id="plan-1"' not in html

    def test_a_review_of_a_group_is_not_the_work_of_a_section(self, writer: User) -> None:
        article, held = stages.half_written(writer)
        seq = article.last_seq
        stages.begin(held, "edit:review:2")
        assert roots(since(article, seq)) == ["seq", "timeline"]
        assert view_of(article).sections[1].state == "written"

    def test_a_section_that_is_done_leaves_the_others_alone(self, writer: User) -> None:
        article, held = stages.outlined(writer)
        stages.finish(held, "write:2", SectionText(markdown="It is **heavy** [S4]."))
        html = since(article, article.last_seq)
        assert roots(html) == ["seq", "timeline", "section-2"]
        assert "<strong>heavy</strong> <sup>S4</sup>" in html

    def test_a_section_that_is_mended_shows_the_mended_text(self, writer: User) -> None:
        article, held = stages.outlined(writer)
        stages.finish(held, "write:1", SectionText(markdown="First try."))
        stages.begin(held, "edit:1")
        html = since(article, article.last_seq)
        assert 'class="draft-section is-editing"' in html
        assert 'class="stream" data-step="edit:1"' in html
        assert "First try." in html
        stages.finish(held, "edit:1", SectionText(markdown="Second try."))
        html = since(article, article.last_seq)
        assert "Second try." in html
        assert "edited · 2 words" in html
        assert "First try." not in html

    def test_mending_that_failed_leaves_the_old_text(self, writer: User) -> None:
        article, held = stages.outlined(writer)
        stages.finish(held, "write:1", SectionText(markdown="First try."))
        stages.begin(held, "edit:1")
        article.refresh_from_db()
        write_changes(held, [step_failed("edit:1", "The model cannot be reached.", Usage())])
        html = since(article, article.last_seq)
        assert 'class="draft-section is-failed"' in html
        assert "First try." in html
        assert 'class="stream"' not in html

    def test_a_section_is_followed_to_its_last_check(self, writer: User) -> None:
        article, held = stages.outlined(writer)

        def state() -> tuple[str, str]:
            section = ArticleView(Article.objects.get(pk=article.pk)).sections[0]
            return section.status_text, section.markdown

        stages.finish(held, "write:1", SectionText(markdown="Written."))
        stages.begin(held, "write:1:again-1")
        assert state() == ("adjusting length", "Written.")
        stages.finish(held, "write:1:again-1", SectionText(markdown="Written again."))
        stages.begin(held, "edit:1")
        assert state() == ("editing", "Written again.")
        stages.finish(held, "edit:1", SectionText(markdown="Mended."))
        stages.begin(held, "edit:evidence:1")
        assert state() == ("checking evidence", "Mended.")
        stages.finish(held, "edit:evidence:1", step_outputs.checked(1))
        assert state() == ("checked · 1 of 2 supported · 57 words", step_outputs.TEXTS[0])
        stages.do(held, "edit:1:length-1", SectionText(markdown="Shorter."))
        stages.do(held, "edit:evidence:1:again-1", CheckedText(markdown="Shortest."))
        assert state() == ("checked · 1 word", "Shortest.")

    def test_a_check_brings_its_evidence_and_what_it_comes_to(self, writer: User) -> None:
        article, held = stages.half_written(writer)
        seq = article.last_seq
        stages.begin(held, "edit:evidence:2")
        assert "> checking </span>" in compact(since(article, seq))
        article.refresh_from_db()
        stages.finish(held, "edit:evidence:2", step_outputs.checked(2))
        html = since(article, article.last_seq)
        assert roots(html) == ["seq", "timeline", "section-2", "evidence-summary", "evidence-of-2"]
        assert "<b>1 of 1</b> cited sentence supported so far" in compact(html)
        assert 'id="evidence-2-1"' in html

    def test_the_log_grows_by_the_new_rows(self, writer: User) -> None:
        article, held = stages.outlined(writer)
        stages.finish(held, "write:1", SectionText(markdown="Done."), "1 word")
        html = since(article, article.last_seq)
        assert '<table hx-swap-oob="beforeend:#log-table">' in html
        assert html.count("<tr ") == 1

    @pytest.mark.parametrize(
        ("key", "panel"),
        [("research:read", "sources-body"), ("seo:describe", "seo-body"), ("image:draw", "image-body")],
    )
    def test_a_step_brings_its_panel(self, writer: User, key: str, panel: str) -> None:
        article, held = stages.outlined(writer)
        stages.do(held, key, SectionText(markdown=""))
        assert panel in roots(since(article, article.last_seq))

    def test_screen_readers_get_stages_not_steps(self, writer: User) -> None:
        article, held = stages.outlined(writer)
        seq = article.last_seq
        stages.finish(held, "write:1", SectionText(markdown="Done."), "1 word")
        assert "#announcement" not in since(article, seq)
        for number in (2, 3, 4):
            stages.finish(held, f"write:{number}", SectionText(markdown="Done."), "1 word")
        assert '<div hx-swap-oob="innerHTML:#announcement">Writing completed: 4 sections</div>' in since(article, seq)

    def test_a_screen_reader_hears_once_that_the_article_is_finished(self, writer: User) -> None:
        article, held = stages.half_written(writer)
        seq = article.last_seq
        stages.complete(held)
        heard = since(article, seq).partition('#announcement">')[2].partition("</div>")[0]
        assert heard == "Completed: 183 words, 3 references"

    def test_the_line_below_the_bar_says_what_is_being_done(self, writer: User) -> None:
        article, held = stages.outlined(writer)
        stages.begin(held, "write:1")
        stages.begin(held, "write:2")
        stages.begin(held, "image:draw", "Drawn by test-image")
        article.refresh_from_db()
        assert ArticleView(article).activity == "Writing sections (0 of 4) · Creating the image"

    def test_those_who_come_late_see_what_those_who_stayed_see(self, page: Client, writer: User) -> None:
        article, held = stages.half_written(writer)
        stages.begin(held, "edit:1")
        stages.do(held, "edit:evidence:2", step_outputs.checked(2))
        sent, shown = since(article, 0), page.get(article.get_absolute_url()).content.decode()
        for id in ("section-1", "section-2", "evidence-of-2", "evidence-summary", "questions-body", "timeline"):
            assert part(shown, id) == part(sent, id)

    def test_the_end_brings_everything(self, writer: User) -> None:
        article, held = stages.half_written(writer)
        stages.complete(held)
        html = since(article, article.last_seq)
        panels = [
            "outline", "plan", "draft", "findings", "article", "evidence", "seo", "image", "questions", "sources", "brief",
            "cost",
        ]  # fmt: skip
        assert roots(html) == ["seq", "timeline", "header", "notices", *(f"{panel}-body" for panel in panels)]
        assert 'data-active="no"' in html
        assert "183 words, 3 references" in html
        assert 'id="edit"' in html

    def test_no_fragment_holds_a_form(self, writer: User) -> None:
        """A socket has no CSRF token to give."""
        article, held = stages.half_written(writer)
        stages.complete(held)
        assert "<form" not in since(article, 0)
