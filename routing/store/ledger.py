"""The books: what was received against what became of it.

`received` and `duplicates` are counted by the listeners as they go (`tally`); everything else is counted
from rows, so that the books can fail to balance. One table row is one item.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from routing.store import discrepancies
from routing.store.rows import MESSAGE, QUARANTINE, TALLY
from routing.store.wire import rfc3339

__all__ = ["ACKNOWLEDGEMENTS", "Counts", "Ledger", "ledger"]

ACKNOWLEDGEMENTS = ("sent", "suppressed", "refused", "unknown", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The books of one channel, of one hour of it, or of all."""

    received: int = 0
    duplicates: int = 0
    quarantined: int = 0
    stored: int = 0
    routed: int = 0
    acknowledged: Mapping[str, int] = field(default_factory=dict)
    kept_because: Mapping[str, int] = field(default_factory=dict)
    suppressed_because: Mapping[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        return sum(self.kept_because.values())

    @property
    def due(self) -> int:
        """Each stored item is due one outcome of its acknowledgement."""
        return self.stored

    def problems(self) -> Iterator[str]:
        """What does not add up."""
        if self.received != self.duplicates + self.quarantined + self.stored:
            parts = f"{self.duplicates} duplicates + {self.quarantined} quarantined + {self.stored} stored"
            yield f"received {self.received} ≠ {parts}"
        if self.stored != self.routed + self.kept:
            yield f"stored {self.stored} ≠ {self.routed} routed + {self.kept} kept"
        outcomes = [self.acknowledged.get(name, 0) for name in ACKNOWLEDGEMENTS]
        if self.due != sum(outcomes):
            parts = " + ".join(f"{count} {name}" for count, name in zip(outcomes, ACKNOWLEDGEMENTS, strict=True))
            yield f"acknowledgements due {self.due} ≠ {parts}"

    def as_json(self) -> dict[str, Any]:
        return {
            "received": self.received,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "stored": self.stored,
            "routed": self.routed,
            "kept": self.kept,
            "acknowledgements": {
                "due": self.due,
                **{name: self.acknowledged.get(name, 0) for name in ACKNOWLEDGEMENTS},
            },
            "kept_because": dict(sorted(self.kept_because.items())),
            "suppressed_because": dict(sorted(self.suppressed_because.items())),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The books in all, by channel, and by channel and hour of receipt (UTC)."""

    total: Counts
    by_channel: Mapping[str, Counts]
    by_hour: Mapping[tuple[str, datetime], Counts]
    discrepancies: tuple[str, ...] = ()

    @property
    def balances(self) -> bool:
        return not any(True for _ in self._problems())

    def problems(self) -> tuple[str, ...]:
        """All that does not balance, each with where."""
        return tuple(self._problems())

    def as_json(self, *, hours: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = {
            **self.total.as_json(),
            "balances": self.balances,
            "problems": list(self.problems()),
            "channels": {name: counts.as_json() for name, counts in self.by_channel.items()},
        }
        if hours:
            found["hours"] = [
                {"channel": channel, "hour": rfc3339(hour), **counts.as_json()}
                for (channel, hour), counts in self.by_hour.items()
            ]
        return found

    def _problems(self) -> Iterator[str]:
        """By the hour: two hours whose errors cancel out do not balance either."""
        for (channel, hour), counts in self.by_hour.items():
            for problem in counts.problems():
                yield f"{channel}, {hour:%Y-%m-%d %H}:00 UTC: {problem}"
        yield from self.discrepancies


def ledger(connection: Connection, since: datetime | None = None) -> Ledger:
    """Count the books in one snapshot; with `since`, from the start of its hour on."""
    start = since.replace(minute=0, second=0, microsecond=0) if since else None
    books: defaultdict[tuple[str, datetime], _Book] = defaultdict(_Book)
    for row in connection.execute(_from(TALLY, start, TALLY.c.received, TALLY.c.duplicates)):
        books[row.channel, row.hour].tally = (row.received, row.duplicates)
    for row in connection.execute(_grouped(QUARANTINE, start)):
        books[row.channel, row.hour].quarantined += row.number
    reasons = (MESSAGE.c.outcome, MESSAGE.c.kept, MESSAGE.c.acknowledgement, MESSAGE.c.acknowledgement_reason)
    for row in connection.execute(_grouped(MESSAGE, start, *reasons)):
        outcome = (row.outcome, row.kept, row.acknowledgement, row.acknowledgement_reason)
        books[row.channel, row.hour].count(row.number, *outcome)
    hours = {key: books[key].counts() for key in sorted(books)}
    return Ledger(
        total=_sum(books.values()),
        by_channel={name: _sum(books[key] for key in books if key[0] == name) for name in _names(hours)},
        by_hour=hours,
        discrepancies=tuple(discrepancies.find(connection, start)),
    )


def _names(hours: Mapping[tuple[str, datetime], Counts]) -> list[str]:
    return sorted({channel for channel, _ in hours})


def _from(table: Table, start: datetime | None, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    question = select(table.c.channel, table.c.hour, *columns)
    return question if start is None else question.where(table.c.hour >= start)


def _grouped(table: Table, start: datetime | None, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    question = _from(table, start, *columns, func.count().label("number"))
    return question.group_by(table.c.channel, table.c.hour, *columns)


class _Book:
    """Where one channel's hour is added up."""

    def __init__(self) -> None:
        self.tally = (0, 0)
        self.quarantined = 0
        self.stored = 0
        self.routed = 0
        self.acknowledged: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.suppressed: Counter[str] = Counter()

    def count(self, number: int, outcome: str, kept: str | None, acknowledgement: str, reason: str | None) -> None:
        self.stored += number
        self.acknowledged[acknowledgement] += number
        if outcome == "routed":
            self.routed += number
        elif outcome == "kept":
            self.kept[kept or "?"] += number
        if acknowledgement == "suppressed":
            self.suppressed[reason or "?"] += number

    def add(self, other: _Book) -> None:
        self.tally = (self.tally[0] + other.tally[0], self.tally[1] + other.tally[1])
        self.quarantined += other.quarantined
        self.stored += other.stored
        self.routed += other.routed
        self.acknowledged += other.acknowledged
        self.kept += other.kept
        self.suppressed += other.suppressed

    def counts(self) -> Counts:
        return Counts(
            received=self.tally[0],
            duplicates=self.tally[1],
            quarantined=self.quarantined,
            stored=self.stored,
            routed=self.routed,
            acknowledged=dict(self.acknowledged),
            kept_because=dict(self.kept),
            suppressed_because=dict(self.suppressed),
        )


def _sum(books: Iterable[_Book]) -> Counts:
    whole = _Book()
    for book in books:
        whole.add(book)
    return whole.counts()
