"""Reads what a channel's history holds that no event brought: after an outage, and now and then.

One step is one request, so that a limit or a failure costs no more than that one; where a round stands is
remembered as long as the connector lives, what it has read stands in the cursor. With `oldest` alone Slack
gives the messages next after it, newest first (github.com/slackhq/slack-api-docs/issues/4): that way a
channel is walked forwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.api import Cursor, Page
from connectors.errors import Denied, Refused
from connectors.slack.items import Items
from connectors.slack.marks import Mark, read_marks, written
from connectors.slack.parsing import Room, Us
from connectors.slack.people import People
from connectors.slack.places import earlier, time_text
from connectors.slack.settings import Settings
from connectors.slack.transport import Api, NoSuchRoom, listed, next_cursor

__all__ = ["History"]

_PAGE = 200
"""What Slack recommends at most: docs.slack.dev/reference/methods/conversations.history."""
_LISTED = 200
_SPOILED_KEPT = 1_000
_ALL_TIME = timedelta(days=36_500)
_KINDS = "public_channel,private_channel,mpim,im"


@dataclass(slots=True)
class _Walk:
    """One channel in one round. `start` is its mark as the walk began, `mark` as the last page left it."""

    start: Mark
    mark: Mark
    position: str
    ended: bool = False
    threads: deque[str] = field(default_factory=deque[str])
    below: str = ""
    """Where in the first of the threads to go on."""

    @property
    def done(self) -> bool:
        return self.ended and not self.threads


class History:
    """Round after round over all channels, a step at a time."""

    def __init__(self, api: Api, us: Us, people: People, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._us = us
        self._people = people
        self._settings = settings
        self._clock = clock
        self._left: deque[Room] = deque()
        self._walks: dict[str, _Walk] = {}
        self._whole = False
        self._spoiled: frozenset[bytes] = frozenset()

    def begin(self) -> None:
        """Start anew: something may be missing in every channel."""
        self._left.clear()
        self._walks.clear()
        self._whole = False

    def is_behind(self, channel: str) -> bool:
        """Whether the past of a channel has still to be read, in this round or in the first since `begin`."""
        return not self._whole or any(room.id == channel for room in self._left)

    async def step(self, after: Cursor | None) -> Page:
        """One request; `more` until the round is over.

        The cursor moves with what was read. A step after an older cursor reads its channel again from there.
        """
        if not self._left:
            self._left.extend(await self._rooms())
        if not self._left:
            return Page()
        room, marks = self._left[0], read_marks(after)
        walk = self._walk(room, marks.get(room.id))
        try:
            page = await (self._replies(room, walk) if walk.ended else self._posts(room, walk))
        except NoSuchRoom as error:
            if self._settings.channels is not None:
                raise Denied(f"{room.id}: {error}. Invite the app: /invite @name in that channel") from None
            self._leave(room)
            return Page(more=bool(self._left))
        if walk.done:
            walk.mark = replace(walk.mark, changes=max(walk.mark.changes, walk.start.newest))
            self._leave(room)
        moved = walk.mark != marks.get(room.id)
        cursor = written({**marks, room.id: walk.mark}) if moved else None
        return replace(page, cursor=cursor, more=bool(self._left))

    def _leave(self, room: Room) -> None:
        self._left.popleft()
        del self._walks[room.id]
        self._whole = self._whole or not self._left

    def _walk(self, room: Room, mark: Mark | None) -> _Walk:
        """Go on, unless what the last page held was not stored."""
        walk = self._walks.get(room.id)
        if walk is not None and walk.mark == mark:
            return walk
        if mark is None:
            since = time_text(self._clock() - min(self._settings.backfill, _ALL_TIME))
            mark = Mark(since, since, since)
        position = earlier(min(mark.posts, mark.changes), min(self._settings.threads_back, _ALL_TIME))
        walk = self._walks[room.id] = _Walk(start=mark, mark=mark, position=position)
        return walk

    async def _rooms(self) -> list[Room]:
        if self._settings.channels is not None:
            return [Room.of(channel) for channel in self._settings.channels]
        rooms: list[Room] = []
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = await self._api.ask("users.conversations", types=_KINDS, limit=_LISTED, **more)
            rooms += [room for told in listed(answer, "channels") if (room := _room(told)) is not None]
            cursor = next_cursor(answer)
            if not cursor:
                return rooms

    async def _posts(self, room: Room, walk: _Walk) -> Page:
        answer = await self._api.ask("conversations.history", channel=room.id, oldest=walk.position, limit=_PAGE)
        items = Items(listed(answer, "messages"))
        start = walk.start
        await self._people.learn(items.authors(start.posts, start.changes))
        page = items.page(room, self._us, self._people.name, start.posts, start.changes)
        last = max((walk.position, *items.times))
        walk.threads.extend(items.answered(since=start.changes))
        walk.mark = walk.mark.passed(last).saw(*items.seen)
        walk.ended = answer.get("has_more") is not True or last == walk.position
        walk.position = last
        return self._fresh(page)

    async def _replies(self, room: Room, walk: _Walk) -> Page:
        """A page of the first thread that has something new."""
        root, since = walk.threads[0], walk.start.changes
        more = {"cursor": walk.below} if walk.below else {}
        answer = await self._thread(channel=room.id, ts=root, oldest=since, limit=_PAGE, **more)
        items = Items(listed(answer, "messages"))
        await self._people.learn(items.authors(since, since))
        page = items.page(room, self._us, self._people.name, since, since, root=root)
        walk.mark = walk.mark.saw(*items.seen)
        walk.below = next_cursor(answer) if answer.get("has_more") is True else ""
        if not walk.below:
            walk.threads.popleft()
        return self._fresh(page)

    async def _thread(self, **parameters: str | int) -> Mapping[str, Any]:
        try:
            return await self._api.ask("conversations.replies", **parameters)
        except NoSuchRoom:
            raise
        except Refused:  # deleted meanwhile
            return {"messages": []}

    def _fresh(self, page: Page) -> Page:
        """Without what could not be read the last time either: it would be told anew in every round."""
        known, self._spoiled = self._spoiled, self._spoiled | {item.raw for item in page.unreadable}
        if len(self._spoiled) > _SPOILED_KEPT:
            self._spoiled = frozenset()
        return replace(page, unreadable=tuple(item for item in page.unreadable if item.raw not in known))


def _room(told: object) -> Room | None:
    if not isinstance(told, Mapping) or not isinstance(told.get("id"), str) or told.get("is_archived") is True:
        return None
    kind = "im" if told.get("is_im") is True else "mpim" if told.get("is_mpim") is True else None
    return Room.of(told["id"], kind)
