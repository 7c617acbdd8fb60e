"""What calls to a platform have cost, by account and UTC day, in millionths of a US dollar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from routing.store.rows import SPENDING, upsert

__all__ = ["Spent", "add", "day_of", "dollars", "on"]

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One account's spending of one day: on reading, and on what was sent."""

    reading: int = 0
    replies: int = 0

    @property
    def total(self) -> int:
        return self.reading + self.replies


def day_of(at: datetime) -> datetime:
    """00:00 UTC of the day of `at`."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def add(connection: Connection, account: str, at: datetime, *, reading: int = 0, replies: int = 0) -> None:
    """Count what was spent at `at`; nothing spent writes nothing."""
    if not reading and not replies:
        return
    spent = SPENDING.c
    statement = upsert(
        connection,
        SPENDING,
        lambda new: {"reading": spent.reading + new.reading, "replies": spent.replies + new.replies},
    )
    row = {"account": account, "day": day_of(at), "reading": reading, "replies": replies}
    connection.execute(statement, row)


def on(connection: Connection, account: str, at: datetime) -> Spent:
    """What the account has spent on the day of `at`."""
    question = select(SPENDING.c.reading, SPENDING.c.replies)
    row = connection.execute(question.where(SPENDING.c.account == account, SPENDING.c.day == day_of(at))).first()
    return Spent(reading=row.reading, replies=row.replies) if row else Spent()


def dollars(millionths: int) -> str:
    """For people: `$1.20`, and up to six places where a cent is too coarse."""
    whole, rest = divmod(abs(millionths), 1_000_000)
    places = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if millionths < 0 else ''}${whole}.{places}"
