"""The real app behind a real server in a thread, over a real database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection

from config.schema import Care
from connectors.api import Quota
from feed.app import close, create_app
from feed.status import Alarm, ChannelHealth, Status
from routing.desk import Desk
from routing.store.database import Store, open_store
from tests.feed.scene import CARE

__all__ = ["House", "now", "status"]

T = TypeVar("T")


def now() -> datetime:
    return datetime.now(UTC)


def status() -> Status:
    at = now()
    return Status(
        channels=(
            ChannelHealth(
                name="telegram-care",
                kind="telegram",
                state="listening",
                since=at - timedelta(days=3),
                last_success=at,
                last_event=at - timedelta(hours=4),
                silent_since=at - timedelta(hours=4),
                pending=2,
                unknown=1,
            ),
            ChannelHealth(
                name="x-mentions",
                kind="x",
                state="waiting",
                since=at,
                last_success=at,
                error="429: asked to wait 60 s",
                last_event=at - timedelta(minutes=7),
                token_expires=at + timedelta(days=5, hours=3),
                spent=780_000,
                budget=1_000_000,
                gaps=3,
                last_gap=at - timedelta(days=2),
                quotas=(
                    Quota(name="posts", left=640, of=10_000, resets_at=at + timedelta(days=9)),
                    Quota(name="<b>calls</b>", left=280, of=300),
                ),
            ),
            ChannelHealth(
                name="x-search",
                kind="x",
                state="paused",
                since=at,
                last_success=at,
                until=at + timedelta(hours=6),
                token_expires=at + timedelta(hours=9),
                spent=990_000,
                budget=1_000_000,
                error="$0.99 of $1.00 a day are spent",
            ),
            ChannelHealth(
                name="shop-reviews", kind="webhook", state="failed", since=at, error="401: the token was revoked"
            ),
            ChannelHealth(name="news", kind="rss", state="idle", since=at),
        ),
        alarms=(Alarm(name="shop-reviews", text="The channel has stopped: its token was revoked.", since=at),),
        version="0.1.0",
    )


class House:
    """Runs until `stop`. `write` and `call` work from the test's own thread."""

    def __init__(
        self, folder: Path, *, sample: bool = False, care: Care = CARE, clock: Callable[[], datetime] = now
    ) -> None:
        self._url = f"sqlite:///{folder / 'feed.db'}"
        self._sample, self._care, self._clock = sample, care, clock
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="house")
        self.loop: asyncio.AbstractEventLoop
        self.store: Store
        self.app: FastAPI
        self.port = 0
        self._thread.start()
        assert self._ready.wait(30), "the server did not start"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _run(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.store = open_store(self._url, clock=self._clock)
        desk = Desk(self.store, lambda: self._care, self._clock)
        self.app = create_app(desk, self.store, lambda: self._care, status, sample=self._sample, clock=self._clock)
        config = uvicorn.Config(
            self.app, port=0, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=20
        )
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await close(self.app)
        server.should_exit = True
        await serving
        await self.store.close()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def write(self, work: Callable[[Connection], T]) -> T:
        return self.call(self.store.write(work))

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server hung on its way out"
