"""A process that spends the budget of a run: ``python -m tests.articles.spending_process RUN CALLS SECONDS``.

Prints ``ready``, waits for a line, then makes the calls side by side. Each prints ``calling`` and ``made``, or ``refused``.
"""

from __future__ import annotations

import asyncio
import os
import sys

import django
from asgiref.sync import sync_to_async

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentstudio.settings")
django.setup()

from agents.costs.budget import charge, reserved_cost, use_budget  # noqa: E402  (Django's settings come first)
from agents.costs.usage import Usage  # noqa: E402
from agents.exceptions import SpendingLimitReached  # noqa: E402
from articles.costs.limits import budget_for  # noqa: E402
from articles.models import Run  # noqa: E402
from articles.runs.lease import Claim  # noqa: E402

MODEL = "gpt-4o"


async def call(seconds: float) -> str:
    """Reserves and spends a cent: 1,000 input and 750 output tokens."""
    try:
        async with reserved_cost(MODEL, prompt_bytes=3500, answer_tokens=750):
            print("calling", flush=True)
            await asyncio.sleep(seconds)
            charge(Usage(calls=1, prompt_tokens=1000, completion_tokens=750), MODEL)
    except SpendingLimitReached:
        return "refused"
    return "made"


async def claim_of(run_id: int) -> Claim:
    run = await Run.objects.aget(pk=run_id)
    assert run.token is not None
    return Claim(run.pk, run.article_id, run.token)


async def main(run_id: int, calls: int, seconds: float) -> None:
    budget = await sync_to_async(budget_for)(await claim_of(run_id))
    print("ready", flush=True)
    sys.stdin.readline()
    with use_budget(budget):
        print(*await asyncio.gather(*(call(seconds) for _ in range(calls))))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
