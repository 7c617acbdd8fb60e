"""A connector over a FakeX, as the host would open it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.api import Cursor, Message, Page, Reply
from connectors.net import open_http
from connectors.x import snowflake
from connectors.x.connector import PollingX, StreamingX, connect
from connectors.x.settings import Settings
from connectors.x.stream import SILENCE
from tests.counterparts.x import KEYS, USER_TOKEN, FakeX

__all__ = ["KEY", "NO_KEYS", "OAUTH2", "a_reply", "cursor_at", "mention", "messages", "polling", "streaming", "walked"]

NO_KEYS: dict[str, Any] = dict.fromkeys(KEYS)
OAUTH2: dict[str, Any] = NO_KEYS | {"user_token": USER_TOKEN}
KEY = "6f1c4f4e-0a55-5c0f-9a51-3c1b1c0e8f11"


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def polling(x: FakeX, clock: Callable[[], datetime] = _now, **more: Any) -> AsyncIterator[PollingX]:
    settings = Settings.model_validate(x.settings(**more))
    async with open_http() as http, connect(settings, http, clock) as connector:
        assert isinstance(connector, PollingX)
        yield connector


@asynccontextmanager
async def streaming(
    x: FakeX,
    after: Cursor | None = None,
    silence: timedelta = SILENCE,
    clock: Callable[[], datetime] = _now,
    **more: Any,
) -> AsyncIterator[tuple[StreamingX, AsyncIterator[Page]]]:
    """The connector, and its pages."""
    settings = Settings.model_validate(x.settings(mode="stream", **{"query": "acme", **more}))
    async with open_http() as http, connect(settings, http, clock, silence) as connector:
        assert isinstance(connector, StreamingX)
        async with aclosing(connector.stream(after)) as pages:  # type: ignore[type-var]
            yield connector, pages


async def walked(connector: PollingX, after: Cursor | None = None) -> list[Page]:
    """All pages up to the first that has nothing more behind it."""
    pages = [await connector.poll(after)]
    while pages[-1].more:
        after = pages[-1].cursor or after
        pages.append(await connector.poll(after))
    return pages


def messages(pages: list[Page]) -> list[Message]:
    return [message for page in pages for message in page.messages]


def a_reply(to: Message, text: str = "We have your message (Ref K7Q2).") -> Reply:
    return Reply(key=KEY, to=to, text=text)


async def mention(x: FakeX, connector: PollingX, text: str = "@acmeair where is my parcel?") -> Message:
    x.write(text)
    return messages(await walked(connector))[-1]


def cursor_at(at: datetime) -> Cursor:
    return Cursor(str(snowflake.first_at(at)))
