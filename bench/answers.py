"""Answers of the simulated model: prose of about the requested length, or JSON that fits the given schema.

The text has no meaning. The same prompt always gets the same answer, so that runs differ only by the machine's noise.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

VOCABULARY = (
    "about above account across after again air along among answer around art bank basin before behind below bench between"
    " bread bridge bright broad building calm care case change city clay clear close coast cold common cost country course"
    " cover current day deep detail different door dry early earth east edge field figure first flat floor flow ground group"
    " growth hand heat height hill history house idea iron keep kind lake land large late layer leaf letter level light line"
    " little local long low map mark market matter measure method mill morning narrow near north number often old open order"
    " outer part path people place plain plan plant point pool port rain range reason record river road roof room salt sand"
    " scale season sharp shore short side simple slope small soil south space spring square stone stream street strong study"
    " summer surface system table team thin timber time tower town trade tree under unit use valley view village wall warm"
    " water weather west wide wind winter wood work year young"
)
WORDS = VOCABULARY.split()

BOUNDARY = re.compile(r"(?<=<<<)[0-9a-f]{8}\b|\b[0-9a-f]{8}(?=>>>)")
"""Marks of quoted material, random for each run: without them the same prompt has the same answer in every run."""

DEFAULT_WORDS = 120
MAX_WORDS = 8_000
WORDS_PER_PHRASE = 12
OWN_STRUCTURE, SECTIONS = 'sections with headings "## heading"', 4
"""What a prompt says that asks for an article without an outline, and how many sections it gets."""
CITATION_RATE = 0.6
"""Share of the sentences that end with a citation, if the prompt shows passages."""
FIRST_CHOICE_RATE = 0.8
"""How often the first of several alternatives is chosen: a model that is asked for a verdict mostly approves."""


@dataclass(frozen=True)
class Prompt:
    """The text of a request, a random generator seeded with it, and the citation marks it shows."""

    text: str
    random: random.Random
    marks: Sequence[str]

    @classmethod
    def of(cls, request: dict[str, Any]) -> Prompt:
        text = "\n".join(str(message.get("content") or "") for message in request.get("messages", []))
        text = BOUNDARY.sub("", text)
        marks = sorted(set(re.findall(r"^\[S\d+\]", text, re.MULTILINE)))
        return cls(text, random.Random(text), marks)  # noqa: S311 - not used for secrets

    def last_number(self, pattern: str) -> int | None:
        """The last number that ``pattern`` captures."""
        found = re.findall(pattern, self.text, re.IGNORECASE)
        return int(found[-1].replace(",", "")) if found else None


def answer(request: dict[str, Any], error: float) -> str:
    """The answer to the body of a ``POST /chat/completions``.

    Prose is as long as the last "N words" of the prompt, up to the share ``error`` longer or shorter.
    """
    prompt = Prompt.of(request)
    response_format = request.get("response_format") or {}
    if response_format.get("type") == "json_schema":
        schema = response_format["json_schema"]["schema"]
        return json.dumps(SchemaFiller(prompt, schema).value(schema, ""))
    words = min(prompt.last_number(r"(\d[\d,]*)[ -]words?\b") or DEFAULT_WORDS, MAX_WORDS)
    words = round(words * prompt.random.uniform(1 - error, 1 + error))
    return article(words, prompt) if OWN_STRUCTURE in prompt.text else prose(words, prompt)


def article(words: int, prompt: Prompt) -> str:
    """A title, an introduction of a tenth of ``words``, and sections."""
    section = round(0.9 * words / SECTIONS)
    sections = [f"## {phrase(5, prompt)}\n\n{prose(section, prompt)}" for _ in range(SECTIONS)]
    return "\n\n".join([f"# {phrase(7, prompt)}", prose(round(words / 10), prompt), *sections])


def prose(words: int, prompt: Prompt) -> str:
    """``words`` words in paragraphs of five sentences, some of which cite a passage of the prompt."""
    sentences = []
    while words > 0:
        length = min(words, prompt.random.randint(9, 19))
        cites = prompt.marks and prompt.random.random() < CITATION_RATE
        mark = f" {prompt.random.choice(prompt.marks)}" if cites else ""
        sentences.append(f"{phrase(length, prompt)}{mark}.")
        words -= length
    return "\n\n".join(" ".join(sentences[at : at + 5]) for at in range(0, len(sentences), 5))


def phrase(words: int, prompt: Prompt) -> str:
    return " ".join(prompt.random.choices(WORDS, k=words)).capitalize()


class SchemaFiller:
    """Generates JSON for a schema, following counts and lengths that the prompt names."""

    def __init__(self, prompt: Prompt, schema: dict[str, Any]) -> None:
        self.prompt, self.definitions = prompt, schema.get("$defs", {})

    def value(self, schema: dict[str, Any], name: str) -> Any:
        """A value that fits ``schema``, for the key ``name``."""
        if "$ref" in schema:
            beside = {key: part for key, part in schema.items() if key != "$ref"}  # such as its own description
            return self.value(self.definitions[schema["$ref"].rpartition("/")[2]] | beside, name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.choice(schema["enum"])
        if "anyOf" in schema:
            return self.value(schema["anyOf"][0], name)
        kind = schema.get("type")
        if kind == "object":
            return {key: self.value(part, key) for key, part in schema["properties"].items()}
        if kind == "array":
            return [self.value(schema["items"], name) for _ in range(self.item_count(schema, name))]
        if kind in ("integer", "number"):
            return self.prompt.random.randint(int(schema.get("minimum", 1)), int(schema.get("maximum", 10)))
        return self.prompt.random.random() < FIRST_CHOICE_RATE if kind == "boolean" else self.text(schema, name)

    def choice(self, alternatives: Sequence[Any]) -> Any:
        """Of strings mostly the first one; of numbers any."""
        if isinstance(alternatives[0], str) and self.prompt.random.random() < FIRST_CHOICE_RATE:
            return alternatives[0]
        return self.prompt.random.choice(alternatives)

    def item_count(self, schema: dict[str, Any], name: str) -> int:
        """As many as the prompt asks for ("6 sections"), else three, within the bounds of the schema."""
        count = self.prompt.last_number(rf"(\d+) {re.escape(name)}\b") or 3
        bounds: tuple[int, int] = schema.get("minItems", 0), schema.get("maxItems", count)
        return min(max(count, bounds[0]), bounds[1])

    def text(self, schema: dict[str, Any], name: str) -> str:
        """The id of a passage for keys that ask for one; else a phrase as long as the prompt or the schema says.

        Mostly nothing if the schema says when the text is empty, such as for a correction of what is right.
        """
        if "empty if" in schema.get("description", "") and self.prompt.random.random() < FIRST_CHOICE_RATE:
            return ""
        if re.search(r"source|passage|cite", name) and self.prompt.marks:
            return self.prompt.random.choice(self.prompt.marks).strip("[]")
        if bounds := re.search(r"(\d+) to (\d+) characters", schema.get("description", "")):
            return self.text_of_length(int(bounds[1]), int(bounds[2]))
        limit = self.prompt.last_number(rf"\b{re.escape(name)}\b[^.\n]{{0,60}}?(\d+) words") if name else None
        words = WORDS_PER_PHRASE if limit is None else round(limit * 0.8)
        return phrase(words, self.prompt)[: schema.get("maxLength")]

    def text_of_length(self, least: int, most: int) -> str:
        """A phrase of ``least`` to ``most`` characters."""
        text = phrase(1, self.prompt)
        while len(text) < least:
            text += " " + self.prompt.random.choice(WORDS)
        return text[:most].rstrip()
