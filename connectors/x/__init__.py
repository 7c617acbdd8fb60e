"""X (Twitter): mentions, a search or the filtered stream of one account, by the API v2.

tweepy takes a second to import, so it is loaded only when a channel is opened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from connectors.api import Connector, Http, Limits, Plugin, Policy
from connectors.x.about import CANNOT, TOKEN
from connectors.x.length import LONGEST, weighted_length
from connectors.x.settings import Settings

__all__ = ["plugin"]


@asynccontextmanager
async def _open(settings: Settings, http: Http) -> AsyncIterator[Connector]:
    from connectors.x.connector import connect

    async with connect(settings, http) as connector:
        yield connector


plugin: Plugin[Settings] = Plugin(
    kind="x",
    summary="X (Twitter): mentions, a search or the filtered stream of one account",
    settings=Settings,
    open=_open,
    abilities=frozenset({"polls", "streams", "replies", "finds"}),
    idempotency="B1",
    recovers=None,  # a search reaches 7 days back, and mentions 800: what lies beyond the connector tells as a gap
    limits=Limits(
        poll_every=timedelta(seconds=60),
        reply_length=LONGEST,
        replies_per_minute=6,  # 100 an account in 15 minutes: https://docs.x.com/x-api/fundamentals/rate-limits
    ),
    policy=Policy(
        # Since 23 February 2026: https://docs.x.com/x-api/posts/manage-tweets/integrate
        unsolicited=False,
        private_first=False,
        automatic_marks=False,
        per_interaction=1,
        cost="a post is $0.015, with a URL in it $0.200, a reply to who mentioned or quoted us $0.010",
        delete_within=timedelta(hours=24),
    ),
    length=weighted_length,
    token=TOKEN,
    cannot=CANNOT,
)
