"""One page through: repair, mask, read, decide, store. The only place that does it all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Connection, update

from connectors.api import Cursor, Page, Unreadable
from heedful import failpoints, recall
from heedful.guidance import Guidance
from heedful.ingest import Batch, Outcome, Sealed, ingest, pieces
from heedful.preparation import prepare
from heedful.source import Source
from heedful.vault import Vault
from routing.store.database import Store
from routing.store.rows import CURSOR

__all__ = ["Pipeline"]

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
        batch = Batch(
            source=source,
            items=[prepare(message, source, guidance, now.date()) for message in page.messages],
            unreadable=[self._seal(one) for one in page.unreadable],
            gaps=page.gaps,
            cursor=page.cursor,
        )
        total = Outcome()
        for piece in pieces(batch, PIECE):
            failpoints.reach("before-commit")
            done = await self._store.write(lambda connection, piece=piece: ingest(connection, piece, guidance, now))  # type: ignore[misc]
            failpoints.reach("after-commit")
            _add(total, done)
        self._count(source.name, total.as_counts())
        if total.intents:
            self._wake(source)
        return total

    async def resume(self, source: Source) -> tuple[Cursor | None, datetime | None]:
        """Where the channel left off, and when it was last known to be there."""
        cursor, moved_at = await self._store.read(lambda connection: recall.cursor(connection, source.name))
        return (Cursor(cursor) if cursor else None), moved_at

    async def heartbeat(self, source: Source, now: datetime) -> None:
        """The channel was reached and had nothing new: an outage counts from here."""

        def work(connection: Connection) -> None:
            connection.execute(update(CURSOR).where(CURSOR.c.channel == source.name).values(moved_at=now))

        await self._store.write(work)

    def _seal(self, one: Unreadable) -> Sealed:
        return Sealed(hashlib.sha256(one.raw).hexdigest(), one.reason, self._vault.seal(one.raw))


def _add(total: Outcome, done: Outcome) -> None:
    for name in ("received", "duplicates", "quarantined", "routed", "kept", "intents"):
        setattr(total, name, getattr(total, name) + getattr(done, name))
