"""When the platform fails."""

# ruff: noqa: S101, PT018 — an exam asserts, and what belongs together is asserted together

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from connectors.api import BadPayload, Denied, Unreachable
from connectors.testing import channel as faults
from connectors.testing.asking import CALLS, Exam, asks
from connectors.testing.channel import FakeChannel
from connectors.testing.sitting import Sitting

__all__ = ["Failing"]


class Failing(Exam):
    """It says so once, waits for nothing, tries nothing again and keeps its secrets."""

    @asks(of=CALLS)
    async def test_too_many_requests(self, s: Sitting) -> None:
        error = await s.failing(faults.limited, s.first)
        assert isinstance(error, Unreachable) and error.retry_after == timedelta(seconds=7)

    @asks(of=CALLS)
    async def test_a_platform_that_is_down(self, s: Sitting) -> None:
        for fault in (faults.down, faults.cut, faults.garbled):
            assert isinstance(await s.failing(fault, s.first), (Unreachable, BadPayload))

    @asks(of=CALLS, flag="hangs")
    async def test_a_platform_that_is_silent(self, s: Sitting) -> None:
        assert isinstance(await s.failing(faults.silent, s.first), Unreachable)

    @asks(of=CALLS)
    async def test_a_revoked_token(self, s: Sitting) -> None:
        assert isinstance(await s.failing(faults.denied, s.first), Denied)

    @asks(of=CALLS)
    async def test_it_goes_on_after_a_failure(self, s: Sitting) -> None:
        """The same connector, from the same cursor, and nothing is missing."""
        s.channel.post("before")
        cursor = (await s.first()).cursor
        s.channel.post("meanwhile")
        for fault in (faults.down, faults.cut, faults.limited):
            await s.failing(fault, lambda: s.first(cursor))
        assert [message.text for message in await s.heard(cursor, wanted=1)] == ["meanwhile"]

    @asks(of=("streams",))
    async def test_a_stream_that_breaks_off_is_not_mended_unasked(self, s: Sitting) -> None:
        s.channel.post("before")
        async with aclosing(cast("Any", s.connector).stream(None)) as stream:
            page = await s.within(anext(stream))
            before = len(s.channel.requests)
            s.channel.hang_up()
            with pytest.raises((Unreachable, StopAsyncIteration)):
                await s.within(anext(stream))
        assert len(s.channel.requests) == before, "it must not connect again, the host does"
        s.channel.post("after")
        assert [message.text for message in await s.heard(page.cursor, wanted=1)] == ["after"]

    @asks(offline=True)
    async def test_secrets_stay_secret(self, s: Sitting) -> None:
        """Not in an error as it is printed, nor in what it is chained to, a log line or a representation."""
        calls: list[Callable[[], Awaitable[object]]] = []
        calls += [replace(s, ear=ear).first for ear in self.open_ears() if ear in CALLS]
        if "replies" in self.plugin.abilities and self.channel is not FakeChannel:
            reply = await s.a_reply()
            calls.append(lambda: s.reply(reply))
        for fault in (faults.down, faults.cut, faults.limited, faults.denied, faults.garbled, faults.refused):
            for call in calls:
                await s.failing(fault, call)
        for secret in s.secrets():
            assert not any(secret in shown for shown in s.shown()), "a secret can be seen"
