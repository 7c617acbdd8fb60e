from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from config.folding import fold
from routing.desk import AckFilter, CaseFilter, Desk, Fenced, NotAllowed, NotFound, Taken
from routing.store import events, search
from routing.store.database import Store
from routing.store.ledger import ledger
from routing.store.rows import CASE, MESSAGE, OUTBOX
from tests.databases import START, Clock
from tests.routing import samples


@pytest.fixture
def desk(store: Store, clock: Clock) -> Desk:
    return Desk(store, lambda: samples.CARE, clock)


@pytest.fixture
async def case_id(store: Store) -> int:
    """A case of one message."""
    row = samples.case(id=1000, account="telegram:1", thread="t", author_id="a", last_message_id=1001, ref="K7Q2")
    first = samples.message(id=1001, outcome="routed", kept=None, case_id=1000, text="我的行李丢了", language="zh-Hans")

    def work(connection: Connection) -> None:
        samples.add(connection, cases=[row], messages=[first])
        search.index(connection, [(1001, fold(first["text"]).text)])

    await store.write(work)
    return 1000


async def kinds(store: Store) -> list[tuple[str, str | None]]:
    return [(event.kind, event.actor) for event in await store.read(lambda connection: events.since(connection, 0))]


async def texts(store: Store) -> list[dict[str, Any]]:
    def all_texts(connection: Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(select(OUTBOX).order_by(OUTBOX.c.id)).mappings()]

    return await store.read(all_texts)


async def change(store: Store, case_id: int, **values: Any) -> None:
    await store.write(lambda c: c.execute(CASE.update().where(CASE.c.id == case_id).values(**values)))


async def write_again(store: Store, number: int, case_id: int = 1000, own: bool = False, **more: Any) -> None:
    """The customer, or with `own` a colleague in the platform's app, writes into the case."""
    row = samples.message(id=number, case_id=case_id, outcome="routed", kept=None, text="hello?")
    if own:
        row |= {"own": True, "outcome": "kept", "kept": "own", "text": "We found it."}
    await store.write(lambda connection: samples.add(connection, messages=[{**row, **more}]))
    if not own:
        await change(store, case_id, last_message_id=number)


async def test_of_twenty_who_claim_at_once_one_gets_the_case(desk: Desk, store: Store, case_id: int) -> None:
    async def claim(agent: str) -> str | None:
        try:
            return (await desk.claim(case_id, agent)).assignee
        except Taken:
            return None

    found = await asyncio.gather(*(claim(f"agent{number}") for number in range(20)))
    winners = [agent for agent in found if agent]
    assert len(winners) == 1
    assert (await desk.show(case_id)).case.assignee == winners[0]
    assert await kinds(store) == [("claimed", winners[0])]


async def test_a_claim_lapses_and_then_anybody_may_claim(desk: Desk, clock: Clock, case_id: int) -> None:
    claimed = await desk.claim(case_id, "ann")
    assert claimed.status == "claimed"
    assert claimed.lease_until == START + timedelta(minutes=15)
    clock.forward(minutes=14)
    with pytest.raises(Taken):
        await desk.claim(case_id, "bob")
    await desk.claim(case_id, "ann")
    clock.forward(minutes=15)
    assert (await desk.claim(case_id, "bob")).assignee == "bob"


async def test_a_lapsed_claim_goes_back_into_the_queue(desk: Desk, store: Store, clock: Clock, case_id: int) -> None:
    await desk.claim(case_id, "ann")
    clock.forward(minutes=16)
    await desk.escalate()
    found = (await desk.show(case_id)).case
    assert (found.status, found.assignee) == ("open", None)
    assert await kinds(store) == [("claimed", "ann"), ("released", None)]


async def test_a_case_is_given_back_and_handed_over(desk: Desk, case_id: int) -> None:
    await desk.claim(case_id, "ann")
    with pytest.raises(Taken):
        await desk.release(case_id, "bob")
    assert (await desk.release(case_id, "ann")).status == "open"
    assert (await desk.assign(case_id, "lead", "bob")).assignee == "bob"
    moved = await desk.assign(case_id, "lead", "team:payments")
    assert (moved.team, moved.assignee, moved.status) == ("payments", None, "open")
    with pytest.raises(NotAllowed, match="care, payments"):
        await desk.assign(case_id, "lead", "team:nobody")


