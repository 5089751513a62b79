"""The claim checks of a text as it is: which verdicts stand, and which sentences nobody has judged.

A verdict belongs to the words of a sentence and of the passages it cites, not to a place: moving a paragraph costs nothing, a
changed digit ends it. What code can decide about a sentence that was edited or is new, it decides at once: that none of its
passages has one of its numbers or quotations, or that it stands in one of them word for word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal
from urllib.parse import unquote

from agents.contract import Passage, Reading, Reference
from agents.text.escaping import escape_markdown
from agents.text.evidence import CitedSentence, comparable, compare_with_passages, verdict_key
from agents.text.factual import fact_kind
from agents.text.introduced import introduced_problem
from agents.text.markdown import visible_text
from agents.text.marked_sentences import (
    EMPHASIS,
    blank_definitions,
    find_footnotes,
    sentences_with_marks,
    visible_sentence,
)
from agents.text.syntax import FOOTNOTE_DEFINITION, FOOTNOTE_REFERENCE
from articles.evidence.results import (
    CheckedSentence,
    EvidenceSummary,
    checked_sentences,
    footnote_labels,
    run_of_the_text,
)
from articles.evidence.stored import stored_reading, stored_references
from articles.models import Article

State = Literal["supported", "partly", "not", "edited", "unchecked", "uncited"]
"""``edited``: a checked sentence that was changed since. ``unchecked``: new, with a citation. ``uncited``: a new statement of
fact without one."""

OPEN: frozenset[State] = frozenset({"edited", "unchecked", "uncited"})

SIMILAR = 0.5
"""Two sentences that share this part of their words are one sentence before and after an edit."""
MOST_CHANGED = 300
"""Changed sentences of which code says more than that: beyond them the text is another one, and comparing takes seconds."""


@dataclass(frozen=True)
class TextSentence:
    """A sentence of a text: ``content[start:end]``, or its title, of which both are 0; ``plain`` is what a reader sees of it.

    ``labels`` are the footnotes it cites. ``before`` is the sentence before it; behind a heading it may have been judged with
    that or without, as its section was judged alone. ``check`` is its check, also if that was of other words. ``stands``: the
    verdict of the check holds. ``problem`` is what code found wrong with words that nobody else has judged.
    """

    start: int
    end: int
    plain: str
    labels: tuple[str, ...] = ()
    before: tuple[str, ...] = ("",)
    is_title: bool = False
    state: State = "unchecked"
    check: CheckedSentence | None = None
    stands: bool = False
    problem: str = ""

    @property
    def judged_by(self) -> Literal["code", "model"] | None:
        """None if nobody has judged these words."""
        if self.state in OPEN:
            return None
        return "model" if self.stands and self.check and self.check.row.judged_by == "model" else "code"


@dataclass(frozen=True)
class CheckedText:
    """The statements of a text that were judged or have to be, in their order."""

    sentences: list[TextSentence] = field(default_factory=list)

    @cached_property
    def by_ref(self) -> dict[str, TextSentence]:
        """The sentence each check belongs to, by the check's ``ref``; none for those whose sentence was removed."""
        return {sentence.check.ref: sentence for sentence in self.sentences if sentence.check}

    @property
    def new(self) -> list[TextSentence]:
        """The statements that belong to no check."""
        return [sentence for sentence in self.sentences if sentence.check is None]

    @property
    def summary(self) -> EvidenceSummary:
        states = Counter(sentence.state for sentence in self.sentences)
        reworded = sum(bool(each.stands and each.check and each.check.row.was) for each in self.sentences)
        return EvidenceSummary(
            sentences=len(self.sentences) - states["uncited"],
            supported=states["supported"],
            partly=states["partly"],
            unsupported=states["not"],
            reworded=reworded,
            edited=states["edited"],
            unchecked=states["unchecked"],
            uncited=states["uncited"],
        )


