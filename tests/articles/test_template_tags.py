"""Durations, reading times, addresses and lengths as pages show them."""

from __future__ import annotations

import pytest

from articles.pages import MeasuredText
from articles.templatetags import studio
from articles.templatetags.studio import duration, host, icon, reading_minutes, web_address


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(None, ""), ("", ""), (0.04, "0.0 s"), (9.96, "10.0 s"), (74.6, "1:14"), (3725, "1:02:05")],
    )
    def test_durations_are_formatted(self, seconds: float | str | None, text: str) -> None:
        assert duration(seconds) == text

    def test_reading_takes_a_minute_at_least(self) -> None:
        assert (reading_minutes(3), reading_minutes(1150)) == (1, 5)

    @pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "", "//example.org"])
    def test_only_web_addresses_are_followed(self, address: str) -> None:
        assert web_address(address) == ""

    def test_an_address_is_shown_as_its_site(self) -> None:
        assert host("https://www.example.org/a?b=c") == "example.org"
        assert host("http://[::1") == ""

    @pytest.mark.parametrize(
        ("length", "verdict"),
        [(25, "5 too short (30–60)"), (30, "within 30–60"), (60, "within 30–60"), (64, "4 too long (30–60)")],
    )
    def test_a_length_is_judged(self, length: int, verdict: str) -> None:
        assert MeasuredText("Title", "x" * length, 30, 60).verdict == verdict


def test_an_icon_has_the_address_of_the_static_files_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("/static/icons.1.svg", "/static/icons.2.svg"):
        monkeypatch.setattr(studio, "static", lambda name, address=address: address)
        assert f'href="{address}#check"' in icon("check")
