"""The pages by mouse and by keyboard, in both themes and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from playwright.sync_api import Page, expect

from articles.models import ApiKey, Article
from articles.services import NewSource
from tests.browser import stages, step_outputs
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread
from tests.factories import PASSWORD, make_article

make_article_in_thread = in_thread(make_article)


class TestEveryPage:
    """One article at each stage, and each page in each theme, wide and narrow."""

    def addresses(self, writer: User) -> list[str]:
        running, _ = stages.half_written(writer, topic="Rain barrels compared")
        sources = (
            NewSource(text="Roofs are flat.", title="Notes of a community gardener, typed up after the third season"),
            NewSource(url=f"https://example.org/{'a-very-long-address-' * 12}"),
            NewSource(upload=ContentFile(b"Twelve roofs.", name="survey.txt")),
        )
        done = stages.finished(writer, notice="Written by the built-in writer.", sources=sources)
        waiting = make_article_in_thread(writer, topic="A" * 500)
        kept = stages.rewrite_cancelled(writer)
        ApiKey.objects.issue(writer, "Newsletter")
        article = f"/articles/{done.pk}/"
        panels = ["outline", "draft", "article", "brief", "evidence", "seo", "image", "sources", "cost", "log"]
        return [
            "/", "/?q=nothing+like+it", "/articles/new/", f"/articles/{running.pk}/", f"/articles/{waiting.pk}/",
            *(f"{article}#{panel}" for panel in panels), f"{article}text/", f"{article}revisions/", f"{article}duplicate",
            f"{article}revisions/1/", f"{article}delete", f"{article}write-again",
            f"/articles/{kept.pk}/", "/account/", "/account/keys/", "/account/password/",
        ]  # fmt: skip

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_accessible(self, page: Page, writer: User, theme: str) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        problems = {}
        for address in self.addresses(writer):
            page.goto("about:blank")
            page.goto(address)
            expect(page.locator("html")).to_have_attribute("data-theme", theme)
            problems[address] = accessibility_problems(page, colours_only=theme == "dark")
        assert {address: found for address, found in problems.items() if found} == {}

    def test_it_fits_a_phone_and_is_accessible_there(self, page: Page, writer: User) -> None:
        page.set_viewport_size({"width": 390, "height": 844})
        problems = {}
        for address in self.addresses(writer):
            page.goto("about:blank")
            page.goto(address)
            too_wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            problems[address] = accessibility_problems(page) + ([f"{too_wide} px too wide"] if too_wide > 0 else [])
        assert {address: found for address, found in problems.items() if found} == {}

    @pytest.mark.parametrize("address", ["/articles/9999/", "/sign-in/"])
    def test_pages_for_strangers_are_accessible(self, page: Page, address: str, expected_problems: list[str]) -> None:
        expected_problems.append("404 (Not Found)")
        if address == "/sign-in/":
            page.context.clear_cookies()
        page.goto(address)
        assert accessibility_problems(page) == []


class TestSigningIn:
    def test_it_redirects_to_the_requested_page(self, page: Page, writer: User) -> None:
        page.context.clear_cookies()
        page.goto("/account/keys/")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="API keys")).to_be_visible()
        page.get_by_label("Account of ada").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


class TestTheTheme:
    def test_a_choice_is_kept_and_shown_before_anything_is_painted(self, page: Page) -> None:
        page.goto("/")
        page.get_by_role("button", name="Switch between light and dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.goto("/articles/new/", wait_until="commit")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


class TestTheList:
    def test_it_searches_as_one_types_and_filters(self, page: Page, writer: User) -> None:
        make_article_in_thread(writer, topic="Rain barrels compared")
        stages.finished(writer, topic="Flat roofs")
        page.goto("/")
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(2)
        page.get_by_label("Search titles and topics").press_sequentially("barrel")
        expect(rows).to_have_count(1)
        expect(page.locator("#counts")).to_contain_text("1 of 2 articles")
        assert "q=barrel" in page.url
        page.get_by_label("Search titles and topics").fill("")
        page.get_by_label("Status").select_option("completed")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("Rooftop gardens")
        page.reload()
        expect(page.get_by_label("Status")).to_have_value("completed")

    def test_a_running_row_follows_its_run_and_keeps_the_focus(self, page: Page, writer: User) -> None:
        article, held = stages.researched(writer)
        page.goto("/")
        page.locator(f"#article-{article.pk}").focus()
        stages.finish(held, "outline:plan", step_outputs.outline(), "4 sections")
        expect(page.locator(f"#row-{article.pk}")).to_contain_text("4 sections")
        expect(page.locator(f"#article-{article.pk}")).to_be_focused()


class TestTheBrief:
    def test_errors_keep_what_was_typed_and_the_documents_chosen(self, page: Page, tmp_path: Path) -> None:
        document = tmp_path / "survey.txt"
        document.write_text("The council surveyed 312 flat roofs.")
        page.goto("/articles/new/")
        page.get_by_label("Topic").fill("Roof")
        page.get_by_label("Tone").fill("wry")
        page.get_by_label("Documents", exact=True).set_input_files(document)
        expect(page.locator("#chosen")).to_contain_text("survey.txt")
        page.get_by_label("Pasted text", exact=True).fill("Roofs are flat.")
        page.get_by_role("button", name="Add another text source").click()
        page.get_by_label("Pasted text", exact=True).nth(1).fill("Most of them.")
        page.get_by_role("button", name="Write article").click()

        expect(page.locator("#brief-problems")).to_be_focused()
        expect(page.locator("#brief")).to_contain_text("at least 5 characters")
        expect(page.get_by_label("Tone")).to_have_value("wry")
        expect(page.get_by_label("Pasted text", exact=True).nth(1)).to_have_value("Most of them.")
        expect(page.locator("#chosen")).to_contain_text("survey.txt")
        assert accessibility_problems(page) == []

        page.get_by_label("Topic").fill("Rooftops of our city")
        page.get_by_role("button", name="Write article").click()
        expect(page.get_by_role("heading", name="Rooftops of our city")).to_be_visible()
        types = [source.type for source in Article.objects.get().sources.all()]
        assert types == ["text", "text", "document"]

    def test_a_document_can_be_left_out_again(self, page: Page, tmp_path: Path) -> None:
        for name in ("a.txt", "b.txt"):
            (tmp_path / name).write_text("Roofs.")
        page.goto("/articles/new/")
        field = page.get_by_label("Documents", exact=True)
        field.set_input_files([tmp_path / "a.txt"])
        field.set_input_files([tmp_path / "b.txt"])
        expect(page.locator("#chosen li")).to_have_count(2)
        page.get_by_role("button", name="Remove a.txt").click()
        expect(page.locator("#chosen li")).to_have_count(1)
        assert page.evaluate("() => document.querySelector('input[type=file]').files[0].name") == "b.txt"


class TestApiKeys:
    def test_a_key_is_shown_once_and_copied(self, page: Page, writer: User) -> None:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto("/account/keys/")
        page.get_by_label("Name").fill("Newsletter")
        page.get_by_role("button", name="Create key").click()
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.locator("#toast")).to_have_text("Key copied.")
        found = ApiKey.objects.match(page.evaluate("() => navigator.clipboard.readText()"))
        assert found is not None
        assert found.user == writer
        page.get_by_role("button", name="Revoke Newsletter").click()
        expect(page.get_by_text("is revoked")).to_be_visible()
