"""One page through: repair, mask, read, decide, store. The only place that does it all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection, update

from connectors.api import Cursor, Message, Page, Unreadable
from heedful import failpoints, recall
from heedful.batch import Batch, Outcome, Sealed, pieces
from heedful.guidance import Guidance
from heedful.ingest import ingest
from heedful.preparation import FAILED, Prepared, Unmaskable, prepare
from heedful.source import Source
from heedful.vault import Vault
from routing.store.database import Store
from routing.store.rows import CURSOR

__all__ = ["Pipeline"]

log = structlog.get_logger("heedful.pipeline")

PIECE = 256


class Pipeline:
    """`guidance` is asked once a page, so that no page mixes two versions of the file.

    `count` is told what became of each page's items; `wake` is called when texts became due.
    """

    def __init__(
        self,
        store: Store,
        guidance: Callable[[], Guidance],
        clock: Callable[[], datetime],
        count: Callable[[str, Mapping[str, int]], None] = lambda _channel, _outcomes: None,
        wake: Callable[[Source], None] = lambda _source: None,
    ) -> None:
        self._store = store
        self._guidance = guidance
        self._clock = clock
        self._count = count
        self._wake = wake
        self._vault = Vault.beside(store.url.render_as_string(hide_password=False))

    async def take(self, source: Source, page: Page) -> Outcome:
        """Store a page and all that follows from it; returns after the commit.

        Raises StoreError where nothing could be stored: then the page must not be confirmed.
        """
        guidance, now = self._guidance(), self._clock()
        items, sealed = self.prepare(source, page.messages, guidance, now)
        sealed += [self.seal(one, now) for one in page.unreadable]
        batch = Batch(source=source, now=now, items=items, unreadable=sealed, gaps=page.gaps, cursor=page.cursor)
        total = Outcome()
        for piece in pieces(batch, PIECE):
            (done,) = await self.store([piece], guidance)
            total.add(done)
        return total

    def prepare(
        self, source: Source, messages: Iterable[Message], guidance: Guidance, now: datetime, place: int = 0
    ) -> tuple[list[Prepared], list[Sealed]]:
        """What can be stored, and what cannot be masked and goes into quarantine."""
        items: list[Prepared] = []
        sealed: list[Sealed] = []
        for message in messages:
            try:
                item = prepare(message, source, guidance, now, place)
            except Unmaskable as failure:
                sealed.append(self.seal(Unreadable(raw=_bytes(message), reason=str(failure)), now))
                log.warning("quarantined", channel=source.name, reason=str(failure))
                continue
            if item.reading is not None and item.reading.scorer == FAILED:
                log.warning("unread", channel=source.name, message=message.id)
            items.append(item)
        return items, sealed

    async def store(self, batches: Sequence[Batch], guidance: Guidance) -> list[Outcome]:
        """Store batches of several sources in one transaction; returns after the commit."""
        failpoints.reach("before-commit")
        outcomes = await self._store.write(lambda connection: ingest(connection, batches, guidance))
        failpoints.reach("after-commit")
        for batch, outcome in zip(batches, outcomes, strict=True):
            self._count(batch.source.name, outcome.as_counts())
            if outcome.intents:
                self._wake(batch.source)
        return outcomes

    async def resume(self, source: Source) -> tuple[Cursor | None, datetime | None]:
        """Where the channel left off, and when it was last known to be there."""
        cursor, moved_at = await self._store.read(lambda connection: recall.cursor(connection, source.name))
        return (Cursor(cursor) if cursor else None), moved_at

    async def heartbeat(self, source: Source, now: datetime) -> None:
        """The channel was reached and had nothing new: an outage counts from here."""

        def work(connection: Connection) -> None:
            connection.execute(update(CURSOR).where(CURSOR.c.channel == source.name).values(moved_at=now))

        await self._store.write(work)

    def seal(self, one: Unreadable, now: datetime) -> Sealed:
        return Sealed(
            sha256=hashlib.sha256(one.raw).hexdigest(), reason=one.reason, sealed=self._vault.seal(one.raw), at=now
        )


def _bytes(message: Message) -> bytes:
    """A message as bytes that say the same again, whatever its texts are made of."""
    return repr(message).encode("utf-8", "backslashreplace")
