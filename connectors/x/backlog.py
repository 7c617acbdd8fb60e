"""X tells newest first; the host wants oldest first, and nothing lost in between.

What lies behind a cursor is a span of ids. A call reads the newest page of a span; what is older is cut in
two, and the older half is read first. So each post is read once, no more pages are held than a span can be
halved, and the cursor moves while money is spent. No token of X's is kept: a walk can wait for days.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from connectors.api import Author, Cursor, Gap, Page
from connectors.x import snowflake
from connectors.x.parsing import Found, read
from connectors.x.position import OVERLAP, Position
from connectors.x.transport import Listing
from connectors.x.wire import PAGE

__all__ = ["Backlog", "Source"]

_MARGIN = timedelta(minutes=1)
_HEADWAY = timedelta(minutes=5)
"""What X looks back to moves on while we read: so far ahead of it we begin, that it makes one gap and not ten."""
_ASTRAY = timedelta(minutes=10)
"""How far our clock may be ahead of X's: by it alone a cursor moves only to before then."""
_QUIET = timedelta(days=1)
"""After which a cursor moves though nothing was said: it must not grow older than X looks back."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_SMALLEST = 1 << 22
"""A millisecond of ids: not cut in two."""
_MILLISECOND = timedelta(milliseconds=1)
_PATIENCE = 40
"""So many answers in a row that hide all they hold, and nothing is cut for them any more: a week is cut 30 times."""


class Ask(Protocol):
    def __call__(
        self, *, since_id: str, until_id: str | None, pagination_token: str | None = None
    ) -> Awaitable[Listing]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A listing of X: `window` is how far back it reaches, `pages` how many of them it gives (None: no end).

    One that ends is walked through before anything of it is handed out: else nobody knew what it left out.
    """

    ask: Ask
    price: int
    window: timedelta | None = None
    pages: int | None = None
    look_back: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """The ids between two, these not included. `found` is None until it was read, at `asked`."""

    after: int
    before: int | None = None
    found: Found | None = None
    asked: datetime = _NEVER


@dataclass(slots=True, kw_only=True)
class _Walk:
    """The spans still to be handed out, the oldest last. `first`: without a cursor nothing is missed."""

    began: datetime
    spans: list[_Span]
    first: bool
    gaps: list[Gap] = field(default_factory=list[Gap])
    count: int = 0
    hidden: int = 0
    """Answers in a row that hid all they held."""


