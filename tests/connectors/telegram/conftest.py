"""The emulator, a Bot API with faults and a bot that polls it, for every test here that asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from connectors.telegram.connector import PollingTelegram, connect
from tests.connectors.telegram.fake_api import FakeBotApi, serve
from tests.counterparts.telegram import bot_api

__all__ = ["bot", "bot_api", "fake"]


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    async with serve() as running:
        yield running


@pytest_asyncio.fixture
async def bot(fake: FakeBotApi) -> AsyncIterator[PollingTelegram]:
    async with connect(fake.settings()) as connector:
        assert isinstance(connector, PollingTelegram)
        yield connector
