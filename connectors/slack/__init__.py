"""Slack: channels, threads, direct messages and Slack Connect, by an app of your own workspace.

slack-bolt takes a third of a second to import, so it is loaded only when a channel is opened: a
configuration is checked without it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from connectors.api import Connector, Http, Limits, Plugin, Policy
from connectors.slack.guide import CANNOT, SETUP
from connectors.slack.places import whole_channel
from connectors.slack.settings import Settings

__all__ = ["plugin"]


@asynccontextmanager
async def _open(settings: Settings, _http: Http) -> AsyncIterator[Connector]:
    from connectors.slack.connector import connect

    async with connect(settings) as connector:
        yield connector


plugin: Plugin[Settings] = Plugin(
    kind="slack",
    summary="Slack: channels, threads and direct messages, by an app in your workspace",
    settings=Settings,
    open=_open,
    abilities=frozenset({"polls", "streams", "listens", "replies", "finds", "marks", "retracts"}),
    idempotency="B1",
    recovers=None,
    limits=Limits(
        poll_every=timedelta(minutes=5),
        reply_length=4_000,
        # One a second in a channel, some hundreds a minute in all: docs.slack.dev/apis/web-api/rate-limits.
        replies_per_minute=200,
        spacing=timedelta(seconds=1),
    ),
    policy=Policy(private_first=False),
    place=whole_channel,
    token=SETUP,
    cannot=CANNOT,
)
