from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, delete, insert, select, update
from sqlmodel import SQLModel

from routing.store.database import Store
from routing.store.ledger import Ledger, ledger
from routing.store.rows import CASE, MESSAGE, OUTBOX, QUARANTINE, TALLY
from tests.databases import START
from tests.routing import samples

ACKNOWLEDGED = ("sent", "refused", "unknown", "pending")


def fill(connection: Connection) -> None:
    """A morning: 5 routed, 3 kept, 1 of our own, 1 unreadable and 2 repeats."""
    cases = [samples.case(id=number) for number in range(101, 106)]
    routed = [
        samples.message(
            id=number, outcome="routed", kept=None, case_id=number, acknowledgement=outcome,
            acknowledgement_reason="cap" if outcome == "suppressed" else None,
        )
        for number, outcome in zip(range(101, 106), (*ACKNOWLEDGED, "suppressed"), strict=True)
    ]  # fmt: skip
    kept = [samples.message(id=number, kept=kept) for number, kept in ((201, "calm"), (202, "calm"), (203, "muted"))]
    own = samples.message(id=204, own=True, kept="own", acknowledgement_reason="own")
    states = {101: "sent", 102: "refused", 103: "unknown", 104: "approve"}
    texts = [samples.outbox(id=300 + one, message_id=one, case_id=one, state=state) for one, state in states.items()]
    samples.add(connection, cases=cases, messages=[*routed, *kept, own], texts=texts)
    unreadable = {"id": 1, "account": "telegram:1", "channel": "chat", "sha256": "x", "reason": "json"}
    times = {"received_at": START, "hour": samples.hour(START)}
    connection.execute(insert(QUARANTINE), [{**unreadable, **times}])
    samples.book(connection, received=10, duplicates=1)
    samples.book(connection, received=2, duplicates=1)


async def test_the_books_of_a_morning(store: Store) -> None:
    await store.write(fill)
    found = await store.read(ledger)
    assert found.problems() == ()
    assert found.balances
    whole = found.as_json()
    assert {key: whole[key] for key in list(whole)[:7]} == {
        "received": 12, "duplicates": 2, "quarantined": 1, "stored": 9, "routed": 5, "kept": 4,
        "acknowledgements": {"due": 9, "sent": 1, "suppressed": 5, "refused": 1, "unknown": 1, "pending": 1},
    }  # fmt: skip
    assert whole["kept_because"] == {"calm": 2, "muted": 1, "own": 1}
    assert whole["suppressed_because"] == {"cap": 1, "kept": 3, "own": 1}
    assert whole["channels"]["chat"]["stored"] == 9
    assert whole["balances"] is True
    assert found.as_json(hours=True)["hours"][0]["hour"] == "2027-03-01T09:00:00Z"


async def test_empty_books_balance(store: Store) -> None:
    found = await store.read(ledger)
    assert found.balances
    assert found.as_json()["received"] == 0


async def test_channels_and_hours_are_kept_apart(store: Store) -> None:
    later = START + timedelta(hours=1)

    def work(connection: Connection) -> None:
        samples.add(connection, messages=[samples.message(channel="x"), samples.message(received_at=later)])
        samples.book(connection, 1, channel="x")
        samples.book(connection, 1, at=later)

    await store.write(work)
    found = await store.read(ledger)
    assert found.balances
    assert {name: counts.stored for name, counts in found.by_channel.items()} == {"chat": 1, "x": 1}
    recent = await store.read(lambda connection: ledger(connection, later + timedelta(minutes=20)))
    assert list(recent.by_channel) == ["chat"]
    assert recent.balances


async def test_errors_of_two_hours_do_not_cancel_out(store: Store) -> None:
    def work(connection: Connection) -> None:
        samples.add(connection, messages=[samples.message()])
        samples.book(connection, 1, at=START + timedelta(hours=1))

    await store.write(work)
    found = await store.read(ledger)
    assert (found.total.received, found.total.stored) == (1, 1)
    assert not found.balances
    assert len(found.problems()) == 2


