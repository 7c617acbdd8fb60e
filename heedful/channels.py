"""Runs one channel: opens its connector, listens, sends, and comes back after every failure.

The host does here what a connector must not: it waits, retries with jitter, keeps the cursor, records
gaps and tells people. One channel's failure never touches another's.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from config.schema import Channel
from connectors import registry
from connectors.api import (
    BadPayload,
    Connector,
    ConnectorError,
    Cursor,
    Denied,
    Gap,
    Http,
    Listens,
    Message,
    Page,
    Polls,
    Replies,
    Reports,
    Streams,
    Unreachable,
    Vitals,
)
from heedful.alarms import Alarms
from heedful.allowance import Allowance
from heedful.fitting import Unfit, fitted, paced
from heedful.guidance import Guidance
from heedful.health import Health
from heedful.outbox import SEND_WITHIN, Sender
from heedful.patience import Patience
from heedful.pipeline import Pipeline
from heedful.source import Source
from heedful.standing import warnings
from routing.store.database import Store
from routing.store.errors import StoreError

__all__ = ["Environment", "Runner"]

log = structlog.get_logger("heedful.channels")

HEARTBEAT = timedelta(minutes=1)
SIGN_OF_LIFE = Page()
TELL_AFTER = 3
"""Failures in a row before people are told."""
GAP_RINGS = timedelta(hours=12)
"""How long a gap rings; it stays recorded."""
STORE_PAUSE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What every runner shares."""

    store: Store
    pipeline: Pipeline
    http: Http
    alarms: Alarms
    guidance: Callable[[], Guidance]
    clock: Callable[[], datetime]
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    senders: dict[str, asyncio.Lock] = field(default_factory=dict)
    wake_every: Callable[[str, asyncio.Event, timedelta], None] = lambda _name, _event, _every: None
    took: Callable[[float], None] = lambda _seconds: None