@dataclass(frozen=True)
class RunResults:
    """What the run that wrote the article's text has checked and read, and the references it compiled."""

    checks: Sequence[CheckedSentence]
    reading: Reading
    references: Sequence[Reference]


def check_text(article: Article, title: str, content: str, results: RunResults) -> CheckedText:
    """The checks of the article's run against any text of it, saved or not."""
    checks, reading = results.checks, results.reading
    sources = sources_of_labels(content, results.references, reading)
    sentences = list(statements(title, content))
    matched = with_edited(with_standing(sentences, checks, sources), checks)
    found = judged_by_code(matched, PassagesOf(reading, sources), article.language)
    claims = [sentence for sentence in found if is_claim(sentence)]
    if any(sentence.check is None for sentence in claims):
        known = written_by_the_crew(article, results)
        claims = [each for each in claims if each.check or claim_of(each, sources) not in known]
    return CheckedText(claims)


def current_text(article: Article, title: str | None = None, content: str | None = None) -> CheckedText:
    """The checks of the saved text, or of another ``title`` and ``content``; empty if no run has checked the article."""
    run = run_of_the_text(article)
    if run is None:
        return CheckedText()
    reading, references = stored_reading(article), stored_references(article)
    checks = checked_sentences(run.evidence.all(), reading, footnote_labels(article.content, references))
    title = article.title if title is None else title
    content = article.content if content is None else content
    return check_text(article, title, content, RunResults(checks, reading, references))


# The sentences of a text


def statements(title: str, content: str) -> Iterator[TextSentence]:
    """The title and all sentences, headings and table cells."""
    if plain := visible_text(title):
        yield TextSentence(0, 0, plain, is_title=True)
    text = blank_definitions(content)
    before: tuple[str, ...] = ("",)
    for sentence in sentences_with_marks(text, find_footnotes):
        plain = visible_sentence(FOOTNOTE_REFERENCE.sub("", text[sentence.start : sentence.end])).strip(f"{EMPHASIS} ")
        yield TextSentence(sentence.start, sentence.end, plain, tuple(dict.fromkeys(sentence.run)), before)
        before = (plain, "") if sentence.is_heading else (plain,)


def is_claim(sentence: TextSentence) -> bool:
    """Whether it was judged or has to be: sentences that state no fact and cite nothing need no check."""
    return bool(sentence.check or sentence.labels or fact_kind(sentence.plain))


Claim = tuple[str, frozenset[int | None]]
"""The words of a sentence, as they are compared, and the numbers of the sources it cites."""


def claim_of(sentence: TextSentence, sources: dict[str, int]) -> Claim:
    return comparable(sentence.plain), frozenset(sources.get(label) for label in sentence.labels)


def written_by_the_crew(article: Article, results: RunResults) -> set[Claim]:
    """The claims of the crew's last text. What its run did not check is not new: its own arithmetic, and in texts of older
    versions the sentences before a mark."""
    written = article.revisions.filter(saved_by=None, former_author="").first()
    if written is None:
        return set()
    sources = sources_of_labels(written.content, results.references, results.reading)
    return {claim_of(each, sources) for each in statements(written.title, written.content)}


# Which source a footnote names


def sources_of_labels(content: str, references: Sequence[Reference], reading: Reading) -> dict[str, int]:
    """Label of a footnote → number of the source it names, of those that were read."""
    known = {label: number for number, label in footnote_labels(content, references).items()}
    for definition in FOOTNOTE_DEFINITION.finditer(content):
        if definition["label"] not in known:
            text = definition["text"]
            named = (
                source.number
                for source in reading.sources
                if (source.url and unquote(source.url) in unquote(text))
                or (not source.url and source.title and escape_markdown(source.title) in text)
            )
            if (number := next(named, None)) is not None:
                known[definition["label"]] = number
    return known