def corrupt(what: str, connection: Connection) -> Ledger:
    """Do one thing to the books of `fill` and count them."""
    fill(connection)
    statement = CORRUPTIONS[what]
    connection.execute(statement)
    return ledger(connection)


def _change(number: int, **values: Any) -> Any:
    return update(MESSAGE).where(MESSAGE.c.id == number).values(**values)


CORRUPTIONS: dict[str, Any] = {
    **{f"message {n} deleted": delete(MESSAGE).where(MESSAGE.c.id == n) for n in (*range(101, 106), *range(201, 205))},
    **{f"case {n} deleted": delete(CASE).where(CASE.c.id == n) for n in range(101, 106)},
    **{f"text {n} deleted": delete(OUTBOX).where(OUTBOX.c.id == n) for n in range(401, 405)},
    "quarantine deleted": delete(QUARANTINE),
    "tally deleted": delete(TALLY),
    "one received too many": update(TALLY).values(received=TALLY.c.received + 1),
    "one duplicate too few": update(TALLY).values(duplicates=TALLY.c.duplicates - 1),
    "tally of another hour": update(TALLY).values(hour=START + timedelta(hours=5)),
    "tally of another channel": update(TALLY).values(channel="x"),
    **{f"message {n} to another channel": _change(n, channel="x") for n in (101, 201, 204)},
    **{f"routed {n} turned kept": _change(n, outcome="kept") for n in range(101, 106)},
    **{f"kept {n} turned routed": _change(n, outcome="routed") for n in range(201, 205)},
    "kept turned routed, and well hidden": _change(201, outcome="routed", kept=None),
    "an outcome nobody knows": _change(101, outcome="lost"),
    "the case of another world": _change(101, case_id=999),
    "no case": _change(101, case_id=None),
    "own turned calm": _change(204, kept="calm"),
    "calm turned own": _change(201, kept="own"),
    "calm turned deleted": _change(201, kept="deleted"),
    "kept without a reason": _change(201, kept=None),
    "suppressed without a reason": _change(105, acknowledgement_reason=None),
    "an acknowledgement nobody knows": _change(201, acknowledgement="perhaps"),
    **{
        f"message {n} says {outcome}": _change(n, acknowledgement=outcome, acknowledgement_reason="x")
        for n, true in zip(range(101, 106), (*ACKNOWLEDGED, "suppressed"), strict=True)
        for outcome in (*ACKNOWLEDGED, "suppressed")
        if outcome != true
    },
    **{
        f"text {400 + place} says {state}": update(OUTBOX).where(OUTBOX.c.id == 400 + place).values(state=state)
        for place, true in ((1, "sent"), (2, "refused"), (3, "unknown"))
        for state in ("pending", "approve", "sending", "uncertain", "sent", "suppressed", "refused", "unknown")
        if state != true
    },
    "a text for no message": update(OUTBOX).where(OUTBOX.c.id == 401).values(message_id=999),
    "a second text for one message": insert(OUTBOX).values(**samples.outbox(message_id=101)),
    "a message from nowhere": insert(MESSAGE).values(**samples.message()),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_whatever_row_is_changed_or_lost_the_books_tell(what: str) -> None:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    with engine.begin() as connection:
        found = corrupt(what, connection)
    engine.dispose()
    assert not found.balances
    assert found.problems()


async def test_what_does_not_balance_is_named_on_both_databases(store: Store) -> None:
    await store.write(fill)
    await store.write(lambda connection: connection.execute(_change(101, acknowledgement="unknown", case_id=None)))
    found = await store.read(ledger)
    assert found.problems() == (
        "chat, message 101: routed, but its case does not exist",
        "chat, message 101: its acknowledgement's outcome differs from the outbox",
    )


async def test_a_thousand_errors_of_one_sort_are_not_a_thousand_lines(store: Store) -> None:
    rows = [samples.message(kept=None) for _ in range(50)]
    await store.write(lambda connection: samples.add(connection, messages=rows))
    found = await store.read(ledger)
    assert len([line for line in found.problems() if "without a reason" in line]) == 21


def test_every_message_column_of_the_sample_is_there() -> None:
    assert set(samples.message()) == set(select(MESSAGE).selected_columns.keys())
