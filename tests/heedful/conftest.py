from __future__ import annotations

from tests.counterparts.slack import slack_api
from tests.counterparts.telegram import bot_api
from tests.databases import clock, sqlite_url, store, store_url, templates

__all__ = ["bot_api", "clock", "slack_api", "sqlite_url", "store", "store_url", "templates"]
