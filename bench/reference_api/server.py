"""Runs the reference API as one uvicorn process, on rows copied from an article of the studio."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.environment import ROOT, clean_environment
from bench.network import free_port, wait_until_listening
from bench.reference_api.models import ApiKey, Article, Base, User, hash_key

STARTS_WITHIN = 30.0


def create_database(file: Path, key: str, article: dict[str, Any], copies: int) -> None:
    """A database with one user, one key and ``copies`` of ``article``, which has the fields of the API's answers."""
    columns = {name: value for name, value in article.items() if name in Article.__table__.columns}
    dates = {
        name: datetime.fromisoformat(value)
        for name, value in columns.items()
        if name.endswith("_at") and value is not None
    }
    engine = create_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(User(id=1, name="admin"))
        session.add(ApiKey(user_id=1, key_hash=hash_key(key)))
        for number in range(1, copies + 1):
            session.add(Article(**{**columns, **dates, "id": number, "owner_id": 1}))
        session.commit()
    engine.dispose()


@asynccontextmanager
async def running_reference_api(database: Path) -> AsyncIterator[str]:
    """Run the reference API inside the block; yields its address."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.reference_api.app:app", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--no-access-log",
        "--log-level=warning",
        cwd=ROOT,
        env=clean_environment(REFERENCE_DATABASE=str(database)),
        stdin=DEVNULL,
    )
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            await wait_until_listening(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
