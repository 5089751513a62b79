"""Reading the brief's own sources and the pages that were found, side by side, into passages that can be cited."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agents.contract import BriefSource, Passage, Reading, SearchResult, Source, UnreadSource
from agents.exceptions import FetchRefused, SourceUnreadable
from agents.research.documents import Document, read_file, read_page, read_text
from agents.research.fetch import Fetcher
from agents.research.find_pages import page_key
from agents.research.passages import cut, is_boilerplate
from agents.research.text import first_words
from agents.text.near_duplicates import find_near_duplicates
from agents.text.tokenizer import count_plain_words

logger = logging.getLogger(__name__)

AT_ONCE = 6
EXCERPT_CHARACTERS = 300
UNEXPECTED = (
    "It could not be read because of an internal error; the server log has the details. Paste its text instead."
)
OUT_OF_TIME = "There was no time left to read it. Give it as a source of your own: those are always read."

Find = Callable[[], Awaitable[tuple[list[SearchResult], list[str]]]]
"""Gives the pages found, best first, and what went wrong, in words."""


@dataclass(frozen=True)
class Wanted:
    """Something to be read: a source of the brief's (``brief_source`` is its id) or a page that was found."""

    title: str
    url: str = ""
    text: str = ""
    path: str = ""
    brief_source: int | None = None

    def unread(self, reason: str) -> UnreadSource:
        title = self.title or self.url or first_words(self.text) or Path(self.path).name
        return UnreadSource(title=title, url=self.url, brief_source=self.brief_source, reason=reason)


@dataclass(frozen=True)
class Read:
    """What was read, and for which wish."""

    wanted: Wanted
    document: Document
    read_at: datetime


async def read_all(
    sources: Sequence[BriefSource], hits: Sequence[SearchResult], *, fetcher: Fetcher, seconds: float, limit: int
) -> Reading:
    """Everything that could be read, own sources first, with passages ``S1, S2 …``; and what could not, with its reason.

    The brief's own ``sources`` are all read, however long they take (each has limits of its own). Of the pages found, at
    most ``limit`` are read, in no more than ``seconds``; later hits stand in for earlier ones that cannot be read.
    """

    async def known() -> tuple[list[SearchResult], list[str]]:
        return list(hits), []

    return await read_while_finding(sources, known, fetcher=fetcher, seconds=seconds, limit=limit)


async def read_while_finding(
    sources: Sequence[BriefSource], find: Find, *, fetcher: Fetcher, seconds: float, limit: int
) -> Reading:
    """Like ``read_all``, with the hits that ``find`` gives while own sources are read; ``seconds`` are for both, hits and pages.

    What went wrong with the search is told among what could not be read.
    """
    own = [Wanted(source.title, source.url, source.text, source.path, source.id) for source in sources]
    slots = asyncio.Semaphore(AT_ONCE)

    async def read_found() -> tuple[list[Read | UnreadSource], list[str]]:
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                hits, problems = await find()
        except TimeoutError:
            return [], [f"It gave no answer within {seconds:g} seconds. Try again later, or raise RESEARCH_SECONDS."]
        known = {page_key(wanted.url) for wanted in own if wanted.url}
        found = [Wanted(hit.title, hit.url) for hit in hits if page_key(hit.url) not in known]
        return await _read_until(found, fetcher, slots, deadline=deadline, limit=limit), problems

    own_answers, (found_answers, problems) = await asyncio.gather(
        asyncio.gather(*(_read(wanted, fetcher, slots) for wanted in own)), read_found()
    )
    reading = await asyncio.to_thread(_compose, [*own_answers, *found_answers])
    return reading.with_problems(problems)


async def _read(wanted: Wanted, fetcher: Fetcher, slots: asyncio.Semaphore) -> Read | UnreadSource:
    async with slots:
        try:
            if wanted.text:
                document = await asyncio.to_thread(read_text, wanted.text, wanted.title)
            elif wanted.path:
                document = await read_file(Path(wanted.path))
            else:
                document = await read_page(await fetcher.fetch(wanted.url))
        except (FetchRefused, SourceUnreadable) as problem:
            return wanted.unread(str(problem))
        except Exception:  # one page must not end the run, whatever it makes a library do
            logger.exception("%s could not be read", wanted.url or wanted.path or "A pasted text")
            return wanted.unread(UNEXPECTED)
        return Read(wanted, document, datetime.now(UTC))


