"""An account on X as a connector."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors.api import Author, Cursor, Http, Page, Receipt, Reply, Vitals
from connectors.errors import BadPayload, Denied, Refused, Unreachable
from connectors.x import prices, snowflake
from connectors.x.backlog import Backlog, Source
from connectors.x.bought import Bought
from connectors.x.length import LONGEST, weighted_length
from connectors.x.line import Line
from connectors.x.matching import answer_of
from connectors.x.parsing import account, post_url
from connectors.x.position import OVERLAP, Position
from connectors.x.settings import Settings
from connectors.x.stream import SILENCE, Stream
from connectors.x.transport import Api
from connectors.x.verdict import is_duplicate
from connectors.x.wire import PAGE

__all__ = ["PollingX", "StreamingX", "X", "connect"]

Clock = Callable[[], datetime]

_SEARCH_WINDOW = timedelta(days=7)
_MENTION_PAGES = 8
"""X gives an account's latest 800 mentions: https://docs.x.com/x-api/posts/timelines/introduction."""
_OWN_PAGES = 5
_INDEXED = OVERLAP + timedelta(seconds=5)
"""After which X's search has what was posted before; by the clock, looked at between two lines."""


def _now() -> datetime:
    return datetime.now(UTC)


class X:
    """What an account can do however it listens: answer, and find its answers again."""

    def __init__(self, api: Api, me: Author, settings: Settings, clock: Clock = _now) -> None:
        self._api = api
        self._me = me
        self._settings = settings
        self._clock = clock
        self._unbooked = prices.USER_READ
        """Spent, and not yet told to the host."""
        self._bought = Bought()

    @property
    def me(self) -> Author:
        return self._me

    @property
    def vitals(self) -> Vitals:
        return Vitals(
            quotas=self._api.quotas,
            daily_budget=round(self._settings.daily_budget * prices.DOLLAR),
            next_call=self._next_call,
        )

    @property
    def _next_call(self) -> int:
        return 0

    async def reply(self, reply: Reply) -> Receipt:
        """Post under the version of the post that was read.

        A text that X calls a duplicate is looked for: where it stands under this post, this is the reply.
        Where it is not seen there X may mean an earlier try of this very reply: that is doubt, no refusal.
        """
        if not self._settings.speaks:
            raise Refused("this channel only reads: it has no access token to answer with")
        to = _version(reply)
        if to is None:
            raise Refused("this message is not one of X's")
        if not reply.text.strip() or weighted_length(reply.text) > LONGEST:
            raise Refused(f"X takes 1 to {LONGEST} units of text, and not only spaces")
        try:
            posted = await self._api.post(reply.text, to)
        except Refused as error:
            if not is_duplicate(error):
                raise
            why = str(error)
        else:
            cost = prices.of_post(reply.text, summoned=reply.to.mentions_us is True)
            return self._receipt(posted["id"], cost)
        found = await self.find(reply)
        if found is None:
            raise Unreachable(f"{why} We do not see it under this post: it may stand there all the same")
        return found

    async def find(self, reply: Reply) -> Receipt | None:
        """Look through what we posted since the post that is answered.

        Raises Unreachable where there is more than can be looked through: that is no absence.
        """
        to = _version(reply)
        if to is None:
            return None
        answered = {reply.to.id, to}
        older: str | None = None
        for _ in range(_OWN_PAGES):
            listing = await self._api.own_posts(self._me.id, min(answered, key=int), older)
            self._unbooked += self._settings.own_price * self._bought.count_new(listing.posts, self._clock())
            for raw in listing.posts:
                if (post := answer_of(raw, answered, reply.text)) is not None:
                    return self._receipt(post.id, prices.of_post(reply.text, summoned=reply.to.mentions_us is True))
            older = listing.older
            if older is None:
                return None
        raise Unreachable("we have posted too much since to look through all of it")

    def _receipt(self, identity: str, cost: int) -> Receipt:
        return Receipt(id=identity, url=post_url(self._me.handle, identity), cost=cost + self._booked())

    def _booked(self) -> int:
        cost, self._unbooked = self._unbooked, 0
        return cost

    def _search(self) -> Source:
        query = self._settings.query or ""
        return Source(
            ask=lambda **place: self._api.search(query, **place),
            price=prices.POST_READ,
            window=_SEARCH_WINDOW,
            look_back=self._settings.look_back,
        )

    def _mentions(self) -> Source:
        return Source(
            ask=lambda **place: self._api.mentions(self._me.id, **place),
            price=self._settings.own_price,
            pages=_MENTION_PAGES,
            look_back=self._settings.look_back,
        )


