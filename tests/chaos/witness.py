"""Checks for lost and repeated work, from the studio's API and the model server's log of calls."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests import prompts
from tests.model_server import Call, ModelServer, Speech

Log = Sequence[dict[str, Any]]

# Patterns of the prompts of calls, and the keys of the steps they can belong to; \1 is the number of a section.
STEPS = {
    prompts.QUESTIONS: r"research:plan",
    prompts.FIND: r"research:find:\d+",
    rf"(?:{prompts.PLAN}|{prompts.PLAN_AGAIN})": r"outline:plan",
    prompts.ANSWER: r"outline:answer",
    r"Write the article in": r"write:draft",
    prompts.WRITE_ARTICLE: r"write:second",
    prompts.CHOOSE: r"edit:choose",
    prompts.PROOFREAD: r"edit:proofread",
    rf"Write {prompts.NUMBERED} of the article": r"write:draft:\1",
    r"Write section (\d+) of \d+, ": r"write:\1",
    rf"{prompts.REWRITE}(\d+), ": r"(?:write:\1|edit:\1:length-\\d+)",
    rf"Section (\d+), [^\n]*{prompts.EXTEND}": r"edit:\1:length-\\d+",
    rf"{prompts.EDIT}[^:]*: the introduction and": r"edit:revise:1",
    rf"{prompts.EDIT}[^:]*: {prompts.NUMBERED}": r"edit:revise:\1",
    prompts.LEAD: r"edit:lead",
    rf"{prompts.JUDGE} {prompts.ALL}": r"edit:verdicts:1",
    rf"{prompts.JUDGE} {prompts.NUMBERED}": r"edit:(?:verdicts|evidence):\1(:.*)?",
    rf"{prompts.JUDGE} the introduction": r"edit:evidence(:.*)?",
    prompts.JUDGE_AGAIN: r"edit:(?:evidence(?::\d+)?|frame)(:.*)?",
    prompts.FRAME: r"edit:frame",
    rf"(?:{prompts.DESCRIBE}|{prompts.DESCRIBE_AGAIN}|{prompts.ASK})": r"seo:describe",
    prompts.PICTURE: r"image:prompt",
}


def at(event: dict[str, Any]) -> float:
    """When it happened, in seconds since 1970."""
    return datetime.fromisoformat(event["timestamp"]).timestamp()


@dataclass(frozen=True)
class Asked:
    """A call as the model server saw it: for which article, for one of which steps, and when it began (since 1970).

    ``answered`` is the time of its complete answer, None if it was interrupted.
    """

    article: int
    steps: re.Pattern[str]
    began: float
    answered: float | None
    words: str


def asked(model: ModelServer, topics: dict[int, str]) -> list[Asked]:
    """The calls in the model server's log. Raises for an unknown one, because it could be a repeated call."""
    wall, calls = time.time() - time.monotonic(), list(model.calls)
    pictures = {
        json.loads(Speech(model, call.body).answer())["prompt"]: article_of(call.prompt, topics)
        for call in calls
        if prompts.PICTURE in call.prompt
    }
    found = []
    for call in calls:
        if call.path.endswith("/images/generations"):
            words, steps = str(call.body["prompt"]), "image:draw"
            article = pictures[words]
        else:
            words, steps = call.prompt, steps_of(call)
            article = article_of(words, topics)
        answered = call.ended + wall if call.status == 200 else None
        found.append(Asked(article, re.compile(steps), call.at + wall, answered, words))
    return found


def article_of(prompt: str, topics: dict[int, str]) -> int:
    return next(article for article, topic in topics.items() if topic in prompt)


def steps_of(call: Call) -> str:
    for words, steps in STEPS.items():
        if found := re.search(words, call.prompt, re.DOTALL):
            return found.expand(steps) if found.groups() else steps
    raise AssertionError(f"a call of no step: {call.prompt[:600]}")


def completions(log: Log) -> dict[str, float]:
    """When each step was completed."""
    return {event["step"]: at(event) for event in log if event.get("status") == "completed" and "step" in event}


def asked_twice(calls: Sequence[Asked], logs: Mapping[int, Log]) -> Iterator[str]:
    """Repeated calls for the articles in ``logs``: after the step was completed, or by a worker that had the answer."""
    yield from called_after_completion(calls, logs)
    yield from repeated_by_the_same_worker(calls, logs)


def repeated_by_the_same_worker(calls: Iterable[Asked], logs: Mapping[int, Log]) -> Iterator[str]:
    """Calls with a prompt that the same worker already has a complete answer to. Only another worker may repeat them.

    The answer may have arrived after the next worker started, because a worker does not notice at once that it lost its run.
    """
    taken = {article: [at(event) for event in log if is_claim(event)] for article, log in logs.items()}
    answered_calls: dict[tuple[int, str], Asked] = {}
    for call in sorted((each for each in calls if each.article in logs), key=lambda each: each.began):
        known = answered_calls.get((call.article, call.words))
        if (
            known is not None
            and known.answered is not None
            and known.answered < call.began
            and not any(known.began < moment < call.began for moment in taken[call.article])
        ):
            yield f"article {call.article}: {call.steps.pattern}, {call.began - known.answered:.2f} s after it was answered"
        if call.answered is not None:
            answered_calls[call.article, call.words] = call


def is_claim(event: dict[str, Any]) -> bool:
    """Whether a worker claims the run."""
    return event.get("new_status") == "processing"


def called_after_completion(calls: Iterable[Asked], logs: Mapping[int, Log]) -> Iterator[str]:
    """Calls that began when every step they can belong to was completed already."""
    done = {article: completions(log) for article, log in logs.items()}
    for call in calls:
        ends = [end for key, end in done.get(call.article, {}).items() if call.steps.fullmatch(key)]
        if ends and call.began > max(ends):
            yield f"article {call.article}: {call.steps.pattern}, {call.began - max(ends):.2f} s after it was done"


def faults_of(log: Log) -> Iterator[str]:
    """What is wrong with an article's log: a gap, a duplicate, or a step that started after it was completed."""
    seqs = [event["seq"] for event in log]
    if seqs != list(range(1, len(seqs) + 1)):
        yield f"its events are numbered {seqs}"
    if log[-1]["type"] != "status_change" or log[-1]["new_status"] != "completed":
        yield f"it ended with {log[-1]}"
    ended: set[str] = set()
    for event in log:
        if "step" not in event:
            continue
        if event["step"] in ended:
            yield f"{event['step']} was {event['status']} after it was completed"
        if event["status"] == "completed":
            ended.add(event["step"])


def faults_in(result: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a finished text: a heading that is missing, a marker without its reference or the other way round."""
    content = result["content"]
    missing = [each["heading"] for each in result["outline"]["sections"] if f"## {each['heading']}\n" not in content]
    if missing:
        yield f"no section {missing}"
    notes = set(re.findall(r"^\[\^(\d+)\]: ", content, re.MULTILINE))
    markers = set(re.findall(r"\[\^(\d+)\](?!:)", content))
    if not notes or markers != notes:
        yield f"markers {sorted(markers)}, references {sorted(notes)}"
    if re.search(r"\[S\d+\]", content):
        yield "a mark of a passage was left in the text"
    if not result["image_url"]:
        yield "no image"
