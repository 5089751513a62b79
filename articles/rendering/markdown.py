"""Renders an article's Markdown to safe HTML. No other module does.

The text was written by a model, quoted from the web or typed by a person, so it is untrusted: raw HTML is shown as text, and the
result is sanitised. It contains no style attributes and no external images, as the Content Security Policy requires.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import nh3
from django.utils.html import escape, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.footnote import footnote_plugin

from agents.text.chart import parse_chart
from agents.text.markdown import block_text, is_too_large, leveled
from agents.text.reference_words import reference_words
from agents.text.syntax import FOOTNOTE_REFERENCE
from articles.rendering import annotations as annotation_rules
from articles.rendering.annotations import Annotation, Annotations
from articles.rendering.chart import chart_svg
from articles.rendering.repeated_citations import mark_repeated

MEDIA_PREFIX = "/media/"

MAX_LINKIFIED_WORD = 2000
LONG_WORD = re.compile(rf"\S{{{MAX_LINKIFIED_WORD + 1}}}")

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def to_html(markdown: str, *, language: str = "en", prefix: str = "a", images: bool = True) -> SafeString:
    """Safe HTML for a page that has its own h1.

    Every id starts with ``prefix`` (a letter, then letters, digits and hyphens), so that one page can show two texts. Headings
    get levels from h2 without gaps; footnotes become a list at the end, with a heading in ``language``, a BCP 47 tag. Without
    ``images``, their alt texts replace them, for files that are read elsewhere.
    """
    return _to_html(markdown, {"docId": prefix, "images": images, "words": reference_words(language)})


@dataclass(frozen=True)
class AnnotatedHtml:
    """``found`` are the refs of the annotations whose sentence is in the text.

    ``footnotes`` has the number that each footnote is shown with, by its label in the Markdown; not those nothing refers to.
    ``undefined`` has the labels of references without a footnote, in the order of the text.
    """

    html: SafeString
    found: set[str]
    footnotes: dict[str, int]
    undefined: list[str]


def to_annotated_html(
    markdown: str, annotations: Iterable[Annotation], *, language: str = "en", prefix: str = "a"
) -> AnnotatedHtml:
    """Like ``to_html``, with the annotated sentences marked."""
    marks = Annotations(annotations)
    env: dict[str, Any] = {
        "docId": prefix,
        "images": True,
        "words": reference_words(language),
        "annotations": marks,
    }
    html = _to_html(markdown, env)
    footnotes = env.get("footnotes", {}).get("refs", {})  # ":label" → index, or -1 if nothing refers to it
    numbers = {label[1:]: index + 1 for label, index in footnotes.items() if index >= 0}
    return AnnotatedHtml(html, marks.found, numbers, list(dict.fromkeys(env.get("undefined", []))))


def undefined_references(markdown: str) -> list[str]:
    """Labels of references such as ``[^9]`` that have no footnote."""
    return to_annotated_html(markdown, []).undefined


def _to_html(markdown: str, env: dict[str, Any]) -> SafeString:
    if is_too_large(markdown):
        return mark_safe(linebreaks(markdown, autoescape=True))  # noqa: S308 — escaped by linebreaks
    html = _CLEANER.clean(_MARKDOWN.render(printable(markdown), env))
    # The sanitiser knows no SVG: charts, which escape every text, are inserted after it.
    for index, chart in enumerate(env.get("charts", ())):
        html = html.replace(f"<p>{_placeholder(env, index)}</p>\n", chart)
    return mark_safe(html)  # noqa: S308 — sanitised by nh3


def printable(text: str) -> str:
    """``text`` without control characters and lone surrogates, which HTML and XML do not allow."""
    return UNPRINTABLE.sub("", text)


# Core rules: change the tokens before they are rendered


def _level_headings(state: StateCore) -> None:
    """Gives headings ids, and levels from 2 without gaps, as screen readers need. Drops empty ones."""
    tokens = state.tokens
    opening = [index for index, token in enumerate(tokens) if token.type == "heading_open"]
    empty = {index for index in opening if not block_text(tokens[index + 1]).strip()}
    kept = [index for index in opening if index not in empty]
    ids: Counter[str] = Counter()
    for index, level in zip(kept, leveled([int(tokens[index].tag[1:]) for index in kept], top=2), strict=True):
        heading, inline, closing = tokens[index : index + 3]
        heading.tag = closing.tag = f"h{min(level, 6)}"
        slug = slugify(block_text(inline).strip(), allow_unicode=True) or "section"
        heading.attrSet("id", _unique(f"{state.env['docId']}-h-{slug}", ids))
    dropped = {index + part for index in empty for part in range(3)}
    state.tokens = [token for index, token in enumerate(tokens) if index not in dropped]


def _unique(id: str, used: Counter[str]) -> str:
    """``id``, or the first of ``id-2``, ``id-3`` … that is not used yet."""
    free = id
    while used[free]:
        used[id] += 1  # continue here next time: without it, many equal headings would take quadratic time
        free = f"{id}-{used[id]}"
    used[free] = 1
    return free


def _name_links(state: StateCore) -> None:
    """Gives links without text their address as text, so that they can be seen, heard and followed."""
    for block in state.tokens:
        children = block.children or []
        for index in range(len(children) - 1, 0, -1):
            opening, closing = children[index - 1 : index + 1]
            if opening.type == "link_open" and closing.type == "link_close":
                children.insert(index, Token("text", "", 0, content=str(opening.attrGet("href"))))


# Inline rules: read a part of a line


def _undefined_reference(state: StateInline, silent: bool) -> bool:
    """A reference without a footnote, which the footnote plugin leaves as text."""
    match = FOOTNOTE_REFERENCE.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push("undefined_reference", "", 0).meta = {"label": match["label"]}
        state.env.setdefault("undefined", []).append(match["label"])
    state.pos = match.end()
    return True


# Render rules: write a token as HTML


def _cell(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """Alignment becomes a class, because the Content Security Policy forbids style attributes."""
    if style := tokens[index].attrGet("style"):
        tokens[index].attrs = {"class": f"ta-{str(style).rpartition(':')[2]}"}
    return self.renderToken(tokens, index, options, env)


def _table(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """The box scrolls on narrow screens; ``tabindex`` lets the keyboard scroll it."""
    return '<div class="table-box" role="region" aria-label="Table" tabindex="0"><table>\n'


def _table_end(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "</table></div>\n"


def _fence(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """A chart as a placeholder, which is replaced after the sanitiser; any other block as code."""
    chart = parse_chart(tokens[index].content) if tokens[index].info.strip() == "chart" else None
    if chart is None:
        return _code(self, tokens, index, options, env)
    charts = env.setdefault("charts", [])
    charts.append(chart_svg(chart, f"{env['docId']}-chart{len(charts) + 1}"))
    return f"<p>{_placeholder(env, len(charts) - 1)}</p>\n"


def _placeholder(env: EnvType, index: int) -> str:
    """A word that no text can contain, because it is random."""
    return f"{env.setdefault('chartKey', secrets.token_hex(16))}-{index}"


def _code(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """``tabindex`` lets the keyboard scroll long lines."""
    return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


def _is_own_media(address: str) -> bool:
    """Images from other sites are not shown: those sites would learn who reads the article."""
    return address.startswith(MEDIA_PREFIX) and ".." not in address


def _image(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """The image, or its alt text."""
    if env["images"] and _is_own_media(str(tokens[index].attrGet("src"))):
        return self.image(tokens, index, options, env)
    return f"<em>{escape(tokens[index].content)}</em>"


def _reference_id(meta: dict[str, int]) -> str:
    """``3`` for the first reference to footnote 3, ``3-2`` for the second."""
    number = str(meta["id"] + 1)
    return f"{number}-{meta['subId'] + 1}" if meta["subId"] else number


def _footnote_reference(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    prefix, meta = env["docId"], tokens[index].meta
    number = meta["id"] + 1
    title = f' title="{escape(meta["quote"])}"' if meta.get("quote") else ""
    label = escape(env["words"].reference.format(number))
    kind = "footnote-ref is-repeated" if meta.get("repeated") else "footnote-ref"
    return (
        f'<sup class="{kind}"><a href="#{prefix}-fn{number}" id="{prefix}-fnref{_reference_id(meta)}"'
        f' aria-label="{label}"{title}>{number}</a></sup>'
    )


def _undefined(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    label = escape(tokens[index].meta["label"])
    return f'<sup class="undefined-reference" title="Reference {label} has no footnote">{label}?</sup>'


def _footnotes(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    id, heading = f"{env['docId']}-references", escape(env["words"].heading)
    return (
        f'<section class="footnotes" role="doc-endnotes" aria-labelledby="{id}">\n<h2 id="{id}">{heading}</h2>\n<ol>\n'
    )


def _footnotes_end(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "</ol>\n</section>\n"


def _footnote(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return f'<li id="{env["docId"]}-fn{tokens[index].meta["id"] + 1}">'


def _footnote_end(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "</li>\n"


def _footnote_back_link(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    reference = _reference_id(tokens[index].meta)
    label = escape(env["words"].back.format(reference))
    # U+FE0E keeps phones from showing the arrow as an emoji.
    return f' <a href="#{env["docId"]}-fnref{reference}" class="footnote-backref" aria-label="{label}">\u21a9\ufe0e</a>'


RULES = {
    "table_open": _table,
    "table_close": _table_end,
    "th_open": _cell,
    "td_open": _cell,
    "image": _image,
    "fence": _fence,
    "code_block": _code,
    "footnote_ref": _footnote_reference,
    "undefined_reference": _undefined,
    "footnote_block_open": _footnotes,
    "footnote_block_close": _footnotes_end,
    "footnote_open": _footnote,
    "footnote_close": _footnote_end,
    "footnote_anchor": _footnote_back_link,
    **annotation_rules.RULES,
}


class _BoundedLinkify(LinkifyIt):  # type: ignore[misc]  # linkify-it-py has no type hints
    """Finds bare URLs, except in paragraphs with a word of more than ``MAX_LINKIFIED_WORD`` characters.

    Its search is quadratic in the length of a word: 175,000 characters of ``//a.b/(`` took 76 s.
    """

    def pretest(self, text: str) -> bool:
        return bool(super().pretest(text)) and not LONG_WORD.search(text)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "maxNesting": 20})
    parser.enable(["table", "strikethrough", "linkify"]).use(footnote_plugin, inline=False)
    # Only complete URLs: "Node.js" and "e.g.this" are no links.
    parser.linkify = _BoundedLinkify(options={"fuzzy_link": False, "fuzzy_email": False})
    # The inline rule searches all the text before each colon again; the core rule finds the same links once.
    parser.inline.ruler.disable("linkify")
    parser.inline.ruler.after("footnote_ref", "undefined_reference", _undefined_reference)
    parser.core.ruler.push("level_headings", _level_headings)
    parser.core.ruler.push("name_links", _name_links)
    parser.core.ruler.push("mark_repeated", mark_repeated)
    parser.core.ruler.push("annotate", annotation_rules.annotate)
    for name, rule in RULES.items():
        parser.add_render_rule(name, rule)
    return parser


def _own_media_only(tag: str, attribute: str, value: str) -> str | None:
    return None if attribute == "src" and not _is_own_media(value) else value


_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_MARKDOWN = _parser()
_CLEANER = nh3.Cleaner(
    tags={"p", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "s", "a", "img", "hr", "br", "div"}
    | {"table", "thead", "tbody", "tr", "th", "td", "sup", "span", "section", *_HEADINGS},
    attributes={
        "a": {"href", "title", "id", "aria-label"},
        "img": {"src", "alt", "title"},
        "ol": {"start"},
        "li": {"id"},
        "pre": {"tabindex"},
        "div": {"role", "aria-label", "tabindex"},
        "section": {"role", "aria-labelledby"},
        "sup": {"title"},
        **{heading: {"id"} for heading in _HEADINGS},
    },
    allowed_classes={
        "sup": {"footnote-ref", "is-repeated", "undefined-reference"},
        "section": {"footnotes"},
        "a": {"footnote-backref", "evidence-link", "is-supported", "is-partly", "is-not", "is-edited"},
        "span": {"doubted", "is-partly", "is-not", "is-edited"},
        "div": {"table-box"},
        "th": {"ta-left", "ta-right", "ta-center"},
        "td": {"ta-left", "ta-right", "ta-center"},
    },
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener nofollow ugc",
    attribute_filter=_own_media_only,
)
