"""The six stages, and the base of stored models and of answers of models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Stage = Literal["research", "outline", "write", "edit", "seo", "image"]

AGENTS: dict[Stage, str] = {
    "research": "ResearchAgent",
    "outline": "OutlineAgent",
    "write": "WriterAgent",
    "edit": "EditorAgent",
    "seo": "SEOAgent",
    "image": "ImageAgent",
}
"""Stage → its agent, in the order in which they are shown."""


class StoredModel(BaseModel):
    """Base of everything that is stored. Unknown keys are dropped, so that older runs can still be read."""

    model_config = ConfigDict(extra="ignore")


class LLMOutput(BaseModel):
    """Base of everything a model is asked for. Unknown keys are errors, as strict JSON Schema requires."""

    model_config = ConfigDict(extra="forbid")
