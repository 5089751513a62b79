"""Titles, headings and keywords, in words of the topic and the sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from stopwordsiso import stopwords

from agents.extractive.material import Quote, terms
from agents.text.cleanup import clean_heading
from agents.text.headings import TITLE
from agents.text.seo import Range, truncate
from agents.text.tokenizer import WORD

HEADING = Range(3, 80)
KEYWORDS = 8
HEADING_SHARE = 0.25  # of a section has to be below the heading that names it

# Headings that do not describe what is below them.
_EMPTY = re.compile(
    "(executive )?summary|introduction|(key )?(findings|points|takeaways)|conclusions?|references|contents|abstract|overview"
    "|notes|faq|results|methods|objectives?|meaning|question|background|discussion|einleitung|zusammenfassung|fazit|ergebnisse",
    re.IGNORECASE,
)


_MARKUP = re.compile(r"[\\`*_\[\]<>|~^$@#{}]")


def heading_of(text: str, limits: Range = HEADING) -> str:
    """``text`` as a heading without Markdown, which a source could smuggle in."""
    return truncate(clean_heading(_MARKUP.sub(" ", text)), limits)


def title_of(topic: str) -> str:
    title = heading_of(topic, TITLE)
    return title[:1].upper() + title[1:] if len(title) >= TITLE.low else topic


def name_sections(shares: Sequence[Sequence[Quote]], ranked: Sequence[Quote], title: str) -> list[str]:
    """A distinct heading for each share: that of its source with the most words below it, else its best short sentence.

    A sentence that begins with a word in capitals, such as RESULTS or the place of a report, is the last choice.
    """
    names = [title]
    for share in shares:
        amounts = Counter[str]()
        for quote in share:
            amounts[heading_of(quote.heading)] += quote.words
        headings = [
            heading
            for heading, words in amounts.most_common()
            if words >= HEADING_SHARE * amounts.total()
            and len(heading) >= HEADING.low
            and not _EMPTY.fullmatch(heading)
        ]
        texts = [quote.text for quote in ranked if quote in share]
        texts.sort(key=lambda text: (text.split()[0].isupper(), len(text) > HEADING.high))
        candidates = [*headings, *map(heading_of, texts)]
        names.append(next((each for each in candidates if each not in names), candidates[-1]))
    return names[1:]


def keywords(text: str, wanted: Collection[str], language: str) -> list[str]:
    """First those of ``wanted`` that occur in ``text``, then its most frequent words, in German only nouns."""
    code = language.partition("-")[0].lower()
    dull = stopwords(code)  # in English more words than searching ignores, such as "keep"
    counts = Counter(word for word in WORD.findall(text) if len(word) > 3 and word.casefold() not in dull)
    named = [keyword for keyword in wanted if keyword.casefold() in text.casefold()]
    taken = {term for keyword in named for term in terms(keyword, language)}
    for word, count in counts.most_common():
        own = terms(word, language)
        if count > 2 and own and not taken.intersection(own) and (code != "de" or word[0].isupper()):
            named.append(word)
            taken.update(own)
    return named[:KEYWORDS]
