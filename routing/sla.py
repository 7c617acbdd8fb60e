"""Due times: what was promised to whom, counted in opening hours; pure. Acting on them is the store's.

The first-answer clock starts when a case opens and stops with the first answer of a person, never with
an acknowledgement. The next-answer clock starts with the first message of the customer after an answer;
more messages never push it outwards. The resolution clock runs until the case is resolved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from config.schema import Deadline
from routing.calendar import Hours

__all__ = ["BEFORE_WINDOW", "Due", "binding", "clocks", "earliest", "next_answer", "tighter", "window_due"]

BEFORE_WINDOW = timedelta(hours=2)
"""A case escalates that long before the platform's reply window closes."""


@dataclass(frozen=True, slots=True)
class Due:
    """When the first answer and the resolution are due; None where the file sets no such deadline."""

    first_answer: datetime | None = None
    resolution: datetime | None = None


def clocks(opened_at: datetime, deadline: Deadline, hours: Hours) -> Due:
    """Both clocks of a case, counted from `opened_at`."""
    return Due(_after(opened_at, deadline.first_answer, hours), _after(opened_at, deadline.resolve, hours))


def next_answer(at: datetime, deadline: Deadline, hours: Hours) -> datetime | None:
    """When a message written after an answer must be answered; without a `next_answer` as fast as the first."""
    return _after(at, deadline.first_answer if deadline.next_answer is None else deadline.next_answer, hours)


def earliest(*dues: datetime | None) -> datetime | None:
    """The one that escalates."""
    return min((due for due in dues if due is not None), default=None)


def binding(due: datetime | None, promised: datetime | None) -> datetime | None:
    """What holds once a customer was told a time: nothing moves it outwards."""
    return earliest(due, promised)


def tighter(old: Due, new: Due) -> Due:
    """Both clocks after a change that may only bring them forward, such as a raised priority."""
    return Due(earliest(old.first_answer, new.first_answer), earliest(old.resolution, new.resolution))


def window_due(closes_at: datetime | None, margin: timedelta = BEFORE_WINDOW) -> datetime | None:
    """When a case escalates because the platform will soon let nobody answer."""
    return None if closes_at is None else closes_at - margin


def _after(start: datetime, span: timedelta | None, hours: Hours) -> datetime | None:
    return None if span is None else hours.add(start, span)
