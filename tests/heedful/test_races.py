"""Where several processes write one PostgreSQL database, none undoes what another has done."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from heedful import recall
from routing.desk import Desk
from routing.store.database import open_store
from tests.databases import Clock
from tests.heedful.office import Office

LOOKS = 0.5
"""Seconds in which a claim that nothing holds up has long been committed."""


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("question", "own"),
    [("cases", False), ("cases_of_threads", True)],
    ids=["the customer writes", "a colleague answers elsewhere"],
)
async def test_a_claim_while_a_message_is_stored_is_not_lost(
    store_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, question: str, own: bool
) -> None:
    ours, theirs = open_store(store_url, clock=clock), open_store(store_url, clock=clock)
    office = Office(ours, clock)
    command = Desk(theirs, lambda: office.guidance.care, clock)
    have_read, claimed = threading.Event(), threading.Event()
    real = getattr(recall, question)

    def dwelling(*given: Any) -> Any:
        found = real(*given)
        have_read.set()
        claimed.wait(LOOKS)
        return found

    async def claim(case_id: int) -> None:
        await asyncio.to_thread(have_read.wait, 5)
        await command.claim(case_id, "anna")
        claimed.set()

    try:
        await office.hear("charged twice", thread="g", id="q")
        (case,) = await office.cases()
        monkeypatch.setattr(recall, question, dwelling)
        if own:
            message = office.message("we are on it", "77", thread="g", in_reply_to="q")
        else:
            message = office.message("any news?", thread="g")
        async with asyncio.timeout(20):
            await asyncio.gather(office.take(message), claim(case["id"]))
        (after,) = await office.cases()
    finally:
        await ours.close()
        await theirs.close()
    assert (after["status"], after["assignee"]) == ("claimed", "anna")
    if own:
        assert after["first_answered_at"] is not None
    else:
        assert after["last_message_id"] > case["last_message_id"]