async def test_a_case_put_aside_comes_back(desk: Desk, store: Store, clock: Clock, case_id: int) -> None:
    with pytest.raises(NotAllowed):
        await desk.snooze(case_id, "ann", START)
    await desk.snooze(case_id, "ann", START + timedelta(hours=1))
    assert [one.id for one in await desk.list(CaseFilter(snoozed=False))] == []
    assert [one.id for one in await desk.list(CaseFilter(snoozed=True))] == [case_id]
    clock.forward(hours=1)
    await desk.escalate()
    assert [one.id for one in await desk.list(CaseFilter(snoozed=False))] == [case_id]
    assert await kinds(store) == [("snoozed", "ann"), ("case_changed", None)]


async def test_a_note_is_for_us_only(desk: Desk, case_id: int) -> None:
    await desk.note(case_id, "ann", "calls back at noon")
    with pytest.raises(NotAllowed):
        await desk.note(case_id, "ann", "  ")
    detail = await desk.show(case_id)
    assert [(event.kind, event.data["text"]) for event in detail.events] == [("note", "calls back at noon")]
    assert detail.outbox == ()


async def test_an_answer_is_queued_once_and_whole(desk: Desk, store: Store, case_id: int) -> None:
    await asyncio.gather(*(desk.answer(case_id, "ann", "We look for it.", seen=1001) for _ in range(5)))
    (text,) = await texts(store)
    wanted = {
        "kind": "answer",
        "state": "pending",
        "text": "We look for it.",
        "account": "telegram:1",
        "target": "chat",
        "thread": "t",
        "case_id": case_id,
        "message_id": 1001,
        "seen_message_id": 1001,
        "actor": "ann",
        "priority": "P3",
    }
    assert {name: text[name] for name in wanted} == wanted
    found = (await desk.show(case_id)).case
    assert (found.status, found.assignee, found.first_answered_at) == ("waiting", "ann", None)
    assert await kinds(store) == [("answer_queued", "ann")]


async def test_the_same_words_may_be_said_again_later(desk: Desk, store: Store, case_id: int) -> None:
    await desk.answer(case_id, "ann", "One moment please.")
    await write_again(store, 10**18)
    await desk.answer(case_id, "ann", "One moment please.")
    assert len(await texts(store)) == 2


async def test_an_answer_that_was_refused_may_be_given_again(desk: Desk, store: Store, case_id: int) -> None:
    await desk.answer(case_id, "ann", "Hello")
    await store.write(lambda connection: connection.execute(OUTBOX.update().values(state="refused")))
    await desk.answer(case_id, "ann", "Hello")
    assert [text["state"] for text in await texts(store)] == ["refused", "pending"]


async def test_the_fence_stops_an_answer_to_what_the_customer_no_longer_says(
    desk: Desk, store: Store, case_id: int
) -> None:
    await write_again(store, 10**18)
    with pytest.raises(Fenced, match="customer wrote"):
        await desk.answer(case_id, "ann", "Hello", seen=1001)
    assert await texts(store) == []
    await desk.answer(case_id, "ann", "Hello", seen=1001, confirm=True)
    assert [text["seen_message_id"] for text in await texts(store)] == [10**18]


async def test_the_fence_stops_an_answer_after_a_colleagues(
    desk: Desk, store: Store, clock: Clock, case_id: int
) -> None:
    await desk.answer(case_id, "ann", "Hello", seen=1001)
    clock.forward(hours=1)
    with pytest.raises(Fenced, match="colleague"):
        await desk.answer(case_id, "bob", "Hi", seen=1001)
    await desk.answer(case_id, "bob", "Hi", seen=1001, confirm=True)
    assert [text["actor"] for text in await texts(store)] == ["ann", "bob"]


async def test_the_fence_knows_a_colleagues_post_from_our_own_echo(desk: Desk, store: Store, case_id: int) -> None:
    echo = samples.outbox(case_id=case_id, message_id=1001, receipt="echo")
    await store.write(lambda connection: samples.add(connection, texts=[echo]))
    await write_again(store, 2000, own=True, external_id="echo")
    await desk.answer(case_id, "ann", "Hello", seen=1001)
    await write_again(store, 10**18, own=True)
    with pytest.raises(Fenced, match="colleague"):
        await desk.answer(case_id, "ann", "And another thing", seen=1001)
    await desk.answer(case_id, "ann", "And another thing", seen=10**18)


