"""The search description of an article: what violates its limits, and how code corrects it.

A model is shown its mistakes once (:func:`seo_problems`). What it still gets wrong is corrected here with words of the article,
never with invented ones (:func:`fit_seo`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from django.utils.text import slugify

from agents.contract import SEO, FAQItem, SearchDescription
from agents.text.citations import strip_unknown_marks
from agents.text.keyword_match import mentions
from agents.text.markdown import paragraphs, strip_footnotes
from agents.text.syntax import PAUSES, SENTENCE_END, WIDE_STOPS
from agents.text.tokenizer import MARKS, WORD, count_plain_words, sentences


class Range(NamedTuple):
    """Minimum and maximum, both included."""

    low: int
    high: int


TITLE, DESCRIPTION = Range(30, 60), Range(120, 160)
"""Width that search results show in full; see :func:`display_width`."""

SLUG_WORDS, SLUG_LENGTH = Range(3, 6), 75
KEYWORDS, KEYWORD_LENGTH = Range(1, 10), 80
QUESTIONS, ANSWER_WORDS = 5, 60
SENTENCES = 12
"""Sentences from the beginning of the text that may complete a field that is too short."""

_MARKUP = re.compile(r"\*\*|__|`|^\s*#{1,6} |[\x00-\x08\x0e-\x1f\x7f]")
_PART_END = re.compile(r"(?<=[?!])\s|[:;,]\s|\s[–—|-]\s|(?<=[？！])|[：；，｜]")
# Letters that do not decompose into a base and an accent, and would be lost in a slug.
_UNACCENTED = str.maketrans(
    {"đ": "d", "Đ": "D", "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "AE", "œ": "oe"}
    | {"Œ": "OE", "ı": "i", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D"}
)
_NOT_IN_SLUG = re.compile(rf"[^\w\s{MARKS}-]|(?<![\w{MARKS}])[{MARKS}]+")
# NFKC decomposes these vowels of Thai and Lao, which nobody writes that way.
_DECOMPOSED = {"\u0e4d\u0e32": "\u0e33", "\u0ecd\u0eb2": "\u0eb3"}
SMALL_WORDS = frozenset(
    ["a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"]
)


def display_width(text: str) -> int:
    """Width in search results: a Chinese, Japanese or Korean character is as wide as two others."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def seo_problems(seo: SEO) -> dict[str, list[str]]:
    """Field → what violates its limits, as instructions with figures. Fields without problems are left out."""
    problems = {
        "title": _length_problems("title", seo.title, TITLE),
        "meta_description": _length_problems("description", seo.meta_description, DESCRIPTION),
        "slug": _slug_problems(seo.slug),
        "keywords": _keyword_problems(seo.keywords),
        "faq": _answer_problems(seo.faq),
    }
    return {name: found for name, found in problems.items() if found}


def missing_keyword_problems(description: SearchDescription) -> dict[str, list[str]]:
    """Field → instruction, for fields that should mention the first keyword and do not. Code cannot correct these."""
    keyword = _plain(description.keywords[0])
    slug = description.slug.replace("-", " ")
    said = {
        "title": description.title,
        "meta_description": description.meta_description,
        "slug": f"{slug} {keyword}" if slug_of(keyword) in description.slug else slug,  # a slug has no accents
    }
    return {
        name: [f"The {name.removeprefix('meta_')} does not mention the first keyword, “{keyword}”."]
        for name, text in said.items()
        if keyword and not mentions(text, keyword)
    }


def fit_seo(seo: SEO, *, title: str, text: str) -> SEO:
    """``seo`` within the limits, as far as the article allows; ``title`` is the article's, ``text`` its Markdown."""
    title = _plain(title)
    beginning = _beginning(text)
    return seo.model_copy(
        update={
            "title": _fit_title(_plain(seo.title).rstrip(" ."), title, beginning),
            "meta_description": _fit_description(_plain(seo.meta_description) or title, beginning),
            "slug": _fit_slug(seo.slug, title),
            "keywords": _fit_keywords(seo.keywords) or [truncate(title, TITLE)],
            "faq": _fit_answers(seo.faq),
        }
    )


