"""The article's page and the editor of its text, by mouse and by keyboard."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from articles.models import Article
from articles.services import save_text
from tests.browser import stages
from tests.browser.conftest import accessibility_problems
from tests.browser.editing import wait_for_answer, write_text
from tests.browser.threads import in_thread
from tests.factories import UserFactory


class TestTheArticle:
    def test_tabs_are_walked_by_keyboard_and_linked(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(article.get_absolute_url())
        expect(page.get_by_role("tab", selected=True)).to_have_text("Article")
        expect(page.get_by_role("tab", name="Evidence")).to_have_accessible_name("Evidence 3 of 5")
        page.get_by_role("tab", selected=True).focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Brief")).to_be_focused()
        expect(page.get_by_role("tabpanel", name="Brief")).to_be_visible()
        page.keyboard.press("End")
        expect(page.get_by_role("tabpanel", name="Log")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tabpanel", name="Article")).to_be_visible()
        page.keyboard.press("ArrowRight")
        assert page.url.endswith("#brief")
        page.reload()
        expect(page.get_by_role("tabpanel", name="Brief")).to_be_visible()
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

    def test_on_a_phone_the_actions_stay_at_hand(self, page: Page, writer: User) -> None:
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(stages.finished(writer).get_absolute_url())
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(page.get_by_role("link", name="Edit text")).to_be_in_viewport(ratio=1)
        page.locator("#download-menu summary").click()
        expect(page.get_by_role("link", name="Word (DOCX)")).to_be_in_viewport(ratio=1)
        page.keyboard.press("Escape")
        page.locator("#more-menu summary").click()
        expect(page.get_by_role("link", name="Delete …")).to_be_in_viewport(ratio=1)

    def test_the_sections_stand_beside_the_text(self, page: Page, writer: User) -> None:
        page.goto(stages.finished(writer).get_absolute_url())
        contents = page.get_by_role("navigation", name="Sections")
        expect(contents.get_by_role("link").first).to_have_attribute("aria-current", "true")
        contents.get_by_role("link", name="Choosing a site").click()
        expect(page.get_by_role("heading", name="Choosing a site")).to_be_in_viewport()
        page.set_viewport_size({"width": 1000, "height": 900})
        expect(contents).to_be_hidden()

    def test_a_reference_names_its_source_in_the_margin(self, page: Page, writer: User) -> None:
        page.goto(stages.finished(writer).get_absolute_url())
        card = page.locator(".reference-card")
        expect(card).to_be_hidden()
        within, last = (page.get_by_label(f"Reference {number}", exact=True).first for number in (1, 2))
        within.hover()
        expect(card).to_contain_text("City roofs surveyed.")
        expect(card).not_to_contain_text("Supported")
        last.hover()
        expect(card).to_contain_text("Planted roofs in summer.")
        expect(card).to_contain_text("Supported by its sources")
        assert accessibility_problems(page) == []
        page.mouse.move(5, 5)
        expect(card).to_be_hidden()
        last.focus()
        expect(card).to_be_visible()
        page.set_viewport_size({"width": 1000, "height": 900})
        expect(card).to_be_hidden()

    def test_a_long_list_of_references_is_folded_until_one_is_wanted(self, page: Page, writer: User) -> None:
        notes = "\n".join(f"[^{number}]: Source {number}." for number in range(1, 13))
        content = f"Much is known.{''.join(f'[^{number}]' for number in range(1, 13))}\n\n{notes}\n"
        address = stages.finished(writer, content=content).get_absolute_url()
        rows = page.locator("#article-body .footnotes")
        page.goto(address)
        expect(rows.get_by_text("Source 5.")).to_be_visible()
        expect(rows.get_by_text("Source 12.")).to_be_hidden()
        page.get_by_role("button", name="Show 7 more").click()
        expect(rows.get_by_text("Source 12.")).to_be_visible()
        page.reload()
        page.get_by_label("Reference 12", exact=True).click()
        expect(rows.get_by_text("Source 12.")).to_be_in_viewport()
        page.goto("about:blank")
        page.goto(f"{address}#a-fn11")
        expect(rows.get_by_text("Source 11.")).to_be_in_viewport()

    def test_a_finished_run_is_one_line_that_unfolds(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        in_thread(save_text)(article=article, by=writer, title="Mine", content="Mine.", opened_at=1)
        page.goto(article.get_absolute_url())
        timeline = page.locator("#timeline")
        expect(timeline.locator("summary")).to_contain_text("edited by people")
        assert (timeline.bounding_box() or {"height": 999})["height"] < 60
        timeline.locator("summary").click()
        expect(timeline.locator("li").first).to_be_visible()
        page.get_by_role("link", name="edited by ada").click()
        expect(page.get_by_role("heading", name="What changed")).to_be_visible()

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
        for name in ("Outline", "Draft", "Article", "Brief", "Evidence", "SEO", "Image", "Sources", "Log"):
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
        page.goto(stages.rewrite_cancelled(writer).get_absolute_url())
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
        write_text(page, "## Load\n\nBeds are **heavy**.")
        expect(page.locator("#preview strong")).to_have_text("heavy")
        expect(page.locator("#words")).to_have_text("4 words")
        text.press("Control+s")
        expect(page.get_by_text("Saved as revision 2: 4 words.")).to_be_visible()
        expect(text).to_be_focused()
        article.refresh_from_db()
        assert article.content == "## Load\n\nBeds are **heavy**."

    def test_a_conflict_is_resolved_in_the_editor(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(f"{article.get_absolute_url()}text/")
        write_text(page, "My careful words.")
        other = UserFactory.create(username="grace")
        title = article.title
        in_thread(save_text)(article=article, by=other, title=title, content="Their text.", opened_at=1)
        page.get_by_role("button", name="Save and close").click()
        expect(page.locator("#conflict")).to_contain_text("grace saved revision 2 after you opened this text")
        expect(page.locator("#conflict")).to_be_focused()
        expect(page.locator("#id_content")).to_have_value("My careful words.")
        assert accessibility_problems(page) == []
        with page.expect_response(
            lambda response: response.request.method == "POST" and response.url.endswith("/text/")
        ):
            page.keyboard.press("Control+s")
        wait_for_answer(page)
        expect(page.locator("#conflict [value=mine]")).not_to_be_checked()  # nothing was chosen: nothing is overwritten
        page.get_by_label("Both, yours first").check()
        page.get_by_role("button", name="Save and close").click()
        expect(page.locator("#article-body")).to_contain_text("My careful words. Their text.")

    def test_a_merge_is_told(self, page: Page, writer: User) -> None:
        article = stages.finished(writer)
        page.goto(f"{article.get_absolute_url()}text/")
        theirs = f"{article.content}\n\nWritten by grace.\n"
        other = UserFactory.create(username="grace")
        in_thread(save_text)(article=article, by=other, title=article.title, content=theirs, opened_at=1)
        page.get_by_label("Title").fill("My title")
        page.get_by_role("button", name="Save and close").click()
        expect(page.locator("#messages")).to_contain_text("merged with revision 2 by grace: 1 change taken over.")
        expect(page.get_by_role("heading", name="My title")).to_be_visible()
        expect(page.locator("#article-body")).to_contain_text("Written by grace.")
