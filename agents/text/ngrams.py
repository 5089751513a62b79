"""Word n-grams shared by texts.

Six words: shorter n-grams are names and terms, which an article has to repeat; longer ones miss what was slightly reworded.
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
    """The longest phrases of ``words`` whose n-grams are all shared; ``shared`` has a flag for each n-gram."""
    begin = None
    for at, is_shared in enumerate([*shared, False]):
        if is_shared and begin is None:
            begin = at
        elif not is_shared and begin is not None:
            yield tuple(words[begin : at - 1 + NGRAM_WORDS])
            begin = None


def longest_shared_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Length in words of the longest phrase that both contain; 0 if it is shorter than an n-gram."""
    theirs = set(ngrams(other))
    return max(map(len, shared_phrases(one, [ngram in theirs for ngram in ngrams(one)])), default=0)
