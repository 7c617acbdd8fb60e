"""What is done once an hour: sealed bytes of quarantine go after 30 days, expired sessions go at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, update

from routing.store.database import Store
from routing.store.rows import QUARANTINE, SESSION

__all__ = ["SEALED_FOR", "tidy"]

SEALED_FOR = timedelta(days=30)


async def tidy(store: Store, now: datetime) -> None:
    """The quarantine row itself stays: the ledger counts it."""

    def work(connection: Connection) -> None:
        connection.execute(
            update(QUARANTINE)
            .where(QUARANTINE.c.received_at < now - SEALED_FOR, QUARANTINE.c.sealed.is_not(None))
            .values(sealed=None)
        )
        connection.execute(delete(SESSION).where(SESSION.c.expires_at < now))

    await store.write(work)
