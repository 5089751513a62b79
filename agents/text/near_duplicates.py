"""Telling texts that say the same in nearly the same words, so that one page copied ten times is not ten witnesses."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Sequence
from zlib import crc32

from agents.text.tokenizer import WORD

SHINGLE_WORDS = 5
SKETCH_SIZE = 400
DUPLICATE_SIMILARITY = 0.8


def sketch(text: str) -> frozenset[int]:
    """The smallest hashes of the text's five-word shingles: all of them for a passage, a fair sample of a long document.

    Bottom-k sketch: Broder, On the resemblance and containment of documents, 1997.
    """
    words = WORD.findall(text.casefold())
    size = min(SHINGLE_WORDS, len(words))
    shingles = {crc32(" ".join(words[at : at + size]).encode()) for at in range(len(words) - size + 1)}
    return frozenset(heapq.nsmallest(SKETCH_SIZE, shingles))


def similarity(one: frozenset[int], other: frozenset[int]) -> float:
    """The Jaccard index of the two texts' shingles, 0 to 1; exact where both sketches are whole."""
    union = one | other
    if len(union) > SKETCH_SIZE and SKETCH_SIZE in (len(one), len(other)):
        union = frozenset(heapq.nsmallest(SKETCH_SIZE, union))
    return len(one & other & union) / len(union)


def find_near_duplicates(texts: Sequence[str]) -> list[int | None]:
    """For each text the place of an earlier one that says nearly the same, None where it is the first to say it."""
    kept: dict[int, frozenset[int]] = {}
    places: defaultdict[int, list[int]] = defaultdict(list)
    answer: list[int | None] = []
    for place, text in enumerate(texts):
        mine = sketch(text)
        shared = Counter(earlier for shingle in mine for earlier in places[shingle])
        like = next(
            (
                earlier
                for earlier, _ in shared.most_common(5)
                if similarity(mine, kept[earlier]) >= DUPLICATE_SIMILARITY
            ),
            None,
        )
        answer.append(like)
        if like is None:
            kept[place] = mine
            for shingle in mine:
                places[shingle].append(place)
    return answer
