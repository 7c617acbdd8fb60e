"""One page through: repair, mask, read, decide, store. The only place that does it all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from connectors.api import Cursor, Message, Page, Unreadable
from heedful import failpoints, recall
from heedful.batch import Batch, Outcome, Sealed, pieces
from heedful.guidance import Guidance
from heedful.ingest import ingest
from heedful.preparation import FAILED, Prepared, Unmaskable, clean, raw_of, read_all
from heedful.source import Source
from heedful.vault import Vault
from routing.store.database import Store
from routing.store.errors import StoreError
from routing.store.rows import CURSOR, upsert

__all__ = ["Pipeline"]

log = structlog.get_logger("heedful.pipeline")

PIECE = 256


class Pipeline:
    """`guidance` is asked once a page, so that no page mixes two versions of the file.

    `count` is told what became of each page's items.
    """

    def __init__(
        self,
        store: Store,
        guidance: Callable[[], Guidance],
        clock: Callable[[], datetime],
        count: Callable[[str, Mapping[str, int]], None] = lambda _channel, _outcomes: None,
    ) -> None:
        self._store = store
        self._guidance = guidance
        self._clock = clock
        self._count = count
        self._vault = Vault.beside(store.url.render_as_string(hide_password=False))

    async def take(self, source: Source, page: Page) -> Outcome:
        """Store a page and all that follows from it; returns after the commit.

        Raises StoreError where nothing could be stored: then the page must not be confirmed.
        """
        guidance, now = self._guidance(), self._clock()
        items, sealed = self.prepare(source, page.messages, guidance, now)
        sealed += [self.seal(one, now) for one in page.unreadable]
        batch = Batch(
            source=source, now=now, items=items, unreadable=sealed, gaps=page.gaps, cursor=page.cursor, cost=page.cost
        )
        total = Outcome()
        for piece in pieces(batch, PIECE):
            (done,) = await self.store([piece], guidance)
            total.add(done)
        return total

    def prepare(
        self, source: Source, messages: Iterable[Message], guidance: Guidance, now: datetime
    ) -> tuple[list[Prepared], list[Sealed]]:
        """What can be stored, and what cannot be masked and goes into quarantine."""
        items: list[Prepared] = []
        sealed: list[Sealed] = []
        for message in messages:
            try:
                items.append(clean(message, source, guidance, now))
            except Unmaskable as failure:
                sealed.append(self.seal(Unreadable(raw=raw_of(message), reason=str(failure)), now))
                log.warning("quarantined", channel=source.name, reason=str(failure))
        items = read_all(items, guidance)
        for item in items:
            if item.reading is not None and item.reading.scorer == FAILED:
                log.warning("unread", channel=source.name, message=item.message.id)
        return items, sealed

    async def store(self, batches: Sequence[Batch], guidance: Guidance) -> list[Outcome]:
        """Store batches of several sources in one transaction; returns after the commit.

        Where an item itself cannot be stored, that one goes into quarantine and all others are stored.
        """
        failpoints.reach("before-commit")
        try:
            outcomes = await self._store.write(lambda connection: ingest(connection, batches, guidance))
        except StoreError:
            raise
        except Exception as error:
            log.exception("a page cannot be stored as a whole", reason=type(error).__name__)
            outcomes = [await self._one_by_one(batch, guidance) for batch in batches]
        failpoints.reach("after-commit")
        for batch, outcome in zip(batches, outcomes, strict=True):
            self._count(batch.source.name, outcome.as_counts())
        return outcomes

    async def _one_by_one(self, batch: Batch, guidance: Guidance) -> Outcome:
        """The poisonous item is found by storing each alone; cursor, gaps and quarantine come last."""
        total, sealed = Outcome(), list(batch.unreadable)
        for item in batch.items:
            alone = replace(batch, items=(item,), unreadable=(), gaps=(), cursor=None, cost=0)
            try:
                total.add(await self._write(alone, guidance))
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001  whatever it is made of: the rest of the page goes on
                reason = f"it could not be stored ({type(error).__name__})"
                sealed.append(self.seal(Unreadable(raw=raw_of(item.message), reason=reason), item.at))
        total.add(await self._write(replace(batch, items=(), unreadable=sealed), guidance))
        return total

    async def _write(self, batch: Batch, guidance: Guidance) -> Outcome:
        (outcome,) = await self._store.write(lambda connection: ingest(connection, [batch], guidance))
        return outcome

    async def resume(self, source: Source) -> tuple[Cursor | None, datetime | None]:
        """Where the channel left off, and when it was last known to be there."""
        cursor, moved_at = await self._store.read(lambda connection: recall.cursor(connection, source.name))
        return (Cursor(cursor) if cursor else None), moved_at

    async def heartbeat(self, source: Source, now: datetime) -> None:
        """The channel was reached, and may have had nothing new: an outage counts from here."""
        row = {"channel": source.name, "account": source.account, "cursor": "", "moved_at": now}

        def work(connection: Connection) -> None:
            connection.execute(upsert(connection, CURSOR, lambda new: {"moved_at": new.moved_at}), row)

        await self._store.write(work)

    def seal(self, one: Unreadable, now: datetime) -> Sealed:
        return Sealed(
            sha256=hashlib.sha256(one.raw).hexdigest(), reason=one.reason, sealed=self._vault.seal(one.raw), at=now
        )
