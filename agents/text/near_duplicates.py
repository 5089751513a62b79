"""Detects near-duplicate texts (bottom-k MinHash), so that ten copies of one page do not count as ten sources."""

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
    """The smallest hashes of the text's five-word shingles: all of them for a passage, a sample of a long document.

    Bottom-k sketch: Broder, On the resemblance and containment of documents, 1997.
    """
    words = WORD.findall(text.casefold())
    size = min(SHINGLE_WORDS, len(words))
    shingles = {crc32(" ".join(words[at : at + size]).encode()) for at in range(len(words) - size + 1)}
    return frozenset(heapq.nsmallest(SKETCH_SIZE, shingles))


def similarity(one: frozenset[int], other: frozenset[int]) -> float:
    """The Jaccard index of the two texts' shingles, 0 to 1; exact if both sketches are complete."""
    union = one | other
    if len(union) > SKETCH_SIZE and SKETCH_SIZE in (len(one), len(other)):
        union = frozenset(heapq.nsmallest(SKETCH_SIZE, union))
    return len(one & other & union) / len(union)


def find_near_duplicates(texts: Sequence[str]) -> list[int | None]:
    """For each text the index of an earlier one that says nearly the same, or None."""
    kept: dict[int, frozenset[int]] = {}
    with_shingle: defaultdict[int, list[int]] = defaultdict(list)
    duplicates: list[int | None] = []
    for index, text in enumerate(texts):
        own = sketch(text)
        shared = Counter(earlier for shingle in own for earlier in with_shingle[shingle])
        candidates = (earlier for earlier, _ in shared.most_common(5))
        duplicate_of = next((each for each in candidates if similarity(own, kept[each]) >= DUPLICATE_SIMILARITY), None)
        duplicates.append(duplicate_of)
        if duplicate_of is None:
            kept[index] = own
            for shingle in own:
                with_shingle[shingle].append(index)
    return duplicates
