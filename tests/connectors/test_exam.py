"""The exam can be failed: connectors with one fault each fail the question that is about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pydantic import BaseModel

from connectors.api import (
    Author,
    ConnectorError,
    Cursor,
    Denied,
    Hook,
    HookAnswer,
    Http,
    Page,
    Plugin,
    Policy,
    Receipt,
    Reply,
    Unreachable,
)
from connectors.testing import ConnectorContract, FakeChannel
from connectors.webhook import Webhook
from connectors.webhook import plugin as webhook
from tests.connectors import test_forum, test_webhook, test_wire
from tests.connectors.forum import Forum, Settings
from tests.connectors.forum import plugin as forum
from tests.connectors.test_forum import ForumChannel
from tests.connectors.test_webhook import ShopChannel
from tests.connectors.test_wire import Wire, WireChannel, wire

TOKEN = "a-token-that-nobody-may-see"


def opens(connector: Callable[..., Any]) -> Callable[[Any, Http], Any]:
    @asynccontextmanager
    async def opened(settings: Any, http: Http) -> AsyncIterator[Any]:
        yield connector(settings, http)

    return opened


def examined(plugin: Plugin[Any], fake: type[FakeChannel], keys: type[ConnectorContract]) -> ConnectorContract:
    """Not a class named Test…: these must fail, and are asked one question at a time."""
    made = type("Examined", (ConnectorContract,), {"plugin": plugin, "channel": fake, "settings": keys.settings})
    return cast("ConnectorContract", made())


def sat(connector: Callable[..., Any], **declared: Any) -> ConnectorContract:
    plugin = replace(forum, open=opens(connector), **declared)
    return examined(plugin, ForumChannel, test_forum.TestForum)


class Hasty(Forum):
    """Says 'resume at the newest' while it has handed out a part."""

    async def poll(self, after: Cursor | None, /) -> Page:
        page = await super().poll(after)
        return replace(page, cursor=Cursor("250")) if page.messages else page


class Forgetful(Forum):
    """Keeps its place in itself and not in the cursor."""

    place: Cursor | None = None

    async def poll(self, after: Cursor | None, /) -> Page:
        page = await super().poll(self.place or after)
        self.place = page.cursor
        return page


class Amnesiac(Forum):
    """Loses the cursor on an empty page."""

    async def poll(self, after: Cursor | None, /) -> Page:
        page = await super().poll(after)
        return page if page.messages else replace(page, cursor=Cursor("0"))


class Swallowing(Forum):
    """Drops what it cannot read."""

    async def poll(self, after: Cursor | None, /) -> Page:
        return replace(await super().poll(after), unreadable=())


class Stubborn(Forum):
    """Tries again by itself."""

    async def poll(self, after: Cursor | None, /) -> Page:
        try:
            return await super().poll(after)
        except Unreachable:
            return await super().poll(after)

    async def reply(self, reply: Reply, /) -> Receipt:
        try:
            return await super().reply(reply)
        except Unreachable:
            return await super().reply(reply)


class Sleepy(Forum):
    """Waits as it was told to, instead of telling the host."""

    async def poll(self, after: Cursor | None, /) -> Page:
        try:
            return await super().poll(after)
        except Unreachable as error:
            await asyncio.sleep((error.retry_after or timedelta(0)).total_seconds())
            raise


class Leaky(Forum):
    """Puts its token into the error."""

    async def poll(self, after: Cursor | None, /) -> Page:
        try:
            return await super().poll(after)
        except Denied as error:
            raise Denied(f"{error} with {self._token.get_secret_value()}") from None


class LeakyChain(Forum):
    """Hides its token in what the error is chained to."""

    async def poll(self, after: Cursor | None, /) -> Page:
        try:
            raise RuntimeError(self._token.get_secret_value())  # noqa: TRY301 — the fault itself
        except RuntimeError:
            return await super().poll(after)


class Optimist(Forum):
    """Says that nothing was posted when it cannot know."""

    async def reply(self, reply: Reply, /) -> Receipt:
        try:
            return await super().reply(reply)
        except Unreachable as error:
            raise Unreachable(str(error), retry_after=error.retry_after, unsent=True) from None


class Rewording(Forum):
    """Changes what it was given to say."""

    async def reply(self, reply: Reply, /) -> Receipt:
        return await super().reply(replace(reply, text=reply.text.replace("<", "&lt;")))


class Keyless(Forum):
    """Does not pass the key on."""

    async def reply(self, reply: Reply, /) -> Receipt:
        return await super().reply(replace(reply, key=f"{id(reply)}-{len(str(reply))}-{next(COUNT)}"))


COUNT = iter(range(1_000_000))


class Crashing(Forum):
    """Lets errors out that nobody foresaw."""

    async def poll(self, after: Cursor | None, /) -> Page:
        try:
            return await super().poll(after)
        except ConnectorError as error:
            raise KeyError("posts") from error


class Mute(Forum):
    """Takes a failure for an empty page."""

    async def poll(self, after: Cursor | None, /) -> Page:
        try:
            return await super().poll(after)
        except ConnectorError:
            return Page()


class Stranger(Forum):
    """Declares a revision that does not sort, and an edit that looks like an original."""

    async def poll(self, after: Cursor | None, /) -> Page:
        page = await super().poll(after)
        return replace(page, messages=tuple(replace(message, revision="") for message in page.messages))


@pytest.mark.parametrize(
    ("connector", "question"),
    [
        (Hasty, "test_nothing_is_lost_between_pages"),
        (Forgetful, "test_what_was_not_stored_is_heard_again"),
        (Amnesiac, "test_an_empty_page_keeps_the_cursor"),
        (Swallowing, "test_an_unreadable_item_does_not_spoil_the_page"),
        (Stubborn, "test_too_many_requests"),
        (Stubborn, "test_a_platform_that_is_down"),
        (Stubborn, "test_a_reply_in_doubt"),
        (Sleepy, "test_too_many_requests"),
        (Leaky, "test_secrets_stay_secret"),
        (LeakyChain, "test_secrets_stay_secret"),
        (Optimist, "test_a_reply_in_doubt"),
        (Rewording, "test_a_reply_is_posted_once_as_it_is"),
        (Keyless, "test_the_same_key_posts_once"),
        (Crashing, "test_a_platform_that_is_down"),
        (Mute, "test_a_revoked_token"),
        (Stranger, "test_an_edit_is_the_same_message_with_a_larger_revision"),
        (Stranger, "test_a_deleted_message_is_told"),
    ],
)
def test_a_fault_is_found(connector: type[Forum], question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.testing.sitting.PATIENCE", 0.5)
    getattr(sat(Forum), question)()
    with pytest.raises(AssertionError):
        getattr(sat(connector), question)()


class Open(BaseModel):
    base_url: str
    token: str


@pytest.mark.parametrize(
    ("declared", "question"),
    [
        ({"abilities": frozenset({"polls"})}, "test_it_is_what_it_declares"),
        ({"abilities": frozenset({"polls", "replies", "finds"})}, "test_it_is_what_it_declares"),
        ({"kind": "For um"}, "test_its_declarations_agree"),
        ({"idempotency": "B1"}, "test_its_declarations_agree"),
        ({"policy": Policy(messages_per_window=5)}, "test_its_declarations_agree"),
        ({"length": lambda _text: 1}, "test_its_declarations_agree"),
        ({"settings": Open}, "test_its_settings_are_strict_and_keep_secrets"),
    ],
)
def test_a_false_declaration_is_found(declared: dict[str, Any], question: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(sat(_lenient, **declared), question)()


def _lenient(settings: Any, http: Http) -> Forum:
    return Forum(Settings.model_validate({"base_url": settings.base_url, "token": TOKEN}), http)


class Trusting(Webhook):
    """Believes everybody."""

    def _genuine(self, hook: Hook) -> bool:
        return True


class Timeless(Webhook):
    """Believes old calls."""

    async def hear(self, hook: Hook, /) -> HookAnswer:
        at = datetime.fromtimestamp(int(hook.headers.get("webhook-timestamp", "0")), UTC)
        self._clock = lambda: at
        return await super().hear(hook)


@pytest.mark.parametrize(
    ("connector", "question"),
    [
        (Trusting, "test_a_forged_call_is_turned_away"),
        (Timeless, "test_a_forged_call_is_turned_away"),
        (Trusting, "test_mangled_headers_are_turned_away"),
    ],
)
def test_a_gullible_webhook_is_found(connector: type[Webhook], question: str) -> None:
    shop = replace(webhook, open=opens(lambda settings, _http: connector(settings)))
    with pytest.raises(AssertionError):
        getattr(examined(shop, ShopChannel, test_webhook.TestWebhook), question)()


class Mending(Wire):
    """Connects again by itself when the stream breaks."""

    async def stream(self, after: Cursor | None, /) -> AsyncIterator[Page]:
        for _ in range(2):
            try:
                async for page in super().stream(after):
                    after = page.cursor
                    yield page
            except Unreachable:
                continue
        raise Unreachable("twice")


class Blind(Wire):
    """Takes a listing that failed for an absence."""

    async def find(self, reply: Reply, /) -> Receipt | None:
        try:
            return await super().find(reply)
        except Unreachable:
            return None


@pytest.mark.parametrize(
    ("connector", "question"),
    [
        (Mending, "test_a_stream_that_breaks_off_is_not_mended_unasked"),
        (Mending, "test_too_many_requests"),
        (Blind, "test_a_lost_reply_is_found"),
    ],
)
def test_a_faulty_stream_is_found(connector: type[Wire], question: str) -> None:
    with pytest.raises(AssertionError):
        getattr(examined(replace(wire, open=opens(connector)), WireChannel, test_wire.TestWire), question)()


def test_what_is_not_declared_is_skipped_and_said() -> None:
    with pytest.raises(pytest.skip.Exception, match="forum does not declare marks"):
        sat(Forum).test_a_mark_is_set_once()


def test_what_the_platform_does_not_tell_is_skipped_and_said() -> None:
    silent = type("Silent", (ForumChannel,), {"edits": False})
    exam = examined(forum, silent, test_forum.TestForum)
    with pytest.raises(pytest.skip.Exception, match="edits = False"):
        exam.test_an_edit_is_the_same_message_with_a_larger_revision()


def test_our_own_posts_must_be_known() -> None:
    class Nameless(Forum):
        me = Author(id="somebody-else", name="?")

        async def poll(self, after: Cursor | None, /) -> Page:
            page = await super().poll(after)
            return replace(page, messages=tuple(replace(m, author=replace(m.author, id="x")) for m in page.messages))

    with pytest.raises(AssertionError):
        sat(Nameless).test_our_own_posts_are_known_as_ours()
