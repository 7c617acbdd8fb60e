"""How improbable a channel's silence is, judged by its own rhythm. Pure.

The rhythm is a rate of messages for each hour of the week, or for each hour of the day until four weeks
are known (UTC). A rate is the mean of that hour's counts without their highest quarter, so that one storm
of complaints does not make every later week look silent. Messages come in bursts, which a Poisson process
does not know: the chance of hearing nothing where E messages were to be expected is taken as
exp(-E / spread), where spread is variance / mean of the counts around their rates, at least 1.

A silence is told where that chance is at most one in a million, at least 10 messages were to be expected
and half an hour has gone by, and only of a channel that is known for a week and through 50 messages. Each
pause between two messages is a trial: of 6 messages an hour a year has 50,000 pauses, and one in a million
leaves one false alarm in 20 years. A channel that is quiet by nature is not expected to bring so much for days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, exp

__all__ = ["IMPROBABLE", "KNOWN_FOR", "LEAST_EXPECTED", "WEEKS", "Rhythm", "Silence", "judge", "rhythm"]

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
WEEKS = 4
"""From so many weeks on each hour of the week stands for itself; nothing older is looked at."""
KNOWN_FOR = WEEK
LEAST_KNOWN = 50
LEAST_EXPECTED = 10.0
IMPROBABLE = 1e-6
SHORTEST = timedelta(minutes=30)
"""A platform may stumble for so long; of a busy channel even a minute would be improbable."""
LONGEST = timedelta(days=14)
"""A silence is added up so far back at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Messages an hour by slot: 24 of the day or 168 of the week, the first from midnight (Monday's), UTC."""

    rates: Sequence[float]
    spread: float = 1.0

    def expected(self, since: datetime, until: datetime) -> float:
        """How many messages were to be expected between two instants."""
        total, at = 0.0, max(since, until - LONGEST)
        while at < until:
            end = min(_start(at) + HOUR, until)
            total += self.rates[_slot(at, len(self.rates))] * ((end - at) / HOUR)
            at = end
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing from `since` until `until`, where `expected` messages were to be expected, and the chance of that."""

    since: datetime
    until: datetime
    expected: float
    chance: float

    @property
    def striking(self) -> bool:
        enough = self.expected >= LEAST_EXPECTED and self.until - self.since >= SHORTEST
        return enough and self.chance <= IMPROBABLE


def rhythm(counts: Mapping[datetime, int], first: datetime, last: datetime) -> Rhythm | None:
    """Learn from the counts of whole hours in [first, last); an hour without a count had none.

    None where too little is known.
    """
    first, last = _start(first), _start(last)
    first = max(first, last - WEEK * WEEKS)
    if last - first < KNOWN_FOR or sum(n for at, n in counts.items() if first <= at < last) < LEAST_KNOWN:
        return None
    slots = 168 if last - first >= WEEK * WEEKS else 24
    known: defaultdict[int, list[int]] = defaultdict(list)
    for at in _hours(first, last):
        known[_slot(at, slots)].append(counts.get(at, 0))
    kept = {slot: _without_storms(values) for slot, values in known.items()}
    rates = [sum(kept[slot]) / len(kept[slot]) for slot in range(slots)]
    return Rhythm(rates=rates, spread=_spread(kept, rates))


def judge(known: Rhythm, since: datetime, now: datetime) -> Silence:
    """What to think of it that nothing has come from `since` until now."""
    expected = known.expected(since, now)
    return Silence(since=since, until=now, expected=expected, chance=exp(-expected / known.spread))


def _without_storms(counts: list[int]) -> list[int]:
    return sorted(counts)[: max(1, len(counts) - ceil(len(counts) / 4))]


def _spread(kept: Mapping[int, Sequence[int]], rates: Sequence[float]) -> float:
    squares = sum((count - rates[slot]) ** 2 for slot, counts in kept.items() for count in counts)
    mean = sum(rates[slot] * len(counts) for slot, counts in kept.items())
    return max(1.0, squares / mean) if mean else 1.0


def _hours(first: datetime, last: datetime) -> Iterator[datetime]:
    while first < last:
        yield first
        first += HOUR


def _start(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _slot(at: datetime, slots: int) -> int:
    utc = at.astimezone(UTC)
    return (utc.weekday() * 24 + utc.hour) % slots
