"""Run as a program of its own: reads the texts as JSON, writes ``article.pdf`` where it stands.

It imports nothing of the studio's, so that it starts in 50 ms. It fails with a problem as JSON on its standard error:
``{"missing": letters}`` where no font has them, else ``{"reason": words}``.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import unicodedata

import typst

OUTPUT = "article.pdf"
MEMORY = 1024**3  # address space, in bytes; a book of 300 pages takes a fifth
MISSING = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
MAX_LEFT_OUT = 50
# Letters, marks, digits, punctuation, currencies and mathematics: the meaning would suffer without them.
WRITING = ("L", "M", "N", "P", "Z", "Sc", "Sm")
# What makes a picture of the sign before it, or joins it to the next one: 1\ufe0f\u20e3 is a 1 in a box.
PICTORIAL = re.compile("[\ufe0e\ufe0f\u20e3]")
JOINED = "[\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"


def compile_pdf(texts: dict[str, str]) -> None:
    """PDF/UA-1, whose rules make a letter without a font an error. Ornaments such as emoji are left out instead.

    ``texts`` are the ``source`` and all that it is told.
    """
    texts = without(PICTORIAL, texts)
    for left in reversed(range(MAX_LEFT_OUT)):
        try:
            compiler = typst.Compiler(texts["source"].encode(), sys_inputs=texts)
            compiler.compile(output=OUTPUT, format="pdf", pdf_standards=["ua-1"])
        except typst.TypstError as error:
            sign = missing_text(error)
            if not left or not is_ornament(sign):
                raise
            texts = without(re.compile(JOINED + re.escape(sign) + JOINED), texts)
        else:
            return


def without(pattern: re.Pattern[str], texts: dict[str, str]) -> dict[str, str]:
    return {name: pattern.sub("", text) for name, text in texts.items()}


def missing_text(error: typst.TypstError) -> str:
    """The letters that no font has, if that is what the error tells of."""
    found = MISSING.search(str(error))
    return found[1] if found else ""


def is_ornament(text: str) -> bool:
    return text != "" and not any(unicodedata.category(sign).startswith(WRITING) for sign in text)


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        compile_pdf(json.load(sys.stdin))
    except typst.TypstError as error:
        letters = missing_text(error)
        json.dump({"missing": letters} if letters else {"reason": str(error)}, sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
