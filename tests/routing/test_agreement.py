"""How often staff agreed, and the calm messages of the house: counted from rows, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.agreement import WEEKS, Rate, figures, week_of
from routing.calm import CalmCount, calm_messages, count_calm
from routing.desk import Desk
from routing.marks import FIELDS
from routing.store.database import Store
from tests.databases import START, Clock
from tests.routing import samples
from tests.routing.test_corrections import item

MONDAY = week_of(START)
EVERYTHING = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def desk(store: Store, clock: Clock) -> Desk:
    return Desk(store, lambda: samples.CARE, clock)


async def put(store: Store, number: int, case: dict[str, Any] | None = None, **more: Any) -> None:
    """A message, and with `case` the case of its own."""
    cases = [] if case is None else [samples.case(id=number, **case)]
    where = {} if case is None else {"case_id": number, "outcome": "routed", "kept": None}
    row = samples.message(**{"id": number, **where, **more})
    await store.write(lambda connection: samples.add(connection, cases=cases, messages=[row]))


DONE = {"status": "resolved", "resolution": "answered"}


async def test_a_message_dealt_with_and_not_marked_agrees(desk: Desk, store: Store) -> None:
    await put(store, 1, DONE)
    await put(store, 2, {"first_answered_at": START}, language="zh-Hant-HK")
    await put(store, 3, {})
    await put(store, 4)
    await put(store, 5, DONE, own=True)
    await put(store, 6, DONE, negative=None)
    found = await desk.agreement()
    assert found.overall["negative"] == found.overall["addressed"] == Rate(messages=2)
    assert set(found.languages) == {"en", "zh-Hant"}
    assert found.weeks[MONDAY]["urgent"] == Rate(messages=2)
    assert len(found.weeks) == WEEKS
    assert list(found.weeks)[-1] == MONDAY


async def test_a_mark_against_the_reading_is_a_disagreement_once(desk: Desk, store: Store, clock: Clock) -> None:
    await put(store, 1, DONE, negative=0.9)
    await put(store, 2)
    for staff in ("Lin", "Mo"):
        await desk.mark(1, staff, "not_negative")
    await desk.mark(2, "Lin", "urgent")
    await desk.mark(2, "Lin", "not_negative")
    found = await desk.agreement()
    assert found.overall["negative"] == Rate(messages=2, otherwise=1)
    assert found.overall["urgent"] == Rate(messages=2, otherwise=1)
    assert found.overall["addressed"] == Rate(messages=1)
    assert sorted((one.message_id, one.mark) for one in found.newest) == [(1, "not_negative"), (2, "urgent")]
    clock.now += timedelta(days=7 * WEEKS)
    assert (await desk.agreement()).overall["negative"] == Rate()


async def test_only_what_the_viewer_may_see(desk: Desk, store: Store) -> None:
    await put(store, 1, {**DONE, "team": "payments"}, negative=0.9, team="payments")
    await desk.mark(1, "Lin", "not_negative")
    assert (await desk.agreement(("payments",))).overall["negative"] == Rate(messages=1, otherwise=1)
    found = await desk.agreement(("care",))
    assert found.overall["negative"] == Rate()
    assert found.newest == []
    assert found.calm.messages == 0


async def test_calm_is_what_was_judged_so_or_kept_without_objection(desk: Desk, store: Store) -> None:
    await put(store, 1, {"status": "resolved", "resolution": "no_answer_needed"}, negative=0.8)
    await put(store, 2, {}, negative=0.9)
    await put(store, 3, negative=0.1)
    await put(store, 4, negative=0.2)
    await put(store, 5, kept="muted")
    await put(store, 6, DONE, negative=0.9)
    await put(store, 7, own=True, kept="own")
    await desk.mark(2, "Lin", "not_negative")
    await desk.mark(4, "Lin", "negative")
    counted = await store.read(lambda connection: count_calm(connection, EVERYTHING))
    assert counted == CalmCount(messages=3, judged=2, called_negative=2)
    found = await store.read(lambda connection: calm_messages(connection, EVERYTHING, 10))
    assert [one.judged for one in found] == [False, True, True]
    assert len(await store.read(lambda connection: calm_messages(connection, EVERYTHING, 2))) == 2
    assert (await desk.agreement()).calm.share == pytest.approx(2 / 3)


def test_nothing_yet_has_no_share() -> None:
    nothing = figures({}, [], START, CalmCount())
    assert nothing.overall["negative"].share is None
    assert nothing.calm.share is None
    assert all(rates["urgent"].messages == 0 for rates in nothing.weeks.values())


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_week_begins_on_monday(at: datetime) -> None:
    week = week_of(at)
    assert (week.weekday(), week.hour, week.minute, week.microsecond) == (0, 0, 0, 0)
    assert timedelta(0) <= at - week < timedelta(days=7)


MARKED = st.builds(
    item,
    st.integers(1, 6),
    st.sampled_from(["negative", "not_negative", "urgent", "not_for_us"]),
    st.integers(0, 50),
    st.sampled_from(["Lin", "Mo"]),
    language=st.sampled_from(["en", "zh-Hans", "zh-Hant-HK"]),
)


@given(
    st.dictionaries(st.tuples(st.just(MONDAY), st.sampled_from(["en", "zh-Hant"])), st.integers(1, 9)), st.lists(MARKED)
)
def test_the_parts_are_the_whole(handled: dict[tuple[datetime, str], int], marks: list[Any]) -> None:
    found = figures(handled, marks, START, CalmCount())
    for name in FIELDS:
        for parts in (found.languages, found.weeks):
            assert sum(rates[name].messages for rates in parts.values()) == found.overall[name].messages
            assert sum(rates[name].otherwise for rates in parts.values()) == found.overall[name].otherwise
        assert 0 <= found.overall[name].otherwise <= found.overall[name].messages
