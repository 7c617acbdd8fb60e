"""What is marked on a message, as the page shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feed.staff import Person

__all__ = ["Marked", "Marks", "marks_on"]

Marked = Mapping[int, Sequence[tuple[str, str]]]
"""Who marked what, by message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is marked on one message: one's own marks, and those of colleagues with their names."""

    mine: frozenset[str] = frozenset()
    others: tuple[tuple[str, str], ...] = ()


def marks_on(found: Marked, message_id: int, person: Person) -> Marks:
    marks = found.get(message_id, ())
    return Marks(
        mine=frozenset(mark for staff, mark in marks if staff == person.name),
        others=tuple((staff, mark) for staff, mark in marks if staff != person.name),
    )