async def test_who_does_not_have_the_case_does_not_answer_or_close_it(desk: Desk, store: Store, case_id: int) -> None:
    await desk.claim(case_id, "ann")
    with pytest.raises(Taken):
        await desk.answer(case_id, "bob", "Hi")
    with pytest.raises(Taken):
        await desk.resolve(case_id, "bob", "spam")
    with pytest.raises(NotAllowed):
        await desk.answer(case_id, "ann", " ")
    assert await texts(store) == []


@pytest.mark.parametrize(
    ("reason", "answered"),
    [
        ("answered", True),
        ("answered_elsewhere", True),
        ("no_answer_needed", False),
        ("spam", False),
        ("duplicate", False),
    ],
)
async def test_a_case_is_closed_with_a_reason(
    desk: Desk, store: Store, clock: Clock, case_id: int, reason: str, answered: bool
) -> None:
    now = clock.forward(hours=1)
    closed = await desk.resolve(case_id, "ann", reason, detail="see there")
    assert (closed.status, closed.resolution, closed.resolved_by, closed.resolved_at) == (
        "resolved",
        reason,
        "ann",
        now,
    )
    assert closed.first_answered_at == (now if answered else None)
    assert await desk.list() == []
    assert [one.id for one in await desk.list(CaseFilter(status=("resolved",)))] == [case_id]
    assert await desk.list(CaseFilter(status=("all",)))
    (event,) = await store.read(lambda connection: events.since(connection, 0))
    assert event.data == {"priority": "P3", "reason": reason, "detail": "see there"}


async def test_a_reason_must_be_one_of_ours(desk: Desk, case_id: int) -> None:
    with pytest.raises(NotAllowed, match="no_answer_needed"):
        await desk.resolve(case_id, "ann", "because")


async def test_a_closed_case_is_opened_again_with_new_clocks(desk: Desk, clock: Clock, case_id: int) -> None:
    with pytest.raises(NotAllowed):
        await desk.reopen(case_id, "ann")
    await desk.resolve(case_id, "ann", "no_answer_needed")
    now = clock.forward(days=3)
    found = await desk.reopen(case_id, "bob")
    assert (found.status, found.resolution) == ("open", None)
    assert found.first_answer_due == now + timedelta(hours=4)
    assert found.resolution_due == now + timedelta(days=2)
    assert found.due == now + timedelta(hours=4)


async def test_a_closed_case_stays_closed_beside_a_newer_one(desk: Desk, store: Store, case_id: int) -> None:
    await desk.resolve(case_id, "ann", "answered")
    newer = samples.case(id=3000, thread="t", author_id="a", ref="NEWER")
    await store.write(lambda connection: samples.add(connection, cases=[newer]))
    with pytest.raises(NotAllowed, match="NEWER"):
        await desk.reopen(case_id, "ann")


async def test_many_cases_are_handled_at_once_and_one_refusal_stops_no_other(desk: Desk, store: Store) -> None:
    rows = [samples.case(id=number, team="care") for number in range(1, 6)]
    await store.write(lambda connection: samples.add(connection, cases=rows))
    await desk.claim(3, "bob")
    found = await desk.bulk([1, 2, 3, 4, 99, 1], "ann", "resolve", reason="spam")
    assert [(one.id, one.case is not None, type(one.error)) for one in found] == [
        (1, True, type(None)),
        (2, True, type(None)),
        (3, False, Taken),
        (4, True, type(None)),
        (99, False, NotFound),
    ]
    assert sorted(one.id for one in await desk.list()) == [3, 5]
    assert json.dumps([one.as_json() for one in found])
    with pytest.raises(NotAllowed):
        await desk.bulk([1], "ann", "answer")  # type: ignore[arg-type]


