"""A pasted text: its head says where it is from, captions and buttons go, and no sentence is lost."""

from __future__ import annotations

import pytest

from agents.research.dates import iso_date
from agents.research.documents import read_text
from agents.research.pasted_text import clean_pasted_text
from agents.research.source_kinds import kind_of_source

BODY = "Heat pumps work in old houses.\n\nThey need radiators that are large enough."


class TestHead:
    @pytest.mark.parametrize(
        "line", ["https://example.org/a?b=c", "Source: https://example.org/a?b=c", "Quelle: https://example.org/a?b=c"]
    )
    def test_an_address_is_the_link_of_the_text(self, line: str) -> None:
        pasted = clean_pasted_text(f"{line}\n\n{BODY}")
        assert (pasted.url, pasted.text) == ("https://example.org/a?b=c", BODY)

    def test_all_that_the_head_states_is_read(self) -> None:
        head = "Title: Old houses\nKind: study\nPublisher: Institute\nBy Ann Lee and Max von Berg\nPublished: 31 May 2024\nhttps://example.org/"
        document = read_text(f"{head}\n\n{BODY}")
        assert (document.title, document.kind, document.publisher, document.author) == (
            *("Old houses", "study", "Institute", "Ann Lee and Max von Berg"),
        )
        assert (document.date, document.url, document.text) == ("2024-05-31", "https://example.org/", BODY)

    def test_a_german_head_is_read(self) -> None:
        head = "Art der Quelle: Pressemitteilung\nHerausgeber: Verband\nVon Käthe Öz\nVeröffentlicht am 3. März 2024"
        pasted = clean_pasted_text(f"{head}\n{BODY}")
        assert (pasted.kind, pasted.publisher) == ("Pressemitteilung", "Verband")
        assert (pasted.author, pasted.date) == ("Käthe Öz", "2024-03-03")
        assert pasted.text == BODY

    @pytest.mark.parametrize("copies", [1, 2])
    def test_a_given_title_is_not_repeated(self, copies: int) -> None:
        assert clean_pasted_text("Old  Houses\n\n" * copies + BODY, "Old houses").text == BODY

    def test_a_doubled_first_line_is_the_title(self) -> None:
        pasted = clean_pasted_text(f"Old houses\n\nOld houses\nBy Ann Lee\n{BODY}")
        assert (pasted.title, pasted.author, pasted.text) == ("Old houses", "Ann Lee", BODY)

    def test_a_line_above_the_byline_is_the_title(self) -> None:
        pasted = clean_pasted_text(f"# Old houses\nBy Ann Lee\n{BODY}")
        assert (pasted.title, pasted.text) == ("Old houses", BODY)

    @pytest.mark.parametrize(
        "line",
        [
            "By 2030 half of all houses will have one.",
            "By Monday the roof was dry",
            "Von Hand gebaut",
            "By and large",
            "Date: tomorrow",
            "Published: soon",
            "Source: the ministry",
            "Author: " + "x" * 300,
            "Kind: Warum ist der Himmel blau?",
            "Kind: Ich weiß es nicht.",
            "Kind: " + "x" * 81,
            "Kind of a study",
            "See https://example.org/",
            "Old houses",
            "https://localhost",
        ],
    )
    def test_anything_else_stays(self, line: str) -> None:
        text = f"{line}\n{BODY}"
        assert clean_pasted_text(text).text == text

    def test_only_the_head_is_read(self) -> None:
        text = f"{BODY}\nPublisher: Institute\nhttps://example.org/\nBy Ann Lee"
        pasted = clean_pasted_text(text)
        assert pasted.text == text
        assert not pasted.publisher + pasted.url + pasted.author

    def test_a_second_statement_belongs_to_the_text(self) -> None:
        assert clean_pasted_text(f"Date: 2024\nDate: 2023\n{BODY}").text == f"Date: 2023\n{BODY}"

    def test_a_text_of_nothing_but_a_head_is_kept(self) -> None:
        text = "https://example.org/\nBy Ann Lee"
        assert clean_pasted_text(text).text == text
        assert clean_pasted_text("Old houses", "Old houses").text == "Old houses"


class TestBody:
    @pytest.mark.parametrize(
        "line",
        [
            "Photo: Ann Lee",
            "Foto: dpa / Max Berg",
            "Image: Getty Images",
            "(Photo credit: Reuters)",
            "Bildquelle: Verband",
            "© Getty Images",
            "Share on Facebook | Tweet | Email",
            "Teilen\n\nFacebook\nWhatsApp\nDrucken",
        ],
    )
    def test_credits_and_buttons_are_dropped(self, line: str) -> None:
        first, second = BODY.split("\n\n")
        assert clean_pasted_text(f"{first}\n{line}\n{second}").text == f"{first}\n{second}"

    @pytest.mark.parametrize(
        "line",
        [
            "Image: the picture shows how the compressor is mounted on the wall of the house.",
            "Photo editors used it as well.",
            "Image quality fell: it was dark.",
            "Print",
            "Share",
            "Facebook",
            "Share this article.",
            "Facebook shares fell.",
            "X",
            "© 2024 Institute, which gives the text to everybody who wants to print it in full and for free",
        ],
    )
    def test_prose_is_kept(self, line: str) -> None:
        text = BODY.replace("\n\n", f"\n{line}\n")
        assert clean_pasted_text(text).text == text


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024", "2024"),
        ("2024-05", "2024-05"),
        ("2024-05-31T10:00:00Z", "2024-05-31"),
        ("31.5.2024", "2024-05-31"),
        ("31 May 2024", "2024-05-31"),
        ("May 31, 2024", "2024-05-31"),
        ("Sept. 2024", ""),
        ("Sep. 2024", "2024-09"),
        ("31. Mai 2024", "2024-05-31"),
        ("Dezember 2024", "2024-12"),
        ("05/06/2024", ""),
        ("2024-13", ""),
        ("30.2.2024", ""),
        ("Issue 2024", ""),
        ("", ""),
    ],
)
def test_dates_are_read_if_they_are_certain(text: str, date: str) -> None:
    assert iso_date(text) == date


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://www.energy.gov/a", "official"),
        ("https://www.gov.uk/a", "official"),
        ("https://ec.europa.eu/", "official"),
        ("https://www.bfe.admin.ch/", "official"),
        ("https://arxiv.org/abs/1", "study"),
        ("https://doi.org/10.1/a", "study"),
        ("https://pubmed.ncbi.nlm.nih.gov/1/", "study"),
        ("https://gov.example.org/", ""),
        ("https://notarxiv.org/", ""),
        ("https://example.org/", ""),
        ("", ""),
        ("https://[broken", ""),
    ],
)
def test_the_kind_follows_the_host_if_it_is_certain(url: str, kind: str) -> None:
    assert kind_of_source(url) == kind
    assert kind_of_source(url, "press") == (kind or "press")
