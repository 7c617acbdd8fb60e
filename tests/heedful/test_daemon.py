"""The main job, end to end: the daemon as a process against a Bot API that somebody else wrote."""

from __future__ import annotations

import asyncio
import io
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from heedful import failpoints
from heedful.signatures import sign
from tests.counterparts.telegram import BotApi, private_message
from tests.heedful.household import SECRET, Household, Pager, pager

TEXT = "my card was charged twice!!"
GROUP = {"id": -500, "type": "group", "title": "Acme customers"}


@pytest_asyncio.fixture
async def phone() -> AsyncIterator[Pager]:
    async with pager() as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, bot_api: BotApi, phone: Pager) -> Household:
    return Household(tmp_path, bot_api.settings, phone.url)


async def told(phone: Pager, count: int = 1) -> None:
    async with asyncio.timeout(40):
        while len(phone.told) < count:  # noqa: ASYNC110 another process tells
            await asyncio.sleep(0.05)


async def test_a_customer_writes_is_acknowledged_once_queued_and_the_team_is_told(
    house: Household, bot_api: BotApi, phone: Pager
) -> None:
    async with house.runs():
        await bot_api.say(TEXT)
        assert await bot_api.answered(1) == 1
        (case,) = await house.until("queue", "list", holds=lambda cases: cases and cases[0]["acknowledged_at"])
        await told(phone)
        books = await house.ask("ledger")
    assert (case["priority"], case["team"], case["status"]) == ("P1", "payments", "open")
    assert case["text"] == TEXT
    assert phone.told[0]["priority"] == "P1"
    assert phone.headers[0]["webhook-signature"].startswith("v1,")
    assert books["balances"]
    assert books["acknowledgements"]["sent"] == 1
    assert bot_api.calls("sendMessage") == 1


@pytest.mark.parametrize("point", failpoints.NAMES)
async def test_killed_at_any_point_nothing_is_lost_and_nobody_is_answered_twice(
    house: Household, bot_api: BotApi, point: str
) -> None:
    async with house.runs(HEEDFUL_FAILPOINT=point) as first:
        await first.listens()  # or the sender's first look may claim in the very transaction that stores
        await bot_api.say(TEXT)
        assert await first.ended() == -signal.SIGKILL
    async with house.runs():
        await house.until("queue", "list", holds=bool)
        settled = lambda books: books["acknowledgements"]["pending"] == 0 and books["stored"] == 1  # noqa: E731
        books = await house.until("ledger", holds=settled)
        calls = bot_api.calls("sendMessage")
    assert books["balances"]
    assert calls <= 1
    doubtful = point in {"after-claim", "after-send"}
    assert books["acknowledgements"]["unknown" if doubtful else "sent"] == 1
    assert calls == (0 if point == "after-claim" else 1)


async def test_a_group_of_customers_a_colleague_and_the_bot(house: Household, bot_api: BotApi) -> None:
    def post(text: str, sender: int, **more: object) -> dict[str, Any]:
        return {"message": private_message(text, sender=sender, chat=GROUP, **more)}

    def named(text: str) -> dict[str, Any]:
        return {"entities": [{"type": "mention", "offset": text.index("@"), "length": 8}]}

    async with house.runs():
        words = "@acmeair my card was charged twice"
        await bot_api.inject(post(words, 501, message_id=9001))
        await bot_api.inject(post(words, 502, message_id=9002))
        assert await bot_api.answered(2) == 2
        await bot_api.inject(post("it was on Tuesday", 501, message_id=9003))
        await bot_api.inject(post("We have your message", 7, message_id=9004))
        await bot_api.inject(
            post(
                "On it, Mei",
                77,
                message_id=9005,
                reply_to_message={**private_message(words, sender=501, chat=GROUP, message_id=9001)},
            )
        )
        cases = await house.until(
            "queue", "list", holds=lambda found: any(case["status"] == "waiting" for case in found)
        )
        assert len(cases) == 2
        assert {case["status"] for case in cases} == {"waiting", "open"}
        answered = next(case for case in cases if case["status"] == "waiting")
        detail = await house.ask("queue", "show", answered["id"])
        assert "it was on Tuesday" in orjson.dumps(detail).decode()
        assert bot_api.calls("sendMessage") == 2
        assert (await house.ask("ledger"))["balances"]


async def test_by_webhook_with_the_secret_and_never_without(tmp_path: Path, bot_api: BotApi, phone: Pager) -> None:
    house = Household(tmp_path, {}, phone.url)
    house.telegram = {
        **{key: value for key, value in bot_api.settings.items() if key != "long_poll"},
        "mode": "webhook",
        "secret": "a-secret-of-the-webhook-0123456789",
        "webhook_url": f"http://127.0.0.1:{house.port}/hooks/telegram-care",
    }
    house.write()
    async with house.runs() as running:
        await ready(running)
        await bot_api.say(TEXT)
        assert await bot_api.answered(1) == 1
        update = {"update_id": 5_000_000, "message": private_message("forged: charged twice", sender=666)}
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}):
            async with aiohttp.ClientSession() as session:
                answer = await session.post(f"{running.url}/hooks/telegram-care", json=update, headers=headers)
                assert answer.status == 401
        books = await house.ask("ledger")
    assert (books["stored"], books["received"]) == (1, 1)


async def ready(running: Any) -> None:
    async with asyncio.timeout(40):
        while True:
            try:
                status, _ = await running.get("/readyz")
            except aiohttp.ClientError:
                status = 0
            if status == 200:
                return
            await asyncio.sleep(0.1)


