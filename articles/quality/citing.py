"""Whether what a text claims can be traced: markers that lead to a note, numbers and quotations that stand in what is cited."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace

from agents.text.citations import strip_stray_citations
from agents.text.evidence import cited_sentences
from agents.text.markdown import split_blocks, split_code
from agents.text.numbers import missing_numbers
from agents.text.quotations import missing_quotations
from agents.text.tokenizer import count_plain_words
from articles.quality.piece import MIN_SENTENCE_WORDS, ScoredText

# Marks in brackets of any kind, also those the studio does not take for its own: a pattern apart from the one that compiles.
_IN_BRACKETS = re.compile(r"[\[(（【［{<〔][^\[\]()（）【】［］{}<>\n]{1,80}[\])）】］}>〕]")
_ID = re.compile(r"(?<![A-Za-z0-9])S\d{1,5}(?![A-Za-z0-9])")


@dataclass(frozen=True)
class Ratio:
    """``good`` of ``total``; ``problems`` tell of the rest, each in a sentence."""

    good: int
    total: int
    problems: list[str] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        return self.good / self.total if self.total else None


def cited(piece: ScoredText) -> Ratio:
    """How many sentences cite something."""
    total = sum(len(section.sentences) for section in piece.sections)
    marked = replace(piece, content=piece.with_citation_marks(lambda label: ["S1"]))
    prose = "".join(
        block
        for section in marked.sections
        for block, kind in split_blocks(f"{section.markdown}\n\n", {"inline"})
        if not (kind and block.lstrip().startswith("|"))
    )
    citing = sum(count_plain_words(sentence.plain) >= MIN_SENTENCE_WORDS for sentence in cited_sentences(prose))
    return Ratio(min(citing, total), total)


def markers(piece: ScoredText) -> Ratio:
    """How many markers lead to one note and only one. Marks that were never compiled, and numbers like [0], lead nowhere."""
    notes = Counter(piece.defined)
    resolved = [label for label in piece.referenced if notes[label] == 1]
    uncompiled, strays = marks_left(piece.body), strays_in(piece.body)
    problems = [f"The marker [^{label}] has no note." for label in dict.fromkeys(piece.referenced) if not notes[label]]
    problems += [f"The note [^{label}] stands there {times} times." for label, times in notes.items() if times > 1]
    problems += [f"No marker leads to the note [^{label}]." for label in notes if label not in piece.referenced]
    problems += [f"The mark [{id}] was left in the text." for id in dict.fromkeys(uncompiled)]
    if strays:
        problems.append(f"{strays} in brackets, such as [0], that lead nowhere.")
    return Ratio(len(resolved), len(piece.referenced) + len(uncompiled) + strays, problems)


def marks_left(text: str) -> list[str]:
    """The ids of passages that stand in brackets of any kind, code left out."""
    prose = (piece for piece, is_code in split_code(text) if not is_code)
    return [id for piece in prose for found in _IN_BRACKETS.findall(piece) for id in _ID.findall(found)]


def strays_in(text: str) -> int:
    """How many citations of its writer's own there are, such as ``[0]``."""
    return text.count("[") - strip_stray_citations(text).count("[")


def exact(piece: ScoredText) -> Ratio:
    """How many numbers and quotations of the sentences that cite stand in the passages behind their markers.

    A marker stands for a source, so each of its passages that the article cites will do. Sentences whose passages are not
    known are left out.
    """
    good, total, problems = 0, 0, list[str]()
    for sentence in cited_sentences(piece.with_citation_marks(lambda label: piece.cites.get(label, ()))):
        texts = [piece.passages[id].text for id in sentence.passages if id in piece.passages]
        if not texts:
            continue
        missing = claims(sentence.plain, texts)
        stated = len({*claims(sentence.plain, []), *missing})
        good, total = good + stated - len(missing), total + stated
        problems += [f"“{claim}” stands in nothing that is cited: {sentence.plain}" for claim in missing]
    return Ratio(good, total, problems)


def claims(sentence: str, texts: list[str]) -> list[str]:
    """The numbers and quotations of ``sentence`` that stand in none of ``texts``."""
    return [*missing_numbers(sentence, texts), *missing_quotations(sentence, texts)]
