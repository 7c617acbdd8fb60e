"""What goes out."""

# ruff: noqa: S101, PT018 — an exam asserts, and what belongs together is asserted together

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from connectors.api import Denied, Finds, Marks, Refused, Reply, Retracts, Unreachable
from connectors.testing import channel as faults
from connectors.testing.asking import AWKWARD, Exam, asks
from connectors.testing.channel import FakeChannel
from connectors.testing.sitting import Sitting

__all__ = ["Answering"]


class Answering(Exam):
    """Posted once, as it is; and what is in doubt is said to be in doubt."""

    @asks("replies")
    async def test_a_reply_is_posted_once_as_it_is(self, s: Sitting) -> None:
        reply = await s.a_reply(AWKWARD)
        receipt = await s.reply(reply)
        assert [said.text for said in s.channel.said] == [AWKWARD]
        assert receipt.id
        assert s.channel.said[0].thread in {None, reply.to.thread}

    @asks("replies", offline=True)
    async def test_the_same_key_posts_once(self, s: Sitting) -> None:
        if self.plugin.idempotency != "A":
            pytest.skip(f"its replies are of class {self.plugin.idempotency}: the platform takes no key")
        reply = await s.a_reply()
        assert (await s.reply(reply)).id == (await s.reply(reply)).id
        assert self.channel is FakeChannel or len(s.channel.said) == 1

    @asks("replies")
    async def test_a_reply_that_was_surely_not_posted(self, s: Sitting) -> None:
        reply = await s.a_reply()
        error = await s.failing(faults.limited, lambda: s.reply(reply))
        assert isinstance(error, Unreachable) and error.unsent and error.retry_after == timedelta(seconds=7)
        assert isinstance(await s.failing(faults.refused, lambda: s.reply(reply)), Refused)
        assert isinstance(await s.failing(faults.denied, lambda: s.reply(reply)), Denied)
        await s.stop_serving()
        error = await s.failing(faults.cut, lambda: s.reply(reply))
        assert isinstance(error, Unreachable) and error.unsent, "no connection: nothing was posted"
        assert s.channel.said == []

    @asks("replies")
    async def test_a_reply_in_doubt(self, s: Sitting) -> None:
        """Whatever may have been posted is never said to be unsent, and never sent again by the connector."""
        reply = await s.a_reply()
        for fault in (faults.down, faults.lost, faults.cut, faults.garbled):
            error = await s.failing(fault, lambda: s.reply(reply))
            assert isinstance(error, Unreachable) and not error.unsent, f"{fault.__name__}: it may have been posted"
        assert len(s.channel.said) == 1

    @asks("replies", flag="hangs")
    async def test_a_reply_that_nobody_confirms(self, s: Sitting) -> None:
        reply = await s.a_reply()
        error = await s.failing(faults.silent, lambda: s.reply(reply))
        assert isinstance(error, Unreachable) and not error.unsent

    @asks("replies")
    async def test_a_reply_after_the_window(self, s: Sitting) -> None:
        if self.plugin.policy.reply_window is None:
            pytest.skip("its policy states no reply window")
        reply = await s.a_reply()
        assert isinstance(await s.failing(faults.closed, lambda: s.reply(reply)), Refused)

    @asks("replies", "finds")
    async def test_a_lost_reply_is_found(self, s: Sitting) -> None:
        reply = await s.a_reply()
        finder = cast("Finds", s.connector)
        assert await s.within(finder.find(reply)) is None
        await s.failing(faults.lost, lambda: s.reply(reply))
        found = await s.within(finder.find(reply))
        assert found is not None and found.id == s.channel.said[0].id
        elsewhere = replace(reply.to, id=reply.to.id + "9")
        other = Reply(key=reply.key[::-1], to=elsewhere, text="quite another text (Ref Z9Z9)")
        assert await s.within(finder.find(other)) is None
        error = await s.failing(faults.down, lambda: s.within(finder.find(reply)))
        assert isinstance(error, Unreachable), "a listing that failed is not an absence"

    @asks("marks")
    async def test_a_mark_is_set_once(self, s: Sitting) -> None:
        to = await s.a_message()
        marker = cast("Marks", s.connector)
        for _ in range(2):
            await s.within(marker.mark(to))
        assert len(s.channel.marks) == 1
        assert isinstance(await s.failing(faults.down, lambda: s.within(marker.mark(to))), Unreachable)

    @asks("replies", "retracts")
    async def test_a_reply_is_taken_back(self, s: Sitting) -> None:
        reply = await s.a_reply()
        retracts = cast("Retracts", s.connector)
        receipt = await s.reply(reply)
        await s.within(retracts.retract(receipt, AWKWARD))
        assert s.channel.said[0].text == AWKWARD
        await s.within(retracts.retract(receipt, None))
        assert s.channel.said[0].text is None
