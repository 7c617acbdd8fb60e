"""Ids that grow with time and are known before anything is inserted, and references for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from threading import Lock

from sqlalchemy import Connection, select

from routing.store.rows import CASE
from routing.store.tables import EPOCH

__all__ = ["Ids", "least", "new_id", "ref", "refs"]

TICK = timedelta(microseconds=1 << 16)
"""Ids of one process grow by one inside a tick (65 ms), from a start that is drawn anew each tick."""
ROOM = 27
START = 26
LAST_TICK = (1 << 63 - ROOM) - 2
"""About the year 2160: where a clock says more, as in a recording with one absurd date, ids count on from there."""
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
LETTERS = DIGITS[10:]


class Ids:
    """Makes 63-bit ids: strictly growing within the process, even where the clock stands or goes back.

    Two processes collide only where they draw overlapping stretches of 2**26 in the same tick; the
    primary key then refuses the second.
    """

    def __init__(self) -> None:
        self._last = 0
        self._lock = Lock()
        self._chance = Random()  # noqa: S311  two processes must differ; nobody must be unable to guess

    def new(self, now: datetime) -> int:
        tick = min((now - EPOCH) // TICK, LAST_TICK)
        with self._lock:
            if tick > self._last >> ROOM:
                self._last = (tick << ROOM) + self._chance.getrandbits(START)
            else:
                self._last += 1
            return self._last


_ids = Ids()


def new_id(now: datetime) -> int:
    """Return the next id of this process; see `Ids`."""
    return _ids.new(now)


def least(since: datetime) -> int:
    """Return what every id is above that was made from then on, where the clock did not go back."""
    return (min((since - EPOCH) // TICK, LAST_TICK) << ROOM) - 1


def ref(number: int, attempt: int = 0) -> str:
    """Return a short reference for people, such as K7Q2: a letter first, never I, L, O or U.

    Four characters; five at the second attempt, six at all later ones. The caller sees to it that no
    other case bears it (`refs` does).
    """
    hashed = int.from_bytes(blake2b(f"{number}/{attempt}".encode(), digest_size=8).digest(), "big")
    rest, letter = divmod(hashed, len(LETTERS))
    tail = "".join(DIGITS[rest >> 5 * place & 31] for place in range(3 + min(attempt, 2)))
    return LETTERS[letter] + tail


def refs(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Give each id a reference that no case and no other of them bears; one question a round."""
    found: dict[int, str] = {}
    attempt, left = 0, list(ids)
    while left:
        wanted = {one: ref(one, attempt) for one in left}
        taken = set(connection.execute(select(CASE.c.ref).where(CASE.c.ref.in_(wanted.values()))).scalars())
        taken |= set(found.values())
        for one, name in wanted.items():
            if name not in taken:
                found[one] = name
                taken.add(name)
        attempt, left = attempt + 1, [one for one in left if one not in found]
    return found
