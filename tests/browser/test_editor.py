"""The editor of a text: verdicts, completion, outline, finding, and the preview beside it."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Locator, Page, expect

from articles.models import Article
from tests.browser import stages, step_outputs
from tests.browser.conftest import accessibility_problems
from tests.browser.editing import write_text
from tests.browser.threads import in_thread

HARD = "# T\n\nA\\* b  \nc[^1][^note]\n\n| a | b |\n|:--|--:|\n| `x|y` | _z_ |\n\n1. one\n   - two\n\n[^1]: One.\n\n    Two.\n"


@pytest.fixture
def article(writer: User) -> Article:
    return stages.finished(writer)


def open_editor(page: Page, article: Article) -> Locator:
    page.goto(f"{article.get_absolute_url()}text/")
    expect(chips(page).first).to_have_class(re.compile("is-supported"))
    return page.get_by_label("Text (Markdown)")


def chips(page: Page) -> Locator:
    return page.locator("#editor-view .chip")


def put_cursor_behind(page: Page, words: str) -> None:
    page.evaluate(
        """(words) => {
            const { view } = window.studioEditor;
            view.focus();
            view.dispatch({ selection: { anchor: view.state.doc.toString().indexOf(words) + words.length } });
        }""",
        words,
    )


class TestClaims:
    def test_citations_are_chips_with_the_verdict_on_their_sentence(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        labels = [chip.get_attribute("aria-label") for chip in chips(page).all()]
        assert labels[:3] == [
            "Reference 1: supported",
            "Reference 2: supported",
            "Reference 1: partly supported",
        ]

    def test_a_changed_sentence_is_edited_at_once_and_undone_it_is_not(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        put_cursor_behind(page, "the usable area at 8")
        page.keyboard.type("0")
        expect(chips(page).nth(0)).to_have_attribute(
            "aria-label", "Reference 1: edited since it was checked", timeout=90
        )
        expect(chips(page).nth(2)).to_have_class(re.compile("is-partly"))
        page.keyboard.press("Control+z")
        expect(chips(page).nth(0)).to_have_class(re.compile("is-supported"))

    def test_a_changed_number_is_not_supported_and_a_new_claim_is_open(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        put_cursor_behind(page, "the usable area at 8")
        page.keyboard.type("0")
        first = chips(page).nth(0)
        expect(first).to_have_attribute("aria-label", "Reference 1: not supported")
        first.click()
        card = page.get_by_role("region", name="Reference 1")
        expect(card).to_contain_text("The number 80 does not appear in the passages it cites.")
        put_cursor_behind(page, "light is rarely the limit.")
        page.keyboard.type(" Of 90 roofs, 12 bear a tree.")
        expect(page.locator("#editor-view .claim.is-uncited")).to_have_text("Of 90 roofs, 12 bear a tree.")

    def test_a_moved_paragraph_keeps_its_verdicts(self, page: Page, article: Article) -> None:
        text = open_editor(page, article)
        content = page.locator("#id_content").input_value()
        first, second = re.findall(r"(?s)## Why.*?(?=## Choosing)|## Choosing.*?(?=## Who)", content)
        page.evaluate("(moved) => { window.studioEditor.view.dispatch({ changes: moved }) }", [
            {"from": content.index(first), "to": content.index(first) + len(first)},
            {"from": content.index(second) + len(second), "insert": first},
        ])  # fmt: skip
        expect(text).to_contain_text("Choosing a site")
        expect(chips(page).nth(1)).to_have_attribute("aria-label", "Reference 1: supported")

    def test_f8_goes_to_the_open_claims_and_the_card_has_the_passages(self, page: Page, article: Article) -> None:
        text = open_editor(page, article)
        page.get_by_label("Title").press("F8")
        expect(text).to_be_focused()
        card = page.get_by_role("region", name="Reference 1")
        expect(card).to_contain_text("Partly supported. Its sources say only part of this.")
        expect(card).to_contain_text("Surveys of three councils put the usable area of flat roofs at 8–12 %")
        expect(card).to_contain_text("2025-03-11")
        link = card.get_by_role("link", name="City roofs surveyed").first
        expect(link).to_have_attribute("href", re.compile(r"^https://example\.org/roofs#:~:text="))
        expect(page.locator("#editor-live")).to_have_text(re.compile("^Reference 1. Partly supported"))
        assert accessibility_problems(page) == []
        page.keyboard.press("F8")
        last = page.get_by_role("region", name="Reference 3")
        expect(last).to_contain_text("Not supported. The number fourth does not appear in the passages it cites.")
        page.keyboard.press("Escape")
        expect(last).to_be_hidden()
        expect(text).to_be_focused()
        page.keyboard.press("Shift+F8")
        expect(card).to_be_visible()

    def test_f8_says_if_nothing_is_open(self, page: Page, article: Article) -> None:
        open_editor(page, article).fill("Only this.")
        expect(page.locator("#open-claims")).to_be_hidden()
        page.keyboard.press("F8")
        expect(page.locator("#toast")).to_have_text("No open claims.")

    def test_a_card_is_opened_by_mouse_and_by_key(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        chips(page).nth(1).click()
        card = page.get_by_role("region", name="Reference 2")
        expect(card).to_contain_text("Supported.")
        card.get_by_role("button", name="Close").click()
        expect(card).to_be_hidden()
        put_cursor_behind(page, "at the surface.")
        page.keyboard.press("Control+Enter")
        expect(card).to_be_visible()

    def test_a_mark_without_a_footnote_is_flagged_and_gets_one(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        put_cursor_behind(page, "Start with load.")
        page.keyboard.insert_text("[^9]")
        chip = page.locator("#editor-view .chip.is-undefined")
        expect(chip).to_have_attribute("aria-label", "Reference 9: has no footnote")
        expect(page.locator("#open-claims")).to_have_text("3 open claims")
        chip.click()
        page.get_by_role("button", name="Add the footnote [^9]").click()
        page.keyboard.type("Load tables.")
        expect(page.locator("#id_content")).to_have_value(re.compile(r"\n\[\^9\]: Load tables\.\n$"))
        expect(chip).to_have_count(0)

    def test_backspace_removes_a_citation_whole(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        put_cursor_behind(page, "at the surface.[^2]")
        page.keyboard.press("Backspace")
        expect(page.locator("#id_content")).to_have_value(re.compile("at the surface.\n\nNone"))


class TestCompletion:
    @pytest.mark.parametrize("opening", ["@", "[^"])
    def test_a_passage_is_cited_with_its_footnote(self, page: Page, article: Article, opening: str) -> None:
        open_editor(page, article)
        put_cursor_behind(page, "light is rarely the limit.")
        page.keyboard.type(f"{opening}heat")
        offered = page.get_by_role("option")
        expect(offered.first).to_contain_text("The city puts the cost of its last heat wave at £4.1 million.")
        expect(offered.first).to_contain_text("[^1] City roofs surveyed")
        assert accessibility_problems(page) == []
        page.keyboard.press("Enter")
        expect(page.locator("#id_content")).to_have_value(re.compile(r"light is rarely the limit\.\[\^1\]\n"))

    def test_a_source_that_was_not_cited_gets_the_next_number(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        write_text(page, "Only this. ")
        page.keyboard.press("End")
        page.keyboard.type("@heat wave"[:5])
        page.get_by_role("option").first.click()
        expect(page.locator("#id_content")).to_have_value(
            re.compile(r"^Only this\. ?\[\^1\]\n\n\[\^1\]: City roofs surveyed\. .*<https://example\.org/roofs>\.\n$")
        )


class TestTheText:
    def test_every_byte_is_kept(self, page: Page, article: Article) -> None:
        in_thread(Article.objects.filter(pk=article.pk).update)(content=HARD)
        page.goto(f"{article.get_absolute_url()}text/")
        text = page.get_by_label("Text (Markdown)")
        text.press("Control+End")
        page.keyboard.type("x")
        page.keyboard.press("Backspace")
        page.keyboard.press("Control+s")
        expect(page.locator("#toast")).to_contain_text("Saved as revision 2")
        article.refresh_from_db()
        assert article.content == HARD

    def test_saving_keeps_what_can_be_undone(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        put_cursor_behind(page, "Start with load.")
        page.keyboard.type(" Always.")
        page.keyboard.press("Control+s")
        expect(page.locator("#toast")).to_contain_text("Saved as revision 2")
        page.keyboard.press("Control+z")
        expect(page.locator("#id_content")).to_have_value(article.content)
        page.keyboard.press("Control+s")
        expect(page.locator("#toast")).to_contain_text("Saved as revision 3")

    def test_buttons_write_the_markdown(self, page: Page, article: Article) -> None:
        page.goto(f"{article.get_absolute_url()}text/")
        text = page.get_by_label("Text (Markdown)")
        write_text(page, "Roofs are heavy")
        page.keyboard.press("Control+Shift+ArrowLeft")
        tools = page.get_by_role("group", name="Format")
        steps = [
            ("Bold", "Roofs are **heavy**"),
            ("Bold", "Roofs are heavy"),
            ("Heading", "## Roofs are heavy"),
            ("List", "- Roofs are heavy"),
            ("List", "Roofs are heavy"),
            ("Link", "Roofs are [heavy](https://)"),
        ]
        for button, expected in steps:
            tools.locator(f"[title^={button}]" if button == "Bold" else f"text={button}").click()
            expect(page.locator("#id_content")).to_have_value(expected)
            expect(text).to_be_focused()
        page.keyboard.type("https://example.org/")
        expect(page.locator("#id_content")).to_have_value("Roofs are [heavy](https://example.org/)")

    def test_the_cite_button_offers_passages(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        put_cursor_behind(page, "light is rarely the limit.")
        page.get_by_role("button", name="Cite").click()
        page.get_by_role("option").filter(has_text="heat wave").click()
        expect(page.locator("#id_content")).to_have_value(re.compile(r"light is rarely the limit\.\[\^1\]\n"))

    def test_words_are_found_and_replaced(self, page: Page, article: Article) -> None:
        open_editor(page, article)
        page.get_by_role("button", name="Find").click()
        page.get_by_placeholder("Find").fill("roof")
        page.get_by_placeholder("Replace").fill("flat top")
        page.get_by_role("button", name="replace all").click()
        expect(page.locator("#id_content")).to_have_value(re.compile("A flat top is the one plot"))
        assert accessibility_problems(page) == []

    def test_the_outline_leads_to_a_section_and_the_preview_follows(self, page: Page, article: Article) -> None:
        text = open_editor(page, article)
        outline = page.get_by_role("navigation", name="Outline")
        expect(outline.get_by_role("listitem")).to_have_text(
            [re.compile("Why rooftops matter"), re.compile("Choosing a site"), re.compile("Who keeps it going")]
        )
        page.set_viewport_size({"width": 1280, "height": 500})
        outline.get_by_role("button", name="Who keeps it going").click()
        expect(text).to_be_focused()
        expect(outline.locator("[aria-current]")).to_contain_text("Who keeps it going")
        expect(page.locator("#preview h2", has_text="Who keeps it going")).to_be_in_viewport()
        page.keyboard.type("!")
        expect(page.locator("#preview h2", has_text="Who keeps it going!")).to_be_in_viewport()

    def test_typing_in_a_long_text_is_quick(self, page: Page, article: Article) -> None:
        body, notes = step_outputs.CONTENT.split("[^1]: ", 1)
        content = f"{body * 28}[^1]: {notes}"
        assert len(content.split()) > 5000
        in_thread(Article.objects.filter(pk=article.pk).update)(content=content)
        open_editor(page, article)
        put_cursor_behind(page, "Start with load.")
        milliseconds = page.evaluate(
            """async () => {
                const { view } = window.studioEditor;
                const times = [];
                for (let key = 0; key < 60; key++) {
                    const { head } = view.state.selection.main;
                    const began = performance.now();
                    view.dispatch({ changes: { from: head, insert: "x" }, selection: { anchor: head + 1 } });
                    times.push(performance.now() - began);
                    await new Promise((resolve) => setTimeout(resolve, 30));
                }
                return times.sort((one, other) => one - other)[30];
            }"""
        )
        assert milliseconds < 16

    def test_without_javascript_the_textarea_is_the_editor(
        self, context: BrowserContext, site: str, article: Article
    ) -> None:
        plain = context.browser.new_context(base_url=site, java_script_enabled=False)  # type: ignore[union-attr]
        plain.add_cookies(context.cookies())  # type: ignore[arg-type]
        page = plain.new_page()
        page.goto(f"{article.get_absolute_url()}text/")
        page.get_by_label("Text (Markdown)").fill("Typed without a script.")
        page.get_by_role("button", name="Save and close").click()
        expect(page.locator("#article-body")).to_contain_text("Typed without a script.")
        plain.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_it_is_accessible(page: Page, article: Article, theme: str, width: int) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 844})
    open_editor(page, article)
    assert accessibility_problems(page) == []
    page.keyboard.press("F8")
    expect(page.get_by_role("region", name="Reference 1")).to_be_visible()
    assert accessibility_problems(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
