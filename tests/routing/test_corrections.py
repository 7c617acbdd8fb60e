"""Marks of staff: stored once a person and field, taken back, told, and never with a text that is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from routing.corrections import MarkFilter, marks_of
from routing.desk import Desk, NotAllowed, NotFound
from routing.marks import FIELD_OF, MARKS, Mark, MarkItem, Said, agrees, final
from routing.store import events
from routing.store.database import Store
from routing.store.rows import CASE, MESSAGE
from routing.store.wire import rfc3339
from tests.databases import START, Clock
from tests.routing import samples

READ = {"scorer": "en/rules-1", "addressed": "to_us"}


@pytest.fixture
def desk(store: Store, clock: Clock) -> Desk:
    return Desk(store, lambda: samples.CARE, clock)


@pytest.fixture
async def message(store: Store) -> int:
    """A message of a case of payments; 1001 is a calm one that belongs to nobody."""
    case = samples.case(id=1, account="telegram:1", thread="t", author_id="a", last_message_id=1000, team="payments")
    said = samples.message(
        id=1000, case_id=1, outcome="routed", kept=None, team="payments", text="charged 3 times", negative=0.9,
        label="negative", reading=READ,
    )  # fmt: skip
    calm = samples.message(id=1001, text="今天的云真美", language="zh-Hans", reading=READ)
    await store.write(lambda connection: samples.add(connection, cases=[case], messages=[said, calm]))
    return 1000


async def marks(desk: Desk, **asked: Any) -> list[tuple[int, str, str]]:
    return [(one.message_id, one.staff, one.mark) for one in await desk.marks(MarkFilter(**asked))]


async def change(store: Store, number: int, **values: Any) -> None:
    await store.write(lambda c: c.execute(MESSAGE.update().where(MESSAGE.c.id == number).values(**values)))


async def test_a_mark_remembers_what_the_reading_said(desk: Desk, message: int) -> None:
    await desk.mark(message, "Lin", "not_negative")
    (one,) = await desk.marks()
    assert one.said == Said(scorer="en/rules-1", negative=0.9, urgent=0.1, label="negative", addressed="to_us")
    assert (one.at, one.field, one.agrees, one.team, one.handled) == (START, "negative", False, "payments", False)
    assert one.as_example() == {
        "text": "charged 3 times",
        "language": "en",
        "field": "negative",
        "mark": "not_negative",
        "said": {"negative": 0.9, "urgent": 0.1, "label": "negative"},
        "scorer": "en/rules-1",
        "at": rfc3339(START),
    }


async def test_again_replaces_ones_own_mark_of_the_same_field(desk: Desk, message: int, clock: Clock) -> None:
    await desk.mark(message, "Lin", "not_negative")
    await desk.mark(message, "Lin", "not_urgent")
    await desk.mark(message, "Mo", "negative")
    clock.now += timedelta(minutes=1)
    await desk.mark(message, "Lin", "negative")
    assert sorted(await marks(desk)) == [
        (1000, "Lin", "negative"),
        (1000, "Lin", "not_urgent"),
        (1000, "Mo", "negative"),
    ]


async def test_a_mark_is_taken_back_by_whoever_set_it(desk: Desk, message: int) -> None:
    await desk.mark(message, "Lin", "urgent")
    await desk.unmark(message, "Mo", "urgent")
    await desk.unmark(message, "Lin", "not_urgent")
    assert len(await marks(desk)) == 1
    await desk.unmark(message, "Lin", "urgent")
    assert await marks(desk) == []


async def test_each_is_told_once_to_those_who_may_see_it(desk: Desk, store: Store, message: int) -> None:
    await desk.mark(message, "Lin", "urgent")
    await desk.unmark(message, "Lin", "urgent")
    await desk.unmark(message, "Lin", "urgent")
    await desk.mark(1001, "Lin", "not_for_us")
    found = await store.read(lambda connection: events.since(connection, 0))
    assert [(one.kind, one.message_id, one.case_id, one.team, one.actor) for one in found] == [
        ("marked", 1000, 1, "payments", "Lin"),
        ("unmarked", 1000, 1, "payments", "Lin"),
        ("marked", 1001, None, None, "Lin"),
    ]
    assert found[0].data == {"mark": "urgent"}


@pytest.mark.parametrize(
    "values", [{"own": True}, {"negative": None}, {"text": ""}, {"deleted": True}], ids=lambda one: str(next(iter(one)))
)
async def test_what_cannot_be_marked(desk: Desk, store: Store, message: int, values: dict[str, Any]) -> None:
    await change(store, message, **values)
    with pytest.raises(NotAllowed):
        await desk.mark(message, "Lin", "urgent")
    assert await marks(desk) == []


async def test_a_message_that_is_not_there(desk: Desk, message: int) -> None:
    for act in (desk.mark, desk.unmark):
        with pytest.raises(NotFound):
            await act(5, "Lin", "urgent")


async def test_marks_are_listed_by_time_and_team(desk: Desk, message: int, clock: Clock) -> None:
    await desk.mark(message, "Lin", "not_negative")
    clock.now += timedelta(hours=1)
    await desk.mark(1001, "Lin", "negative")
    assert [one for one, _, _ in await marks(desk)] == [1001, 1000]
    assert [one for one, _, _ in await marks(desk, since=START + timedelta(minutes=1))] == [1001]
    assert [one for one, _, _ in await marks(desk, teams=("care",))] == [1001]
    assert [one for one, _, _ in await marks(desk, teams=("payments",))] == [1001, 1000]
    assert [one for one, _, _ in await marks(desk, limit=1)] == [1001]


async def test_a_text_that_is_gone_is_not_listed(desk: Desk, store: Store, message: int) -> None:
    await desk.mark(message, "Lin", "not_negative")
    await change(store, message, text="")
    assert (await desk.marks())[0].text == ""
    await change(store, message, text="charged 3 times")
    notice = samples.message(id=1009, external_id="m1000", revision="~deleted", deleted=True, text="")
    await store.write(lambda connection: samples.add(connection, messages=[notice]))
    assert (await desk.marks())[0].text == ""


@pytest.mark.parametrize("reason", ["spam", "not_for_us"])
async def test_such_a_reason_to_resolve_marks_the_messages(desk: Desk, store: Store, message: int, reason: str) -> None:
    ours = samples.message(id=1002, case_id=1, own=True, text="hello")
    again = samples.message(id=1003, case_id=1, text="buy now")
    await store.write(lambda connection: samples.add(connection, messages=[ours, again]))
    await desk.resolve(1, "Lin", reason)
    assert sorted(await marks(desk)) == [(1000, "Lin", "not_for_us"), (1003, "Lin", "not_for_us")]
    assert {one.source for one in await desk.marks()} == {"resolution"}
    await desk.mark(1003, "Lin", "not_for_us")
    await desk.reopen(1, "Lin")
    assert await marks(desk) == [(1003, "Lin", "not_for_us")]


@pytest.mark.parametrize("reason", ["answered", "no_answer_needed", "duplicate"])
async def test_other_reasons_mark_nothing(desk: Desk, message: int, reason: str) -> None:
    await desk.resolve(1, "Lin", reason)
    assert await marks(desk) == []


async def test_a_resolution_that_is_refused_marks_nothing(desk: Desk, store: Store, message: int) -> None:
    await desk.claim(1, "Mo")
    with pytest.raises(Exception, match="Mo"):
        await desk.resolve(1, "Lin", "spam")
    assert await marks(desk) == []


async def test_many_cases_at_once(desk: Desk, message: int) -> None:
    await desk.bulk([1, 99], "Lin", "resolve", reason="spam")
    assert await marks(desk) == [(1000, "Lin", "not_for_us")]


async def test_who_marked_which_message(desk: Desk, store: Store, message: int) -> None:
    await desk.mark(message, "Lin", "urgent")
    assert await store.read(lambda c: marks_of(c, [message, 1001])) == {message: [("Lin", "urgent")]}
    assert await store.read(lambda c: marks_of(c, [])) == {}
    assert await store.read(lambda c: c.execute(CASE.select()).first()) is not None


@pytest.mark.parametrize(
    ("mark", "negative", "urgent", "addressed", "right"),
    [
        ("negative", 0.6, 0.0, None, True),
        ("negative", 0.59, 0.0, None, False),
        ("not_negative", 0.59, 0.0, None, True),
        ("not_negative", 0.9, 0.0, None, False),
        ("urgent", 0.0, 0.5, None, True),
        ("urgent", 0.9, 0.4, None, False),
        ("not_urgent", 0.9, None, None, True),
        ("not_for_us", 0.9, 0.9, "about_other", True),
        ("not_for_us", 0.9, 0.9, "to_us", False),
    ],
)
def test_whether_the_reading_had_said_so(
    mark: Mark, negative: float, urgent: float | None, addressed: str | None, right: bool
) -> None:
    said = Said(scorer="x", negative=negative, urgent=urgent, label=None, addressed=addressed)
    assert agrees(mark, said) is right


def item(number: int, mark: Mark, minutes: int, staff: str = "Lin", **more: Any) -> MarkItem:
    plain: dict[str, Any] = {
        "message_id": number, "case_id": None, "channel": "chat", "team": None, "text": "x", "language": "en",
        "received_at": START, "handled": False, "mark": mark, "staff": staff, "source": "mark",
        "at": START + timedelta(minutes=minutes),
        "said": Said(scorer="x", negative=0.9, urgent=0.1, label="negative", addressed="to_us"),
    }  # fmt: skip
    return MarkItem(**{**plain, **more})


def test_of_two_opinions_the_last_counts() -> None:
    first, second, other = item(1, "negative", 1), item(1, "not_negative", 2, "Mo"), item(1, "urgent", 0)
    assert final([first, second, other]) == [second, other]


def test_every_mark_has_a_field() -> None:
    assert set(FIELD_OF) == set(MARKS)
