"""A Telegram bot as a connector."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus

from connectors.api import Author, Cursor, Hook, HookAnswer, Message, Page, Receipt, Reply, Unreadable
from connectors.errors import BadPayload, Refused, Unreachable
from connectors.telegram.albums import Albums
from connectors.telegram.parsing import WANTED, Parsed, parse
from connectors.telegram.settings import Settings
from connectors.telegram.target import Target, message_number, split_id, utf16_length
from connectors.telegram.transport import Api, open_api
from connectors.telegram.wire import loads

__all__ = ["HookedTelegram", "PollingTelegram", "Telegram", "connect"]

Clock = Callable[[], datetime]

_PAGE = 100
_LONGEST = 4096
_BODY_AT_MOST = 1_000_000
_SIGNED_BY = "x-telegram-bot-api-secret-token"
_LINK = re.compile(r"://|\w\.[^\W\d_]{2}")


def _now() -> datetime:
    return datetime.now(UTC)


class Telegram:
    """What a bot can do however it listens: answer, mark, and take back."""

    def __init__(self, api: Api, me: Author, settings: Settings, clock: Clock = _now) -> None:
        self._api = api
        self._me = me
        self._settings = settings
        self._clock = clock
        self._albums = Albums()

    @property
    def me(self) -> Author:
        return self._me

    def _read(self, updates: Iterable[object]) -> Page:
        parsed: list[Parsed] = []
        unreadable: list[Unreadable] = []
        for update in updates:
            try:
                parsed.extend(parse(update, self._me, self._clock()))
            except BadPayload as error:
                unreadable.append(Unreadable(raw=_raw(update), reason=str(error)))
        return Page(messages=self._albums.gather(parsed), unreadable=tuple(unreadable))

    async def reply(self, reply: Reply) -> Receipt:
        """Plain text, under the message that it answers where that still exists."""
        _check_length(reply.text)
        target = Target.parse(reply.to.thread)
        number = _number(reply.to)
        sent = await self._api.post(
            "sendMessage",
            chat_id=target.chat,
            text=reply.text,
            message_thread_id=None if target.direct else target.topic,
            direct_messages_topic_id=target.topic if target.direct else None,
            business_connection_id=target.business,
            reply_parameters=number and {"message_id": number, "allow_sending_without_reply": True},
            link_preview_options=_no_preview(reply.text),
        )
        return Receipt(id=target.message_id(_posted_number(sent)))

    async def mark(self, message: Message) -> None:
        """Set our reaction, or in a business account the sign that it was read; a second time changes nothing."""
        target, number = Target.parse(message.thread), _number(message)
        if number is None:
            raise Refused("nothing is known of this album's messages")
        place: dict[str, object] = {"chat_id": target.chat, "message_id": number}
        if target.business is not None:
            await self._api.post("readBusinessMessage", business_connection_id=target.business, **place)
            return
        reaction = [{"type": "emoji", "emoji": self._settings.reaction}]
        await self._api.post("setMessageReaction", reaction=reaction, **place)

    async def retract(self, receipt: Receipt, text: str | None) -> None:
        """Edit what we sent, or delete it. What is already so counts as done."""
        target, number = split_id(receipt.id)
        try:
            await (self._delete(target, number) if text is None else self._edit(target, number, text))
        except Refused as error:
            # Telegram has no codes for these two.
            if "message is not modified" not in str(error) and "message to delete not found" not in str(error):
                raise

    async def _edit(self, target: Target, number: int, text: str) -> None:
        _check_length(text)
        await self._api.post(
            "editMessageText",
            chat_id=target.chat,
            message_id=number,
            text=text,
            business_connection_id=target.business,
            link_preview_options=_no_preview(text),
        )

    async def _delete(self, target: Target, number: int) -> None:
        if target.business is None:
            await self._api.post("deleteMessage", chat_id=target.chat, message_id=number)
        else:
            await self._api.post("deleteBusinessMessages", business_connection_id=target.business, message_ids=[number])


class PollingTelegram(Telegram):
    """Asks Telegram for updates.

    An offset tells Telegram to forget what stands before it: it is only ever the cursor that the host
    has committed.
    """

    async def poll(self, after: Cursor | None) -> Page:
        updates = await self._api.ask(
            "getUpdates",
            wait=self._settings.long_poll,
            offset=None if after is None else int(after),
            limit=_PAGE,
            timeout=int(self._settings.long_poll.total_seconds()),
            allowed_updates=list(WANTED),
        )
        if not isinstance(updates, list):
            raise Unreachable("Telegram's answer is not a list of updates")
        if not updates:
            return Page()
        page = self._read(updates)
        return Page(
            messages=page.messages,
            unreadable=page.unreadable,
            cursor=_after(updates),
            more=len(updates) >= _PAGE,
        )


class HookedTelegram(Telegram):
    """Is called by Telegram, one update a call."""

    async def hear(self, hook: Hook) -> HookAnswer:
        """An update that cannot be read is kept aside and answered with 200: Telegram would only repeat it."""
        if hook.method != "POST":
            return HookAnswer(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": "POST"})
        if not self._is_from_telegram(hook):
            return HookAnswer(status=HTTPStatus.UNAUTHORIZED)
        if len(hook.body) > _BODY_AT_MOST:
            return _kept_aside(hook, "larger than any update")
        try:
            update = loads(hook.body)
        except (ValueError, RecursionError):
            return _kept_aside(hook, "not JSON")
        return HookAnswer(page=self._read([update]))

    def _is_from_telegram(self, hook: Hook) -> bool:
        secret = self._settings.secret
        given = hook.headers.get(_SIGNED_BY, "").encode("utf-8", "surrogatepass")
        return secret is not None and hmac.compare_digest(given, secret.get_secret_value().encode())


@asynccontextmanager
async def connect(
    settings: Settings, clock: Clock = _now, *, listens: bool = True
) -> AsyncIterator[PollingTelegram | HookedTelegram]:
    """Who we are, and how we listen from now on; without `listens` nothing changes at Telegram.

    Raises Denied for a token that Telegram does not know.
    """
    async with open_api(settings) as api:
        me = _account(await api.ask("getMe"))
        if settings.mode == "poll":
            if listens:
                # A webhook left behind would fail every poll; what waits for us must stay.
                await api.ask("deleteWebhook", drop_pending_updates=False)
            yield PollingTelegram(api, me, settings, clock)
        else:
            if listens:
                await _register(api, settings)
            yield HookedTelegram(api, me, settings, clock)


async def _register(api: Api, settings: Settings) -> None:
    """Without `webhook_url` somebody else has told Telegram where we are."""
    if settings.webhook_url is None or settings.secret is None:
        return
    await api.ask(
        "setWebhook",
        url=settings.webhook_url,
        secret_token=settings.secret.get_secret_value(),
        allowed_updates=list(WANTED),
        drop_pending_updates=False,
    )


def _account(user: object) -> Author:
    if not isinstance(user, dict) or not isinstance(user.get("id"), int):
        raise Unreachable("Telegram does not say who we are")
    username = user.get("username")
    return Author(
        id=str(user["id"]),
        name=str(user.get("first_name") or ""),
        handle=f"@{username}" if username else None,
        bot=True,
    )


def _after(updates: list[object]) -> Cursor:
    """Behind the last update in Telegram's order: after an idle week its numbers start anywhere."""
    numbers = [update.get("update_id") for update in updates if isinstance(update, dict)]
    known = [number for number in numbers if isinstance(number, int)]
    if not known:
        raise Unreachable("Telegram's updates bear no numbers")
    return Cursor(str(known[-1] + 1))


def _kept_aside(hook: Hook, reason: str) -> HookAnswer:
    return HookAnswer(page=Page(unreadable=(Unreadable(raw=hook.body, reason=reason),)))


def _raw(update: object) -> bytes:
    return json.dumps(update, sort_keys=True).encode()


def _number(message: Message) -> int | None:
    return message_number(message.id, message.parts[0].ref if message.parts else None)


def _posted_number(sent: object) -> int:
    number = sent.get("message_id") if isinstance(sent, dict) else None
    if not isinstance(number, int):
        raise Unreachable("Telegram's answer does not say what was posted")
    return number


def _check_length(text: str) -> None:
    if not text.strip() or utf16_length(text) > _LONGEST:
        raise Refused(f"Telegram takes 1 to {_LONGEST} characters, and not only spaces")


def _no_preview(text: str) -> dict[str, bool] | None:
    """Only a text with a link has a preview to turn off, and not every Bot API server knows the switch."""
    return {"is_disabled": True} if _LINK.search(text) else None