def slug_of(title: str) -> str:
    """Up to six words of ``title`` for a URL, in ASCII if most of its letters have such forms. Never empty."""
    unicode, ascii = _slugified(title), slugify(title.translate(_UNACCENTED))
    # If most letters have no ASCII form, the few that remain would be misleading.
    words = (ascii if 2 * len(ascii) > len(unicode) else unicode).replace("_", "-").split("-")
    words = [word for word in words if word]
    if len(words) > SLUG_WORDS.high:
        words = [word for word in words if word not in SMALL_WORDS] or words
    kept = words[: SLUG_WORDS.high]
    while len(kept) > 1 and len("-".join(kept)) > SLUG_LENGTH:
        kept.pop()
    return "-".join(kept)[:SLUG_LENGTH] or "article"


def _slugified(text: str) -> str:
    """Like Django's ``slugify`` with ``allow_unicode``, but keeps the vowel signs of Thai and Hindi."""
    text = unicodedata.normalize("NFKC", text).lower()
    for decomposed, composed in _DECOMPOSED.items():
        text = text.replace(decomposed, composed)
    return re.sub(r"[-\s]+", "-", _NOT_IN_SLUG.sub("", text)).strip("-_")


# Problems


def _length_problems(name: str, text: str, limits: Range) -> list[str]:
    length = display_width(_plain(text))
    if limits.low <= length <= limits.high:
        return []
    return [f"The {name} has {length} characters; {limits.low} to {limits.high} are needed."]


def _slug_problems(slug: str) -> list[str]:
    words = [word for word in slug.split("-") if word]
    problems = []
    if not words or slug != "-".join(_slugified(slug).split("_")):
        problems.append(f"The slug “{slug[:SLUG_LENGTH]}” must be lower-case words joined by single hyphens.")
    # Scripts without spaces have no words to count.
    if len(words) > SLUG_WORDS.high or (len(words) < SLUG_WORDS.low and slug.isascii()):
        problems.append(
            f"The number of words in the slug is {len(words)}; {SLUG_WORDS.low} to {SLUG_WORDS.high} are needed."
        )
    if len(slug) > SLUG_LENGTH:
        problems.append(f"The slug has {len(slug)} characters; {SLUG_LENGTH} are the most.")
    return problems


def _keyword_problems(keywords: Sequence[str]) -> list[str]:
    problems = []
    if not KEYWORDS.low <= len(keywords) <= KEYWORDS.high:
        problems.append(f"There are {len(keywords)} keywords; {KEYWORDS.low} to {KEYWORDS.high} are needed.")
    names = [_plain(keyword).casefold() for keyword in keywords]
    twice = dict.fromkeys(name for name in names if names.count(name) > 1)
    problems += [f"The keyword “{name}” is listed more than once." for name in twice if name]
    if not all(names):
        problems.append("A keyword is empty.")
    lengths = [len(_plain(keyword)) for keyword in keywords]
    too_long = [length for length in lengths if length > KEYWORD_LENGTH]
    return problems + [f"A keyword has {length} characters; {KEYWORD_LENGTH} are the most." for length in too_long]


def _answer_problems(faq: Iterable[FAQItem]) -> list[str]:
    counts = {number: count_plain_words(_plain(one.answer)) for number, one in enumerate(faq, 1)}
    return [
        f"Answer {number} has {count} words; {ANSWER_WORDS} are the most."
        for number, count in counts.items()
        if count > ANSWER_WORDS
    ]


# Corrections


def _fit_title(wanted: str, title: str, beginning: Sequence[str]) -> str:
    """The first candidate that fits as it is; else the longest, truncated or completed."""
    whole = [wanted, *_parts(wanted), title, *_parts(title)]
    if wanted.casefold() not in title.casefold():
        whole.append(f"{wanted}: {title}")
    for candidate in whole:
        if _fits(candidate, TITLE):
            return candidate
    longest = max(wanted, title, key=display_width)
    if display_width(longest) < TITLE.low and beginning:
        longest = f"{longest}: {beginning[0]}".lstrip(": ")
    return truncate(longest, TITLE)


