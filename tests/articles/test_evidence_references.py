"""Evidence and references: sentences are found after the text is compiled, and a passage of a PDF is linked with its page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.contract import Passage, Reading, Source
from agents.text.citations import compile_references
from agents.text.evidence import cited_sentences
from articles.evidence.results import checked_sentences
from articles.models import Article, Evidence
from articles.rendering.annotations import Annotation
from articles.rendering.markdown import to_annotated_html
from tests.articles.clients import client_of
from tests.browser import stages, step_outputs
from tests.factories import UserFactory

WRITTEN = """## Nutzen

Flache Dächer sind "die größte" Fläche [S1]. Das sind “drei Viertel” [S1]. Sie bleiben kühl [S2]. "Ganz sicher." [S2]

- Es heißt “warm” [S1].
- Es heißt "kalt" [S1].
"""


@pytest.mark.parametrize("language", ["de", "de-CH", "fr", "en", "sv"])
def test_each_checked_sentence_is_found_after_marks_are_merged_and_quotation_marks_changed(language: str) -> None:
    checked = [Annotation(str(cited.number), cited.plain, "partly") for cited in cited_sentences(WRITTEN)]
    assert len(checked) == 6
    content, _ = compile_references(WRITTEN, step_outputs.reading(), language)
    assert content.count("[^1]") < WRITTEN.count("[S1]") + 1
    found = to_annotated_html(content, checked).found
    assert [item.sentence for item in checked if item.ref not in found] == []


@pytest.fixture
def cited_pdf(db: None) -> Article:
    """A finished article whose first source is a PDF, cited from page 17."""
    owner: User = UserFactory.create(username="ada")
    article = stages.finished(owner)
    run = article.latest_run()
    assert run is not None
    assert article.research_data is not None
    article.research_data["passages"][0]["page"] = 17
    article.save(update_fields=["research_data"])
    for step in run.steps.filter(stage="research"):
        if step.output and "passages" in step.output:
            step.output["passages"][0]["page"] = 17
            step.save(update_fields=["output"])
    return article


@pytest.mark.django_db(transaction=True)
def test_the_panel_and_the_api_lead_to_the_page_of_a_pdf(client: Client, cited_pdf: Article) -> None:
    owner: User = cited_pdf.owner
    items = client_of(owner).get(f"/api/articles/{cited_pdf.pk}/evidence").json()["items"]
    passage = next(each for item in items for each in item["passages"] if each["id"] == "S1")
    assert (passage["page"], passage["link"]) == (17, passage["url"] + "#page=17")
    client.force_login(owner)
    panel = client.get(f"{cited_pdf.get_absolute_url()}evidence/", headers={"HX-Request": "true"}).content.decode()
    assert f'<a href="{passage["link"]}" rel="noopener nofollow ugc"' in panel
    assert '<span class="muted">page 17</span>' in panel
    shown = client.get(cited_pdf.get_absolute_url()).content.decode()
    sources = " ".join(shown[shown.index('id="sources-body"') :].split())
    assert f'<a href="{passage["link"]}" rel="noopener nofollow ugc">page 17</a>' in sources
    assert "<span>11 March 2025</span>" in sources


def test_a_passage_without_an_address_has_no_link() -> None:
    row = Evidence(number=1, section=1, sentence="So.", passages=["S1"], verdict="supported", judged_by="code")
    source = Source(number=1, title="Notes", read_at=datetime(2026, 11, 22, tzinfo=UTC), sha256="0" * 64)
    reading = Reading(sources=[source], passages=[Passage(id="S1", source=1, start=0, end=3, text="So.", page=2)])
    [checked] = checked_sentences([row], reading)
    assert checked.cited[0].link == ""
