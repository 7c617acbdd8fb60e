from __future__ import annotations

from tests.counterparts.telegram import bot_api
from tests.databases import clock, sqlite_url, store, store_url, templates

__all__ = ["bot_api", "clock", "sqlite_url", "store", "store_url", "templates"]
