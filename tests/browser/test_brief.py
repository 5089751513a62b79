"""The brief in a browser: limits, errors, documents, and a draft that is kept."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Dialog, Page, expect

from articles.models import Article
from tests.browser.conftest import accessibility_problems
from tests.factories import PASSWORD, UserFactory

NEW = "/articles/new/"


def leave(page: Page) -> list[str]:
    """Follow a link away from the page; the kinds of questions the browser asked."""
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.get_by_role("link", name="Articles", exact=True).click()
    expect(page.get_by_role("heading", name="Articles")).to_be_visible()
    page.remove_listener("dialog", accept)
    return asked


class TestLimits:
    def test_a_pasted_text_that_is_too_long_is_counted_and_not_cut(self, page: Page) -> None:
        page.goto(NEW)
        text = page.get_by_label("Pasted text", exact=True)
        text.focus()
        page.evaluate("() => document.execCommand('insertText', false, 'x'.repeat(250000))")
        counter = page.locator("#id_text-0-text-counter")
        expect(counter).to_have_text("50,000 characters over the limit of 200,000. Shorten the text or split it.")
        assert page.evaluate("() => document.getElementById('id_text-0-text').value.length") == 250_000
        assert accessibility_problems(page) == []
        page.get_by_label("Topic").fill("Rooftops of our city")
        page.get_by_role("button", name="Write article").click()
        expect(page.locator("#brief-problems")).to_contain_text("Please fix 1 field: Pasted text. Nothing was lost.")
        expect(page.locator("#texts")).to_contain_text("Use at most 200,000 characters. This has 250,000.")
        assert page.evaluate("() => document.getElementById('id_text-0-text').value.length") == 250_000
        text.fill("Roofs are flat.")
        expect(counter).to_be_hidden()

    def test_the_counter_appears_near_the_limit(self, page: Page) -> None:
        page.goto(NEW)
        page.get_by_label("Topic").fill("x" * 400)
        expect(page.locator(".counter")).to_have_count(0)
        page.get_by_label("Topic").fill("x" * 499)
        expect(page.locator("#id_topic-counter")).to_have_text("499 of 500 characters")


class TestErrors:
    def test_the_summary_names_the_fields_and_leads_there(self, page: Page, tmp_path: Path) -> None:
        sheet = tmp_path / "sheet.xlsx"
        sheet.write_text("PK")
        page.goto(NEW)
        page.get_by_label("Topic").fill("Rooftops of our city")
        page.get_by_label("Words", exact=True).fill("20")
        page.get_by_label("Documents", exact=True).set_input_files(sheet)
        page.get_by_role("button", name="Write article").click()
        summary = page.locator("#brief-problems")
        expect(summary).to_be_focused()
        expect(summary).to_contain_text("Please fix 2 fields: Words, Documents. Nothing was lost.")
        expect(page.locator("#brief")).to_contain_text("Enter a whole number from 300 to 5,000.")
        summary.get_by_role("link", name="Documents").click()
        expect(page.get_by_label("Documents", exact=True)).to_be_focused()
        summary.get_by_role("link", name="Words").click()
        expect(page.get_by_label("Words", exact=True)).to_be_focused()
        assert accessibility_problems(page) == []

    def test_small_documents_have_their_size_in_kilobytes(self, page: Page, tmp_path: Path) -> None:
        for name, size in (("tiny.txt", 20), ("small.txt", 31_000), ("large.txt", 2_500_000)):
            (tmp_path / name).write_bytes(b"x" * size)
        page.goto(NEW)
        field = page.get_by_label("Documents", exact=True)
        field.set_input_files([tmp_path / "tiny.txt", tmp_path / "small.txt", tmp_path / "large.txt"])
        expect(page.locator("#chosen li span")).to_have_text(
            ["tiny.txt · 1 KB", "small.txt · 30 KB", "large.txt · 2.4 MB"]
        )


class TestTheDraft:
    def fill(self, page: Page) -> None:
        page.goto(NEW)
        page.get_by_label("Topic").fill("Rooftops of our city")
        with page.expect_response("**/estimate/**"):
            page.get_by_label("Words", exact=True).fill("1500")
        page.get_by_text("Keywords and notes").click()
        page.get_by_label("Notes", exact=True).fill("Leave out solar panels.")
        with page.expect_response("**/estimate/**"):
            page.get_by_role("checkbox", name="Cover image").uncheck()
        page.get_by_role("radio", name="Best flow: one draft").check()
        page.get_by_role("button", name="Add another text source").click()
        page.get_by_label("Pasted text", exact=True).nth(1).fill("Most roofs are flat.")
        page.get_by_text("Link, kind, publisher, author and date").nth(1).click()
        page.get_by_label("Kind, such as study").nth(1).fill("own notes")

    def test_leaving_asks_and_the_brief_is_offered_again(self, page: Page) -> None:
        self.fill(page)
        assert leave(page) == ["beforeunload"]
        page.goto(NEW)
        offer = page.get_by_role("region", name="Unfinished brief")
        expect(offer).to_contain_text("“Rooftops of our city”")
        assert accessibility_problems(page) == []
        offer.get_by_role("button", name="Restore").click()
        expect(offer).to_be_hidden()
        expect(page.get_by_label("Topic")).to_have_value("Rooftops of our city")
        expect(page.get_by_label("Words", exact=True)).to_have_value("1500")
        expect(page.get_by_label("Notes", exact=True)).to_have_value("Leave out solar panels.")
        expect(page.get_by_role("checkbox", name="Cover image")).not_to_be_checked()
        expect(page.get_by_role("radio", name="Best flow: one draft")).to_be_checked()
        expect(page.get_by_label("Pasted text", exact=True).nth(1)).to_have_value("Most roofs are flat.")
        expect(page.get_by_label("Kind, such as study").nth(1)).to_have_value("own notes")

    def test_a_brief_that_was_sent_is_not_offered_again(self, page: Page) -> None:
        self.fill(page)
        page.get_by_role("button", name="Write article").click()
        expect(page.get_by_role("heading", name="Rooftops of our city")).to_be_visible()
        assert [source.text for source in Article.objects.get().sources.all()] == ["Most roofs are flat."]
        page.goto(NEW)
        expect(page.get_by_role("button", name="Write article")).to_be_visible()
        expect(page.locator("#brief-draft")).to_be_hidden()

    def test_a_brief_that_was_discarded_is_gone(self, page: Page) -> None:
        self.fill(page)
        leave(page)
        page.goto(NEW)
        page.get_by_role("button", name="Discard").click()
        page.reload()
        expect(page.get_by_role("button", name="Write article")).to_be_visible()
        expect(page.locator("#brief-draft")).to_be_hidden()

    def test_an_untouched_brief_is_left_without_a_question(self, page: Page) -> None:
        page.goto(NEW)
        assert leave(page) == []

    def test_the_next_user_of_the_browser_does_not_see_it(self, page: Page) -> None:
        UserFactory.create(username="grace")
        self.fill(page)
        leave(page)
        page.get_by_label("Account of ada").click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Username").fill("grace")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Articles")).to_be_visible()
        page.goto(NEW)
        expect(page.get_by_role("button", name="Write article")).to_be_visible()
        expect(page.locator("#brief-draft")).to_be_hidden()
        assert page.evaluate("() => Object.keys(localStorage).filter((key) => key.startsWith('studio-brief'))") == []
