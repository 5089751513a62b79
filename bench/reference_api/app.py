"""The application: async endpoints, one session a request, the key looked up by its hash in the database each time.

Written as FastAPI's and SQLAlchemy's documentation show it. ``REFERENCE_DATABASE`` names its SQLite file.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import defer, joinedload

from bench.reference_api.models import ApiKey, Article, User, hash_key
from bench.reference_api.schemas import ArticleOut, Links, ListedOut, ListOut, ResultOut, StatusOut

# One connection for each of the 16 clients, so that no request waits for one.
engine = create_async_engine(f"sqlite+aiosqlite:///{os.environ['REFERENCE_DATABASE']}", pool_size=16)
new_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI(title="Reference API")
bearer = HTTPBearer()

WITHOUT_TEXTS = [
    defer(column)
    for column in (Article.content, Article.outline, Article.seo_meta, Article.research_data, Article.references)
]


@event.listens_for(engine.sync_engine, "connect")
def use_write_ahead_log(connection: Any, record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


async def open_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]


async def current_user(session: Session, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> User:
    found = await session.scalar(
        select(ApiKey)
        .options(joinedload(ApiKey.user))
        .where(ApiKey.key_hash == hash_key(credentials.credentials), ApiKey.revoked_at.is_(None))
    )
    if found is None or not found.user.is_active:
        raise HTTPException(401, "Unknown or revoked API key.")
    return found.user


CurrentUser = Annotated[User, Depends(current_user)]


async def find(session: AsyncSession, user: User, article_id: int, options: Sequence[Any] = ()) -> Article:
    query = select(Article).options(*options).where(Article.id == article_id, Article.owner_id == user.id)
    article: Article | None = await session.scalar(query)
    if article is None:
        raise HTTPException(404, "There is no such article.")
    return article


@app.get("/api/articles/")
async def article_list(
    session: Session,
    user: CurrentUser,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ListOut:
    own = Article.owner_id == user.id
    newest = select(Article).options(*WITHOUT_TEXTS).where(own).order_by(Article.created_at.desc(), Article.id.desc())
    rows = await session.scalars(newest.offset(skip).limit(limit))
    count = await session.scalar(select(func.count()).select_from(Article).where(own))
    return ListOut(items=[ListedOut.model_validate(row) for row in rows], count=count or 0)


@app.get("/api/articles/{article_id}")
async def article_get(session: Session, user: CurrentUser, article_id: int, request: Request) -> ArticleOut:
    article = await find(session, user, article_id)
    site = str(request.base_url).rstrip("/")
    own = f"{site}/api/articles/{article.id}"
    links = Links(
        page=f"{site}/articles/{article.id}/",
        status=f"{own}/status",
        result=f"{own}/result",
        events=f"{own}/events",
        socket=f"{site.replace('http', 'ws', 1)}/ws/articles/{article.id}",
    )
    fields = ArticleOut.model_fields.keys() - {"links"}
    return ArticleOut(**{name: getattr(article, name) for name in fields}, links=links)


@app.get("/api/articles/{article_id}/status")
async def article_status(session: Session, user: CurrentUser, article_id: int) -> StatusOut:
    return StatusOut.model_validate(await find(session, user, article_id, WITHOUT_TEXTS))


@app.get("/api/articles/{article_id}/result")
async def article_result(session: Session, user: CurrentUser, article_id: int) -> ResultOut:
    article = await find(session, user, article_id)
    if article.status != "completed":
        raise HTTPException(409, "This article is not finished yet.")
    return ResultOut.model_validate(article)
