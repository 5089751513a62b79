"""The pages by mouse and by keyboard, in both themes and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from articles.models import ApiKey, Article
from articles.services import NewSource, cancel_run, save_text, start_run
from tests.browser import stages, step_outputs
from tests.browser.conftest import accessibility_problems
from tests.browser.threads import in_thread
from tests.factories import PASSWORD, UserFactory, make_article

make_article_in_thread = in_thread(make_article)


@in_thread
def rewrite_cancelled(owner: User) -> Article:
    """An article with a finished text, whose second run was cancelled."""
    article = stages.finished(owner, topic="How cities can put their flat roofs to use")
    start_run(article=article, by=owner)
    cancel_run(article=article, by=owner)
    return article


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
        kept = rewrite_cancelled(writer)
        ApiKey.objects.issue(writer, "Newsletter")
        article = f"/articles/{done.pk}/"
        panels = ["outline", "draft", "article", "evidence", "seo", "image", "sources", "cost", "log"]
        return [
            "/", "/?q=nothing+like+it", "/articles/new/", f"/articles/{running.pk}/", f"/articles/{waiting.pk}/",
            *(f"{article}#{panel}" for panel in panels), f"{article}text/", f"{article}revisions/",
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


class TestTheArticle:
    def test_tabs_are_walked_by_keyboard_and_linked(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(article.get_absolute_url())
        expect(page.get_by_role("tab", selected=True)).to_have_text("Article")
        page.get_by_role("tab", selected=True).focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Evidence")).to_be_focused()
        expect(page.get_by_role("tabpanel", name="Evidence")).to_be_visible()
        page.keyboard.press("End")
        expect(page.get_by_role("tabpanel", name="Log")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tabpanel", name="Outline")).to_be_visible()
        assert page.url.endswith("#outline")
        page.reload()
        expect(page.get_by_role("tabpanel", name="Outline")).to_be_visible()
        expect(page.get_by_role("tabpanel")).to_have_count(1)

    @pytest.mark.parametrize("panel", ["cost", "log"])
    def test_on_a_phone_the_selected_tab_is_in_view(self, page: Page, writer: User, panel: str) -> None:
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{stages.finished(writer).get_absolute_url()}#{panel}")
        expect(page.get_by_role("tab", selected=True)).to_have_text(panel.capitalize())
        expect(page.get_by_role("tab", selected=True)).to_be_in_viewport(ratio=1)

    def test_on_a_phone_the_article_begins_on_the_first_screen(self, page: Page, writer: User) -> None:
        unread = "; ".join(
            f"https://example.org/report-{number}: the server answered 404 Not Found" for number in range(9)
        )
        article = stages.finished(writer, notice=f"Some sources could not be read (9). {unread}")
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(article.get_absolute_url())
        expect(page.locator("#notices")).to_contain_text("Some sources could not be read (9).")
        expect(page.locator(".paper .prose p").first).to_be_in_viewport()

    def test_a_footnote_leads_there_and_back(self, page: Page, writer: User) -> None:
        page.goto(stages.finished(writer).get_absolute_url())
        page.get_by_label("Reference 3", exact=True).click()
        expect(page.locator("#a-fn3")).to_be_in_viewport()
        page.get_by_label("Back to reference 3", exact=True).click()
        expect(page.locator("#a-fnref3")).to_be_in_viewport()
        expect(page.get_by_role("tabpanel", name="Article")).to_be_visible()

    def test_without_javascript_all_parts_are_there(self, context: BrowserContext, site: str, writer: User) -> None:
        article = stages.finished(writer)
        plain = context.browser.new_context(base_url=site, java_script_enabled=False)  # type: ignore[union-attr]
        plain.add_cookies(context.cookies())  # type: ignore[arg-type]
        page = plain.new_page()
        page.goto(article.get_absolute_url())
        for name in ("Outline", "Draft", "Article", "Evidence", "SEO", "Image", "Sources", "Log"):
            expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        page.locator("#more-menu summary").click()
        page.get_by_role("link", name="Delete …").click()
        page.get_by_role("button", name="Delete article").click()
        expect(page.get_by_text("was deleted")).to_be_visible()
        plain.close()

    def test_copying_the_markdown_is_confirmed(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(article.get_absolute_url())
        page.locator("#download-menu summary").click()
        page.get_by_role("button", name="Copy as Markdown").click()
        expect(page.locator("#toast")).to_have_text("Markdown copied.")
        assert page.evaluate("() => navigator.clipboard.readText()") == f"# {article.title}\n\n{article.content}"

    def test_a_download_is_a_file(self, page: Page, writer: User) -> None:
        page.goto(stages.finished(writer).get_absolute_url())
        page.locator("#download-menu summary").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Word (DOCX)").click()
        assert download.value.suggested_filename == "rooftop-gardens-what-the-evidence-says.docx"

    def test_a_menu_closes_by_escape_and_gives_the_focus_back(self, page: Page, writer: User) -> None:
        page.goto(stages.finished(writer).get_absolute_url())
        summary = page.locator("#more-menu summary")
        summary.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Write again …")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#more-menu")).not_to_have_attribute("open", "")
        expect(summary).to_be_focused()

    def test_deleting_asks_first(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(article.get_absolute_url())
        page.locator("#more-menu summary").click()
        page.get_by_role("link", name="Delete …").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("cannot be undone")
        expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        assert accessibility_problems(page) == []
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.locator("#more-menu summary")).to_be_focused()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Delete …").click()
        page.get_by_role("button", name="Delete article").click()
        expect(page.get_by_text("was deleted")).to_be_visible()
        assert not Article.objects.exists()

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_buttons_keep_their_colour_and_contrast_on_focus_and_hover(
        self, page: Page, writer: User, theme: str
    ) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(f"{stages.finished(writer).get_absolute_url()}delete")
        button = page.get_by_role("button", name="Delete article")
        colour = "(button) => getComputedStyle(button).backgroundColor"
        for act in (button.focus, button.hover):
            act()
            red, green, blue = (int(part) for part in button.evaluate(colour)[4:-1].split(","))
            assert red > 2 * max(green, blue), "it stays red"
            assert accessibility_problems(page, colours_only=True) == []
        page.goto("/articles/new/")
        for act in (page.locator("#brief-submit").focus, page.locator("#brief-submit").hover):
            act()
            assert accessibility_problems(page, colours_only=True) == []

    def test_a_finished_text_is_kept_after_a_rewrite_was_cancelled(self, page: Page, writer: User) -> None:
        page.goto(rewrite_cancelled(writer).get_absolute_url())
        expect(page.locator("#kept-text")).to_contain_text("discards the unfinished new one")
        page.get_by_role("button", name="Keep the text I have").click()
        expect(page.locator("[data-status]")).to_have_text("Completed")
        expect(page.locator("#kept-text")).to_have_count(0)

    def test_a_hostile_text_does_nothing(self, page: Page, writer: User) -> None:
        hack = "document.body.dataset.hacked = 'yes'"
        attack = f'<img src=x onerror="{hack}"><script>{hack}</script>'
        article = stages.finished(
            writer, topic=attack, content=f"{attack}\n\n[link](javascript:alert(1))\n", notice=attack
        )
        page.goto(article.get_absolute_url())
        expect(page.locator("#article-body")).to_contain_text("onerror=")
        assert page.evaluate("() => document.body.dataset.hacked") is None


class TestTheEditor:
    def test_ctrl_s_saves_a_revision_and_stays(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(f"{article.get_absolute_url()}text/")
        text = page.get_by_label("Text (Markdown)")
        text.fill("## Load\n\nBeds are **heavy**.")
        expect(page.locator("#preview strong")).to_have_text("heavy")
        expect(page.locator("#words")).to_have_text("4 words")
        text.press("Control+s")
        expect(page.get_by_text("Saved as revision 2: 4 words.")).to_be_visible()
        expect(text).to_be_focused()
        article.refresh_from_db()
        assert article.content == "## Load\n\nBeds are **heavy**."

    def test_a_conflict_keeps_what_was_typed(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(f"{article.get_absolute_url()}text/")
        page.get_by_label("Text (Markdown)").fill("My careful words.")
        other = UserFactory.create(username="grace")
        in_thread(save_text)(article=article, by=other, title="Theirs", content="Their text.", opened_at=1)
        page.get_by_role("button", name="Save and close").click()
        expect(page.locator("#conflict")).to_contain_text("grace saved revision 2 after you opened this text")
        expect(page.get_by_label("Text (Markdown)")).to_have_value("My careful words.")
        assert accessibility_problems(page) == []

    def test_leaving_with_unsaved_words_asks_first(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(f"{article.get_absolute_url()}text/")
        page.get_by_label("Text (Markdown)").press_sequentially("More. ")
        asked: list[str] = []

        def accept(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.accept()

        page.on("dialog", accept)
        page.get_by_role("link", name="Close").click()
        expect(page.get_by_role("tab", name="Article")).to_be_visible()
        assert asked == ["beforeunload"]


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
