"""Decodes documents and cleans their text: removes invisible characters, joins hard-wrapped lines."""

from __future__ import annotations

import codecs
import re
import unicodedata
from itertools import pairwise

MAX_CHARACTERS = 400_000
LONGEST_TITLE = 200

# Control and format characters, lone surrogates, and invisible "tag" characters that can hide instructions to a model.
# U+200C and U+200D stay: some scripts and emoji need them.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
BREAK = re.compile("\r\n?|[\x0c\u2028\u2029]")
SPACES = re.compile(r"[^\S\n]+")
BLANK_LINES = re.compile(r"\n(?: ?\n){2,}")
RULE = re.compile(r"([^\w\s])\1{9,}")  # a line drawn with repeated characters
META_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset=[\"']?([\w-]{2,40})", re.IGNORECASE)
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
LIST_ITEM = re.compile(r"\s*(?:[-*+•–·]\s|\(?\w{1,3}[.)]\s|#)")


def decode(body: bytes, charset: str = "", *, markup: bool = False) -> str:
    """Decodes by byte order mark, declared charset, UTF-8, or a guess. Never fails: broken characters are replaced."""
    charsets = [name for mark, name in BOMS if body.startswith(mark)] + [charset]
    if markup and (declared := META_CHARSET.search(body[:4096])):
        charsets.append(declared[1].decode("ascii"))
    for name in filter(None, [*charsets, "utf-8"]):
        try:
            return body.decode(name)
        except (LookupError, UnicodeError, ValueError):
            continue
    from trafilatura.utils import detect_encoding

    return body.decode(next(iter(detect_encoding(body)), "utf-8"), errors="replace")


def tidy(text: str) -> str:
    """Removes invisible characters, normalises to NFC, collapses spaces, keeps paragraphs, and cuts at ``MAX_CHARACTERS``."""
    text = INVISIBLE.sub("", BREAK.sub("\n", text[: 2 * MAX_CHARACTERS]))
    text = SPACES.sub(" ", unicodedata.normalize("NFC", text))
    text = BLANK_LINES.sub("\n\n", RULE.sub(r"\1\1\1", text))
    return "\n".join(line.strip() for line in text.split("\n")).strip()[:MAX_CHARACTERS].strip()


def one_line(text: str) -> str:
    return " ".join(tidy(text[: 4 * LONGEST_TITLE]).split())[:LONGEST_TITLE]


def first_words(text: str, count: int = 10) -> str:
    """The beginning of a text, used as its title if it has none."""
    words = text[: 4 * LONGEST_TITLE].split()
    return one_line(" ".join(words[:count])) + (" …" if len(words) > count else "")


def is_hard_wrapped(text: str) -> bool:
    """Whether lines break at a fixed width, as in e-mails, rather than at paragraphs."""
    lengths = sorted(len(line) for line in text.split("\n") if line.strip())
    if len(lengths) < 5:
        return False
    return lengths[-1] <= 120 and lengths[len(lengths) // 2] >= 45 and lengths[-1] - lengths[len(lengths) // 2] <= 25


def unwrap(text: str) -> str:
    """Joins the lines of each paragraph, and words hyphenated at the end of a line."""
    lines = text.split("\n")
    width = _line_width(lines)
    joined = lines[:1]
    for previous, line in pairwise(lines):
        if not previous.strip() or not line.strip() or _starts_paragraph(previous, line, width):
            joined.append(line)
        elif previous.endswith("-") and previous[-2:-1].isalpha() and line[:1].islower():
            joined[-1] = joined[-1][:-1] + line
        else:
            joined[-1] += " " + line
    return "\n".join(joined)


def _line_width(lines: list[str]) -> int:
    """The 90th percentile of the line lengths."""
    lengths = sorted(len(line) for line in lines if line.strip())
    return lengths[len(lengths) * 9 // 10] if lengths else 0


def _starts_paragraph(previous: str, line: str, width: int) -> bool:
    """Whether ``line`` begins a paragraph: a list item, or after a short line that ended a sentence or was a heading."""
    if LIST_ITEM.match(line):
        return True
    if line[:1].islower():
        return False
    ended = previous.rstrip()[-1] in '.!?…:"”»)'
    return len(previous) < (0.85 if ended else 0.6) * width
