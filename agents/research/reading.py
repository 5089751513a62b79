"""Reads the brief's own sources and the pages found, concurrently, and cuts them into passages."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from agents.contract import BriefSource, Passage, Reading, SearchResult, Source, UnreadSource
from agents.exceptions import FetchRefused, FilesUnavailable, SourceUnreadable
from agents.research.documents import Document, LoadFile, load_from_disk, read_file, read_page, read_text
from agents.research.fetch import Fetcher
from agents.research.find_pages import page_key
from agents.research.passages import is_boilerplate, split_passages
from agents.research.source_kinds import kind_of_source
from agents.research.text import first_words
from agents.text.language import detect_language
from agents.text.near_duplicates import find_near_duplicates
from agents.text.tokenizer import count_plain_words

logger = logging.getLogger(__name__)

MAX_CONCURRENT_READS = 6
EXCERPT_CHARACTERS = 300
UNEXPECTED = (
    "It could not be read because of an internal error; the server log has the details. Paste its text instead."
)
OUT_OF_TIME = "There was no time left to read it. Add it to the brief: your own sources are always read."

FindPages = Callable[[], Awaitable[tuple[list[SearchResult], list[str]]]]
"""Returns the pages found, best first, and the messages of failed searches."""


@dataclass(frozen=True)
class ReadRequest:
    """Something to read: a source of the brief (``brief_source`` is its id) or a page found."""

    title: str
    url: str = ""
    text: str = ""
    path: str = ""
    publisher: str = ""
    kind: str = ""
    author: str = ""
    date: str = ""
    brief_source: int | None = None

    @classmethod
    def of(cls, source: BriefSource) -> ReadRequest:
        given = source.model_dump(exclude={"id"})
        return cls(**given, brief_source=source.id)

    def unread(self, reason: str) -> UnreadSource:
        title = self.title or self.url or first_words(self.text) or Path(self.path).name
        return UnreadSource(title=title, url=self.url, brief_source=self.brief_source, reason=reason)


@dataclass(frozen=True)
class ReadResult:
    """A document that was read."""

    wanted: ReadRequest
    document: Document
    read_at: datetime


async def read_all(
    sources: Sequence[BriefSource], hits: Sequence[SearchResult], *, fetcher: Fetcher, seconds: float, limit: int
) -> Reading:
    """Reads everything, own sources first, into passages ``S1``, ``S2`` …; what could not be read is in ``unread``.

    All of the brief's ``sources`` are read, each within its own limits. Of the pages found, at most ``limit`` are read within
    ``seconds``; later hits replace earlier ones that cannot be read.
    """

    async def known() -> tuple[list[SearchResult], list[str]]:
        return list(hits), []

    return await read_while_finding(sources, known, fetcher=fetcher, seconds=seconds, limit=limit)


async def read_while_finding(
    sources: Sequence[BriefSource],
    find: FindPages,
    *,
    fetcher: Fetcher,
    seconds: float,
    limit: int,
    load: LoadFile = load_from_disk,
) -> Reading:
    """Like ``read_all``, but searches while own sources are read; ``seconds`` cover the search and its pages.

    Failed searches are listed in ``unread``. Raises FilesUnavailable.
    """
    own = [ReadRequest.of(source) for source in sources]
    slots = asyncio.Semaphore(MAX_CONCURRENT_READS)

    async def read_found() -> tuple[list[ReadResult | UnreadSource], list[str]]:
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                hits, problems = await find()
        except TimeoutError:
            return [], [
                f"The search did not answer within {seconds:g} seconds. Try again later, or raise RESEARCH_SECONDS."
            ]
        known = {page_key(wanted.url) for wanted in own if wanted.url}
        found = [ReadRequest(hit.title, hit.url) for hit in hits if page_key(hit.url) not in known]
        return await _read_until(found, fetcher, slots, deadline=deadline, limit=limit), problems

    own_answers, (found_answers, problems) = await asyncio.gather(
        asyncio.gather(*(_read(wanted, fetcher, slots, load) for wanted in own)), read_found()
    )
    reading = await asyncio.to_thread(_compose, [*own_answers, *found_answers])
    return reading.with_problems(problems)


async def _read(
    wanted: ReadRequest, fetcher: Fetcher, slots: asyncio.Semaphore, load: LoadFile = load_from_disk
) -> ReadResult | UnreadSource:
    async with slots:
        try:
            if wanted.text:
                document = await asyncio.to_thread(read_text, wanted.text, wanted.title)
            elif wanted.path:
                document = await read_file(wanted.path, load)
            else:
                document = await read_page(await fetcher.fetch(wanted.url))
        except (FetchRefused, SourceUnreadable) as problem:
            return wanted.unread(str(problem))
        except FilesUnavailable:
            raise
        except Exception:  # a library bug triggered by one page must not fail the run
            logger.exception("%s could not be read", wanted.url or wanted.path or "A pasted text")
            return wanted.unread(UNEXPECTED)
        return ReadResult(wanted, document, datetime.now(UTC))


async def _read_until(
    found: list[ReadRequest], fetcher: Fetcher, slots: asyncio.Semaphore, *, deadline: float, limit: int
) -> list[ReadResult | UnreadSource]:
    """Results in the order of the hits, read until there are ``limit`` documents or time is up."""
    answers: dict[int, ReadResult | UnreadSource] = {}
    queue = iter(enumerate(found))

    async def work() -> None:
        while sum(isinstance(answer, ReadResult) for answer in answers.values()) < limit:
            place, wanted = next(queue, (None, None))
            if place is None or wanted is None:
                return
            answers[place] = wanted.unread(OUT_OF_TIME)  # replaced when it is read
            answers[place] = await _read(wanted, fetcher, slots)

    try:
        async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as group:
            for _ in range(min(MAX_CONCURRENT_READS, limit)):
                group.create_task(work())
    except TimeoutError:
        answers |= {place: wanted.unread(OUT_OF_TIME) for place, wanted in queue}
    return _first_read([answers[place] for place in sorted(answers)], limit)


def _first_read(answers: list[ReadResult | UnreadSource], limit: int) -> list[ReadResult | UnreadSource]:
    """Drops documents beyond ``limit``, read only because several are read concurrently."""
    spare = {id(answer) for answer in [answer for answer in answers if isinstance(answer, ReadResult)][limit:]}
    return [answer for answer in answers if id(answer) not in spare]


def _compose(answers: list[ReadResult | UnreadSource]) -> Reading:
    """Numbers the documents, cuts them into passages, and sets near-duplicates aside."""
    reading = Reading(unread=[answer for answer in answers if isinstance(answer, UnreadSource)])
    read = [answer for answer in answers if isinstance(answer, ReadResult)]
    documents: list[Document] = []
    for answer, earlier in zip(read, find_near_duplicates([answer.document.text for answer in read]), strict=True):
        if earlier is None:
            reading.sources.append(_source(len(reading.sources) + 1, answer))
            documents.append(answer.document)
        else:
            reason = f"Same content as “{_title(read[earlier])}”."
            reading.unread.append(answer.wanted.unread(reason))
    reading.passages = _passages(documents)
    return reading


def _source(number: int, read: ReadResult) -> Source:
    """What the person said about the source takes precedence over what the document says of itself."""
    wanted, document = read.wanted, read.document
    url = (wanted.url if wanted.text else "") or document.url or wanted.url
    publisher = wanted.publisher or document.publisher
    stated_kind = wanted.kind or (document.kind if wanted.text else "")
    is_own_text = bool(wanted.text) and not (url or publisher or wanted.author or document.author)
    return Source(
        number=number,
        title=_title(read),
        url=url,
        publisher=publisher,
        kind=stated_kind or ("notes" if is_own_text else kind_of_source(url, document.kind)),
        author=wanted.author or document.author,
        date=wanted.date or document.date,
        language=detect_language(document.text),
        read_at=read.read_at,
        sha256=hashlib.sha256(document.text.encode()).hexdigest(),
        excerpt=" ".join(document.text[:EXCERPT_CHARACTERS].split()),
        words=count_plain_words(document.text),
        brief_source=read.wanted.brief_source,
    )


def _title(read: ReadResult) -> str:
    """The title given by the user, else the document's own, the search's, or its first words."""
    named = read.wanted.title if read.wanted.brief_source is not None else ""
    return named or read.document.title or read.wanted.title or first_words(read.document.text)


def _passages(documents: list[Document]) -> list[Passage]:
    """The passages of all documents without near-duplicates. Each document keeps at least one."""
    texts = [document.text for document in documents]
    spans = [(number, *span) for number, document in enumerate(documents, start=1) for span in _prose_spans(document)]
    again = find_near_duplicates([texts[number - 1][start:end] for number, start, end in spans])
    kept = [span for span, earlier in zip(spans, again, strict=True) if earlier is None]
    represented = {number for number, _, _ in kept}
    first = {span[0]: span for span in reversed(spans)}
    kept = sorted(kept + [span for number, span in first.items() if number not in represented])
    return [
        Passage(
            id=f"S{place}",
            source=number,
            start=start,
            end=end,
            text=texts[number - 1][start:end],
            page=_page_of(documents[number - 1], start, end),
        )
        for place, (number, start, end) in enumerate(kept, start=1)
    ]


def _page_of(document: Document, start: int, end: int) -> int:
    """The page with the most of ``text[start:end]``; 0 if the document has no pages."""
    if not (starts := document.page_starts):
        return 0
    first = max(bisect_right(starts, start, key=lambda page: page[0]) - 1, 0)
    touched = list(takewhile(lambda page: page[0] < end, starts[first:]))
    ends = [*(begin for begin, _ in touched[1:]), end]
    shares = {number: finish - max(start, begin) for (begin, number), finish in zip(touched, ends, strict=True)}
    return max(shares, key=lambda number: shares[number])


def _prose_spans(document: Document) -> list[tuple[int, int]]:
    """The passages of the document that are prose, or all if none is."""
    text = document.text
    spans = split_passages(text, [start for start, _ in document.page_starts])
    return [(start, end) for start, end in spans if not is_boilerplate(text[start:end])] or spans
