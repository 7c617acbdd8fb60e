"""X tells newest first, and page after page; the host wants oldest first, and nothing lost in between.

So a listing is walked to its end, one call a poll, before anything of it is handed out; then it is
handed out from its oldest page on. What was walked is only held in memory: after a crash the walk
starts again at the cursor, which never leads past what was handed out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from connectors.api import Author, Cursor, Gap, Page
from connectors.errors import ConnectorError, Denied, Unreachable
from connectors.x import snowflake
from connectors.x.parsing import Found, read
from connectors.x.position import OVERLAP, Position
from connectors.x.transport import Listing

__all__ = ["Backlog", "Source"]

_HELD = 50
"""Pages held at once. Of a longer walk the newest are let go, and read again after the older ones."""
_MARGIN = timedelta(minutes=1)
_QUIET = timedelta(days=1)
"""After which a cursor moves though nothing was said: it must not grow older than X looks back."""


class Ask(Protocol):
    def __call__(self, *, since_id: str, pagination_token: str | None) -> Awaitable[Listing]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A listing of X: `window` is how far back it reaches, `pages` how many of them it gives (None: no end)."""

    ask: Ask
    price: int
    window: timedelta | None = None
    pages: int | None = None
    look_back: timedelta = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class _Walk:
    after: Cursor | None
    position: Position
    began: datetime
    gaps: list[Gap] = field(default_factory=list[Gap])
    older: str | None = None
    pages: int = 0
    found: deque[Found] = field(default_factory=lambda: deque(maxlen=_HELD))


class Backlog:
    """Everything after a cursor, oldest first."""

    def __init__(self, source: Source, me: Author, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._me = me
        self._clock = clock
        self._walk: _Walk | None = None
        self._ready: deque[Found] = deque()
        self._next: Cursor | None = None
        self._position = Position(since=0)
        self._again = False

    async def page(self, after: Cursor | None) -> Page:
        """The next page after a cursor: at most one call. Raises as the listing does."""
        if self._ready and self._next == after:
            return self._hand_out(after, [], 0, self._clock())
        self._ready.clear()
        walk = self._walk if self._walk is not None and self._walk.after == after else self._started(after)
        self._walk = walk
        cost = await self._step(walk)
        if walk.older is not None:
            return Page(more=True, cost=cost)
        self._walk = None
        self._ready = deque(reversed(walk.found))
        self._position = walk.position
        self._again = walk.pages > _HELD
        return self._hand_out(after, walk.gaps, cost, walk.began)

    def _started(self, after: Cursor | None) -> _Walk:
        """From where the cursor leads, or from where X still looks back to: what lies between is a gap."""
        now, window = self._clock(), self._source.window
        stored = Position.parse(after)
        if stored is None:
            first = Position(since=snowflake.first_at(now - self._source.look_back))
            return _Walk(after=after, position=first, began=now)
        position = stored.settled(now)
        edge = now - window + _MARGIN if window else None
        if window is None or edge is None or snowflake.at(position.since) >= edge:
            return _Walk(after=after, position=position, began=now)
        gaps = []
        if position.reached < edge:
            reason = f"X searches no further back than {window.days} days"
            gaps.append(Gap(since=position.reached, until=edge, reason=reason))
        return _Walk(after=after, position=position.moved(edge), began=now, gaps=gaps)

    async def _step(self, walk: _Walk) -> int:
        try:
            listing = await self._source.ask(since_id=str(walk.position.since), pagination_token=walk.older)
        except Denied as error:
            if walk.older is None or "X says 400" not in str(error):
                raise
            self._walk = None
            failure: ConnectorError = Unreachable("X no longer knows the page that we were to go on with")
        else:
            return self._taken(walk, listing)
        raise failure

    def _taken(self, walk: _Walk, listing: Listing) -> int:
        found = read(listing.posts, listing.includes, self._me)
        walk.found.append(found)
        walk.pages += 1
        walk.older = listing.older
        last = self._source.pages
        if last is not None and walk.older is None and walk.pages >= last and walk.after is not None and found.ids:
            reason = f"X shows no more than the latest {last * 100} mentions"
            since, until = snowflake.at(walk.position.since), snowflake.at(min(found.ids))
            walk.gaps.append(Gap(since=since, until=max(since, until), reason=reason))
        fresh = sum(walk.position.is_new(identity) for identity in found.ids)
        return self._source.price * (found.count - len(found.ids) + fresh)

    def _hand_out(self, after: Cursor | None, gaps: list[Gap], cost: int, began: datetime) -> Page:
        position = self._position
        fresh = Found()
        while self._ready and not fresh.ids and not fresh.unreadable:
            fresh = _fresh(self._ready.popleft(), position)
        self._position = position.after(fresh.ids)
        moves = bool(fresh.ids or gaps)
        if not fresh.ids and after is not None and (gaps or snowflake.at(position.since) < began - _QUIET):
            self._position, moves = position.moved(began - OVERLAP), True
        cursor = self._position.cursor if moves else None
        self._next = cursor or after
        return Page(
            messages=tuple(fresh.messages.values()),
            unreadable=tuple(item for _, item in fresh.unreadable),
            gaps=tuple(gaps),
            cursor=cursor,
            more=bool(self._ready) or self._again,
            cost=cost,
        )


def _fresh(found: Found, position: Position) -> Found:
    ids = frozenset(filter(position.is_new, found.ids))
    messages = {identity: message for identity, message in found.messages.items() if identity in ids}
    unreadable = tuple(item for item in found.unreadable if item[0] is None or item[0] in ids)
    return Found(messages=messages, unreadable=unreadable, ids=ids, count=found.count)
