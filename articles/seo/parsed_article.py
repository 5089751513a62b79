"""Parses an article's text for the SEO rules: headings, paragraphs, images and links."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from agents.contract import SEO
from agents.text.markdown import MAX_CHARACTERS
from agents.text.tokenizer import count_plain_words
from articles.models import Article
from articles.seo.phrases import searchable

PLACE_WORDS = 6
# Headings keep the levels they were written with. Rendering changes them.
_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table").use(footnote_plugin, inline=False)


@dataclass
class Heading:
    """``level`` is 1–6 as written. ``words`` counts the words up to the next heading of any level."""

    level: int
    text: str
    words: int = 0

    @property
    def place(self) -> str:
        return f"heading “{self.text}”"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, also of a list item; ``linked`` are the texts of its links."""

    text: str
    words: int
    linked: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        words = self.text.split()
        return f"paragraph “{' '.join(words[:PLACE_WORDS])}{' …' if len(words) > PLACE_WORDS else ''}”"

    @cached_property
    def searchable(self) -> str:
        return searchable(self.text)


class ParsedArticle:
    """``opening`` counts the words before the first heading; ``images`` are the alt texts."""

    def __init__(self, article: Article, seo: SEO | None) -> None:
        self.article, self.seo = article, seo
        self.opening = 0
        self.headings: list[Heading] = []
        self.paragraphs: list[Paragraph] = []
        self.images: list[str] = []
        self.links: list[str] = []
        for opening, block in pairwise(_PARSER.parse(article.content[:MAX_CHARACTERS])):
            if opening.type == "footnote_block_open":
                break
            if block.type == "inline":
                self._read(opening, block)

    @property
    def primary_keyword(self) -> str:
        return self.seo.keywords[0] if self.seo and self.seo.keywords else ""

    @property
    def words(self) -> int:
        return self.opening + sum(heading.words for heading in self.headings)

    @cached_property
    def searchable(self) -> str:
        """All paragraphs. No phrase is found across two of them."""
        return "\n".join(paragraph.searchable for paragraph in self.paragraphs)

    @cached_property
    def _words_and_pairs(self) -> set[tuple[str, ...]]:
        """Words and pairs of adjacent words: a quick test that rules out most phrases."""
        words = self.searchable.split()
        return {*zip(words), *pairwise(words)}

    def contains_phrase(self, phrase: str) -> bool:
        """``phrase`` is a result of :func:`articles.seo.phrases.phrase`."""
        words = phrase.split()
        pairs = pairwise(words) if len(words) > 1 else zip(words)
        return all(pair in self._words_and_pairs for pair in pairs) and phrase in self.searchable

    def _read(self, opening: Token, block: Token) -> None:
        text, linked = "", []
        for part in block.children or []:
            if part.type == "image":
                self.images.append(part.content)
            elif part.type == "link_open":
                self.links.append(str(part.attrGet("href") or ""))
                linked.append(len(text))
            elif part.type == "link_close":
                linked.append(len(text))
            else:
                text += " " if part.type.endswith("break") else part.content
        if opening.type == "heading_open":
            self._read_heading(opening, text)
            return
        words = count_plain_words(text)
        if self.headings:
            self.headings[-1].words += words
        else:
            self.opening += words
        if opening.type == "paragraph_open" and words:
            spans = zip(linked[::2], linked[1::2], strict=True)
            self.paragraphs.append(Paragraph(" ".join(text.split()), words, [text[start:end] for start, end in spans]))

    def _read_heading(self, opening: Token, text: str) -> None:
        level = len(opening.markup) if opening.markup.startswith("#") else int(opening.tag[1:])
        if text.strip():
            self.headings.append(Heading(level, " ".join(text.split())))