ACTIONS: list[Callable[[Desk], Any]] = [
    lambda desk: desk.show(1),
    lambda desk: desk.claim(1, "a"),
    lambda desk: desk.release(1, "a"),
    lambda desk: desk.assign(1, "a", "b"),
    lambda desk: desk.note(1, "a", "b"),
    lambda desk: desk.answer(1, "a", "b"),
    lambda desk: desk.resolve(1, "a", "spam"),
    lambda desk: desk.reopen(1, "a"),
    lambda desk: desk.find("NONE"),
    lambda desk: desk.snooze(1, "a", START + timedelta(days=1)),
    lambda desk: desk.approve(1, "a"),
    lambda desk: desk.settle_unknown(1, "a", "sent"),
]


@pytest.mark.parametrize("action", range(len(ACTIONS)))
async def test_what_is_not_there_is_not_found(desk: Desk, store: Store, action: int) -> None:
    with pytest.raises(NotFound):
        await ACTIONS[action](desk)
    assert await kinds(store) == []


async def test_the_queue_is_in_order_of_priority_and_then_of_what_is_due(desk: Desk, store: Store) -> None:
    def due(hours: int) -> Any:
        return START + timedelta(hours=hours)

    rows = [
        samples.case(id=1, priority="P3", due=due(1)),
        samples.case(id=2, priority="P1", due=due(5)),
        samples.case(id=3, priority="P1", due=due(2)),
        samples.case(id=4, priority="P2", due=due(-1)),
        samples.case(id=5, priority="P1", due=due(1), status="resolved", resolved_at=START),
    ]
    await store.write(lambda connection: samples.add(connection, cases=rows))
    assert [one.id for one in await desk.list()] == [3, 2, 4, 1]
    assert [one.id for one in await desk.list(CaseFilter(limit=2, offset=1))] == [2, 4]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (CaseFilter(team=("payments",)), {2}),
        (CaseFilter(priority=("P1", "P2")), {2}),
        (CaseFilter(channel=("x",)), {3}),
        (CaseFilter(label=("unsure",)), {3}),
        (CaseFilter(status=("claimed",)), {2}),
        (CaseFilter(assignee="ann"), {2}),
        (CaseFilter(assignee=""), {1, 3}),
        (CaseFilter(language=("zh",)), {2, 3}),
        (CaseFilter(language=("zh-Hant",)), {3}),
        (CaseFilter(teams=("care",)), {1, 3}),
        (CaseFilter(teams=()), set()),
        (CaseFilter(q="行李"), {2}),
        (CaseFilter(q="bag"), {1}),
        (CaseFilter(q="nothing"), set()),
        (CaseFilter(q="r3"), {3}),
        (CaseFilter(q="@Ann"), {1}),
        (CaseFilter(q="Ann"), {1}),
        (CaseFilter(q="later"), {1}),
        (CaseFilter(overdue=True), {3}),
        (CaseFilter(overdue=False), {1, 2}),
        (CaseFilter(q="bag", team=("payments",)), set()),
        (CaseFilter(q="!!"), set()),
    ],
)
async def test_the_queue_is_narrowed(desk: Desk, store: Store, asked: CaseFilter, found: set[int]) -> None:
    rows = [
        samples.case(id=1, author_handle="Ann"),
        samples.case(id=2, team="payments", priority="P1", status="claimed", assignee="ann", language="zh-Hans"),
        samples.case(id=3, channel="x", label="unsure", language="zh-Hant", due=START - timedelta(hours=1)),
    ]
    said = [
        samples.message(id=11, case_id=1, text="my bag"),
        samples.message(id=12, case_id=2, text="我的行李"),
        samples.message(id=13, case_id=1, text="and later this"),
        samples.message(id=14, text="a bag without a case"),
    ]

    def work(connection: Connection) -> None:
        samples.add(connection, cases=rows, messages=said)
        search.index(connection, [(one["id"], fold(one["text"]).text) for one in said])

    await store.write(work)
    assert {one.id for one in await desk.list(asked)} == found


async def test_messages_are_found_whether_routed_or_kept(desk: Desk, store: Store) -> None:
    said = [
        samples.message(id=1, text="退款"),
        samples.message(id=2, text="hello"),
        samples.message(id=3, text="請退款"),
    ]

    def work(connection: Connection) -> None:
        samples.add(connection, messages=said)
        search.index(connection, [(one["id"], fold(one["text"]).text) for one in said])

    await store.write(work)
    assert [one.id for one in await desk.messages("退款")] == [3, 1]
    assert [one.id for one in await desk.messages(limit=2)] == [3, 2]
    assert await desk.messages("…") == []
    assert json.dumps([one.as_json() for one in await desk.messages()])


