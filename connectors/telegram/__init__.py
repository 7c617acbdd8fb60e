"""Telegram: private chats, groups, forum topics, channels and business accounts, by the Bot API.

The Bot API library takes a second to import, so it is loaded only when a channel is opened: a
configuration is checked without it.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from connectors.api import Connector, Http, Limits, Plugin, Policy
from connectors.telegram.settings import Settings
from connectors.telegram.target import utf16_length

__all__ = ["plugin"]

_ACCESS = """\
1. Write `/newbot` to [@BotFather](https://t.me/BotFather), choose a name, and keep the token that it answers with.
2. For a group: bots hear there only commands and answers to themselves, until you send `/setprivacy` → *Disable* to
   @BotFather. Do that first, then add the bot: what it may hear is settled when it joins.
3. For a channel: make the bot an administrator. For the private chats of a business account: connect the bot under
   *Settings → Telegram Business → Chatbots* and let it reply.
4. Give the token by the environment, or by `.env` beside the file. One token, one heedful: two programs that poll with
   the same token take each other's messages. @BotFather's `/revoke` ends a token that has leaked.
"""
_CANNOT = """\
- Hear what was said before the bot came, or more than 24 hours before heedful came back: Telegram keeps news for a bot
  no longer, and has no history for bots.
- Know of deleted messages, except in business accounts.
- Read back what it posted. After a broken connection nobody can tell whether a text arrived; a person looks.
- Write to somebody who never wrote to the bot, or who blocked it.
- Send faster than Telegram lets a bot: about one message a second in a chat, 20 a minute in a group, 30 a second in all
  (<https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>).
- Hear other bots in a group.
"""


def _skip_command_line() -> None:
    """Wherever it can, httpx imports its own command line and a syntax highlighter: a third of a second."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None means: not there


def _chat(thread: str) -> str:
    """The limits are a chat's: its topics share them."""
    return thread.partition("/")[0]


@asynccontextmanager
async def _open(settings: Settings, _http: Http) -> AsyncIterator[Connector]:
    _skip_command_line()
    from connectors.telegram.connector import connect

    async with connect(settings) as connector:
        yield connector


@asynccontextmanager
async def _visit(settings: Settings, _http: Http) -> AsyncIterator[Connector]:
    """Whoever listens meanwhile keeps listening: the webhook stays as it is."""
    _skip_command_line()
    from connectors.telegram.connector import connect

    async with connect(settings, listens=False) as connector:
        yield connector


plugin: Plugin[Settings] = Plugin(
    kind="telegram",
    summary="Telegram: private chats, groups, channels and business accounts, by a bot",
    settings=Settings,
    open=_open,
    abilities=frozenset({"polls", "listens", "replies", "marks", "retracts"}),
    idempotency="C",
    recovers=timedelta(hours=24),
    limits=Limits(
        poll_every=timedelta(milliseconds=100),  # the long poll itself waits
        reply_length=4096,
        replies_per_minute=30 * 60,
        replies_per_minute_thread=20,
        spacing=timedelta(seconds=1),
    ),
    policy=Policy(private_first=False),  # a bot cannot write to a person who never wrote to it
    length=utf16_length,
    visit=_visit,
    place=_chat,
    token=_ACCESS,
    cannot=_CANNOT,
)