class PollingX(X):
    """Asks X for mentions, or searches."""

    def __init__(self, api: Api, me: Author, settings: Settings, clock: Clock = _now) -> None:
        super().__init__(api, me, settings, clock)
        source = self._mentions() if settings.mode == "mentions" else self._search()
        self._backlog = Backlog(source, me, clock)
        self._dearest = PAGE * source.price

    @property
    def _next_call(self) -> int:
        return self._dearest if self._backlog.needs_call else 0

    async def poll(self, after: Cursor | None) -> Page:
        return _with_cost(await self._backlog.page(after), self._booked())


class StreamingX(X):
    """Holds X's filtered stream open, and searches for what was posted while it was not."""

    def __init__(
        self, api: Api, me: Author, settings: Settings, clock: Clock = _now, silence: timedelta = SILENCE
    ) -> None:
        super().__init__(api, me, settings, clock)
        self._stream = Stream(api, settings, me, silence)
        self._backlog = Backlog(self._search(), me, clock)
        self._caught_up = False

    @property
    def _next_call(self) -> int:
        if self._caught_up:
            return prices.POST_READ
        return PAGE * prices.POST_READ if self._backlog.needs_call else 0

    async def stream(self, after: Cursor | None) -> AsyncIterator[Page]:
        """One connection, which is never opened again from here. Raises Unreachable when it ends."""
        try:
            async with self._stream.opened() as line, aclosing(self._pages(line, after)) as pages:
                async for page in pages:
                    yield _with_cost(page, self._booked())
        finally:
            self._caught_up = False

    async def _pages(self, line: Line, after: Cursor | None) -> AsyncGenerator[Page]:
        """What was missed, then the lines; a minute later what X had not yet indexed when we looked.

        Until then no line moves the place from where that second look starts.
        """
        opened = self._clock()
        position = Position(since=0)
        for due in (opened, opened + _INDEXED):
            while due != opened and self._clock() < due:
                page, position = self._stream.page(await line.next(), position)
                after = page.cursor or after
                yield page
            async for page in self._missed(after, due):
                after = page.cursor or after
                yield page
            position = Position.parse(after) or position
        self._caught_up = True
        while True:
            page, position = self._stream.page(await line.next(), position.settled(self._clock()))
            yield page

    async def _missed(self, after: Cursor | None, due: datetime) -> AsyncIterator[Page]:
        """By search, all up to `due`: a walk that began before then is finished, and followed by another.

        One that began in here is enough whatever it says of its time: the clock may have been set back.
        """
        ours, covered = not self._backlog.under_way, False
        while not covered:
            page = await self._backlog.page(after)
            after = page.cursor or after
            yield page
            if not page.more:
                covered = ours or (self._backlog.covers is not None and self._backlog.covers >= due)
                ours = True


@asynccontextmanager
async def connect(
    settings: Settings, http: Http, clock: Clock = _now, silence: timedelta = SILENCE
) -> AsyncIterator[PollingX | StreamingX]:
    """Who we are. Raises Denied for keys of another account than the settings name."""
    api = Api(http, settings, clock)
    try:
        me = account(await api.me())
    except BadPayload:
        raise Unreachable("X does not say who we are") from None
    if (me.handle or "").casefold() != f"@{settings.account}".casefold():
        raise Denied(f"these keys are those of {me.handle}, and `account` says @{settings.account}")
    if settings.mode == "stream":
        yield StreamingX(api, me, settings, clock, silence)
    else:
        yield PollingX(api, me, settings, clock)


def _with_cost(page: Page, more: int) -> Page:
    return page if not more else replace(page, cost=page.cost + more)


def _version(reply: Reply) -> str | None:
    """The id of the post as it stood when it was read: of an edit its own."""
    identity = reply.to.revision.lstrip("0") or reply.to.id
    return identity if snowflake.is_id(identity) else None
