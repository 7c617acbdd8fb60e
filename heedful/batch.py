"""What goes into one transaction, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.api import Cursor, Gap
from heedful.preparation import Prepared
from heedful.source import Source

__all__ = ["Batch", "Outcome", "Sealed", "pieces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """An item that could not be read: the hash of its bytes, the reason, and the bytes themselves, encrypted."""

    sha256: str
    reason: str
    sealed: bytes | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A page of one source, prepared, oldest first. `now` dates what is not an item: gaps, the cursor and the cost."""

    source: Source
    now: datetime
    items: Sequence[Prepared] = ()
    unreadable: Sequence[Sealed] = ()
    gaps: Sequence[Gap] = ()
    cursor: Cursor | None = None
    cost: int = 0


@dataclass(slots=True)
class Outcome:
    """What became of the items of one page, and how many texts were made due."""

    received: int = 0
    duplicates: int = 0
    quarantined: int = 0
    routed: int = 0
    kept: int = 0
    intents: int = 0

    def as_counts(self) -> dict[str, int]:
        return {
            "received": self.received,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "routed": self.routed,
            "kept": self.kept,
        }

    def add(self, other: Outcome) -> None:
        for name in ("received", "duplicates", "quarantined", "routed", "kept", "intents"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def pieces(batch: Batch, size: int) -> Sequence[Batch]:
    """A long page in transactions of bounded size; only the last one carries what is no item."""
    if len(batch.items) <= size:
        return (batch,)
    starts = range(0, len(batch.items), size)
    cut = [
        replace(batch, items=batch.items[at : at + size], unreadable=(), gaps=(), cursor=None, cost=0) for at in starts
    ]
    cut[-1] = replace(cut[-1], unreadable=batch.unreadable, gaps=batch.gaps, cursor=batch.cursor, cost=batch.cost)
    return cut
