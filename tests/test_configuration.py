"""docs/configuration.md lists exactly the settings that exist, with their defaults."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agents.contract import AGENTS
from tests.environment import ROOT

NAMES = (
    *("settings.py", "database_settings.py", "sign_in_settings.py", "monitoring_settings.py", "storage_settings.py"),
    "limit_settings.py",
)
SETTINGS = [ROOT / "contentstudio" / name for name in NAMES]
STUDIO = ROOT / "articles" / "management" / "commands" / "studio.py"
NONE = "–"


def calls_of(source: str, function: str) -> Iterator[ast.Call]:
    """The calls ``function("NAME", …)`` in Python source; ``env.`` stands for all functions of ``env``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if called.startswith(function) if function.endswith(".") else called == function:
                yield node


def settings_read() -> dict[str, ast.expr | None]:
    """Each variable the studio reads, with its default as it is written."""
    found: dict[str, ast.expr | None] = {}
    source = "\n".join(path.read_text().replace("from __future__ import annotations", "") for path in SETTINGS)
    secrets = list(calls_of(source, "secret"))
    calls = [*calls_of(source, "env."), *secrets, *calls_of(STUDIO.read_text(), "os.environ.")]
    for call in calls:
        name, default = call.args[0], call.args[1] if len(call.args) > 1 else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            found[name.value] = default
        elif isinstance(name, ast.JoinedStr):
            found |= {f"LLM_MODEL_{stage.upper()}": default for stage in AGENTS}
    return found | {f"{ast.literal_eval(call.args[0])}_FILE": None for call in secrets}


def documented_settings() -> dict[str, str]:
    """Each variable the documentation names, with the default it gives, without its backticks."""
    rows = re.findall(
        r"^\| (`[A-Z].*?) \| (.*?) \| .* \|$", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE
    )
    return {name: default.strip("`") for names, default in rows for name in re.findall(r"`(\w+)`", names)}


def as_documented(value: object) -> str:
    """A default as the documentation writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ",".join(value) or NONE
    return str(value) or NONE


def test_all_settings_are_documented_and_no_others() -> None:
    assert documented_settings().keys() == settings_read().keys()


def test_documented_defaults_are_those_of_the_code() -> None:
    documented = documented_settings()
    for name, default in settings_read().items():
        try:
            value = ast.literal_eval(default or "")
        except (ValueError, SyntaxError):  # there is none, or it is computed, such as a path
            continue
        assert documented[name] == as_documented(value), name
