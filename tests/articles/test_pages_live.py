"""The article's page while the crew writes: fragments, the parts they show, and that hostile texts stay texts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from agents.contract import (
    SEO,
    CheckedAnswer,
    CheckedText,
    OldOutline,
    OldSectionPlan,
    PlannedQuestion,
    SectionText,
    Source,
)
from agents.costs.usage import Usage
from agents.exceptions import FailureCode
from articles import views
from articles.models import ApiKey, Article, Step
from articles.pages import ArticleView, MeasuredText, draft_html
from articles.pages.fragments import fragments
from articles.pages.sources import ReadSource
from articles.runs.journal import fail_run
from articles.runs.step_writer import StageSkipped, write_changes
from articles.services import BriefInput, NewSource, create_article, start_run
from articles.templatetags.studio import duration, host, reading_minutes, web_address
from articles.views.requests import find_article
from tests.browser import stages
from tests.factories import UserFactory, claim, make_article, make_completed_article, step_failed

pytestmark = pytest.mark.django_db(transaction=True)

TAG = re.compile(r"<(/?)(\w+)[^>]*>")
SCRIPT = "<script>alert('gotcha')</script>"


def since(article: Article, seq: int) -> str:
    """The fragments for what came after ``seq``."""
    article.refresh_from_db()
    return fragments(article, list(article.events.after(seq)))


def view_of(article: Article) -> ArticleView:
    return ArticleView(Article.objects.get(pk=article.pk))


def compact(html: str) -> str:
    return " ".join(html.split())


def roots(html: str) -> list[str]:
    """The ids fragments are swapped in at."""
    return re.findall(r'^<(?:div|section|header|details) id="([\w-]+)"[^>]*hx-swap-oob', html, re.MULTILINE)


def part(html: str, id: str) -> str:
    """The element with this id, whether it came with the page or to be swapped in."""
    start = html.index(f'id="{id}"')
    start, depth = html.rindex("<", 0, start), 0
    kind = TAG.match(html, start)[2]  # type: ignore[index]
    for tag in TAG.finditer(html, start):
        if tag[2] == kind:
            depth += -1 if tag[1] else 1
        if not depth:
            return html[start : tag.end()].replace(' hx-swap-oob="true"', "")
    raise AssertionError(f"{id} is not closed")


class TestFragments:
    def test_each_carries_the_number_of_its_newest_event(self, writer: User) -> None:
        article, _ = stages.researched(writer)
        assert f'id="seq" data-seq="{article.last_seq}"' in since(article, article.last_seq - 1)

    def test_an_outline_brings_the_sections_it_plans(self, writer: User) -> None:
        article, held = stages.researched(writer)
        stages.finish(held, "outline:plan", stages.plan())
        html = since(article, article.last_seq)
        assert roots(html) == [
            "seq", "timeline", "outline-body", "plan-body", "draft-body", "findings-body", "evidence-body", "questions-body",
        ]  # fmt: skip
        assert html.count('class="draft-section is-waiting"') == 4
        assert html.count('class="evidence-section"') == 4
        assert "not checked yet" in html

    def test_a_plan_is_shown_with_its_answer_and_who_owns_which_findings(self, writer: User) -> None:
        article, held = stages.researched(writer)
        stages.finish(held, "outline:plan", stages.plan())
        html = since(article, article.last_seq)
        plan, findings = compact(part(html, "plan-body")), compact(part(html, "findings-body"))
        assert stages.ANSWER in plan
        assert "<span>2 findings</span> <span>about 250 words</span>" in plan
        assert '<span class="mark">Table</span>' in plan
        assert findings.count("section 3</p>") == 2
        assert '<b>Left out:</b> <span dir="auto">Nothing can be said about it.</span>' in findings

    def test_a_corrected_answer_replaces_that_of_the_plan(self, writer: User) -> None:
        article, held = stages.outlined(writer)
        checked = CheckedAnswer(planned=stages.ANSWER, problem="Too much", answer="Only if it bears 95 kg.")
        stages.do(held, "outline:answer", checked)
        html = since(article, article.last_seq)
        assert {"outline-body", "plan-body", "questions-body"} <= set(roots(html))
        assert html.count("Only if it bears 95 kg.") == 3
        assert stages.ANSWER not in html

    def test_a_plan_in_the_making_has_a_place_for_its_lines(self, writer: User) -> None:
        article, held = stages.researched(writer)
        html = since(article, article.last_seq - 1)
        assert roots(html) == ["seq", "timeline", "plan-body"]
        assert 'class="stream-lines plan-lines" data-step="outline:plan"' in html
        fail_run(held, "The model cannot be reached.", FailureCode.MODEL_UNAVAILABLE)
        assert "stream-lines" not in since(article, 0)

    def test_the_plan_has_the_position_and_the_questions_of_each_section(self, writer: User) -> None:
        article, held = stages.researched(writer)
        made = stages.plan()
        made.questions.append(PlannedQuestion(question="Of no section?", section=9))
        stages.finish(held, "outline:plan", made)
        html = since(article, article.last_seq)
        plan = compact(part(html, "plan-body"))
        assert stages.POSITION in plan
        assert plan.index(stages.ANSWER) < plan.index(stages.POSITION) < plan.index("Why rooftops matter")
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
        stages.finish(held, "outline:plan", stages.plan())
        outline = stages.outline()
        approved = outline.model_copy(update={"sections": outline.sections[2:]})
        stages.do(held, "outline:approved", approved)
        headings = [section.heading for section in ArticleView(Article.objects.get(pk=article.pk)).sections]
        assert headings == ["What it costs", "Who keeps it going"]

    def test_findings_come_as_cards(self, writer: User) -> None:
        article, held = stages.researched(writer)
        seq = article.last_seq
        stages.do(held, "research:find:2", stages.found(2))
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

    def test_a_draft_of_the_whole_article_streams_into_its_sections(self, writer: User) -> None:
        article, held = stages.planned(writer)
        seq = article.last_seq
        stages.begin(held, "write:draft", "Writing the article")
        html = since(article, seq)
        assert {"plan-body", "draft-body"} <= set(roots(html))
        assert [section.state for section in view_of(article).sections] == ["drafting"] * 4
        assert re.findall(r'data-step="write:draft"[^>]*data-part="(\d)"', html) == ["1", "2", "3", "4"]
        draft = (
            "## 1. Why rooftops matter\n\nRoofs.\n\n## 2. Choosing a site\n\nLoad.\n\n## 4. Who keeps it going\n\nYou."
        )
        stages.finish(held, "write:draft", SectionText(markdown=draft))
        sections = view_of(article).sections
        assert [section.markdown for section in sections] == ["Roofs.", "Load.", "", "You."]
        assert [section.state for section in sections] == ["written", "written", "waiting", "written"]
        stages.begin(held, "write:3")
        assert [section.state for section in view_of(article).sections][1:3] == ["written", "writing"]

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
        stages.finish(held, "edit:evidence:1", stages.checked(1))
        assert state() == ("checked · 1 of 2 supported · 57 words", stages.TEXTS[0])
        stages.do(held, "edit:1:length-1", SectionText(markdown="Shorter."))
        stages.do(held, "edit:evidence:1:again-1", CheckedText(markdown="Shortest."))
        assert state() == ("checked · 1 word", "Shortest.")

    def test_a_check_brings_its_evidence_and_what_it_comes_to(self, writer: User) -> None:
        article, held = stages.half_written(writer)
        seq = article.last_seq
        stages.begin(held, "edit:evidence:2")
        assert "> checking </span>" in compact(since(article, seq))
        article.refresh_from_db()
        stages.finish(held, "edit:evidence:2", stages.checked(2))
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
        stages.do(held, "edit:evidence:2", stages.checked(2))
        sent, shown = since(article, 0), page.get(article.get_absolute_url()).content.decode()
        for id in ("section-1", "section-2", "evidence-of-2", "evidence-summary", "questions-body", "timeline"):
            assert part(shown, id) == part(sent, id)

    def test_the_end_brings_everything(self, writer: User) -> None:
        article, held = stages.half_written(writer)
        stages.complete(held)
        html = since(article, article.last_seq)
        panels = [
            "outline", "plan", "draft", "findings", "article", "evidence", "seo", "image", "questions", "sources", "cost",
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

    def test_polling_answers_with_the_same(self, page: Client, writer: User) -> None:
        article, held = stages.outlined(writer)
        address, seq = reverse("article_live", args=[article.pk]), article.last_seq
        assert page.get(address, {"after": seq}).status_code == 204
        stages.finish(held, "write:1", SectionText(markdown="Done."))
        assert page.get(address, {"after": seq}).content.decode() == since(article, seq)

    def test_polling_tells_once_what_came_while_it_was_answered(
        self, page: Client, writer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        article, held = stages.outlined(writer)
        address, seen = reverse("article_live", args=[article.pk]), article.last_seq
        stages.finish(held, "write:1", SectionText(markdown="Done."), "first")

        def and_the_crew_goes_on(request: Any, pk: int) -> Article:
            found = find_article(request, pk)
            stages.finish(held, "write:2", SectionText(markdown="Done."), "second")
            return found

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(views.articles, "find_article", and_the_crew_goes_on)
            first = page.get(address, {"after": seen}).content.decode()
        numbered = int(re.search(r'data-seq="(\d+)"', first)[1])  # type: ignore[index]
        second = page.get(address, {"after": numbered}).content.decode()
        rows = [int(seq) for seq in re.findall(r'<tr [^>]*>\s*<td class="number">(\d+)</td>', first + second)]
        article.refresh_from_db()
        assert numbered < article.last_seq
        assert rows == list(range(seen + 1, article.last_seq + 1))

    @pytest.mark.parametrize("after", ["", "-3", "x", "9" * 40, "²"])
    def test_polling_after_nonsense_answers_all_the_same(self, page: Client, writer: User, after: str) -> None:
        article = make_article(writer)
        assert page.get(reverse("article_live", args=[article.pk]), {"after": after}).status_code in (200, 204)


class TestThePage:
    def get(self, page: Client, article: Article) -> str:
        response = page.get(article.get_absolute_url())
        assert response.status_code == 200
        return str(response.content.decode())

    def test_it_has_a_socket_only_while_the_crew_writes(self, page: Client, writer: User) -> None:
        article, held = stages.researched(writer)
        assert f'ws-connect="/ws/articles/{article.pk}/page/"' in self.get(page, article)
        stages.complete(held)
        assert "ws-connect" not in self.get(page, article)

    def test_a_finished_article_shows_what_was_made(self, page: Client, writer: User) -> None:
        shown = self.get(page, stages.finished(writer, notice="Written by the built-in writer."))
        for text in (
            "Written by the built-in writer.",
            "1 min read",
            "3 references",
            "144 characters, within 120–160",
        ):
            assert text in shown
        assert 'href="https://example.org/roofs"' in shown
        assert "The site answered 403" in shown
        assert stages.ANSWER in shown
        assert "Nothing was found in it that the article needs." in shown

    def test_what_the_person_brought_is_listed(self, page: Client, writer: User) -> None:
        article = make_article(
            writer, sources=(NewSource(title="My notes", text="Roofs."), NewSource(url="https://a.example/x"))
        )
        shown = self.get(page, article)
        assert "My notes" in shown
        assert "https://a.example/x" in shown

    def test_a_picture_that_was_not_asked_for_is_said(self, page: Client, writer: User) -> None:
        assert "The brief does not ask for an image" in self.get(page, make_article(writer, include_image=False))

    def test_a_picture_that_failed_is_said_with_its_reason(self, page: Client, writer: User) -> None:
        article, held = stages.outlined(writer)
        stages.begin(held, "image:draw")
        write_changes(
            held, [step_failed("image:draw", "The model draws no such thing. Ask for another picture.", Usage())]
        )
        stages.complete(held)
        shown = self.get(page, article)
        assert "Image failed" in shown
        assert "Ask for another picture." in shown

    def test_a_stage_that_is_left_out_is_said(self, page: Client, writer: User) -> None:
        article = make_article(writer, seo_optimize=False)
        write_changes(claim(article), [StageSkipped("seo", "The brief asks for no SEO")])
        assert "The brief asks for no SEO" in self.get(page, article)

    def test_a_failed_run_names_stages_it_did_not_reach(self, page: Client, writer: User) -> None:
        article, held = stages.researched(writer)
        fail_run(held, "The model cannot be reached.", FailureCode.MODEL_UNAVAILABLE)
        shown = self.get(page, article)
        assert shown.count("not reached") == 4
        assert "The model cannot be reached." in shown

    def test_a_new_run_does_not_show_the_outline_of_the_one_before(self, page: Client, writer: User) -> None:
        article = make_completed_article(writer)
        start_run(article=article, by=writer)
        view = ArticleView(Article.objects.get())
        assert (view.outline, view.seo, view.cover, view.references, view.sources) == (None, None, None, [], [])
        assert "Flat roofs are the largest unused surface" in self.get(page, article)

    def test_without_javascript_a_running_article_reloads(self, page: Client, writer: User) -> None:
        article, held = stages.half_written(writer)
        assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in self.get(page, article)
        assert "This page reloads every 10 seconds" in self.get(page, article)
        stages.complete(held)
        assert "http-equiv" not in self.get(page, article)

    def test_a_finished_article_folds_its_timeline_and_long_notices(self, page: Client, writer: User) -> None:
        reasons = "https://example.org/a: the server refused. " * 5
        article = stages.finished(writer, notice=f"Some sources could not be read (5). {reasons}\nShort one.")
        shown = compact(self.get(page, article))
        assert '<details id="timeline"' in shown
        assert "<summary>Some sources could not be read (5).</summary>" in shown
        assert "<p>Short one.</p>" in shown

    @pytest.mark.parametrize(
        ("stored", "words", "shown"),
        [
            ("# A *bold* start of a long tex", 900, "A bold start of a long…"),
            ("A whole short text.", 4, "A whole short text."),
            ("Cut already …", 900, "Cut already …"),
        ],
    )
    def test_an_excerpt_is_plain_and_ends_at_a_word(self, stored: str, words: int, shown: str) -> None:
        source = Source.model_construct(excerpt=stored, words=words)
        assert ReadSource(source).excerpt == shown

    def test_an_article_that_never_ran_has_a_page(self, page: Client, writer: User) -> None:
        shown = self.get(page, create_article(by=writer, brief=BriefInput(topic="Roofs of the city"), start=False))
        assert "Roofs of the city" in shown

    def test_a_picture_outlives_the_steps_that_drew_it(self, page: Client, writer: User) -> None:
        article = stages.finished(writer, cover=b"\x89PNG\r\n\x1a\n")
        assert "A roof garden at dusk, printed in three inks" in self.get(page, article)
        Step.objects.all().delete()
        assert f'src="{article.image_url}" alt="Raised beds on a flat roof' in self.get(page, article)

    def test_a_section_that_could_not_be_written_says_so(self, page: Client, writer: User) -> None:
        article, held = stages.outlined(writer)
        write_changes(held, [step_failed("write:2", "The model cannot be reached.", Usage())])
        fail_run(held, "The model cannot be reached.", FailureCode.MODEL_UNAVAILABLE)
        states = [section.state for section in ArticleView(Article.objects.get(pk=article.pk)).sections]
        assert states == ["stopped", "failed", "stopped", "stopped"]

    def test_a_step_of_another_version_is_left_out(self, page: Client, writer: User) -> None:
        article, held = stages.researched(writer)
        stages.finish(held, "outline:plan", SectionText(markdown="this is no plan"))
        assert "No outline yet" in self.get(page, article)

    def test_it_takes_few_queries(self, page: Client, writer: User, django_assert_max_num_queries: Any) -> None:
        article = stages.finished(writer)
        with django_assert_max_num_queries(14):
            self.get(page, article)


class TestHostileTexts:
    def test_nothing_hostile_is_more_than_text(self, page: Client, writer: User) -> None:
        article, held = stages.researched(writer, topic=f"Roofs {SCRIPT}", tone=SCRIPT)
        outline = stages.outline().model_copy(update={"title": SCRIPT})
        outline.sections[0].heading = SCRIPT
        stages.finish(held, "outline:plan", outline, SCRIPT)
        stages.do(held, "write:1", SectionText(markdown=f"{SCRIPT} [a](javascript:alert(1)) [S1]"), SCRIPT, SCRIPT)
        seo = SEO(title=SCRIPT, meta_description=SCRIPT, slug=SCRIPT, keywords=[SCRIPT])
        stages.do(held, "seo:describe", seo)
        reading = stages.reading()
        reading.sources[0].title, reading.sources[0].url = SCRIPT, "javascript:alert(1)"
        reading.passages[0].text = SCRIPT
        stages.do(held, "research:read", reading)
        stages.complete(held, title=SCRIPT, content=f"{SCRIPT}\n\n<img src=x onerror=alert(1)>")
        for html in (
            page.get(article.get_absolute_url()).content.decode(),
            since(article, 0),
            page.get("/").content.decode(),
        ):
            assert "<script>alert" not in html
            assert "onerror=alert" not in html.replace("&lt;img src=x onerror=alert(1)&gt;", "")
            assert 'href="javascript' not in html

    def test_a_mark_of_a_passage_breaks_out_of_nothing(self) -> None:
        html = draft_html('[x](https://e.example/ "a>b [S1]") and [S2]', [], prefix="d")
        assert html.count("<sup>") == 2
        assert 'onclick="' not in html
        assert html.count('"') % 2 == 0


class TestMedia:
    @pytest.fixture
    def picture(self, writer: User) -> str:
        article = make_article(writer)
        return default_storage.save(f"covers/{article.pk}/abc.png", ContentFile(b"\x89PNG\r\n\x1a\n"))

    def test_the_owner_gets_it_to_keep(self, page: Client, picture: str) -> None:
        response = page.get(f"/media/{picture}")
        assert b"".join(response.streaming_content).startswith(b"\x89PNG")  # type: ignore[attr-defined]
        assert response["Content-Type"] == "image/png"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "private, max-age=31536000, immutable"

    def test_an_api_key_gets_it(self, client: Client, writer: User, picture: str) -> None:
        _, key = ApiKey.objects.issue(writer, "script")
        response = client.get(f"/media/{picture}", headers={"Authorization": f"Bearer {key}"})
        assert response.status_code == 200
        response.close()

    def test_nobody_else_gets_it(self, client: Client, picture: str) -> None:
        assert client.get(f"/media/{picture}").status_code == 404
        client.force_login(UserFactory())
        assert client.get(f"/media/{picture}").status_code == 404

    @pytest.mark.parametrize(
        "name",
        [
            "covers/{article}/missing.png",
            "covers/{article}/../../secret-key",
            "covers/{article}/..%2f..%2fstudio.png",
            "covers/{article}/abc.svg",
            "covers/{article}/",
            "covers/²/abc.png",
            "uploads/notes.pdf",
            "../secret-key",
            "/etc/passwd",
            "%00.png",
            "covers/{article}/a%00.png",
            "covers/{article}/a%0a.png",
        ],
    )
    def test_no_other_name_is_served(self, page: Client, picture: str, name: str) -> None:
        number = picture.split("/")[1]
        assert page.get("/media/" + name.format(article=number)).status_code == 404


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(None, ""), ("", ""), (0.04, "0.0 s"), (9.96, "10.0 s"), (74.6, "1:14"), (3725, "1:02:05")],
    )
    def test_durations_are_formatted(self, seconds: float | str | None, text: str) -> None:
        assert duration(seconds) == text

    def test_reading_takes_a_minute_at_least(self) -> None:
        assert (reading_minutes(3), reading_minutes(1150)) == (1, 5)

    @pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "", "//example.org"])
    def test_only_web_addresses_are_followed(self, address: str) -> None:
        assert web_address(address) == ""

    def test_an_address_is_shown_as_its_site(self) -> None:
        assert host("https://www.example.org/a?b=c") == "example.org"
        assert host("http://[::1") == ""

    @pytest.mark.parametrize(
        ("length", "verdict"),
        [(25, "5 too short (30–60)"), (30, "within 30–60"), (60, "within 30–60"), (64, "4 too long (30–60)")],
    )
    def test_a_length_is_judged(self, length: int, verdict: str) -> None:
        assert MeasuredText("Title", "x" * length, 30, 60).verdict == verdict
