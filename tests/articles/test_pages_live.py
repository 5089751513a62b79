"""The article's page while the crew writes and after, and that hostile texts stay texts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents.contract import (
    SEO,
    SectionText,
    Source,
)
from agents.costs.usage import Usage
from agents.exceptions import FailureCode
from articles import views
from articles.models import Article, Step
from articles.pages import ArticleView, draft_html
from articles.pages.sources import ReadSource
from articles.runs.journal import fail_run
from articles.runs.step_writer import StageSkipped, write_changes
from articles.services import BriefInput, NewSource, create_article, start_run
from articles.views.requests import find_article
from tests.articles.page_parts import compact, since
from tests.browser import stages, step_outputs
from tests.factories import claim, make_article, make_completed_article, step_failed

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = "<script>alert('gotcha')</script>"


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
        assert step_outputs.ANSWER in shown
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
        assert '<summary>Some sources could not be read (5). <span class="muted">· 1 more</span></summary>' in shown
        assert "<p>Short one. </p>" in shown

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
        with django_assert_max_num_queries(16):
            self.get(page, article)


class TestPolling:
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


class TestHostileTexts:
    def test_nothing_hostile_is_more_than_text(self, page: Client, writer: User) -> None:
        article, held = stages.researched(writer, topic=f"Roofs {SCRIPT}", tone=SCRIPT)
        outline = step_outputs.outline().model_copy(update={"title": SCRIPT})
        outline.sections[0].heading = SCRIPT
        stages.finish(held, "outline:plan", outline, SCRIPT)
        stages.do(held, "write:1", SectionText(markdown=f"{SCRIPT} [a](javascript:alert(1)) [S1]"), SCRIPT, SCRIPT)
        seo = SEO(title=SCRIPT, meta_description=SCRIPT, slug=SCRIPT, keywords=[SCRIPT])
        stages.do(held, "seo:describe", seo)
        reading = step_outputs.reading()
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