async def test_the_counts_are_of_what_waits(desk: Desk, store: Store) -> None:
    rows = [
        samples.case(priority="P1", due=START),
        samples.case(priority="P3", status="claimed", team="payments"),
        samples.case(priority="P3"),
        samples.case(status="resolved", resolved_at=START),
    ]
    texts = [samples.outbox(state="unknown"), samples.outbox(state="approve"), samples.outbox(state="sent")]
    await store.write(lambda connection: samples.add(connection, cases=rows, texts=texts))
    found = await desk.counts()
    assert found.as_json() == {
        "total": 3,
        "by_status": {"open": 2, "claimed": 1},
        "by_priority": {"P1": 1, "P3": 2},
        "by_team": {"care": 2, "payments": 1},
        "overdue": 1,
        "doubtful": 1,
        "to_approve": 1,
    }
    assert (await desk.counts(teams=("payments",))).total == 1


async def test_a_case_leaves_as_the_json_that_is_promised(desk: Desk, case_id: int) -> None:
    (found,) = await desk.list()
    plain = json.loads(json.dumps(found.as_json()))
    assert {key: plain[key] for key in list(plain)[:15]} == {
        "id": "1000",
        "channel": "chat",
        "thread": "t",
        "author": {"id": "a", "name": "Ann", "handle": None},
        "text": "where is my bag?",
        "language": "en",
        "priority": "P3",
        "team": "care",
        "status": "open",
        "assignee": None,
        "because": [{"rule": "negative"}],
        "opened_at": "2027-03-01T09:00:00Z",
        "acknowledged_at": None,
        "first_answer_due": "2027-03-01T13:00:00Z",
        "resolution_due": "2027-03-03T09:00:00Z",
    }
    assert plain["ref"] == "K7Q2"
    assert plain["last_message_id"] == "1001"


async def test_a_case_is_shown_with_all_that_was_said_and_done(desk: Desk, store: Store, case_id: int) -> None:
    await write_again(store, 1002, external_id="m1001", revision="2", sent_at=START + timedelta(minutes=1))
    await desk.claim(case_id, "ann")
    await desk.answer(case_id, "ann", "Hello")
    found = await desk.show(case_id)
    assert [(one.external_id, one.revision) for one in found.messages] == [("m1001", ""), ("m1001", "2")]
    assert [one.text for one in found.outbox] == ["Hello"]
    assert [one.kind for one in found.events] == ["claimed", "answer_queued"]
    assert json.dumps(found.as_json())
    assert await desk.find("k7q2") == await desk.find("1000") == case_id


async def test_what_is_due_is_escalated_once_for_each_time_it_is_due(
    desk: Desk, store: Store, clock: Clock, case_id: int
) -> None:
    assert await desk.escalate() == []
    clock.forward(hours=4)
    assert await desk.escalate() == [case_id]
    assert await desk.escalate() == []
    clock.forward(hours=1)
    await change(store, case_id, due=clock() + timedelta(hours=1))
    assert await desk.escalate() == []
    clock.forward(hours=2)
    assert await desk.escalate() == [case_id]
    assert [kind for kind, _ in await kinds(store)] == ["escalated", "escalated"]


async def pending(store: Store, state: str, kind: str = "acknowledgement") -> int:
    """A text of ours in a state, beside its case and message."""
    row = samples.outbox(id=5000, case_id=1000, message_id=1001, state=state, kind=kind, settled_at=None, actor="ann")
    await store.write(lambda connection: samples.add(connection, texts=[row]))
    outcome = {"approve": "pending"}.get(state, state)
    if kind == "acknowledgement":
        changed = MESSAGE.update().where(MESSAGE.c.id == 1001).values(acknowledgement=outcome)
        await store.write(lambda connection: connection.execute(changed))
    return 5000


async def test_an_approved_text_goes_out(desk: Desk, store: Store, clock: Clock, case_id: int) -> None:
    number = await pending(store, "approve")
    now = clock.forward(hours=2)
    found = await desk.approve(number, "lead")
    assert (found.state, found.actor, found.due_at) == ("pending", "lead", now)
    assert found.stale_at == now + timedelta(minutes=15)
    with pytest.raises(NotAllowed, match="it is pending"):
        await desk.approve(number, "lead")


