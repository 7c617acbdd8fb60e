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


def _skip_command_line() -> None:
    """Wherever it can, httpx imports its own command line and a syntax highlighter: a third of a second."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None means: not there


@asynccontextmanager
async def _open(settings: Settings, _http: Http) -> AsyncIterator[Connector]:
    _skip_command_line()
    from connectors.telegram.connector import connect

    async with connect(settings) as connector:
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
    ),
    policy=Policy(private_first=False),  # a bot cannot write to a person who never wrote to it
    length=utf16_length,
)
