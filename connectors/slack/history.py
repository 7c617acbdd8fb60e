"""Reads what a channel's history holds that no event brought: after an outage, and now and then.

A step asks for one page of one channel, so that a limit or a failure costs no more than that one; before the
first of a round it asks for the list of channels, too. Where a round stands is remembered as long as the
connector lives, what it has read stands in the cursor.

Slack says that the newest messages between `oldest` and now come first
(docs.slack.dev/reference/methods/conversations.history), others have seen the oldest come first where
`oldest` stands alone (github.com/slackhq/slack-api-docs/issues/4). We go by `next_cursor`, which leads through
all of them either way, and give them on from its end, oldest first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.api import Cursor, Gap, Message, Page
from connectors.errors import Denied, Refused, Unreachable
from connectors.slack.items import Items
from connectors.slack.marks import Mark, Standing, read_standing, written
from connectors.slack.parsing import Room, Us
from connectors.slack.people import People
from connectors.slack.places import Place, earlier, time_of, time_text
from connectors.slack.rooms import Rooms
from connectors.slack.settings import Settings
from connectors.slack.threads import Threads
from connectors.slack.transport import Api, Lapsed, NoSuchRoom, listed, next_cursor

__all__ = ["History"]

_PAGE = 200
"""What Slack recommends at most: docs.slack.dev/reference/methods/conversations.history."""
_GATHERED = 50
"""Pages of a channel that are held at once; of a longer past the oldest go first, and the way is gone again."""
_ALL_TIME = timedelta(days=36_500)


@dataclass(slots=True)
class _Walk:
    """One channel in one round. `start` is its mark as the walk began, `mark` as the last page left it."""

    start: Mark
    mark: Mark
    oldest: str
    top: str
    """The latest post of all that were passed."""
    gathers: bool = True
    found: list[Items] = field(default_factory=list[Items])
    """What was gathered and not given on, the newest first."""
    dropped: bool = False
    """Whether there was more than could be held."""
    threads: deque[str] = field(default_factory=deque[str])
    further: dict[str, str] = field(default_factory=dict[str, str])
    """Where to go on: in the channel, and after that in the first of the threads."""

    @property
    def done(self) -> bool:
        return not (self.gathers or self.found or self.threads)

    def gather(self, items: Items) -> None:
        self.found.append(items)
        self.found.sort(key=lambda found: max(found.times, default=""), reverse=True)
        if len(self.found) > _GATHERED:
            del self.found[0]
            self.dropped = True


class History:
    """Round after round over all channels, a page at a time."""

    def __init__(self, api: Api, us: Us, people: People, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._us = us
        self._people = people
        self._settings = settings
        self._clock = clock
        self._rooms = Rooms(api, settings.channels)
        self._threads = Threads()
        self._left: deque[str] = deque()
        self._walks: dict[str, _Walk] = {}
        self._lapsed: set[str] = set()
        self._shut: set[str] = set()
        """Channels that could not be read in this round."""
        self._whole = False

    def begin(self) -> None:
        """Start anew: something may be missing in every channel."""
        self._left.clear()
        self._walks.clear()
        self._whole = False

    def is_behind(self, channel: str) -> bool:
        """Whether the past of a channel has still to be read, in this round or in the first since `begin`."""
        return not self._whole or channel in self._left

    def hear(self, messages: tuple[Message, ...]) -> Mapping[str, str]:
        """Take note of where something was said; gives all that a cursor keeps of it."""
        self._threads.hear(messages)
        return self._threads.told

    async def step(self, after: Cursor | None) -> Page:
        """The next page; `more` until the round is over. Raises Denied where no channel can be read.

        The cursor moves with what was read. A step after an older cursor reads its channel again from there.
        A channel of several that cannot be read is a gap, told once, until it can be read again.
        """
        standing = read_standing(after)
        self._threads.recall(standing.threads)
        if not self._left:
            self._left.extend(await self._rooms.ids())
            self._shut.clear()
        if not self._left:
            return self._given(Page(), standing, after)
        channel = self._left[0]
        try:
            page, mark = await self._read(await self._rooms.room(channel), standing.marks.get(channel))
        except NoSuchRoom as error:
            return self._given(*self._passed_over(channel, standing, str(error)), after)
        except Lapsed:
            self._walks.pop(channel, None)
            if channel in self._lapsed:  # again: the host waits first
                self._lapsed.remove(channel)
                raise
            self._lapsed.add(channel)
            return self._given(Page(), standing, after)
        standing = replace(standing, marks={**standing.marks, channel: mark}, shut=standing.shut - {channel})
        return self._given(page, standing, after)

    def _given(self, page: Page, standing: Standing, after: Cursor | None) -> Page:
        gaps = (*page.gaps, self._forgotten()) if standing.unknown else page.gaps
        cursor = written(replace(standing, threads=self.hear(page.messages)))
        return replace(page, gaps=gaps, cursor=None if cursor == after else cursor, more=bool(self._left))

    def _forgotten(self) -> Gap:
        until = self._clock() - min(self._settings.backfill, _ALL_TIME)
        return Gap(since=None, until=until, reason="where reading had stopped cannot be read: it begins at `backfill`")

    def _passed_over(self, channel: str, standing: Standing, why: str) -> tuple[Page, Standing]:
        self._leave(channel)
        if self._settings.channels is None:
            return Page(), standing
        self._shut.add(channel)
        way_out = f"{channel}: {why}. Invite the app: /invite @name in that channel; or take it out of `channels`"
        if self._shut.issuperset(self._settings.channels):
            raise Denied(way_out)
        mark = standing.marks.get(channel)
        gap = Gap(since=None if mark is None else time_of(mark.posts), until=self._clock(), reason=way_out)
        told = channel in standing.shut
        return Page(gaps=() if told else (gap,)), replace(standing, shut=standing.shut | {channel})

    def _leave(self, channel: str) -> None:
        self._left.popleft()
        self._walks.pop(channel, None)
        self._lapsed.discard(channel)
        self._whole = self._whole or not self._left

    async def _read(self, room: Room, mark: Mark | None) -> tuple[Page, Mark]:
        walk = self._walk(room, mark)
        if walk.gathers:
            await self._gather(room, walk)
            if walk.gathers:
                return Page(), walk.mark
        page = await (self._posts(room, walk) if walk.found else self._replies(room, walk))
        walk.mark = walk.mark.walked(walk.start.newest) if walk.done else walk.mark.turned()
        if walk.done:
            self._leave(room.id)
        return page, walk.mark

    def _walk(self, room: Room, mark: Mark | None) -> _Walk:
        """Go on, unless what the last page held was not stored."""
        walk = self._walks.get(room.id)
        if walk is not None and walk.mark == mark:
            return walk
        if mark is None:
            since = time_text(self._clock() - min(self._settings.backfill, _ALL_TIME))
            mark = Mark(since, since, since)
        oldest = earlier(min(mark.posts, mark.changes), min(self._settings.threads_back, _ALL_TIME))
        walk = self._walks[room.id] = _Walk(start=mark, mark=mark, oldest=oldest, top=oldest)
        return walk

    async def _gather(self, room: Room, walk: _Walk) -> None:
        answer = await self._api.ask(
            "conversations.history", channel=room.id, oldest=walk.top, limit=_PAGE, **walk.further
        )
        items = Items(listed(answer, "messages"))
        walk.further = _further(answer, items, walk.further)
        walk.gather(items)
        walk.gathers = bool(walk.further)

    async def _posts(self, room: Room, walk: _Walk) -> Page:
        """The oldest page of those that were gathered."""
        items, start = walk.found[-1], walk.start
        await self._people.learn(items.authors(start.posts, start.changes))
        walk.found.pop()
        walk.threads.extend(items.answered(since=start.changes))
        walk.top = max((walk.top, *items.times))
        walk.mark = walk.mark.passed(walk.top).saw(*items.seen)
        if not walk.found:
            walk.gathers, walk.dropped = walk.dropped, False
            if not walk.gathers and not self._whole:
                walk.threads.extend(self._threads.older(room.id, walk.oldest))
        return items.page(room, self._us, self._people.name, start.posts, start.changes)

    async def _replies(self, room: Room, walk: _Walk) -> Page:
        """A page of the first thread that has something new."""
        root, since = walk.threads[0], walk.start.changes
        answer = await self._thread(Place(room.id, root), oldest=since, limit=_PAGE, **walk.further)
        items = Items(listed(answer, "messages"))
        cursor = next_cursor(answer)
        await self._people.learn(items.authors(since, since))
        walk.mark = walk.mark.saw(*items.seen)
        walk.further = {"cursor": cursor} if cursor else {}
        if not cursor:
            walk.threads.popleft()
        return items.page(room, self._us, self._people.name, since, since, root=root)

    async def _thread(self, place: Place, **parameters: str | int) -> Mapping[str, Any]:
        try:
            return await self._api.ask("conversations.replies", channel=place.channel, ts=place.ts or "", **parameters)
        except NoSuchRoom:
            raise
        except Refused:  # deleted meanwhile
            self._threads.forget(place)
            return {"messages": []}


def _further(answer: Mapping[str, Any], items: Items, asked: Mapping[str, str]) -> dict[str, str]:
    """Nothing at the end. Where Slack names no cursor the rest is older: so its documentation pages by time."""
    cursor = next_cursor(answer)
    if cursor:
        further = {"cursor": cursor}
    elif answer.get("has_more") is True:
        further = {"latest": min(items.times, default="")}
    else:
        return {}
    if further == asked or not all(further.values()):
        raise Unreachable("Slack says that there is more, and not where")
    return further