class PassagesOf:
    """The passages of the sources that footnotes name."""

    def __init__(self, reading: Reading, sources: dict[str, int]) -> None:
        self._sources = sources
        self._of: dict[int, list[Passage]] = {}
        for passage in reading.passages:
            self._of.setdefault(passage.source, []).append(passage)

    def __call__(self, labels: Iterable[str]) -> list[Passage]:
        numbers = dict.fromkeys(self._sources[label] for label in labels if label in self._sources)
        return [passage for number in numbers for passage in self._of.get(number, [])]


# Which checks stand


def with_standing(
    sentences: Iterable[TextSentence], checks: Iterable[CheckedSentence], sources: dict[str, int]
) -> list[TextSentence]:
    """The sentences, each with the check of exactly its words and sources, if there is one; each check is used once."""
    waiting: dict[str, list[CheckedSentence]] = {}
    for check in checks:
        waiting.setdefault(comparable(check.row.sentence), []).append(check)
    found = []
    for sentence in sentences:
        candidates = waiting.get(comparable(sentence.plain), [])
        cited = {sources.get(label) for label in sentence.labels}
        same = next((each for each in candidates if is_same_claim(sentence, cited, each)), None)
        if same:
            candidates.remove(same)
            found.append(replace(sentence, check=same, stands=True, state=same.verdict))
        else:
            found.append(sentence)
    return found


def is_same_claim(sentence: TextSentence, cited: set[int | None], check: CheckedSentence) -> bool:
    """Whether the check is of this sentence with these sources. Older checks have no key, which knows the sentence before."""
    passages = [each.passage for each in check.cited]
    if cited != {passage.source for passage in passages} or len(passages) != len(check.row.passages):
        return False
    key = check.row.key
    return not key or any(key == verdict_key(sentence.plain, passages, before) for before in sentence.before)


def with_edited(sentences: Sequence[TextSentence], checks: Sequence[CheckedSentence]) -> list[TextSentence]:
    """The sentences, those without a check with the check of the sentence they were made from, if one is similar."""
    used = {sentence.check.ref for sentence in sentences if sentence.check}
    left = {check.ref: Counter(comparable(check.row.sentence).split()) for check in checks if check.ref not in used}
    by_ref = {check.ref: check for check in checks}
    found = []
    compared = 0
    for sentence in sentences:
        if not sentence.check and left and compared < MOST_CHANGED:
            compared += 1
            words = Counter(comparable(sentence.plain).split())
            ref, share = max(((ref, similarity(words, other)) for ref, other in left.items()), key=lambda pair: pair[1])
            if share >= SIMILAR:
                del left[ref]
                sentence = replace(sentence, check=by_ref[ref], state="edited")
        found.append(sentence)
    return found


def similarity(words: Counter[str], others: Counter[str]) -> float:
    """The share of words that two sentences have in common, from 0 to 1."""
    total = words.total() + others.total()
    return 2 * (words & others).total() / total if total else 0.0


def judged_by_code(sentences: Iterable[TextSentence], passages_of: PassagesOf, language: str) -> Iterator[TextSentence]:
    """The sentences, those whose verdict does not stand with what code can say about them."""
    compared = 0
    for sentence in sentences:
        if sentence.stands:
            yield sentence
        elif not sentence.labels:
            yield sentence if sentence.check else replace(sentence, state="uncited")
        elif compared < MOST_CHANGED:
            compared += 1
            yield compared_with_passages(sentence, passages_of(sentence.labels), language)
        else:
            yield sentence


def compared_with_passages(sentence: TextSentence, passages: Sequence[Passage], language: str) -> TextSentence:
    if not passages:
        return replace(sentence, problem="The source it cites was not read.")
    cited = CitedSentence(
        1, sentence.start, sentence.end, sentence.plain, sentence.plain, [each.id for each in passages]
    )
    verdict = compare_with_passages(cited, {passage.id: passage for passage in passages})
    if verdict:
        return replace(sentence, state=verdict[0], problem=verdict[1])
    was = sentence.check.row.sentence if sentence.check else ""
    return replace(
        sentence, problem=introduced_problem(sentence.plain, was, [each.text for each in passages], language)
    )
