"""A document to export, and functions that read the exported files."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date

import pypdf

from articles.exceptions import ExportFailed
from articles.exports import Document, export

MARKDOWN = """# Rooftop gardens

A roof is hot.[^1] Leaves cool it,[^2] as was measured.[^1] Text follows:
- one
- two

## Water

| Soil | Held |
|:-----|-----:|
| 5 cm | 45 % |

#### What it bears

> A full sponge[^2] (they say).

```python
def load(depth): ...
```

---

Tiếng Việt ổn định, ελληνικά ἀρχή, кириллица, ~~gone~~, [a link](https://a.example/x).

[^1]: Rosenzweig, *Green roofs*, <https://a.example/green>.
[^2]: Taleghani 2018.
"""

ARTICLE = Document(
    title="Rooftop gardens",
    markdown=MARKDOWN,
    author="Content Studio",
    date=date(2026, 11, 22),
    language="en-GB",
    description="What was measured.",
    keywords=("roofs", "heat"),
)
BINARY = ["pdf", "docx", "epub"]


def article(markdown: str, **changes: object) -> Document:
    return replace(ARTICLE, markdown=markdown, **changes)  # type: ignore[arg-type]  # fields of Document


def parts(file: bytes) -> dict[str, str]:
    """The text members of a DOCX or EPUB, by name."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        texts = [name for name in archive.namelist() if name.endswith(("xml", "html", "opf", "ncx", "rels"))]
        return {name: archive.read(name).decode() for name in texts}


def words(file: bytes, format: str) -> str:
    """The visible text of the file."""
    if format == "pdf":
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(file)).pages)
    if format in ("docx", "epub"):
        return "\n".join(re.sub(r"<[^>]+>", "", text) for text in parts(file).values())
    return file.decode()


def attempt(document: Document, format: str) -> tuple[bytes, str]:
    """The file, or the message of the failure."""
    try:
        return export(document, format), ""
    except ExportFailed as error:
        return b"", str(error)
