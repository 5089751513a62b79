"""What the simulated model says: prose of about the length its prompt asks for, or JSON that fits the schema it is given.

The words mean nothing. The same prompt has the same answer, so that two runs differ by the machine's noise alone.
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

DEFAULT_WORDS = 120
LONGEST = 8_000
PHRASE_WORDS = 12
CITED = 0.6
"""The share of sentences that end with a mark, where the prompt shows marks."""
AGREEABLE = 0.8
"""How often the first of several alternatives is chosen: a model that is asked for a verdict mostly approves."""


@dataclass(frozen=True)
class Prompt:
    """What is asked, and the chance that decides its answer."""

    text: str
    chance: random.Random
    marks: Sequence[str]

    @classmethod
    def of(cls, body: dict[str, Any]) -> Prompt:
        text = "\n".join(str(message.get("content") or "") for message in body.get("messages", []))
        marks = sorted(set(re.findall(r"^\[S\d+\]", text, re.MULTILINE)))
        return cls(text, random.Random(text), marks)  # noqa: S311 — nothing is kept secret by it

    def figure(self, pattern: str) -> int | None:
        """The last number that ``pattern`` finds."""
        found = re.findall(pattern, self.text, re.IGNORECASE)
        return int(found[-1].replace(",", "")) if found else None


def answer(body: dict[str, Any], error: float) -> str:
    """The answer to a request of ``POST /chat/completions``.

    Prose is as long as the last "N words" of the prompt, up to the share ``error`` more or less.
    """
    prompt = Prompt.of(body)
    asked = body.get("response_format") or {}
    if asked.get("type") == "json_schema":
        schema = asked["json_schema"]["schema"]
        return json.dumps(Form(prompt, schema).value(schema, ""))
    words = min(prompt.figure(r"(\d[\d,]*)[ -]words?\b") or DEFAULT_WORDS, LONGEST)
    return prose(round(words * prompt.chance.uniform(1 - error, 1 + error)), prompt)


def prose(words: int, prompt: Prompt) -> str:
    """Paragraphs of five sentences, ``words`` long; some sentences cite a passage that the prompt shows."""
    sentences = []
    while words > 0:
        length = min(words, prompt.chance.randint(9, 19))
        cited = prompt.marks and prompt.chance.random() < CITED
        mark = f" {prompt.chance.choice(prompt.marks)}" if cited else ""
        sentences.append(f"{phrase(length, prompt)}{mark}.")
        words -= length
    return "\n\n".join(" ".join(sentences[at : at + 5]) for at in range(0, len(sentences), 5))


def phrase(words: int, prompt: Prompt) -> str:
    return " ".join(prompt.chance.choices(WORDS, k=words)).capitalize()


class Form:
    """Fills in a JSON schema as a model does that reads its prompt."""

    def __init__(self, prompt: Prompt, schema: dict[str, Any]) -> None:
        self.prompt, self.definitions = prompt, schema.get("$defs", {})

    def value(self, schema: dict[str, Any], name: str) -> Any:
        """A value that fits ``schema``, for the key ``name``."""
        if "$ref" in schema:
            return self.value(self.definitions[schema["$ref"].rpartition("/")[2]] | without_ref(schema), name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.chosen(schema["enum"])
        if "anyOf" in schema:
            return self.value(schema["anyOf"][0], name)
        kind = schema.get("type")
        if kind == "object":
            return {key: self.value(part, key) for key, part in schema["properties"].items()}
        if kind == "array":
            return [self.value(schema["items"], name) for _ in range(self.count(schema, name))]
        if kind in ("integer", "number"):
            return self.prompt.chance.randint(int(schema.get("minimum", 1)), int(schema.get("maximum", 10)))
        return self.prompt.chance.random() < AGREEABLE if kind == "boolean" else self.text(schema, name)

    def chosen(self, alternatives: Sequence[Any]) -> Any:
        """A word: mostly the first one. A number: any of them."""
        if isinstance(alternatives[0], str) and self.prompt.chance.random() < AGREEABLE:
            return alternatives[0]
        return self.prompt.chance.choice(alternatives)

    def count(self, schema: dict[str, Any], name: str) -> int:
        """As many as the prompt asks of the key ("6 sections"), else three, within the schema's bounds."""
        asked = self.prompt.figure(rf"(\d+) {re.escape(name)}\b") or 3
        bounds: tuple[int, int] = schema.get("minItems", 0), schema.get("maxItems", asked)
        return min(max(asked, bounds[0]), bounds[1])

    def text(self, schema: dict[str, Any], name: str) -> str:
        """A mark's id where marks are asked for; else a phrase as long as the prompt, or the schema, says."""
        if re.search(r"source|passage|cite", name) and self.prompt.marks:
            return self.prompt.chance.choice(self.prompt.marks).strip("[]")
        if bounds := re.search(r"(\d+) to (\d+) characters", schema.get("description", "")):
            return self.between(int(bounds[1]), int(bounds[2]))
        limit = self.prompt.figure(rf"\b{re.escape(name)}\b[^.\n]{{0,60}}?(\d+) words") if name else None
        words = PHRASE_WORDS if limit is None else round(limit * 0.8)
        return phrase(words, self.prompt)[: schema.get("maxLength")]

    def between(self, least: int, most: int) -> str:
        """A phrase of ``least`` to ``most`` characters."""
        text = phrase(1, self.prompt)
        while len(text) < least:
            text += " " + self.prompt.chance.choice(WORDS)
        return text[:most].rstrip()


def without_ref(schema: dict[str, Any]) -> dict[str, Any]:
    """What stands beside a reference, such as a description of its own."""
    return {key: part for key, part in schema.items() if key != "$ref"}