def shop_message(number: int, text: str) -> dict[str, Any]:
    sent = datetime.now(UTC).isoformat()
    return {"id": f"r{number}", "text": text, "author": {"id": "5", "name": "Li"}, "sent_at": sent}


async def test_a_signed_webhook_is_stored_and_a_forged_or_stale_one_is_not(house: Household) -> None:
    async with house.runs() as running, aiohttp.ClientSession() as session:
        await ready(running)
        url = f"{running.url}/hooks/shop"
        headers, raw = sign(SECRET, "msg_1", shop_message(1, "stolen card"))
        for _ in range(2):
            assert (await session.post(url, data=raw, headers=headers)).status == 200
        stale, old = sign(SECRET, "msg_2", shop_message(2, "stale"), datetime(2020, 1, 1, tzinfo=UTC))
        assert (await session.post(url, data=old, headers=stale)).status == 401
        assert (await session.post(url, data=raw.replace(b"stolen", b"golden"), headers=headers)).status == 401
        assert (await session.post(url, data=io.BytesIO(b"x" * 2_000_000), headers=headers)).status == 413
        books = await house.ask("ledger")
        assert (books["received"], books["duplicates"], books["stored"]) == (2, 1, 1)
        (case,) = await house.ask("queue", "list")
        assert case["channel"] == "shop"


async def test_claim_answer_and_resolve_by_command(house: Household, bot_api: BotApi) -> None:
    async with house.runs():
        await bot_api.say(TEXT)
        (case,) = await house.until("queue", "list", holds=lambda cases: cases and cases[0]["acknowledged_at"])
        for command in (("claim",), ("note",), ("answer",)):
            words = {"note": ["called the bank"], "answer": ["We refunded the second charge."]}.get(command[0], [])
            code, text = await house.command("queue", *command, case["id"], *words)
            assert code == 0, text
        assert await bot_api.answered(2) == 2
        await house.until("queue", "list", holds=lambda cases: cases[0]["status"] == "waiting")
        assert (await house.command("queue", "resolve", case["id"], "--reason", "nonsense"))[0] == 1
        assert (await house.command("queue", "resolve", case["id"], "--reason", "answered"))[0] == 0
        assert await house.ask("queue", "list") == []
    # and the same without a daemon
    assert (await house.command("queue", "reopen", case["id"]))[0] == 0
    assert len(await house.ask("queue", "list")) == 1


async def test_a_changed_file_is_taken_over_and_a_broken_one_is_not(house: Household, bot_api: BotApi) -> None:
    async with house.runs() as running:
        await ready(running)
        house.write(**{"mode: send": "mode: nonsense"})
        await logged(running, "is refused")
        await bot_api.say(TEXT)
        assert await bot_api.answered(1) == 1
        house.write(**{"mode: send": "mode: off"})
        running.signal(signal.SIGHUP)
        await logged(running, "file taken over")
        await bot_api.say("stolen card", sender=502)
        await house.until("queue", "list", holds=lambda cases: len(cases) == 2)
        assert bot_api.calls("sendMessage") == 1


async def logged(running: Any, words: str) -> None:
    async with asyncio.timeout(40):
        while words not in running.log.read_text(encoding="utf-8"):  # noqa: ASYNC110 another process writes
            await asyncio.sleep(0.05)


async def test_sigterm_drains_and_stops(house: Household) -> None:
    async with house.runs() as running:
        await ready(running)
        running.signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await running.ended() == 0
        assert "Traceback" not in running.log.read_text()


async def test_a_channel_without_its_secret_stops_alone_and_rings(house: Household) -> None:
    house.telegram["token"] = "${NOT_SET_ANYWHERE}"
    house.write()
    async with house.runs() as running:
        await logged(running, "NOT_SET_ANYWHERE")
        await logged(running, '"channel": "shop", "event": "channel listens"')
        status, text = await running.get("/readyz")
        assert status == 503
        assert list(orjson.loads(text)["channels"]) == ["telegram-care"]
        _, metrics = await running.get("/metrics")
        assert "heedful_alarms 1.0" in metrics
        headers, raw = sign(SECRET, "msg_1", shop_message(1, "stolen card"))
        async with aiohttp.ClientSession() as session:
            assert (await session.post(f"{running.url}/hooks/shop", data=raw, headers=headers)).status == 200


async def test_no_secret_and_no_word_of_a_customer_is_ever_logged(house: Household, bot_api: BotApi) -> None:
    async with house.runs() as running:
        await bot_api.say(TEXT + " canary-of-the-customer")
        await bot_api.answered(1)
        await house.until("queue", "list", holds=bool)
        running.signal(signal.SIGTERM)
        await running.ended()
        log = running.log.read_text(encoding="utf-8")
    assert "canary" not in log
    assert SECRET not in log


async def test_the_kill_switch_by_command_and_by_file(house: Household, bot_api: BotApi) -> None:
    async with house.runs() as running:
        await ready(running)
        assert (await house.command("pause", "wrong words"))[0] == 0
        await bot_api.say(TEXT)
        await house.until("ledger", holds=lambda books: books["suppressed_because"].get("paused") == 1)
        assert (await house.command("resume"))[0] == 0
        (house.folder / "heedful.db.pause").touch()
        await house.until("ledger", holds=lambda _: True)
        async with asyncio.timeout(20):
            while "heedful_paused 1.0" not in (await running.get("/metrics"))[1]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        await bot_api.say("stolen card", sender=502)
        await house.until("ledger", holds=lambda books: books["suppressed_because"].get("paused") == 2)
        assert bot_api.calls("sendMessage") == 0
