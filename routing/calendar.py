"""Opening hours, and time counted in them; pure.

A span belongs to the day it starts on: `22:00-06:00` under `fri` ends on Saturday, holiday or not, and
a holiday on Friday takes all of it away. Holidays are closed. A date among `workdays` is open, even if
it is a holiday too: with the hours of its own weekday from Monday to Friday, otherwise (and where that
weekday has none) with Monday's, or those of the first day of the week that has any. Where a clock is
put forward, what stands inside the skipped hour moves to its end; where one is put back, the doubled
hour is open twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.schema import Calendar

__all__ = ["ALWAYS", "Hours"]

Piece = tuple[datetime, datetime]
Span = tuple[int, int]
Week = Mapping[int, tuple[Span, ...]]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*[-–]\s*([0-9]{1,2}):([0-9]{2})")
DAY = 24 * 60
NOTHING = timedelta(0)
MOST_DAYS = 20 * 366
REMEMBERED = 4096


class Hours:
    """When somebody is there. Times go in aware and come out in UTC."""

    __slots__ = ("_days", "_pieces", "_week", "_zone")

    def __init__(self, week: Week | None, days: Mapping[date, tuple[Span, ...]], zone: ZoneInfo) -> None:
        self._week = week
        self._days = days
        self._zone = zone
        self._pieces: dict[date, tuple[Piece, ...]] = {}

    @classmethod
    def compile(cls, calendar: Calendar, zone: ZoneInfo) -> Hours:
        """`zone` serves where the calendar names none. Raises ValueError where it is unclear or never open."""
        week = _week(calendar.hours)
        usual = next((week[day] for day in range(7) if week.get(day)), ())
        if not usual:
            raise ValueError("this calendar is never open: give at least one day a span such as 09:00-18:00")
        days: dict[date, tuple[Span, ...]] = dict.fromkeys(calendar.holidays, ())
        for day in calendar.workdays:
            own = week.get(day.weekday(), ()) if day.weekday() < 5 else ()
            days[day] = own or usual
        return cls(week, days, ZoneInfo(calendar.timezone) if calendar.timezone else zone)

    def is_open(self, at: datetime) -> bool:
        """Is anybody there at that instant? The opening minute counts, the closing one does not."""
        at = at.astimezone(UTC)
        if self._week is None:
            return True
        today = at.astimezone(self._zone).date()
        days = (today - timedelta(days=2), today - timedelta(days=1), today)
        return any(begins <= at < ends for day in days for begins, ends in self._on(day))

    def add(self, start: datetime, span: timedelta) -> datetime:
        """The instant at which `span` of open time has gone by since `start`; closed time does not count.

        Never before `start`; no open time at all is the next opening. Raises ValueError where the calendar
        is not open that long within twenty years.
        """
        start = start.astimezone(UTC)
        if self._week is None:
            return start + span
        left = max(span, NOTHING)
        for begins, ends in self._open_from(start):
            if ends - begins >= left:
                return begins + left
            left -= ends - begins
        raise ValueError("this calendar is not open for that long within twenty years")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much open time lies between two instants."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if self._week is None:
            return max(end - start, NOTHING)
        total = NOTHING
        for begins, ends in self._open_from(start):
            if begins >= end:
                break
            total += min(ends, end) - begins
        return total

    def _open_from(self, at: datetime) -> Iterator[Piece]:
        """Open time from `at` on, in order and without overlap; empty, where `at` is a closing minute."""
        day = at.astimezone(self._zone).date() - timedelta(days=2)
        for _ in range(MOST_DAYS):
            for begins, ends in self._on(day):
                if ends >= at:
                    yield max(begins, at), ends
                    at = max(ends, at)
            day += timedelta(days=1)

    def _on(self, day: date) -> tuple[Piece, ...]:
        """The spans that start on a day, as instants."""
        pieces = self._pieces.get(day)
        if pieces is None:
            if len(self._pieces) >= REMEMBERED:
                self._pieces.clear()
            spans = self._days.get(day, (self._week or {}).get(day.weekday(), ()))
            found = ((_instant(day, a, self._zone, 0), _instant(day, b, self._zone, 1)) for a, b in spans)
            pieces = self._pieces[day] = tuple((begins, ends) for begins, ends in found if begins < ends)
        return pieces


ALWAYS = Hours(None, {}, ZoneInfo("UTC"))
"""Day and night: the calendar `always`."""


def _instant(day: date, minutes: int, zone: ZoneInfo, fold: int) -> datetime:
    """A minute of a day on the zone's clock; one that the clock skips is the instant of the skip."""
    naive = datetime.combine(day, time()) + timedelta(minutes=minutes)
    instant = naive.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == naive:
        return instant
    before = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return _skip(before, after, zone)


def _skip(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second of the new offset, between an instant with the old one and one with the new."""
    old = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == old:
            low = middle + 1
        else:
            high = middle
    return before + timedelta(seconds=low)


def _week(hours: Mapping[str, tuple[str, ...]]) -> Week:
    week: dict[int, tuple[Span, ...]] = {}
    for days, spans in hours.items():
        parsed = tuple(map(_span, spans))
        for day in _weekdays(days):
            week[day] = tuple(sorted({*week.get(day, ()), *parsed}))
    return week


def _weekdays(text: str) -> Iterator[int]:
    """`mon`, `mon-fri`, `fri-mon` (over the weekend), `mon,wed`, `daily`."""
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if part == "daily":
            first, last = "mon", "sun"
        begins = _weekday(first)
        ends = _weekday(last) if last else begins
        yield from (day % 7 for day in range(begins, ends + 1 if ends >= begins else ends + 8))


def _weekday(word: str) -> int:
    if word in DAYS:
        return DAYS.index(word)
    if word in _FULL:
        return _FULL.index(word)
    raise ValueError(f"`{word}` is not a day; days are {', '.join(DAYS)}, a range is mon-fri, a list mon,wed")


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"`{text}` is not a span of hours such as 09:00-18:00")
    begin_hour, begin_minute, end_hour, end_minute = map(int, match.groups())
    begins, ends = begin_hour * 60 + begin_minute, end_hour * 60 + end_minute
    if max(begin_minute, end_minute) > 59 or begins >= DAY or ends > DAY:
        raise ValueError(f"`{text}` has a time that is not on the clock; midnight at the end of a day is 24:00")
    if begins == ends:
        raise ValueError(f"`{text}` is no time at all; a whole day is 00:00-24:00")
    return begins, ends if ends > begins else ends + DAY
