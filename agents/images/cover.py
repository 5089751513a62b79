"""Draws a typographic cover without an image model."""

from __future__ import annotations

import hashlib
import json
import re
import textwrap
from pathlib import Path

import typst

TEMPLATE = Path(__file__).with_name("cover.typ")
MAX_TITLE = 120  # characters; a longer title would be too small to read
NUMBERS = 73  # one for the palette, one for each tile of a mosaic without a title
MISSING = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)


def draw_cover(title: str, *, seed: str) -> bytes:
    """A PNG of 1200 × 630: the title next to a mosaic. The same ``seed`` gives the same cover.

    Text that no installed font can show is left out. Takes 0.1 s of CPU.
    """
    digest = hashlib.shake_256(seed.encode()).digest(2 * NUMBERS)
    numbers = [int.from_bytes(digest[at : at + 2]) for at in range(0, len(digest), 2)]
    inputs = {
        "title": _displayable(_breakable(textwrap.shorten(title, MAX_TITLE, placeholder=" …"))),
        "numbers": json.dumps(numbers),
    }
    image = typst.Compiler(TEMPLATE.read_bytes(), sys_inputs=inputs).compile(format="png", ppi=72)
    if not isinstance(image, bytes):
        raise TypeError("a cover has one page")
    return image


def _breakable(title: str) -> str:
    """``title`` with zero-width spaces in words that are too long for a line."""
    return " ".join("\u200b".join(textwrap.wrap(word, 20)) if len(word) > 30 else word for word in title.split())


def _displayable(text: str) -> str:
    """``text`` without symbols that no font has; empty if a letter is missing."""
    while text:
        # Of Typst's outputs, only PDF/UA makes a missing glyph an error.
        probe = typst.Compiler(b'#set document(title: "cover")\n#sys.inputs.text', sys_inputs={"text": text})
        try:
            probe.compile(format="pdf", pdf_standards=["ua-1"])
        except typst.TypstError as error:
            found = MISSING.search(str(error))
            if found is None:
                raise
            # With the joiners around the symbol. A title with missing letters would be unreadable.
            rest = re.sub(f"\u200d?{re.escape(found[1])}[\u200d\ufe0f]*", "", text)
            text = "" if found[1].isalnum() or rest == text else " ".join(rest.split())
        else:
            break
    return text
