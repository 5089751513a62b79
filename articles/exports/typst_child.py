"""A program that reads the source and its inputs as JSON and writes ``article.pdf`` into its working directory.

Imports nothing of the project, so that it starts in 50 ms. On failure it writes JSON to standard error: ``{"missing": letters}``
if no font has them, else ``{"reason": message}``.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import unicodedata

import typst

OUTPUT = "article.pdf"
MEMORY = 1024**3  # bytes of address space; a book of 300 pages takes a fifth
MISSING = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
MAX_REMOVED = 50
# Letters, marks, digits, punctuation, currencies and mathematics: text without them would change its meaning.
WRITING = ("L", "M", "N", "P", "Z", "Sc", "Sm")
# Characters that turn the one before them into an emoji, such as 1\ufe0f\u20e3, a 1 in a box.
EMOJI_SELECTORS = re.compile("[\ufe0e\ufe0f\u20e3]")
JOINERS = "[\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"


def compile_pdf(texts: dict[str, str]) -> None:
    """PDF/UA-1, which makes a character without a font an error. Symbols such as emoji are removed instead.

    ``texts`` are the ``source`` and its inputs.
    """
    texts = remove(EMOJI_SELECTORS, texts)
    for attempts_left in reversed(range(MAX_REMOVED)):
        try:
            compiler = typst.Compiler(texts["source"].encode(), sys_inputs=texts)
            compiler.compile(output=OUTPUT, format="pdf", pdf_standards=["ua-1"])
        except typst.TypstError as error:
            character = missing_text(error)
            if not attempts_left or not is_symbol(character):
                raise
            texts = remove(re.compile(JOINERS + re.escape(character) + JOINERS), texts)
        else:
            return


def remove(pattern: re.Pattern[str], texts: dict[str, str]) -> dict[str, str]:
    return {name: pattern.sub("", text) for name, text in texts.items()}


def missing_text(error: typst.TypstError) -> str:
    """The text that no font has, or empty for another error."""
    found = MISSING.search(str(error))
    return found[1] if found else ""


def is_symbol(text: str) -> bool:
    return text != "" and not any(unicodedata.category(character).startswith(WRITING) for character in text)


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
