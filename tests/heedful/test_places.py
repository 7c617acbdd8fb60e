"""What the sender owes a platform: places left in peace, deleted messages forgotten, costs counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.api import Limits, Message, Page, Policy, Receipt, Refused, Reply
from heedful.outbox import Sender
from heedful.rates import Rates
from routing.store import spending
from routing.store.database import Store
from tests.databases import Clock
from tests.heedful.office import Found, Office, Platform

APART = Limits(reply_length=1000, replies_per_minute=600, spacing=timedelta(seconds=1))


def channel_of(thread: str) -> str:
    return thread.partition("/")[0]


def sender(office: Office, platform: Platform) -> Sender:
    async def forget(message: Message) -> None:
        notice = replace(message, text="", revision="", deleted=True)
        await office.pipeline.take(office.source, Page(messages=(notice,)))

    return Sender(
        office.store,
        office.source,
        platform,
        lambda: office.guidance,
        office.clock,
        lambda: office.clock().timestamp(),
        settle_pause=timedelta(0),
        forget=forget,
    )


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=40))
def test_two_replies_in_one_place_are_never_closer_than_the_spacing(steps: list[tuple[str, float]]) -> None:
    now, sent = 0.0, dict[str, list[float]]()
    rates = Rates(APART, lambda: now, channel_of)
    for number, (place, pause) in enumerate(steps):
        now += pause
        if rates.wait(f"{place}/{number}") == 0.0:
            rates.count(f"{place}/{number}")
            sent.setdefault(place, []).append(now)
    for times in sent.values():
        assert all(b - a > 1 - 1e-9 for a, b in pairwise(times))


async def test_threads_of_one_place_take_turns_and_other_places_do_not_wait(store: Store, clock: Clock) -> None:
    office = Office(store, clock, limits=APART, place=channel_of)
    for thread, author in (("general/1", "1"), ("general/2", "2"), ("general/3", "3"), ("help/1", "4")):
        await office.hear("charged twice", author, thread=thread)
    platform = Platform()
    one = sender(office, platform)
    assert await one.drain() == 1
    assert {reply.to.thread for reply in platform.posted} == {"general/1", "help/1"}
    for count in (3, 4):
        clock.forward(seconds=1)
        await one.drain()
        assert len(platform.posted) == count


async def test_an_answer_of_a_person_keeps_the_distance_too(store: Store, clock: Clock) -> None:
    office = Office(store, clock, limits=APART, place=channel_of)
    await office.hear("charged twice", "1", thread="general/1")
    platform = Platform()
    one = sender(office, platform)
    await one.drain()
    (case,) = await office.cases()
    await office.desk.answer(case["id"], "lin", "We look into it.")
    await one.drain()
    assert len(platform.posted) == 1
    clock.forward(seconds=1)
    await one.drain()
    assert platform.posted[1].text == "We look into it."


async def test_what_the_platform_says_is_gone_is_forgotten_here_at_once(store: Store, clock: Clock) -> None:
    office = Office(store, clock, policy=Policy(delete_within=timedelta(hours=24)))
    await office.hear("charged twice")
    await sender(office, Platform(faults=[Refused("there is no such message", gone=True)])).drain()
    rows = await office.rows()
    assert [(row["text"], row["deleted"]) for row in rows] == [("", False), ("", True)]
    assert [row["text"] for row in await office.cases()] == [""]
    assert [row["state"] for row in await office.outbox()] == ["refused"]
    assert (await office.books()).balances


async def test_gone_is_told_once_however_often_it_is_said(store: Store, clock: Clock) -> None:
    office = Office(store, clock, policy=Policy(delete_within=timedelta(hours=24)))
    await office.hear("charged twice")
    gone = Refused("there is no such message", gone=True)
    await sender(office, Platform(faults=[gone])).drain()
    (case,) = await office.cases()
    await office.desk.answer(case["id"], "lin", "We look into it.")
    await sender(office, Platform(faults=[gone])).drain()
    assert len(await office.rows()) == 2
    assert (await office.books()).balances


class Vanished(Found):
    async def find(self, reply: Reply, /) -> Receipt | None:
        raise Refused("there is no such message", gone=True)


async def test_gone_when_looked_for_leaves_the_doubt_to_a_person_and_forgets_the_text(
    store: Store, clock: Clock
) -> None:
    office = Office(store, clock, idempotency="B1", policy=Policy(delete_within=timedelta(hours=24)))
    await office.hear("charged twice")
    await sender(office, Vanished(faults=[TimeoutError()])).drain()
    assert [row["state"] for row in await office.outbox()] == ["unknown"]
    assert {row["text"] for row in await office.rows()} == {""}


async def test_what_a_reply_cost_is_counted_with_its_settlement(store: Store, clock: Clock) -> None:
    class Dear(Platform):
        async def reply(self, reply: Reply, /) -> Receipt:
            return replace(await super().reply(reply), cost=15_000)

    office = Office(store, clock)
    await office.hear("charged twice")
    await office.hear("stolen card", "2")
    await sender(office, Dear()).drain()
    spent = await store.read(lambda connection: spending.on(connection, "replay:999", clock()))
    assert (spent.reading, spent.replies) == (0, 30_000)
    tomorrow = await store.read(lambda connection: spending.on(connection, "replay:999", clock.forward(days=1)))
    assert tomorrow.total == 0
    assert spending.dollars(spent.total) == "$0.03"
