"""Runs of words that stand in more than one text.

Six words in a row: shorter runs are names and terms, which an article has to repeat; longer ones miss what was reworded a
little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.text.tokenizer import WORD

NGRAM_WORDS = 6


def folded_words(text: str) -> list[str]:
    return [word[0].casefold() for word in WORD.finditer(text)]


def ngrams(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(NGRAM_WORDS)), strict=False)


def shared_phrases(words: Sequence[str], shared: Sequence[bool]) -> Iterator[tuple[str, ...]]:
    """The longest stretches of ``words`` whose runs are all shared."""
    begin = None
    for at, is_shared in enumerate([*shared, False]):
        if is_shared and begin is None:
            begin = at
        elif not is_shared and begin is not None:
            yield tuple(words[begin : at - 1 + NGRAM_WORDS])
            begin = None


def longest_shared_length(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words in a row, at most, ``one`` has in common with ``other``."""
    theirs = set(ngrams(other))
    return max(map(len, shared_phrases(one, [run in theirs for run in ngrams(one)])), default=0)
