"""The syntax of an article's text: ends of sentences, citation marks (``[S3]``) and footnotes (``[^1]``).

Every pattern for one of these is here or built from the parts here. While an article is written, its sentences carry citation
marks that name passages; ``agents.text.citations`` turns them into footnotes at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Sentences. AMBIGUOUS_STOPS also occur within one (3.5, e.g., U.S.); no space follows WIDE_STOPS, which Chinese and Japanese use.

AMBIGUOUS_STOPS = ".!?…"
SPACED_STOPS = AMBIGUOUS_STOPS + "।॥؟۔։።။។"
WIDE_STOPS = "。．！？｡"
STOPS = SPACED_STOPS + WIDE_STOPS
PAUSES = ",;:،؛、，；："

CLOSERS = r"\"'”’“‘»›)\]」』）"
"""Quotation marks and brackets that may close behind a stop, for use in a character class."""

SENTENCE_END = re.compile(rf"(?P<stop>[{STOPS}]+)(?P<closers>[{CLOSERS}]*)\Z")

# Citation marks, as the studio writes them.

_IDS = r"S\d{1,5}(?:, ?S\d{1,5})*"
CITATION = rf"\[{_IDS}\]"
CITATION_MARK = re.compile(rf"\[(?P<ids>{_IDS})\]")


def citation_mark(ids: Iterable[str]) -> str:
    """``["S3", "S4"]`` → ``[S3, S4]``."""
    return f"[{', '.join(ids)}]"


# Footnotes. A definition goes on in lines that are indented.

_LABEL = r"[^\[\]\s]{1,80}"
FOOTNOTE = rf"\[\^{_LABEL}\]"
FOOTNOTE_REFERENCE = re.compile(rf"(?<!\\)\[\^(?P<label>{_LABEL})\]")
FOOTNOTE_DEFINITION = re.compile(
    rf"^[ ]{{0,3}}\[\^(?P<label>{_LABEL})\]:(?P<text>.*(?:\n(?:[ ]{{4}}|\t).*)*)\n?", re.MULTILINE
)
NUMBERED_FOOTNOTES = r"(?:\[\^\d{1,4}\])+"
"""Adjacent footnotes as ``agents.text.citations`` compiles them."""

SOURCE_NOTE = re.compile(r"\[\d{1,3}\]")
"""A note number in the text of a source, as encyclopedias have them."""

TRAILING_MARKS = rf"(?:\s?(?:{CITATION}|{FOOTNOTE}))*"

# Citation marks as models write them:
# [S3]  [S3, S4 and S5]  [S3-S5]  [see S3]  [S3, p. 4]  [^S3]  【S3】  ［S3］  (S3)  （S3）, and links such as [S3](https://…)

_PAGE = r"(?:[,:]?\s?(?:pp?\.?|pages?|S\.|§|para\.?|lines?)\s?[0-9]{1,4}(?:[–-][0-9]{1,4})?)"
_ONE = rf"[Ss]\ ?[0-9]{{1,5}}{_PAGE}?[.?]?"
# Each separator can be matched in one way only: two ways would double the work with every item of a long list.
_SEPARATOR = r"(?:\s?[,;、，；&/|+–—-]\s?|\s)?(?:(?:and|und|et|y|e|en|och|og|и|và|和|及|と)\s?)?"
_OPENING = (
    r"(?i:(?:see(?:\ also)?|cf\.?|sources?|passages?|refs?\.?|references?|ids?|quellen?|siehe|voir|fuentes?|nguồn|来源|参见|出典)"
    r"[:：]?\s?)?"
)
_LIST = rf"{_OPENING}{_ONE}(?:{_SEPARATOR}{_ONE})*"
_SQUARE = rf"(?:\[\^?\s?{_LIST}\s?\]|【\s?{_LIST}\s?】|［\s?{_LIST}\s?］|\{{\s?{_LIST}\s?\}})(?:\((?:https?:|[#/])[^()\s]*\))?"
# Round brackets behind a name are a call, and behind square brackets the target of a link.
_ROUND = rf"(?<![A-Za-z0-9_\])])\((?=[^()\n]{{0,40}}S[0-9]){_LIST}\)|（{_LIST}）"
_MARK = rf"(?<!\\)(?:{_SQUARE}|{_ROUND})"
_MARKS = rf"{_MARK}(?:[ \t]{{0,3}}[,;]?[ \t]{{0,3}}{_MARK})*"
LOOSE_MARKS = re.compile(
    rf"(?P<space>(?:(?<![ \t\u00a0])[ \t\u00a0]+)?)(?P<marks>{_MARKS})"
    rf"(?P<stop>[{STOPS}{PAUSES}]*)(?P<more>(?:[ \t]{{0,3}}{_MARKS})?)"
)
"""Adjacent marks with the space before them, the stop behind them, and the marks behind that stop."""

LOOSE_IDS = re.compile(r"(?<![A-Za-z])[Ss]\ ?([0-9]{1,5})(?:\s?[–—-]\s?[Ss]\ ?([0-9]{1,5}))?")
LINK_TARGET = re.compile(r"(?<=\])\([^()]*\)")

# What models add of their own: [0] or [2, 5], unless it is the target of a link or an index. Directly behind a word it is an
# index, except at the end of a sentence.
_DIGITS = r"[0-9]{1,3}(?:\s?[,;–-]\s?[0-9]{1,3})*"
_NUMBERS = rf"(?:\[ ?{_DIGITS} ?\]|\[\[{_DIGITS}\]\]|【 ?{_DIGITS}(?:†[^】\n]{{0,40}})? ?】)"
_STRAYS = rf"{_NUMBERS}(?:[ \t]?{_NUMBERS})*(?![(:]|\[(?!\^?S[0-9]))"
STRAY_CITATION = re.compile(
    rf"(?:(?<![ \t=])[ \t]+|(?<![\w\]\\!=\s])|(?<=[^\W\x00-\x7f])|^){_STRAYS}"
    rf"|(?<=[A-Za-z0-9]){_STRAYS}(?=[{STOPS}]*(?:\s|\Z))(?![ \t]+\w)",
    re.MULTILINE,
)

# What they write out: (Source 1), [Quelle 2], (see sources 1 and 3). Sources have no numbers before the text is finished.
_SOURCE_NUMBERS = r"#?[0-9]{1,3}(?:\s?(?:[,;–-]|and|und|et|y|e)\s?#?[0-9]{1,3}){0,20}"
WORDED_CITATION = re.compile(
    r"(?:(?<![ \t])[ \t]+)?(?:\[|\(|【|（)(?:see\s|siehe\s|cf\.?\s|vgl\.?\s)?"
    r"(?:sources?|passages?|references?|refs?\.?|citations?|quellen?|fuentes?|fonti|bron|nguồn|来源|出典)\s?"
    rf"{_SOURCE_NUMBERS}(?:\]|\)|】|）)(?!\()",
    re.IGNORECASE,
)
LOOSE_FOOTNOTE_REFERENCE = re.compile(rf"(?P<space>(?:(?<![ \t])[ \t]+)?)\\?\[\^(?P<label>{_LABEL})\]")
LOOSE_DEFINITION = re.compile(
    r"^(?:[ \t>]|[*+-][ \t]|[0-9]{1,9}[.)][ \t])*"
    r"\[(?:\^(?P<label>[^\]\s]+)\]:|[Ss][0-9]{1,5}\]:[ \t]*<?https?:).*(?:\n(?:[ ]{4}|\t).*)*\n?",
    re.MULTILINE,
)
"""The definition of a footnote, also within a list or quotation, or of a link: ``[S3]: https://…``."""
