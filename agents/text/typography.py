"""Quotation marks in the style of a language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agents.text.locales import entry_for
from agents.text.markdown import mask_code, split_blocks
from agents.text.tokenizer import CJK


@dataclass(frozen=True)
class QuoteStyle:
    """``outer`` and ``inner`` are the marks of a quotation and of one within it, as ``(opening, closing)``.

    ``also`` are pairs, such as ``»«``, that are as right in this language and are therefore kept.
    """

    outer: tuple[str, str]
    inner: tuple[str, str]
    also: frozenset[str] = frozenset()


def _style(outer: str, inner: str, also: str = "") -> QuoteStyle:
    """``outer`` and ``inner``: the opening and the closing mark around a bar."""
    (opening, _, closing), (inner_opening, _, inner_closing) = outer.partition("|"), inner.partition("|")
    return QuoteStyle((opening, closing), (inner_opening, inner_closing), frozenset(also.split()))


_ENGLISH = _style("“|”", "‘|’")
_LOW_HIGH = _style("„|“", "‚|‘", "»«")
_LOW_RIGHT = _style("„|”", "’|’", "»« «»")
_RIGHT_RIGHT = _style("”|”", "’|’", "»« »»")
_CORNERS = _style("「|」", "『|』")

_STYLES: Mapping[str, QuoteStyle] = MappingProxyType(
    {
        **dict.fromkeys(("en", "hi", "id", "ko", "th", "tr", "vi", "zh-Hans", "es-MX", "pt-BR"), _ENGLISH),
        **dict.fromkeys(("bg", "cs", "de", "et", "lt", "sk", "sl", "sr"), _LOW_HIGH),
        **dict.fromkeys(("de-CH", "de-LI", "it-CH"), _style("«|»", "‹|›")),
        **dict.fromkeys(("hr", "lv", "pl"), _LOW_RIGHT),
        **dict.fromkeys(("hu", "ro"), _style("„|”", "«|»")),
        **dict.fromkeys(("da", "fi", "sv"), _RIGHT_RIGHT),
        **dict.fromkeys(("ja", "zh-Hant"), _CORNERS),
        **dict.fromkeys(("ca", "el", "es", "it", "pt"), _style("«|»", "“|”", "“”")),
        "fr": _style("«\u00a0|\u00a0»", "“|”"),
        "fr-CH": _style("«\u202f|\u202f»", "‹\u202f|\u202f›"),
        "nb": _style("«|»", "‘|’"),
        "nl": _style("“|”", "‘|’", "„”"),
        **dict.fromkeys(("ru", "uk"), _style("«|»", "„|“")),
    }
)
"""After the Unicode CLDR. Languages in which common use and the CLDR differ, such as Arabic and Hebrew, are not changed."""

_UNTOUCHED = re.compile(r"\\.|\]\([^()\n]{0,2000}\)|<[^<>\n]{0,2000}>|\bhttps?://[^\s\"“”„«»]{1,2000}")
"""What escapes, links and tags consist of. Attributes outside of a tag are recognised by their equals sign."""

# A mark that could open as well as close has to stand at the edge of a word. Scripts without spaces have no such edges.
_BEFORE, _AFTER = rf"(?:(?<![\w=])|(?<=[{CJK}]))", rf"(?:(?!\w)|(?=[{CJK}]))"
_QUOTATION = re.compile(
    r"„(?P<low>[^„“”|]+)[“”]|«(?P<angles>[^«»|]+)»|»(?P<reversed>[^«»|\s](?:[^«»|]*[^«»|\s])?)«|「(?P<corners>[^「」|]+)」"
    rf"|{_BEFORE}(?:“(?P<high>[^“”„|\s](?:[^“”„|]*[^“”„|\s])?)”|”(?P<right>[^“”„|\s](?:[^“”„|]*[^“”„|\s])?)”"
    rf"|\"(?P<straight>[^\"|\s](?:[^\"|]*[^\"|\s])?)\"){_AFTER}"
)
_INNER = re.compile(r"(?<!\w)‘([^‘’]+)’(?!\w)")
_INCHES = re.compile(r"(?<=\d)\"")


def localize_quotes(markdown: str, language: str) -> str:
    """``markdown`` with the quotation marks of ``language``, a BCP 47 tag, where it is certain which marks are a pair.

    A pair stands in one paragraph, item or cell. Headings, code, links, tags and escaped characters are left alone, as are
    single marks outside of a quotation, which may be apostrophes, and straight marks of a paragraph with an odd one.
    """
    style = entry_for(language, _STYLES, None)
    if style is None:
        return markdown
    blocks = split_blocks(markdown, {"fence", "code_block", "inline"})
    return "".join(_localized(block, style) if kind == "inline" else block for block, kind in blocks)


def _localized(block: str, style: QuoteStyle) -> str:
    if block.lstrip(" \t>").startswith("#"):
        return block
    masked = _UNTOUCHED.sub(lambda found: "x" * len(found[0]), mask_code(block))
    quotations = list(_QUOTATION.finditer(masked))
    straight = sum(quotation["straight"] is not None for quotation in quotations)
    is_certain = masked.count('"') - len(_INCHES.findall(masked)) == 2 * straight
    changed: list[str] = []
    at = 0
    for quotation in quotations:
        if quotation["straight"] is None or is_certain:
            start, end = quotation.span()
            changed += [block[at:start], _requoted(block[start:end], style)]
            at = end
    return "".join((*changed, block[at:]))


def _requoted(quotation: str, style: QuoteStyle) -> str:
    """``quotation`` with its marks, the first and the last character, in another style."""
    marks, words = quotation[0] + quotation[-1], quotation[1:-1].strip()
    opening, closing = style.outer
    if marks in style.also or (marks == opening[0] + closing[-1] and quotation == f"{opening}{words}{closing}"):
        return quotation
    inner_opening, inner_closing = style.inner
    return opening + _INNER.sub(rf"{inner_opening}\1{inner_closing}", words) + closing