def _fit_description(wanted: str, beginning: Sequence[str]) -> str:
    """Unchanged, cut to whole sentences, or completed with sentences of the text; truncated if none of these fits."""
    if _fits(wanted, DESCRIPTION):
        return wanted
    shortened = _whole_sentences(wanted, DESCRIPTION.high)
    if _fits(shortened, DESCRIPTION):
        return shortened
    if display_width(wanted) > DESCRIPTION.high:
        return truncate(wanted, DESCRIPTION)
    ended = wanted if SENTENCE_END.search(wanted) else f"{wanted}."
    further = [sentence for sentence in beginning if sentence not in wanted]
    if not further:
        return wanted
    longer = list(accumulate([ended, *further], _joined))
    whole = [*longer, *(_joined(ended, sentence) for sentence in further)]
    return next((text for text in whole if _fits(text, DESCRIPTION)), truncate(longer[-1], DESCRIPTION))


def _fit_slug(wanted: str, title: str) -> str:
    """``wanted``, or the last part of it if it is a URL; the title's slug if that has enough words and ``wanted`` has not."""
    slug, of_title = slug_of(wanted.strip("/ ").rpartition("/")[2]), slug_of(title)
    fitting = (each for each in (slug, of_title) if not _slug_problems(each))
    return next(fitting, max(of_title, slug, key=lambda each: each.count("-")))


def _fit_keywords(keywords: Iterable[str]) -> list[str]:
    named: dict[str, str] = {}
    for keyword in (_plain(each).rstrip(" .") for each in keywords):
        if keyword and len(keyword) <= KEYWORD_LENGTH:
            named.setdefault(keyword.casefold(), keyword)
    return list(named.values())[: KEYWORDS.high]


def _fit_answers(faq: Iterable[FAQItem]) -> list[FAQItem]:
    """One answer per question, of at most 60 words."""
    answers = {_plain(one.question): _short_answer(_plain(one.answer)) for one in faq}
    kept = [FAQItem(question=question, answer=answer) for question, answer in answers.items() if question and answer]
    return kept[:QUESTIONS]


def _short_answer(answer: str) -> str:
    if count_plain_words(answer) <= ANSWER_WORDS:
        return answer
    ends = [end for _, end in sentences(answer) if count_plain_words(answer, 0, end) <= ANSWER_WORDS]
    if ends:
        return answer[: ends[-1]]
    last = list(WORD.finditer(answer))[ANSWER_WORDS - 1]
    return answer[: last.end()] + "…"


def _fits(text: str, limits: Range) -> bool:
    return limits.low <= display_width(text) <= limits.high


def _parts(title: str) -> list[str]:
    """The beginnings of ``title`` that end at a colon, dash or similar, longest first."""
    return [title[: end.start()] for end in _PART_END.finditer(title)][::-1]


def _whole_sentences(text: str, limit: int) -> str:
    ends = [end for _, end in sentences(text) if display_width(text[:end]) <= limit]
    return text[: ends[-1]] if ends else ""


def _joined(one: str, other: str) -> str:
    """Two sentences as one text, without a space between them in Chinese and Japanese."""
    return one + other if one[-1:] in tuple(WIDE_STOPS) else f"{one} {other}".strip()


def truncate(text: str, limits: Range) -> str:
    """``text`` cut to ``limits.high`` characters with an ellipsis, after a whole word if possible."""
    if display_width(text) <= limits.high:
        return text
    fitting = sum(1 for end in accumulate(map(display_width, text)) if end < limits.high)
    shortened = text[:fitting]
    at_word = shortened if text[fitting].isspace() else shortened.rpartition(" ")[0]
    kept = at_word if display_width(at_word) >= limits.low else shortened
    return kept.rstrip(f" .–—-(“«。{PAUSES}") + "…"


def _plain(text: str) -> str:
    """``text`` on one line without marks, footnotes and emphasis."""
    return " ".join(_MARKUP.sub("", strip_footnotes(strip_unknown_marks(text, ()))).split())


def _beginning(text: str) -> list[str]:
    """The first sentences of a Markdown text's paragraphs: no headings, lists or quotations."""
    found: list[str] = []
    for paragraph in paragraphs(strip_footnotes(strip_unknown_marks(text, ()))):
        line = _plain(paragraph)
        found += [line[start:end] for start, end in sentences(line)]
        if len(found) >= SENTENCES:
            break
    return found[:SENTENCES]