class Backlog:
    """Everything after a cursor, oldest first. It outlives a failure, and a day without money."""

    def __init__(self, source: Source, me: Author, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._me = me
        self._clock = clock
        self._walk: _Walk | None = None
        self._position: Position | None = None
        self._next: Cursor | None = None
        self._before: tuple[Cursor | None, Position | None, list[_Span], list[Gap]] | None = None
        self.covers: datetime | None = None
        """When the last walk began that was handed out to its end."""

    @property
    def under_way(self) -> bool:
        """A walk has begun, and not all of it was handed out."""
        return self._walk is not None

    @property
    def needs_call(self) -> bool:
        """Whether the next page has to be asked for; else it was read, and paid for, before."""
        return self._walk is None or self._walk.spans[-1].found is None

    async def page(self, after: Cursor | None) -> Page:
        """The next page after a cursor: at most one call that costs. Raises as the listing does.

        A page that moves the cursor and was not stored is told again.
        """
        if after != self._next or self._position is None:
            self._resume(after)
        walk = self._walk = self._walk or self._started()
        self._clip(walk)
        cost = await self._read(walk) if walk.spans[-1].found is None else 0
        return self._hand_out(walk, after, cost)

    def _resume(self, after: Cursor | None) -> None:
        """From a cursor that is not the last one: a walk that is not over only takes back what it told last."""
        if self._walk is not None and self._before is not None and self._before[0] == after:
            _, self._position, self._walk.spans, self._walk.gaps = self._before
            self._before = None
        else:
            self._walk, self._position = None, Position.parse(after)
        self._next = after

    def _started(self) -> _Walk:
        now, first = self._clock(), self._position is None
        if self._position is None:
            self._position = Position(since=snowflake.first_at(now - self._source.look_back))
        return _Walk(began=now, spans=[_Span(after=self._position.since)], first=first)

    def _clip(self, walk: _Walk) -> None:
        """What X no longer searches is a gap; of the newest span, which has no end, something always stays."""
        window, now = self._source.window, self._clock()
        if window is None:
            return
        edge, begin = (snowflake.first_at(now - window + ahead) - 1 for ahead in (_MARGIN, _HEADWAY))
        reason = f"X searches no further back than {window.days} days"
        while (span := walk.spans[-1]).found is None and span.after < edge:
            over = begin if span.before is None else min(begin, span.before - 1)
            _miss(walk, max(snowflake.at(span.after), self._known.reached), over, reason)
            self._position = self._known.past(over)
            walk.spans.pop()
            if span.before is None or over < span.before - 1:
                walk.spans.append(replace(span, after=over))

    async def _read(self, walk: _Walk) -> int:
        span = walk.spans[-1]
        asked = self._clock()
        listing = await self._listed(walk, span)
        if walk.hidden and self._cut(walk, span):
            return 0
        found = _within(read(listing.posts, listing.includes, self._me), span)
        walk.count += found.count
        walk.spans.pop()
        walk.spans.append(replace(span, found=found, asked=asked))
        lowest = min(found.ids, default=None)
        if listing.more and lowest is not None and lowest > span.after + 1:
            walk.spans.extend(self._halves(span.after, lowest))
        elif not walk.first:
            self._miss(walk, walk.spans[-1], whole=not listing.more or lowest is not None)
        return self._source.price * (found.count - sum(not self._known.is_new(identity) for identity in found.ids))

    async def _listed(self, walk: _Walk, span: _Span) -> Listing:
        """Past a page that hides all it holds only X's own token leads, where a listing is not cut."""
        since, until = str(span.after), None if span.before is None else str(span.before)
        listing = await self._source.ask(since_id=since, until_id=until)
        if _hides(listing) and self._source.pages is not None:
            walk.count += PAGE
            listing = await self._source.ask(since_id=since, until_id=until, pagination_token=listing.older)
        walk.hidden = walk.hidden + 1 if _hides(listing) else 0
        return listing

    def _cut(self, walk: _Walk, span: _Span) -> bool:
        """Halve what hides its newest page: X shows to its end what is less than a page. False: no further."""
        halves = self._halves(span.after, span.before or snowflake.first_at(walk.began))
        if len(halves) == 1 or walk.hidden > _PATIENCE:
            return False
        walk.spans[-1:] = [replace(halves[0], before=span.before), halves[1]]
        return True

    def _miss(self, walk: _Walk, span: _Span, *, whole: bool) -> None:
        """Read to its end: where that is the end of what X lists, and not of what there was, it is a gap."""
        pages, ids = self._source.pages, [each for held in walk.spans if held.found for each in held.found.ids]
        if not whole:
            _miss(
                walk,
                snowflake.at(span.after),
                span.before or snowflake.first_at(span.asked),
                "X hides the posts of this time" if walk.hidden else "X lists posts of another time",
            )
        elif pages is not None and walk.count >= pages * PAGE and ids:
            _miss(walk, snowflake.at(span.after), min(ids), f"X shows no more than the latest {pages * PAGE} mentions")

    def _halves(self, after: int, before: int) -> list[_Span]:
        if self._source.pages is not None or before - after <= _SMALLEST:
            return [_Span(after=after, before=before)]
        middle = (after + before) // 2
        return [_Span(after=middle - 1, before=before), _Span(after=after, before=middle)]

    @property
    def _known(self) -> Position:
        return self._position or Position(since=0)

    def _hand_out(self, walk: _Walk, after: Cursor | None, cost: int) -> Page:
        """The oldest page that holds anything. One that does moves the cursor, so that it is told again if lost."""
        fresh, before = Found(), (after, self._position, list(walk.spans), walk.gaps)
        while walk.spans and (oldest := walk.spans[-1]).found is not None and not (fresh.ids or fresh.unreadable):
            fresh = _fresh(oldest.found, self._known)
            self._position = _behind(self._known.after(fresh.ids), oldest)
            walk.spans.pop()
        gaps: tuple[Gap, ...] = ()
        if not walk.hidden or not walk.spans or fresh.ids:  # Else it may go on.
            gaps, walk.gaps = tuple(walk.gaps), []
        moves = bool(fresh.ids or fresh.unreadable or gaps)
        if not walk.spans:
            self._walk, self.covers = None, walk.began
            stored = Position.parse(after)
            moves = moves or stored is None or snowflake.at(stored.since) < walk.began - _QUIET
        page = Page(
            messages=tuple(fresh.messages.values()),
            unreadable=tuple(item for _, item in fresh.unreadable),
            gaps=gaps,
            cursor=self._known.cursor if moves else None,
            more=bool(walk.spans),
            cost=cost,
        )
        if page.cursor is not None:
            self._before, self._next = before, page.cursor
        return page


def _hides(listing: Listing) -> bool:
    """Nothing, and more behind it: X takes away what is protected or withheld only after it has cut its pages."""
    return listing.more and not listing.posts


def _miss(walk: _Walk, since: datetime, over: int, reason: str) -> None:
    """Note a gap; one that goes on where the last one ended makes it longer."""
    if since < (until := snowflake.at(over)):
        last = walk.gaps[-1] if walk.gaps else None
        goes_on = last is not None and last.reason == reason and abs(last.until - since) <= _MILLISECOND
        began = walk.gaps.pop().since if goes_on else since
        walk.gaps.append(Gap(since=began, until=until, reason=reason))


def _behind(position: Position, span: _Span) -> Position:
    """All of a span was handed out: what is older than a minute before it was read is over."""
    if span.before is None:
        return position.settled(span.asked).moved(span.asked - _ASTRAY)
    return position.past(min(span.before, snowflake.first_at(span.asked - OVERLAP)) - 1)


def _within(found: Found, span: _Span) -> Found:
    """X may answer with its newest where a span lies beyond what it shows: these are told in their own turn."""
    inside = frozenset(each for each in found.ids if span.after < each and (span.before is None or each < span.before))
    return replace(found, ids=inside)


def _fresh(found: Found, position: Position) -> Found:
    ids = frozenset(filter(position.is_new, found.ids))
    messages = {identity: message for identity, message in found.messages.items() if identity in ids}
    unreadable = tuple(item for item in found.unreadable if item[0] is None or item[0] in ids)
    return Found(messages=messages, unreadable=unreadable, ids=ids, count=found.count)
