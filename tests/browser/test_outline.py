"""Approving an outline: with the mouse, from the keyboard, on a phone, and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect

from agents.contract import Outline
from articles.models import Article, Status
from articles.services import approve_outline
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread
from tests.factories import UserFactory
from tests.outlines import SECTIONS, make_waiting_article

HEADINGS = list(SECTIONS)
make_waiting_article_in_thread = in_thread(make_waiting_article)
approve_in_thread = in_thread(approve_outline)


@pytest.fixture
def article(writer: User) -> Article:
    return make_waiting_article_in_thread(writer)


@pytest.fixture
def editor(page: Page, article: Article) -> Page:
    page.goto(f"/articles/{article.pk}/outline/")
    return page


def headings(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "#outline-cards [name=heading]", "fields => fields.map((f) => f.value)"
    )
    return found


def focused(page: Page) -> str:
    """The name of what has the focus, as a screen reader would say it, or its id."""
    found: str = page.evaluate("() => document.activeElement.ariaLabel ?? document.activeElement.id")
    return found


def outline_of(article: Article) -> Outline:
    article.refresh_from_db()
    return Outline.model_validate(article.outline)


def card(page: Page, number: int) -> Locator:
    return page.locator(".outline-card").nth(number - 1)


class TestTheEditor:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_it_is_accessible_and_fits(self, page: Page, article: Article, theme: str, width: int) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        for address in ("/", f"/articles/{article.pk}/", f"/articles/{article.pk}/outline/"):
            page.goto(address)
            assert accessibility_problems(page, colours_only=theme == "dark") == [], address
            assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, address

    def test_the_article_page_links_to_it(self, page: Page, article: Article) -> None:
        page.goto(f"/articles/{article.pk}/")
        expect(page.get_by_role("tab", name="Outline")).to_have_attribute("aria-selected", "true")
        page.get_by_role("button", name="Review outline").click()
        expect(page.get_by_role("heading", name="Outline", exact=True)).to_be_visible()

    def test_a_section_is_moved_from_the_keyboard_and_keeps_the_focus(self, editor: Page) -> None:
        card(editor, 3).get_by_role("button", name="Move section 3 up").focus()
        editor.keyboard.press("Enter")
        assert headings(editor) == [HEADINGS[0], HEADINGS[2], HEADINGS[1], HEADINGS[3]]
        assert focused(editor) == "Move section 2 up"
        editor.keyboard.press("Space")
        assert headings(editor)[0] == HEADINGS[2]
        assert focused(editor) == "Move section 1 down", "up is not possible any more"
        expect(editor.locator("#outline-said")).to_have_text("Now section 1 of 4")

    def test_sections_are_removed_and_added(self, editor: Page) -> None:
        editor.get_by_role("button", name="Remove section 2").click()
        assert headings(editor) == [HEADINGS[0], *HEADINGS[2:]]
        assert focused(editor) == "heading-3", "the next one's heading"
        editor.get_by_role("button", name="Add section").click()
        editor.keyboard.type("What comes next")
        assert headings(editor)[-1] == "What comes next"
        expect(card(editor, 4).get_by_role("heading")).to_have_text("Section 4")
        assert accessibility_problems(editor) == []
        for _ in range(2):
            editor.get_by_role("button", name="Remove section 1").click()
        expect(editor.get_by_role("button", name="Remove section 1")).to_be_disabled()

    def test_the_words_are_added_up_as_one_types(self, editor: Page) -> None:
        words = editor.locator("#outline-words")
        expect(words).to_have_text("1,000 words, as requested")
        card(editor, 1).get_by_label("Words").fill("400")
        expect(words).to_have_text("1,150 words; 1,000 requested")
        card(editor, 2).get_by_label("Words").fill("")
        expect(words).to_have_text("1,000 words, as requested")
        expect(card(editor, 2).get_by_label("Words")).to_have_attribute("placeholder", "100")
        editor.get_by_role("button", name="Distribute 1,000 words evenly").click()
        expect(card(editor, 1).get_by_label("Words")).to_have_value("")
        expect(words).to_have_text("1,000 words, as requested")

    def test_the_shares_shown_are_those_that_are_approved(self, editor: Page, article: Article) -> None:
        card(editor, 1).get_by_label("Words").fill("245")
        for number in (3, 4):
            card(editor, number).get_by_label("Words").fill("")
        expect(card(editor, 3).get_by_label("Words")).to_have_attribute(
            "placeholder", "252"
        )  # half of 505 is not rounded up
        expect(card(editor, 4).get_by_label("Words")).to_have_attribute("placeholder", "253")
        editor.get_by_role("button", name="Approve and write").click()
        expect(editor.locator("#messages")).to_contain_text("Outline approved: 4 sections, 1,000 words")
        article.refresh_from_db()
        assert article.outline is not None
        assert [section["words"] for section in article.outline["sections"]] == [245, 250, 252, 253]

    def test_enter_in_a_field_does_not_submit(self, editor: Page, article: Article) -> None:
        editor.get_by_label("Title").press("Enter")
        card(editor, 2).get_by_label("Heading").press("Enter")
        assert headings(editor) == HEADINGS
        article.refresh_from_db()
        assert article.status == Status.AWAITING_APPROVAL

    def test_the_passages_of_a_section_can_be_read(self, editor: Page) -> None:
        card(editor, 1).get_by_text("Read 2 passages").click()
        expect(card(editor, 1)).to_contain_text("planted roofs were 11 °C cooler")


class TestDeciding:
    def test_the_edited_outline_is_approved(self, editor: Page, article: Article) -> None:
        editor.get_by_role("button", name="Move section 1 down").click()
        editor.get_by_role("button", name="Remove section 4").click()
        editor.get_by_label("Title").fill("Roofs that feed a street")
        editor.get_by_label("Recommendation").fill("Begin with one roof.")
        editor.get_by_role("button", name="Approve and write").click()
        expect(editor.locator("#messages")).to_contain_text("Outline approved: 3 sections, 750 words.")
        approved = outline_of(article)
        assert (approved.title, approved.position) == ("Roofs that feed a street", "Begin with one roof.")
        assert [(each.question, each.section) for each in approved.questions] == [
            ("What do I gain?", 2),
            ("Does my roof bear it?", 1),
        ]
        assert [section.heading for section in approved.sections] == [HEADINGS[1], HEADINGS[0], HEADINGS[2]]
        assert article.min_words == 750

    def test_an_invalid_outline_shows_an_error_and_loses_nothing(self, editor: Page) -> None:
        card(editor, 2).get_by_label("Heading").fill(HEADINGS[0])
        card(editor, 3).get_by_label("Purpose").fill("What I typed for an hour")
        editor.get_by_role("button", name="Approve and write").click()
        expect(editor.get_by_role("alert")).to_contain_text("is used twice")
        assert focused(editor) == "outline-problem"
        expect(card(editor, 3).get_by_label("Purpose")).to_have_value("What I typed for an hour")

    def test_the_outline_is_regenerated(self, editor: Page, article: Article) -> None:
        editor.get_by_label("What should change?").fill("Begin with the costs")
        editor.get_by_role("button", name="Regenerate", exact=True).click()
        expect(editor.locator("#messages")).to_contain_text("The outline is being regenerated")
        article.refresh_from_db()
        assert article.status == Status.PENDING

    def test_it_can_be_cancelled_from_there(self, editor: Page, article: Article) -> None:
        editor.get_by_role("button", name="Cancel the article").click()
        expect(editor.locator("#notices")).to_contain_text("Cancelled by ada")

    def test_an_open_page_follows_the_approval(self, page: Page, article: Article) -> None:
        page.goto(f"/articles/{article.pk}/")
        expect(page.locator("#outline-waits")).to_be_visible()
        approve_in_thread(article=article, by=UserFactory.create(username="grace"))
        expect(page.locator("#outline-waits")).to_be_hidden()
        expect(page.locator("#log-table")).to_contain_text("Approved by grace")


class TestWithoutJavaScript:
    @pytest.fixture
    def plain(self, browser: Browser, site: str, client: Client, writer: User) -> Iterator[Page]:
        client.force_login(writer)
        context = browser.new_context(base_url=site, java_script_enabled=False)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
        context.set_default_timeout(8000)
        yield context.new_page()
        context.close()

    def test_all_buttons_work(self, plain: Page, article: Article) -> None:
        plain.goto(f"/articles/{article.pk}/outline/")
        card(plain, 1).get_by_label("Heading").fill("Typed before it moved")
        plain.get_by_role("button", name="Move section 1 down").click()
        assert plain.url.endswith("/outline/#section-2"), "where the section is now"
        plain.get_by_role("button", name="Remove section 4").click()
        plain.get_by_role("button", name="Add section").click()
        card(plain, 4).get_by_label("Heading").fill("What comes next")
        plain.get_by_label("Title").press("Enter")
        expect(card(plain, 4).get_by_label("Heading")).to_have_value("What comes next")
        plain.get_by_role("button", name="Approve and write").click()
        expect(plain.locator("#messages")).to_contain_text("Outline approved: 4 sections")
        found = [section.heading for section in outline_of(article).sections]
        assert found == [HEADINGS[1], "Typed before it moved", HEADINGS[2], "What comes next"]

    def test_it_is_approved_unchanged_from_the_article_page(self, plain: Page, article: Article) -> None:
        plain.goto(f"/articles/{article.pk}/")
        plain.get_by_role("button", name="Approve").click()
        expect(plain.locator("#messages")).to_contain_text("Outline approved")
