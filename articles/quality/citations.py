"""Whether the claims of a text can be traced: its footnotes are defined, and its sources state its numbers and quotations."""

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
from articles.quality.scored_text import MIN_SENTENCE_WORDS, ScoredText

# Passage ids in any brackets. Independent of the pattern that compiles marks, to find what that one misses.
_IN_BRACKETS = re.compile(r"[\[(（【［{<〔][^\[\]()（）【】［］{}<>\n]{1,80}[\])）】］}>〕]")
_ID = re.compile(r"(?<![A-Za-z0-9])S\d{1,5}(?![A-Za-z0-9])")


@dataclass(frozen=True)
class Ratio:
    """``good`` of ``total``; ``problems`` describes the rest, one sentence each."""

    good: int
    total: int
    problems: list[str] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        return self.good / self.total if self.total else None


def citation_ratio(text: ScoredText) -> Ratio:
    """How many sentences cite something."""
    total = sum(len(section.sentences) for section in text.sections)
    marked = replace(text, content=text.with_citation_marks(lambda label: ["S1"]))
    prose = "".join(
        block
        for section in marked.sections
        for block, kind in split_blocks(f"{section.markdown}\n\n", {"inline"})
        if not (kind and block.lstrip().startswith("|"))
    )
    citing = sum(count_plain_words(sentence.plain) >= MIN_SENTENCE_WORDS for sentence in cited_sentences(prose))
    return Ratio(min(citing, total), total)


def footnote_ratio(text: ScoredText) -> Ratio:
    """How many footnote references have exactly one definition. Marks that were not compiled, and [0], have none."""
    times, referenced = Counter(text.defined), text.referenced
    resolved = [label for label in referenced if times[label] == 1]
    marks, strays = remaining_marks(text.body), stray_citations(text.body)
    problems = [f"The footnote [^{label}] is not defined." for label in dict.fromkeys(referenced) if not times[label]]
    problems += [f"The footnote [^{label}] is defined {count} times." for label, count in times.items() if count > 1]
    problems += [f"The footnote [^{label}] is never referenced." for label in times if label not in referenced]
    problems += [f"The mark [{id}] was left in the text." for id in dict.fromkeys(marks)]
    if strays:
        problems.append(f"Citations without a source, such as [0]: {strays}.")
    return Ratio(len(resolved), len(referenced) + len(marks) + strays, problems)


def remaining_marks(text: str) -> list[str]:
    """The passage ids in brackets of any kind, outside of code."""
    prose = (piece for piece, is_code in split_code(text) if not is_code)
    return [id for piece in prose for found in _IN_BRACKETS.findall(piece) for id in _ID.findall(found)]


def stray_citations(text: str) -> int:
    """The number of citations a model made up, such as ``[0]``."""
    return text.count("[") - strip_stray_citations(text).count("[")


def exactness(text: ScoredText) -> Ratio:
    """How many numbers and quotations of citing sentences occur in the passages behind their footnotes.

    A footnote refers to a source, so any of its cited passages counts. Sentences with unknown passages are left out.
    """
    good, total, problems = 0, 0, list[str]()
    for sentence in cited_sentences(text.with_citation_marks(lambda label: text.cites.get(label, ()))):
        passages = [text.passages[id].text for id in sentence.passages if id in text.passages]
        if not passages:
            continue
        missing = missing_claims(sentence.plain, passages)
        stated = len({*missing_claims(sentence.plain, []), *missing})
        good, total = good + stated - len(missing), total + stated
        problems += [f"“{claim}” does not appear in what is cited: {sentence.plain}" for claim in missing]
    return Ratio(good, total, problems)


def missing_claims(sentence: str, texts: list[str]) -> list[str]:
    """The numbers and quotations of ``sentence`` that none of ``texts`` contains."""
    return [*missing_numbers(sentence, texts), *missing_quotations(sentence, texts)]
