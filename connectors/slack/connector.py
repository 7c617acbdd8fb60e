"""A Slack app as a connector."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from slack_sdk.signature import Clock, SignatureVerifier

from connectors.api import Author, Cursor, Hook, HookAnswer, Message, Page, Unreadable
from connectors.errors import BadPayload, Denied, Unreachable
from connectors.net import strict_json
from connectors.slack.events import Events
from connectors.slack.history import History
from connectors.slack.items import raw_bytes
from connectors.slack.marks import read_marks, written
from connectors.slack.parsing import Us
from connectors.slack.people import People
from connectors.slack.places import Place, earlier, time_text
from connectors.slack.settings import Settings
from connectors.slack.socket import SILENCE, Envelope, Line, Noise, open_line
from connectors.slack.speaking import Speaking
from connectors.slack.transport import Api, open_api

__all__ = ["HookedSlack", "Slack", "SocketSlack", "connect"]

Now = Callable[[], datetime]

_BODY_AT_MOST = 1_000_000
_STEPS_AT_ONCE = 40
"""Slack allows about 50 calls a minute of a history: docs.slack.dev/apis/web-api/rate-limits (tier 3)."""
_DELAYED_AT_MOST = timedelta(minutes=10)
"""Events have come through a socket minutes late: so much is read again after it was lost."""
_SECONDS = re.compile("[0-9]{1,12}")
_SIGNATURE = re.compile("v0=[0-9a-f]{64}")


def _now() -> datetime:
    return datetime.now(UTC)


class Slack(Speaking):
    """What both ways to listen share: the history, the events, and what people are called."""

    def __init__(self, api: Api, us: Us, settings: Settings, clock: Now = _now) -> None:
        super().__init__(api, us, settings)
        self._clock = clock
        self._people = People(api)
        self._history = History(api, us, self._people, settings, clock)
        self._events = Events(api, us, settings, self._people.name)


class HookedSlack(Slack):
    """Is called by Slack, and reads the history now and then for what no call brought."""

    def __init__(self, api: Api, us: Us, settings: Settings, clock: Now = _now) -> None:
        super().__init__(api, us, settings, clock)
        if settings.signing_secret is None:
            raise Denied("`mode: events` needs `signing_secret`")
        self._signature = SignatureVerifier(settings.signing_secret.get_secret_value(), _Seconds(clock))
        self._steps = 0

    async def hear(self, hook: Hook) -> HookAnswer:
        """A delivery that cannot be read is kept aside and answered with 200: Slack would only repeat it.

        It repeats what was not answered within three seconds three times (X-Slack-Retry-Num): the host
        knows a repeat by the id of the message, which is the same in every one of them.
        """
        if hook.method != "POST":
            return HookAnswer(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": "POST"})
        if not self._is_from_slack(hook):
            return HookAnswer(status=HTTPStatus.UNAUTHORIZED)
        try:
            if len(hook.body) > _BODY_AT_MOST:
                raise BadPayload("larger than any event")  # noqa: TRY301 — one way to keep aside
            return await self._events.take(strict_json(hook.body))
        except BadPayload as error:
            return HookAnswer(page=Page(unreadable=(Unreadable(raw=hook.body, reason=str(error)),)))

    def _is_from_slack(self, hook: Hook) -> bool:
        """v0 over the raw body, in constant time, at most five minutes old."""
        at = hook.headers.get("x-slack-request-timestamp", "")
        given = hook.headers.get("x-slack-signature", "")
        if not _SECONDS.fullmatch(at) or not _SIGNATURE.fullmatch(given):
            return False  # slack_sdk's own would raise
        try:
            return self._signature.is_valid(hook.body, at, given)
        except UnicodeDecodeError:  # Slack sends UTF-8
            return False

    async def poll(self, after: Cursor | None) -> Page:
        """One step of the history, by and by all of it. Raises Denied once Slack has told us to go."""
        if self._events.shut_out is not None:
            raise self._events.shut_out
        page = await self._history.step(after)
        self._steps = self._steps + 1 if page.more else 0
        if self._steps < _STEPS_AT_ONCE:
            return page
        self._steps = 0
        return replace(page, more=False)


class SocketSlack(Slack):
    """Holds a socket open. Slack keeps nothing for a socket that is not there: each one begins with the history."""

    def __init__(self, api: Api, us: Us, settings: Settings, clock: Now = _now, silence: timedelta = SILENCE) -> None:
        super().__init__(api, us, settings, clock)
        self._silence = silence

    async def stream(self, after: Cursor | None) -> AsyncIterator[Page]:
        """What was missed, then what happens, each confirmed when the next is asked for."""
        if self._settings.app_token is None:
            raise Denied("`mode: socket` needs `app_token`")
        url = await self._api.open_socket(self._settings.app_token)
        self._history.begin()
        async with open_line(self._api.session, url, self._silence) as line:
            async for page in self._pages(line, after):
                yield page

    async def _pages(self, line: Line, cursor: Cursor | None) -> AsyncIterator[Page]:
        history_at = self._clock()
        while True:
            if self._clock() >= history_at and not line.waits:  # whoever speaks now goes first
                page, history_at = await self._caught_up(cursor)
                cursor = page.cursor or cursor
                yield page
                continue
            item = await line.next()
            page = await self._live(item, cursor)
            cursor = page.cursor or cursor
            yield page
            if isinstance(item, Envelope):
                await line.acknowledge(item)
            if self._events.shut_out is not None:
                raise self._events.shut_out

    async def _caught_up(self, cursor: Cursor | None) -> tuple[Page, datetime]:
        """A step of the history, and when to take the next. A limit is no reason to let the socket go."""
        try:
            page = await self._history.step(cursor)
        except Unreachable as error:
            if error.retry_after is None:
                raise
            return Page(), self._clock() + error.retry_after
        return page, self._clock() if page.more else self._clock() + self._settings.poll_every

    async def _live(self, item: Envelope | Noise | None, cursor: Cursor | None) -> Page:
        if item is None:
            return Page()
        if isinstance(item, Noise):
            return Page(unreadable=(Unreadable(raw=item.raw, reason=item.reason),))
        if item.kind != "events_api":
            return Page()  # buttons and commands of the same app
        try:
            page = (await self._events.take(item.payload)).page
        except BadPayload as error:
            return Page(unreadable=(Unreadable(raw=raw_bytes(item.payload), reason=str(error)),))
        await self._people.learn()  # whom the reading has just missed
        named = tuple(_renamed(message, self._people.name(message.author.id)) for message in page.messages)
        return self._moved(replace(page, messages=named), cursor)

    def _moved(self, page: Page, cursor: Cursor | None) -> Page:
        """What comes live moves a channel's mark, once its past is read, and not to the last minutes."""
        before = read_marks(cursor)
        marks = dict(before)
        for message in page.messages:
            channel = Place.parse(message.id).channel
            if channel in marks and not self._history.is_behind(channel):
                at = time_text(message.sent_at)
                marks[channel] = marks[channel].heard(at, earlier(at, _DELAYED_AT_MOST))
        return page if marks == before else replace(page, cursor=written(marks))


@asynccontextmanager
async def connect(settings: Settings, clock: Now = _now) -> AsyncIterator[HookedSlack | SocketSlack]:
    """Who we are, and how we listen from now on. Raises Denied for a token that Slack does not know."""
    async with open_api(settings, clock) as api:
        us = _us(await api.ask("auth.test"))
        kind = HookedSlack if settings.mode == "events" else SocketSlack
        yield kind(api, us, settings, clock)


def _us(answer: Mapping[str, Any]) -> Us:
    user, name, bot, url = (answer.get(key) for key in ("user_id", "user", "bot_id", "url"))
    if not isinstance(user, str):
        raise Unreachable("Slack does not say who we are")
    name = name if isinstance(name, str) else ""
    return Us(
        author=Author(id=user, name=name, handle=f"@{name}" if name else None, bot=True),
        bot_id=bot if isinstance(bot, str) else None,
        url=f"{url.rstrip('/')}/" if isinstance(url, str) and url.startswith("https://") else None,
    )


class _Seconds(Clock):
    """The connector's clock, for slack_sdk."""

    def __init__(self, clock: Now) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock().timestamp()


def _renamed(message: Message, name: str) -> Message:
    author = message.author
    return message if author.name or not name else replace(message, author=replace(author, name=name))
