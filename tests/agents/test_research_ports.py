"""What is not read of public addresses either: other ports, and this machine. Refusals do not tell what exists."""

from __future__ import annotations

import pytest

from agents.exceptions import FetchRefused
from agents.research import addresses
from agents.research.fetch import Fetcher
from tests.agents.test_research_fetch import answers


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 65535])
async def test_it_refuses_ports_that_are_not_the_webs(port: int) -> None:
    with pytest.raises(FetchRefused, match="a port that is not the web's"):
        await Fetcher(resolve=answers("93.184.215.14")).fetch(f"http://example.org:{port}/")


async def test_it_refuses_a_public_address_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: True)
    with pytest.raises(FetchRefused, match="private network"):
        await Fetcher(resolve=answers("127.0.0.1")).fetch("http://example.org/")


async def test_a_refusal_does_not_tell_which_names_exist() -> None:
    messages = set()
    for found in ((), ("10.0.0.1",), ("93.184.215.14", "127.0.0.1")):
        with pytest.raises(FetchRefused) as refused:
            await Fetcher(resolve=answers(*found)).fetch("http://intern.example.org/")
        messages.add(str(refused.value))
    assert len(messages) == 1
