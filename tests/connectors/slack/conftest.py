"""A Slack that we wrote, with faults, and one that we did not write."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from connectors.slack.connector import HookedSlack, SocketSlack, connect
from connectors.slack.settings import Settings
from tests.counterparts.slack import slack_api
from tests.counterparts.slack_events import Workspace, workspace

__all__ = ["called", "slack", "slack_api", "socket"]


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as running:
        yield running


@pytest_asyncio.fixture
async def called(slack: Workspace) -> AsyncIterator[HookedSlack]:
    """Opened in `mode: events`."""
    async with connect(Settings.model_validate(slack.events_settings())) as connector:
        assert isinstance(connector, HookedSlack)
        yield connector


@pytest_asyncio.fixture
async def socket(slack: Workspace) -> AsyncIterator[SocketSlack]:
    """Opened in `mode: socket`."""
    async with connect(Settings.model_validate(slack.socket_settings())) as connector:
        assert isinstance(connector, SocketSlack)
        yield connector