async def test_a_rejected_text_is_held_back_and_booked(desk: Desk, store: Store, case_id: int) -> None:
    number = await pending(store, "approve")
    assert (await desk.reject(number, "lead")).state == "suppressed"
    assert await kinds(store) == [("suppressed", "lead")]
    books = await store.read(ledger)
    assert books.total.suppressed_because == {"rejected": 1}
    assert books.discrepancies == ()


@pytest.mark.parametrize(("outcome", "state"), [("sent", "sent"), ("unsent", "refused")])
async def test_a_doubtful_acknowledgement_is_settled_by_a_person(
    desk: Desk, store: Store, case_id: int, outcome: Any, state: str
) -> None:
    number = await pending(store, "unknown")
    assert (await desk.settle_unknown(number, "lead", outcome)).state == state
    assert (await desk.show(case_id)).case.acknowledged_at == (START if outcome == "sent" else None)
    assert (await store.read(ledger)).discrepancies == ()
    with pytest.raises(NotAllowed):
        await desk.settle_unknown(number, "lead", outcome)


async def test_a_doubtful_answer_is_settled_by_a_person(desk: Desk, store: Store, case_id: int) -> None:
    number = await pending(store, "unknown", kind="answer")
    with pytest.raises(NotAllowed):
        await desk.settle_unknown(number, "ann", "perhaps")  # type: ignore[arg-type]
    await desk.settle_unknown(number, "ann", "sent")
    found = (await desk.show(case_id)).case
    assert (found.status, found.first_answered_at) == ("waiting", START)


async def test_an_answer_that_did_not_arrive_goes_back_to_its_author(desk: Desk, store: Store, case_id: int) -> None:
    await desk.answer(case_id, "ann", "Hello")
    await store.write(lambda connection: connection.execute(OUTBOX.update().values(state="unknown")))
    with pytest.raises(NotAllowed, match="settle it first"):
        await desk.answer(case_id, "ann", "Hello")
    (text,) = await texts(store)
    await desk.settle_unknown(text["id"], "ann", "unsent")
    found = (await desk.show(case_id)).case
    assert (found.status, found.assignee, found.first_answered_at) == ("claimed", "ann", None)
    await desk.answer(case_id, "ann", "Hello")
    assert len(await texts(store)) == 2


async def test_automatic_texts_are_listed_with_previews(desk: Desk, store: Store, case_id: int) -> None:
    rows = [
        samples.outbox(id=1, case_id=case_id, message_id=1001),
        samples.outbox(id=2, state="suppressed", reason="dry_run"),
        samples.outbox(id=3, state="suppressed", reason="cap", channel="x"),
        samples.outbox(id=4, kind="answer"),
        samples.outbox(id=5, state="approve"),
    ]
    await store.write(lambda connection: samples.add(connection, texts=rows))
    found = await desk.acknowledgements()
    assert [one.id for one in found] == [5, 3, 2, 1]
    assert [one.preview for one in found] == [False, False, True, False]
    assert (found[-1].ref, found[-1].message_text) == ("K7Q2", "我的行李丢了")
    assert json.dumps([one.as_json() for one in found])
    for state, ids in (("preview", [2]), ("suppressed", [3, 2]), ("approve", [5]), ("unknown", [])):
        assert [one.id for one in await desk.acknowledgements(AckFilter(state=state))] == ids
    assert [one.id for one in await desk.acknowledgements(AckFilter(channel=("x",)))] == [3]


async def test_the_kill_switch_is_thrown_once(desk: Desk, store: Store, clock: Clock) -> None:
    assert not (await desk.paused()).paused
    await desk.pause("ann", "a storm")
    clock.forward(hours=1)
    state = await desk.pause("bob", "me too")
    assert (state.by, state.at, state.reason) == ("ann", START, "a storm")
    assert (await desk.paused()).paused
    await desk.resume("bob")
    await desk.resume("bob")
    assert not (await desk.paused()).paused
    assert await kinds(store) == [("paused", "ann"), ("resumed", "bob")]
