"""The one place where Markdown becomes HTML.

What is rendered was written by a model, quoted from the web or typed by a person: all of it is hostile. Raw HTML is
shown as text, the result is sanitised, and it holds under ``style-src 'self'; img-src 'self'`` because no style
attribute and no foreign picture ever leaves this module.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import nh3
from django.utils.html import escape, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.footnote import footnote_plugin

from agents.text.markdown import block_text, is_too_large, leveled
from articles.rendering import annotations as annotation_rules
from articles.rendering.annotations import Annotation, Annotations

MEDIA_PREFIX = "/media/"

MAX_LINKIFIED_WORD = 2000
LONG_WORD = re.compile(rf"\S{{{MAX_LINKIFIED_WORD + 1}}}")

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def to_html(markdown: str, *, prefix: str = "a", pictures: bool = True) -> SafeString:
    """Safe HTML to be shown inside a page that has its own h1.

    ``prefix`` (a letter, then letters, digits and hyphens) begins every id, so that two texts can stand in one page.
    Headings are brought to h2 and below without gaps; footnotes become a labelled list at the end. Without ``pictures``
    their descriptions stand in for them, for a page that is read away from the studio.
    """
    return _to_html(markdown, {"docId": prefix, "pictures": pictures})


def to_annotated_html(markdown: str, of: Iterable[Annotation], *, prefix: str = "a") -> tuple[SafeString, set[str]]:
    """Like ``to_html``, with what was found of its sentences marked in it; and the refs of those that stand in it."""
    annotations = Annotations(of)
    html = _to_html(markdown, {"docId": prefix, "pictures": True, "annotations": annotations})
    return html, annotations.found


def _to_html(markdown: str, env: dict[str, Any]) -> SafeString:
    if is_too_large(markdown):
        return mark_safe(linebreaks(markdown, autoescape=True))  # noqa: S308 — escaped by linebreaks
    return mark_safe(_CLEANER.clean(_MARKDOWN.render(printable(markdown), env)))  # noqa: S308 — sanitised by nh3


def printable(text: str) -> str:
    """The text without control characters and lone surrogates, which neither HTML nor XML may hold."""
    return UNPRINTABLE.sub("", text)


# Shaping them before they are rendered


def _level_headings(state: StateCore) -> None:
    """Give headings ids, and levels that begin at 2 and never skip one, as screen readers need. Drop empty ones."""
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


def _unique(id: str, taken: Counter[str]) -> str:
    """``id``, or the first of ``id-2``, ``id-3`` … that is not taken; it is taken then."""
    free = id
    while taken[free]:
        taken[id] += 1  # where to look next time, so that a thousand headings of one name are no million look-ups
        free = f"{id}-{taken[id]}"
    taken[free] = 1
    return free


def _name_links(state: StateCore) -> None:
    """Let a link without words show its address: one that nobody can see or hear cannot be followed."""
    for block in state.tokens:
        children = block.children or []
        for place in range(len(children) - 1, 0, -1):
            opening, closing = children[place - 1 : place + 1]
            if opening.type == "link_open" and closing.type == "link_close":
                children.insert(place, Token("text", "", 0, content=str(opening.attrGet("href"))))


# How a token is written


def _cell(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """A table cell whose alignment is a class: a style attribute would be refused by the Content Security Policy."""
    if style := tokens[index].attrGet("style"):
        tokens[index].attrs = {"class": f"ta-{str(style).rpartition(':')[2]}"}
    return self.renderToken(tokens, index, options, env)


def _table(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """A table in a box of its own, which scrolls where the screen is narrow and is reached by keyboard."""
    return '<div class="table-box" role="region" aria-label="Table" tabindex="0"><table>\n'


def _table_end(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "</table></div>\n"


def _code(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """A code block reached by keyboard, as long lines scroll."""
    return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


def _is_ours(address: str) -> bool:
    """Pictures come from our own media: any other address would tell a stranger who reads the article."""
    return address.startswith(MEDIA_PREFIX) and ".." not in address


def _picture(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """A picture of ours, or the words that stand in for it."""
    if env["pictures"] and _is_ours(str(tokens[index].attrGet("src"))):
        return self.image(tokens, index, options, env)
    return f"<em>{escape(tokens[index].content)}</em>"


def _mention(meta: dict[str, int]) -> str:
    """``3`` for the first mention of note 3, ``3-2`` for the second: one part of an id and of a label."""
    number = str(meta["id"] + 1)
    return f"{number}-{meta['subId'] + 1}" if meta["subId"] else number


def _note_mark(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    prefix, meta = env["docId"], tokens[index].meta
    number = meta["id"] + 1
    title = f' title="{escape(meta["quote"])}"' if meta.get("quote") else ""
    return (
        f'<sup class="footnote-ref"><a href="#{prefix}-fn{number}" id="{prefix}-fnref{_mention(meta)}"'
        f' aria-label="Reference {number}"{title}>{number}</a></sup>'
    )


def _notes(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return '<section class="footnotes" role="doc-endnotes" aria-label="References">\n<ol>\n'


def _notes_end(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "</ol>\n</section>\n"


def _note(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return f'<li id="{env["docId"]}-fn{tokens[index].meta["id"] + 1}">'


def _note_end(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return "</li>\n"


def _note_back(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    mention = _mention(tokens[index].meta)
    # U+FE0E keeps phones from drawing the arrow as a picture.
    return (
        f' <a href="#{env["docId"]}-fnref{mention}" class="footnote-backref"'
        f' aria-label="Back to reference {mention}">\u21a9\ufe0e</a>'
    )


RULES = {
    "table_open": _table,
    "table_close": _table_end,
    "th_open": _cell,
    "td_open": _cell,
    "image": _picture,
    "fence": _code,
    "code_block": _code,
    "footnote_ref": _note_mark,
    "footnote_block_open": _notes,
    "footnote_block_close": _notes_end,
    "footnote_open": _note,
    "footnote_close": _note_end,
    "footnote_anchor": _note_back,
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
    # Only URLs written in full: "Node.js" and "e.g.this" are no links.
    parser.linkify = _BoundedLinkify(options={"fuzzy_link": False, "fuzzy_email": False})
    # The inline rule searches all the text before each colon again; the core rule finds the same links once.
    parser.inline.ruler.disable("linkify")
    parser.core.ruler.push("level_headings", _level_headings)
    parser.core.ruler.push("name_links", _name_links)
    parser.core.ruler.push("annotate", annotation_rules.annotate)
    for name, rule in RULES.items():
        parser.add_render_rule(name, rule)
    return parser


def _keep(tag: str, attribute: str, value: str) -> str | None:
    return None if attribute == "src" and not _is_ours(value) else value


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
        "section": {"role", "aria-label"},
        **{heading: {"id"} for heading in _HEADINGS},
    },
    allowed_classes={
        "sup": {"footnote-ref"},
        "section": {"footnotes"},
        "a": {"footnote-backref", "evidence-link", "is-supported", "is-partly", "is-not"},
        "span": {"doubted", "is-partly", "is-not"},
        "div": {"table-box"},
        "th": {"ta-left", "ta-right", "ta-center"},
        "td": {"ta-left", "ta-right", "ta-center"},
    },
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener nofollow ugc",
    attribute_filter=_keep,
)
