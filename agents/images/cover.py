"""The typographic cover the studio draws itself, without an image model."""

from __future__ import annotations

import hashlib
import json
import re
import textwrap
from pathlib import Path

import typst

COVER = Path(__file__).with_name("cover.typ")
COVER_WORDS = 120  # characters of a title that are set; more would be too small to read
COVER_NUMBERS = 73  # one for the palette, one for each tile of a mosaic without a title
MISSING = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)


def draw_cover(title: str, subtitle: str = "", *, seed: str) -> bytes:
    """A PNG of 1200 × 630: the title beside a mosaic that ``seed`` decides, so that an article keeps its cover.

    Words that no font of this machine can show are left out rather than drawn as boxes. Takes a tenth of a second of CPU.
    """
    numbers = [int.from_bytes(pair) for pair in _pairs(hashlib.shake_256(seed.encode()).digest(2 * COVER_NUMBERS))]
    told = {
        "title": _showable(_breakable(textwrap.shorten(title, COVER_WORDS, placeholder=" …"))),
        "subtitle": _showable(textwrap.shorten(subtitle, 60, placeholder=" …")),
        "numbers": json.dumps(numbers),
    }
    picture = typst.Compiler(COVER.read_bytes(), sys_inputs=told).compile(format="png", ppi=72)
    if not isinstance(picture, bytes):
        raise TypeError("a cover has one page")
    return picture


def _pairs(digest: bytes) -> list[bytes]:
    return [digest[place : place + 2] for place in range(0, len(digest), 2)]


def _breakable(title: str) -> str:
    """The title with places to break in words too long for a line: a zero-width space every 20 letters."""
    return " ".join("\u200b".join(textwrap.wrap(word, 20)) if len(word) > 30 else word for word in title.split())


def _showable(words: str) -> str:
    """The words without ornaments that no font has; nothing at all where a letter is missing."""
    while words:
        # PDF/UA is the one kind of output that makes a missing letter an error.
        probe = typst.Compiler(b'#set document(title: "cover")\n#sys.inputs.words', sys_inputs={"words": words})
        try:
            probe.compile(format="pdf", pdf_standards=["ua-1"])
        except typst.TypstError as error:
            found = MISSING.search(str(error))
            if found is None:
                raise
            # The sign with what joins it to its neighbours. Where a letter is missing the rest would be a riddle.
            left = re.sub(f"\u200d?{re.escape(found[1])}[\u200d\ufe0f]*", "", words)
            words = "" if found[1].isalnum() or left == words else " ".join(left.split())
        else:
            break
    return words
