"""Deadlines as they are inherited: from level to level, each key overriding the one before; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from config.schema import Deadline, Priority

__all__ = ["Layer", "merged"]


class Layer(NamedTuple):
    """What one level says: a calendar for all priorities, and deadlines by priority, which are closer."""

    calendar: str | None
    deadlines: Mapping[Priority, Deadline]


def merged(layers: Iterable[Layer], priority: Priority) -> Deadline:
    """The deadlines of one priority; its calendar is always named, `always` where no level names one."""
    first = after = resolve = None
    calendar = "always"
    for layer in layers:
        calendar = layer.calendar or calendar
        said = layer.deadlines.get(priority)
        if said is not None:
            first = first if said.first_answer is None else said.first_answer
            after = after if said.next_answer is None else said.next_answer
            resolve = resolve if said.resolve is None else said.resolve
            calendar = said.calendar or calendar
    return Deadline.model_construct(first_answer=first, next_answer=after, resolve=resolve, calendar=calendar)
