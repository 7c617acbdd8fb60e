"""A Slack app as a connector."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr
from slack_sdk.signature import Clock, SignatureVerifier

from connectors.api import Author, Cursor, Gap, Hook, HookAnswer, Message, Page, Unreadable
from connectors.errors import BadPayload, Denied, Unreachable
from connectors.net import strict_json
from connectors.slack.events import Events
from connectors.slack.history import History
from connectors.slack.items import raw_bytes
from connectors.slack.line import SILENCE, Envelope, Leaving, Line, Noise, open_line
from connectors.slack.marks import read_standing, written
from connectors.slack.parsing import Us
from connectors.slack.people import People
from connectors.slack.places import Place, earlier, time_text
from connectors.slack.settings import Settings
from connectors.slack.speaking import Speaking
from connectors.slack.transport import Api, open_api

__all__ = ["HookedSlack", "Slack", "SocketSlack", "connect"]

Now = Callable[[], datetime]

_BODY_AT_MOST = 1_000_000
_DELAYED_AT_MOST = timedelta(minutes=10)
"""Events have come through a socket minutes late: so much is read again after it was lost."""
_LIVED = timedelta(minutes=1)
"""A connection that Slack ends sooner is the host's to open again, after a pause."""
_TRY_AGAIN = timedelta(seconds=30)
_FAILURES = 5
"""So often in a row the history may fail while the socket lives; then the host is told."""
_LIVE_AT_ONCE = 20
"""So many that wait in the socket come before a page of the history: else a busy one would keep it from us."""
_SECONDS = re.compile("[0-9]{1,12}")
_SIGNATURE = re.compile("v0=[0-9a-f]{64}")


def _now() -> datetime:
    return datetime.now(UTC)


class Slack(Speaking):
    """What both ways to listen share: the history, the events, and what people are called."""

    def __init__(self, api: Api, us: Us, settings: Settings, clock: Now = _now) -> None:
        super().__init__(api, us, settings)
        self._clock = clock
        self._people = People(api, clock)
        self._history = History(api, us, self._people, settings, clock)
        self._events = Events(api, us, settings, self._people.name)


class HookedSlack(Slack):
    """Is called by Slack, and reads the history now and then for what no call brought."""

    def __init__(self, api: Api, us: Us, settings: Settings, clock: Now = _now) -> None:
        super().__init__(api, us, settings, clock)
        if settings.signing_secret is None:
            raise Denied("`mode: events` needs `signing_secret`")
        self._signature = SignatureVerifier(settings.signing_secret.get_secret_value(), _Seconds(clock))

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
            answer = await self._events.take(strict_json(hook.body))
        except BadPayload as error:
            return HookAnswer(page=Page(unreadable=(Unreadable(raw=hook.body, reason=str(error)),)))
        self._history.hear(answer.page.messages)
        return answer

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
        """A page of the history; `more` until all channels were read, or Slack names a pause.

        Raises Denied once Slack has told us to go.
        """
        if self._events.shut_out is not None:
            raise self._events.shut_out
        return await self._history.step(after)


class SocketSlack(Slack):
    """Holds a socket open. Slack keeps nothing for a socket that is not there: each one begins with the history."""

    def __init__(self, api: Api, us: Us, settings: Settings, clock: Now = _now, silence: timedelta = SILENCE) -> None:
        super().__init__(api, us, settings, clock)
        self._silence = silence
        self._failures = 0
        self._read_at: datetime | None = None

    async def stream(self, after: Cursor | None) -> AsyncIterator[Page]:
        """What was missed, then what happens, each confirmed when the next is asked for.

        Where Slack says that it is about to close the connection another is open before this one goes: what
        was sent into this one and not confirmed comes again through that.
        """
        if self._settings.app_token is None:
            raise Denied("`mode: socket` needs `app_token`")
        kept, cursor = AsyncExitStack(), after
        try:
            line, since = await kept.enter_async_context(self._line(self._settings.app_token)), self._clock()
            while True:
                async with aclosing(self._pages(line, cursor)) as pages:
                    try:
                        async for page in pages:
                            cursor = page.cursor or cursor
                            yield page
                    except Leaving:
                        if self._clock() - since < _LIVED:
                            raise
                newer = AsyncExitStack()
                line, since = await newer.enter_async_context(self._line(self._settings.app_token)), self._clock()
                kept, old = newer, kept
                await old.aclose()
        finally:
            await kept.aclose()

    @asynccontextmanager
    async def _line(self, app_token: SecretStr) -> AsyncIterator[Line]:
        url = await self._api.open_socket(app_token)
        self._history.begin()
        async with open_line(self._api.session, url, self._silence) as line:
            yield line

    async def _pages(self, line: Line, cursor: Cursor | None) -> AsyncGenerator[Page]:
        history_at, live = self._clock(), 0
        while True:
            # Whoever speaks now goes first, within bounds.
            if self._clock() >= history_at and (not line.waits or live >= _LIVE_AT_ONCE):
                page, history_at = await self._caught_up(cursor)
                cursor, live = page.cursor or cursor, 0
                yield page
                continue
            item = await line.next()
            live += 1
            page = await self._live(item, cursor)
            cursor = page.cursor or cursor
            yield page
            if isinstance(item, Envelope):
                await line.acknowledge(item)
            if self._events.shut_out is not None:
                raise self._events.shut_out

    async def _caught_up(self, cursor: Cursor | None) -> tuple[Page, datetime]:
        """A step of the history, and when to take the next.

        A failure is no reason to let the socket go, which hears; one that lasts is told as a gap, once.
        """
        try:
            page = await self._history.step(cursor)
        except Unreachable as error:
            self._failures += 1
            page = Page(gaps=(self._unread(error),)) if self._failures == _FAILURES else Page()
            return page, self._clock() + (error.retry_after or _TRY_AGAIN)
        self._failures, self._read_at = 0, self._clock()
        return page, self._clock() if page.more else self._clock() + self._settings.poll_every

    def _unread(self, error: Unreachable) -> Gap:
        reason = f"Slack's history cannot be read ({error}): what was said while we were away is missing so far"
        return Gap(since=self._read_at, until=self._clock(), reason=reason)

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
        threads = self._history.hear(page.messages)
        before = read_standing(cursor)
        marks = dict(before.marks)
        for message in page.messages:
            channel = Place.parse(message.id).channel
            if channel in marks and not self._history.is_behind(channel):
                at = time_text(message.sent_at)
                marks[channel] = marks[channel].heard(at, earlier(at, _DELAYED_AT_MOST))
        if marks == before.marks:
            return page
        return replace(page, cursor=written(replace(before, marks=marks, threads=threads)))


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