class Runner:
    """One channel of the file. `due` wakes the poll, `wake` the sender; `heard` is set while a hook may call."""

    def __init__(self, name: str, channel: Channel, environment: Environment) -> None:
        self.name = name
        self.channel = channel
        self.health = Health(name, channel.kind, environment.clock)
        self.due = asyncio.Event()
        self.wake = asyncio.Event()
        self.source: Source | None = None
        self.listens: Listens | None = None
        self._env = environment
        self._patience = Patience(environment.monotonic)
        self._allowance = Allowance(
            self.health, environment.store, environment.alarms, environment.clock, environment.sleep
        )
        self._vitals = Vitals()
        self._warned: set[str] = set()
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._halted = False
        self._heartbeat: datetime | None = None
        self._gap_told: datetime | None = None

    @property
    def poll_every(self) -> timedelta:
        return self.source.limits.poll_every if self.source else timedelta(seconds=60)

    async def run(self) -> None:
        """Until cancelled. A failure that needs a person ends it, with an alarm."""
        while True:
            try:
                await self._open_and_run()
                return
            except (Denied, Unfit) as cause:
                await self._fail(str(cause))
                return
            except Unreachable as cause:
                await self._lose(cause)
            except StoreError as cause:
                await self.tell_store_failure(cause)
                await self._env.sleep(self._patience.fail())
            except ConnectorError as cause:
                await self._lose(Unreachable(str(cause)))
            except Exception as cause:
                log.exception("fault", channel=self.name)
                await self._lose(Unreachable(f"a fault in the connector: {type(cause).__name__}"))
            finally:
                self.listens = None

    async def finish(self, within: float) -> None:
        """Let the text that is leaving right now leave; after `within` seconds it counts as doubtful."""
        self._stopping = True
        self.wake.set()
        await _wait(self._idle, within)
        self.health.stop()

    async def _open_and_run(self) -> None:
        plugin, settings = fitted(self.channel, self._env.variables)
        async with plugin.open(settings, self._env.http) as connector:
            source = self.source = paced(Source.of(self.name, self.channel, plugin, connector.me), settings)
            self._env.wake_every(self.name, self.due, source.limits.poll_every)
            if not plugin.abilities & {"polls", "streams", "listens"}:
                self.health.rest()
                return
            await self._listen_and_send(connector, source)

    async def _listen_and_send(self, connector: Connector, source: Source) -> None:
        """Both until one of them ends; a text that is leaving then is let go before the channel is closed."""
        tasks = {asyncio.create_task(self._listen(connector, source), name=f"listen:{self.name}")}
        if isinstance(connector, Replies):
            tasks.add(asyncio.create_task(self._send(connector, source), name=f"send:{self.name}"))
        self._halted = False
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._halted = True
            if not self._stopping:
                await _wait(self._idle, SEND_WITHIN.total_seconds())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            if task.cancelled():
                raise RuntimeError("the connector cancelled its own work")
            task.result()

    async def _listen(self, connector: Connector, source: Source) -> None:
        """Come back after every failure that time may heal, while the sender goes on."""
        while True:
            try:
                await self._listen_once(connector, source)
            except StoreError as cause:
                await self.tell_store_failure(cause)
                await self._env.sleep(self._patience.fail())
            except (Unreachable, BadPayload) as cause:
                await self._lose(cause if isinstance(cause, Unreachable) else Unreachable(str(cause)))

    async def _listen_once(self, connector: Connector, source: Source) -> None:
        """Until something fails, or until today's budget is spent: then from the start again."""
        hooks_only = _hooks_only(connector)
        if not hooks_only and isinstance(connector, (Polls, Streams)):
            await self._allowance.keep(self.name, lambda: self._look(connector), source.account)
        cursor, moved_at = await self._env.pipeline.resume(source)
        await self._record_outage(source, moved_at, cursor)
        if isinstance(connector, Listens):
            self.listens = connector
            await self._succeed(source)
        if isinstance(connector, Polls) and not hooks_only:
            await self._poll(connector, source, cursor)
        elif isinstance(connector, Streams) and not hooks_only:
            await self._stream(connector, source, cursor)
        else:
            while True:
                await self._env.sleep(HEARTBEAT.total_seconds())
                self._look(connector)
                await self._succeed(source)

    async def _poll(self, connector: Polls, source: Source, cursor: Cursor | None) -> None:
        while await self._allowance.overdraft(self._look(connector), source.account) is None:
            page = await connector.poll(cursor)
            await self._take(source, page)
            self._look(connector)
            cursor = page.cursor or cursor
            await self._succeed(source)
            if not page.more:
                await self._until_due(source.limits.poll_every)

    async def _stream(self, connector: Streams, source: Source, cursor: Cursor | None) -> None:
        """An empty page is a sign of life. However a stream ends, it is opened again after a pause."""
        while wait := self._patience.turn():
            await self._env.sleep(wait)
        async with _closing(connector.stream(cursor)) as pages:
            async for page in pages:
                await self._take(source, page)
                self._look(connector)
                await self._succeed(source)
                if await self._allowance.overdraft(self._look(connector), source.account) is not None:
                    return
        raise Unreachable("the stream was closed")

    async def hear(self, page: Page) -> None:
        """Store what a hook brought; raises StoreError where it cannot be stored."""
        if self.source is None:
            raise Unreachable("not open yet")
        await self._take(self.source, page)
        await self._succeed(self.source)

    async def _take(self, source: Source, page: Page) -> None:
        """Store a page; one that says and costs nothing is only a sign of life."""
        if page == SIGN_OF_LIFE and not self._allowance.unbooked:
            return
        started, (cost, self._allowance.unbooked) = self._env.monotonic(), (page.cost + self._allowance.unbooked, 0)
        try:
            done = await self._env.pipeline.take(source, replace(page, cost=cost))
        except BaseException:
            self._allowance.unbooked += cost
            raise
        self._env.took(self._env.monotonic() - started)
        if done.received > done.duplicates:
            self.health.hear()
        if done.received:
            await self._env.alarms.hush("store")
        if done.intents:
            self.wake.set()
        for gap in page.gaps[-1:]:
            await self._tell_gap(gap)

    async def _tell_gap(self, gap: Gap) -> None:
        """What is lost rings for half a day: long enough for a person to look, and it stays recorded."""
        self._gap_told = self._env.clock()
        about = f"{self.name}: gap"
        if not self._env.alarms.rings(about):  # told anew each minute, it would be one outage all the same
            since = f" since {gap.since:%Y-%m-%d %H:%M} UTC" if gap.since else ""
            await self._env.alarms.ring(about, f"messages{since} may be lost: {gap.reason}")

    async def tell_store_failure(self, cause: StoreError) -> None:
        self.health.lose(str(cause))
        await self._env.alarms.ring("store", str(cause))

    async def _send(self, connector: Connector, source: Source) -> None:
        """One sender an account: a second channel of the same account waits for its turn, for ever."""
        async with self._env.senders.setdefault(source.account, asyncio.Lock()):
            sender = Sender(
                self._env.store,
                source,
                connector,
                self._env.guidance,
                self._env.clock,
                self._env.monotonic,
                lambda: self._stopping or self._halted,
                forget=lambda message: self._forget(source, message),
            )
            while not self._stopping:
                try:
                    await self._keep_sending(sender)
                except StoreError as cause:
                    await self.tell_store_failure(cause)
                    await self._env.sleep(STORE_PAUSE)

    async def _forget(self, source: Source, message: Message) -> None:
        """The platform says that this message is gone: as if it had told so by a delete notice."""
        notice = replace(message, text="", revision="", parts=(), url=None, deleted=True)
        await self._env.pipeline.take(source, Page(messages=(notice,)))

    async def _keep_sending(self, sender: Sender) -> None:
        """What was being sent when the store failed, or when we died, is reconciled first."""
        await sender.recover()
        while not self._stopping:
            self.wake.clear()
            self._idle.clear()
            try:
                pause = await sender.drain()
            finally:
                self._idle.set()
            await _wait(self.wake, pause)

    async def _until_due(self, pause: timedelta) -> None:
        if pause > timedelta(0):
            self.due.clear()
            await _wait(self.due, pause.total_seconds() * 1.5)

    async def _record_outage(self, source: Source, moved_at: datetime | None, cursor: Cursor | None) -> None:
        """Away for longer than the platform keeps messages: what lies between is lost, and said so, once."""
        plugin = registry.load(self.channel.kind)
        now = self._env.clock()
        if moved_at is None or plugin.recovers is None or now - moved_at <= plugin.recovers + HEARTBEAT * 2:
            return
        gap = Gap(
            since=moved_at,
            until=now - plugin.recovers,
            reason="we were away for longer than the platform keeps messages",
        )
        await self._env.pipeline.take(source, Page(gaps=(gap,), cursor=cursor))
        await self._env.pipeline.heartbeat(source, now)
        await self._tell_gap(gap)

    async def _succeed(self, source: Source) -> None:
        if self._patience.succeed():
            await self._env.alarms.hush(self.name)
        if self.health.succeed():
            log.info("channel listens", channel=self.name)
        now = self._env.clock()
        if self._heartbeat is None or now - self._heartbeat >= HEARTBEAT:
            self._heartbeat = now
            await self._env.pipeline.heartbeat(source, now)
            await self._env.alarms.hush("store")
            await self._warn(now)
            if self._gap_told is not None and now - self._gap_told >= GAP_RINGS:
                await self._env.alarms.hush(f"{self.name}: gap")

    def _look(self, connector: Connector) -> Vitals:
        """What it says of itself, after each page and before each call."""
        self._vitals = connector.vitals if isinstance(connector, Reports) else Vitals()
        self.health.vital(self._vitals)
        return self._vitals

    async def _warn(self, now: datetime) -> None:
        """Of a token that expires and of a quota that runs out; what is well again is hushed."""
        found = {f"{self.name}: {about}": what for about, what in warnings(self._vitals, now).items()}
        for about in self._warned - found.keys():
            await self._env.alarms.hush(about)
        for about, what in found.items():
            await self._env.alarms.ring(about, what)
        self._warned = set(found)

    async def _lose(self, cause: Unreachable) -> None:
        """A first request to wait is a pause; asked again before it is well, or anything else, the channel is lost."""
        pause = self._patience.fail(cause.retry_after)
        asked_to_wait = cause.unsent and cause.retry_after is not None and self._patience.failures == 1
        if not asked_to_wait and self.health.lose(str(cause)):
            log.warning("channel lost", channel=self.name, reason=str(cause))
        if self._patience.failures == TELL_AFTER:
            await self._env.alarms.ring(self.name, f"cannot be reached: {cause}")
        await self._env.sleep(pause)

    async def _fail(self, what: str) -> None:
        self.health.fail(what)
        log.error("channel stopped", channel=self.name, reason=what)
        await self._env.alarms.ring(self.name, what)


def _hooks_only(connector: Connector) -> bool:
    """A connector that can do both listens by hook where its settings say so."""
    return isinstance(connector, Listens) and getattr(connector, "mode", None) == "webhook"


@asynccontextmanager
async def _closing(pages: AsyncIterator[Page]) -> AsyncIterator[AsyncIterator[Page]]:
    """Close a stream at once, and not when its last reference is swept up: the platform counts it until then."""
    try:
        yield pages
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
