"""Drafts on the article's page: streamed into its sections, taken over with title, introduction and headings, and chosen."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.contract import CheckedText, Choice, Edits, Lead, SectionText
from articles.models import Article
from tests.articles.page_parts import compact, part, roots, since, view_of
from tests.browser import stages, step_outputs

pytestmark = pytest.mark.django_db(transaction=True)
OPENED = (
    "# Roofs pay in summer\n\nWhoever has a roof can plant it [S1].\n\n## 1. Roofs lie idle\n\nRoofs are flat.\n\n"
    "## 2. Choosing a site\n\nStart with load."
)
SECOND = (
    "# A roof of your own\n\nAsk an engineer first [S4].\n\n## 1. What it bears\n\nLoad comes first [S4].\n\n"
    "## 2. What to do\n\nAsk the neighbours as well [S6]. Then begin."
)


def article_seq(article: Article) -> int:
    article.refresh_from_db()
    return article.last_seq


def test_a_draft_of_the_whole_article_streams_into_its_sections(writer: User) -> None:
    article, held = stages.planned(writer)
    seq = article.last_seq
    stages.begin(held, "write:draft", "Writing the article")
    html = since(article, seq)
    assert {"plan-body", "draft-body"} <= set(roots(html))
    assert [section.state for section in view_of(article).sections] == ["drafting"] * 4
    assert re.findall(r'data-step="write:draft"[^>]*data-part="(\d)"', html) == ["0", "1", "2", "3", "4"]
    draft = "## 1. Why rooftops matter\n\nRoofs.\n\n## 2. Choosing a site\n\nLoad.\n\n## 4. Who keeps it going\n\nYou."
    stages.finish(held, "write:draft", SectionText(markdown=draft))
    sections = view_of(article).sections
    assert [section.markdown for section in sections] == ["Roofs.", "Load.", "", "You."]
    assert [section.state for section in sections] == ["written", "written", "waiting", "written"]
    stages.begin(held, "write:3")
    assert [section.state for section in view_of(article).sections][1:3] == ["written", "writing"]


def test_title_introduction_and_headings_of_a_draft_are_taken_over(writer: User) -> None:
    article, held = stages.planned(writer)
    assert 'id="section-0"' not in since(article, 0)
    stages.do(held, "write:draft", SectionText(markdown=OPENED))
    changes = since(article, article.last_seq)
    html = compact(part(changes, "draft-body"))
    assert 'id="section-0"' in html
    assert '<h3 dir="auto">Roofs pay in summer</h3>' in html
    assert re.search(r"Whoever has a roof can plant it.{0,9}<sup>S1</sup>", html)
    assert '<h3 dir="auto">Roofs lie idle</h3>' in html
    assert "Why rooftops matter" not in html
    plan = part(changes, "plan-body")
    assert "Roofs lie idle" in plan
    assert 'id="plan-0"' not in plan
    assert 'id="evidence-of-0"' in changes


def test_headings_that_a_person_approved_stay(writer: User) -> None:
    article, held = stages.planned(writer, approve_outline=True)
    stages.begin(held, "write:draft")
    assert "data-renames" not in since(article, article.last_seq)
    stages.finish(held, "write:draft", SectionText(markdown=OPENED))
    html = part(since(article, article.last_seq), "draft-body")
    assert all(text in html for text in (step_outputs.TITLE, "Why rooftops matter", "Whoever has a roof"))
    assert not any(text in html for text in ("Roofs pay in summer", "Roofs lie idle"))


def test_the_introduction_is_edited_and_checked_as_section_0(writer: User) -> None:
    article, held = stages.planned(writer)
    stages.do(held, "write:draft", SectionText(markdown=OPENED))
    before = article_seq(article)
    stages.do(held, "edit", SectionText(markdown="Whoever has a roof may plant it [S1]."))
    html = since(article, before)
    assert "may plant it" in part(html, "section-0")
    assert 'id="section-1"' not in html
    row = step_outputs.EVIDENCE[0].model_copy(update={"section": 0, "sentence": "Whoever has a roof may plant it."})
    before = article_seq(article)
    made = CheckedText(markdown="Whoever has a roof may plant it [S1].", evidence=[row])
    stages.do(held, "edit:evidence", made)
    html = since(article, before)
    assert "Title and introduction" in part(html, "evidence-of-0")
    assert "of 1 supported" in part(html, "evidence-of-0")


def test_a_lead_that_was_written_afterwards_is_the_introduction(writer: User) -> None:
    article, held = stages.planned(writer)
    stages.do(held, "write:draft", SectionText(markdown=OPENED.partition("\n\n## ")[1].strip() + " 1. One\n\nText."))
    assert 'id="section-0"' not in since(article, 0)
    stages.do(held, "edit:lead", Lead(title="Roofs", lead="Whoever has a roof can plant it."))
    assert "Whoever has a roof can plant it." in part(since(article, 0), "section-0")


def test_drafts_of_several_parts_stream_into_their_sections(writer: User) -> None:
    article, held = stages.planned(writer)
    stages.begin(held, "write:draft:1", "Writing sections 1 to 2")
    seq = article.last_seq
    stages.begin(held, "write:draft:3", "Writing sections 3 to 4")
    html = since(article, seq)
    found = re.findall(r'data-step="(write:draft:\d)"[^>]*data-part="(\d)"', html)
    assert found == [
        ("write:draft:1", "0"),
        ("write:draft:1", "1"),
        ("write:draft:1", "2"),
        ("write:draft:3", "3"),
        ("write:draft:3", "4"),
    ]
    stages.finish(held, "write:draft:3", SectionText(markdown="## 3. Three\n\nSoil.\n\n## 4. Four\n\nYou."))
    sections = view_of(article).sections
    assert [section.state for section in sections] == ["drafting", "drafting", "written", "written"]
    assert [section.markdown for section in sections] == ["", "", "Soil.", "You."]
    stages.begin(held, "edit:verdicts:3")
    stages.begin(held, "edit:revise:3")
    assert view_of(article).sections[2].state == "written", "these are for several sections"


def choice(better: int) -> Choice:
    return Choice.model_validate({"better": better, "reason": "It says what to do.", "take_over": [], "wrong": []})


def chosen(writer: User, better: int) -> tuple[Article, str]:
    """An article of two drafts, of which ``better`` is chosen; and the fragments that the choice brings."""
    article, held = stages.planned(writer)
    stages.do(held, "write:draft", SectionText(markdown=OPENED))
    stages.do(held, "write:second", SectionText(markdown=SECOND))
    before = article_seq(article)
    stages.do(held, "edit:choose", choice(better), "Choosing between two drafts", f"Draft {better} chosen: It is.")
    return article, since(article, before)


def test_a_second_draft_changes_nothing_before_it_is_chosen(writer: User) -> None:
    article, held = stages.planned(writer)
    stages.do(held, "write:draft", SectionText(markdown=OPENED))
    before = article_seq(article)
    stages.do(held, "write:second", SectionText(markdown=SECOND), "Writing a second draft", "Second draft written")
    html = since(article, before)
    assert roots(html) == ["seq", "timeline"]
    assert "Writing a second draft" in html
    before = article_seq(article)
    stages.begin(held, "edit:choose", "Choosing between two drafts")
    html = since(article, before)
    assert roots(html) == ["seq", "timeline"]
    assert "Choosing between two drafts" in html
    assert [section.markdown for section in view_of(article).sections][:2] == ["Roofs are flat.", "Start with load."]


def test_the_second_draft_is_not_streamed_over_the_first(writer: User) -> None:
    article, held = stages.planned(writer)
    stages.begin(held, "write:draft")
    stages.begin(held, "write:second")
    assert set(re.findall(r'data-step="(write[^"]*)"', since(article, 0))) == {"write:draft"}


def test_a_chosen_second_draft_brings_its_title_sections_and_texts(writer: User, page: Client) -> None:
    article, html = chosen(writer, 2)
    assert {"outline-body", "plan-body", "draft-body", "evidence-body"} <= set(roots(html))
    draft = compact(part(html, "draft-body"))
    assert all(
        text in draft for text in ("A roof of your own", "Ask an engineer first", "What it bears", "Then begin.")
    )
    assert re.findall(r'id="section-(\d)"', draft) == ["0", "1", "2"]
    assert draft.count("is-written") == 3
    assert not any(text in html for text in ("Roofs pay in summer", "Roofs lie idle", "Why rooftops matter"))
    plan = part(html, "plan-body")
    assert step_outputs.ANSWER in plan
    assert re.findall(r'id="plan-(\d)"', plan) == ["1", "2"]
    outline = view_of(article).outline
    assert outline is not None
    assert sum(section.words for section in outline.sections) == pytest.approx(article.min_words, abs=2)
    assert part(page.get(article.get_absolute_url()).content.decode(), "draft-body") == part(html, "draft-body")


def test_a_chosen_first_draft_stays(writer: User) -> None:
    article, html = chosen(writer, 1)
    assert "Roofs pay in summer" in part(html, "draft-body")
    assert "A roof of your own" not in html
    assert len(view_of(article).sections) == len(step_outputs.SECTIONS)


def test_sections_that_were_written_for_the_first_draft_are_not_shown_in_the_second(writer: User) -> None:
    article, held = stages.planned(writer)
    stages.do(held, "write:draft", SectionText(markdown=OPENED))
    stages.do(held, "write:second", SectionText(markdown=SECOND))
    stages.do(held, "write:1", SectionText(markdown="Written by itself."))
    stages.do(held, "edit:choose", choice(2))
    assert view_of(article).sections[0].markdown == "Load comes first [S4]."


def test_sections_of_the_second_draft_are_edited_corrected_and_checked(writer: User) -> None:
    article, held = stages.planned(writer)
    stages.do(held, "write:draft", SectionText(markdown=OPENED))
    stages.do(held, "write:second", SectionText(markdown=SECOND))
    stages.do(held, "edit:choose", choice(2))
    stages.do(held, "edit:revise:1", Edits())
    stages.do(held, "edit:2", SectionText(markdown="Ask the neighbours [S6]."))
    assert view_of(article).sections[1].status_text == "edited · 3 words"
    before = article_seq(article)
    stages.begin(held, "edit:proofread", "Proofreading")
    html = since(article, before)
    assert roots(html) == ["seq", "timeline"]
    assert "Proofreading" in html
    stages.finish(held, "edit:proofread", Edits())
    for number, text in enumerate(("Ask an engineer [S4].", "The load comes first [S4].", "Ask neighbours [S6].")):
        before = article_seq(article)
        stages.begin(held, f"edit:corrected:{number}" if number else "edit:corrected")
        assert f'<section id="section-{number}" class="draft-section is-editing"' in since(article, before)
        before = article_seq(article)
        stages.finish(held, f"edit:corrected:{number}" if number else "edit:corrected", SectionText(markdown=text))
        html = since(article, before)
        assert roots(html) == ["seq", "timeline", f"section-{number}"]
        assert text.partition(" [")[0] in part(html, f"section-{number}")
    before = article_seq(article)
    stages.do(held, "edit:evidence:2", CheckedText(markdown="Ask neighbours [S6].", evidence=[]))
    assert "What to do" in part(since(article, before), "evidence-of-2")