async def _read_until(
    found: list[Wanted], fetcher: Fetcher, slots: asyncio.Semaphore, *, deadline: float, limit: int
) -> list[Read | UnreadSource]:
    """What became of the pages that were tried, in the order of the hits: tried until ``limit`` are read or time is up."""
    answers: dict[int, Read | UnreadSource] = {}
    queue = iter(enumerate(found))

    async def work() -> None:
        while sum(isinstance(answer, Read) for answer in answers.values()) < limit:
            place, wanted = next(queue, (None, None))
            if place is None or wanted is None:
                return
            answers[place] = wanted.unread(OUT_OF_TIME)  # until it is known better
            answers[place] = await _read(wanted, fetcher, slots)

    try:
        async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, limit)):
                group.create_task(work())
    except TimeoutError:
        answers |= {place: wanted.unread(OUT_OF_TIME) for place, wanted in queue}
    return _first_read([answers[place] for place in sorted(answers)], limit)


def _first_read(answers: list[Read | UnreadSource], limit: int) -> list[Read | UnreadSource]:
    """``answers`` without the pages beyond ``limit``, which were read only because several are read at once."""
    spare = {id(answer) for answer in [answer for answer in answers if isinstance(answer, Read)][limit:]}
    return [answer for answer in answers if id(answer) not in spare]


def _compose(answers: list[Read | UnreadSource]) -> Reading:
    """Number what was read, cut it into passages, and set aside what says the same as something before it."""
    reading = Reading(unread=[answer for answer in answers if isinstance(answer, UnreadSource)])
    read = [answer for answer in answers if isinstance(answer, Read)]
    texts: list[str] = []
    for answer, earlier in zip(read, find_near_duplicates([answer.document.text for answer in read]), strict=True):
        if earlier is None:
            reading.sources.append(_source(len(reading.sources) + 1, answer))
            texts.append(answer.document.text)
        else:
            reason = f"It says the same as “{_title(read[earlier])}”, which was read."
            reading.unread.append(answer.wanted.unread(reason))
    reading.passages = _passages(texts)
    return reading


def _source(number: int, read: Read) -> Source:
    document = read.document
    return Source(
        number=number,
        title=_title(read),
        url=document.url,
        author=document.author,
        date=document.date,
        read_at=read.read_at,
        sha256=hashlib.sha256(document.text.encode()).hexdigest(),
        excerpt=" ".join(document.text[:EXCERPT_CHARACTERS].split()),
        words=count_plain_words(document.text),
        brief_source=read.wanted.brief_source,
    )


def _title(read: Read) -> str:
    """What the person calls their source; else what it calls itself, what the search calls it, how it begins."""
    named = read.wanted.title if read.wanted.brief_source is not None else ""
    return named or read.document.title or read.wanted.title or first_words(read.document.text)


def _passages(texts: list[str]) -> list[Passage]:
    """The passages of all the texts but those that say again what one before said. Each text keeps at least one."""
    spans = [(number, *span) for number, text in enumerate(texts, start=1) for span in _telling(text)]
    again = find_near_duplicates([texts[number - 1][start:end] for number, start, end in spans])
    kept = [span for span, earlier in zip(spans, again, strict=True) if earlier is None]
    told = {number for number, _, _ in kept}
    first = {span[0]: span for span in reversed(spans)}
    kept = sorted(kept + [span for number, span in first.items() if number not in told])
    return [
        Passage(id=f"S{place}", source=number, start=start, end=end, text=texts[number - 1][start:end])
        for place, (number, start, end) in enumerate(kept, start=1)
    ]


def _telling(text: str) -> list[tuple[int, int]]:
    """The passages of ``text`` that hold prose; all of them where none does."""
    spans = cut(text)
    return [(start, end) for start, end in spans if not is_boilerplate(text[start:end])] or spans
