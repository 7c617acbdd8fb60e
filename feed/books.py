"""The ledger as figures, table and chart. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from feed.status import stamp
from routing.store.ledger import Counts, Ledger

__all__ = ["Books", "Hour", "books_of"]

COLUMNS = (
    "received",
    "duplicates",
    "quarantined",
    "stored",
    "routed",
    "kept",
    "sent",
    "suppressed",
    "refused",
    "unknown",
    "pending",
)
HOURS = 48
TALLEST = 96.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    start: datetime
    stored: int
    routed: int
    height: float
    routed_height: float

    @property
    def at(self) -> str:
        return stamp(self.start) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    balances: bool
    problems: tuple[str, ...]
    figures: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    total: tuple[int, ...]
    kept: tuple[tuple[str, int], ...]
    suppressed: tuple[tuple[str, int], ...]
    hours: tuple[Hour, ...]


def books_of(ledger: Ledger, now: datetime) -> Books:
    figures = dict(zip(COLUMNS, _cells(ledger.total), strict=True))
    return Books(
        balances=ledger.balances,
        problems=ledger.problems(),
        figures=tuple((name, figures[name]) for name in ("received", "stored", "routed", "kept", "sent", "unknown")),
        columns=COLUMNS,
        rows=tuple((name, _cells(counts)) for name, counts in ledger.by_channel.items()),
        total=_cells(ledger.total),
        kept=_by_number(ledger.total.kept_because),
        suppressed=_by_number(ledger.total.suppressed_because),
        hours=_hours(ledger, now),
    )


def _cells(counts: Counts) -> tuple[int, ...]:
    own = (counts.received, counts.duplicates, counts.quarantined, counts.stored, counts.routed, counts.kept)
    return (*own, *(counts.acknowledged.get(name, 0) for name in COLUMNS[6:]))


def _by_number(numbers: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0])))


def _hours(ledger: Ledger, now: datetime) -> tuple[Hour, ...]:
    last = now.replace(minute=0, second=0, microsecond=0)
    starts = [last - timedelta(hours=back) for back in reversed(range(HOURS))]
    stored = dict.fromkeys(starts, 0)
    routed = dict.fromkeys(starts, 0)
    for (_, hour), counts in ledger.by_hour.items():
        if hour in stored:
            stored[hour] += counts.stored
            routed[hour] += counts.routed
    most = max(1, *stored.values())
    return tuple(
        Hour(
            start=start,
            stored=stored[start],
            routed=routed[start],
            height=round(stored[start] / most * TALLEST, 1),
            routed_height=round(routed[start] / most * TALLEST, 1),
        )
        for start in starts
    )
