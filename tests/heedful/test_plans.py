"""No question that is asked again and again walks through all there ever was: SQLite itself says how it looks.

Like an installation the database is never analysed, so the plans are those of any size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from connectors.api import Http, Policy, Unreachable
from feed import lookups
from heedful import recall
from heedful.housekeeping import tidy
from heedful.notify import Notifier
from routing.cases import REASONS_TO_RESOLVE
from routing.shown import AckFilter, CaseFilter
from routing.store import events
from routing.store.database import open_store
from tests.databases import Clock
from tests.heedful.office import Office, Platform

WALKS = re.compile(r"\b(SCAN|SEARCH) (?:TABLE )?(message|outbox|support_case|event)\b(?P<how>[^|]*)")
NO_NARROWER = re.compile(r"\((account|kind|channel|status)=\?\)")
"""Few values, many rows each: to look these up is to walk, under another name."""
OPEN_ONES = re.compile(r"USING (COVERING )?INDEX (case_queue|case_resolved)\b")
"""Open cases in the order of the page, which stops after one; what is not shown is not read."""


@dataclass
class Witness:
    """Every statement of the databases, with the plan that SQLite has for it."""

    plans: dict[str, str] = field(default_factory=dict)

    def hear(self, connection: Any, _: Any, statement: str, values: Any, __: Any, many: bool) -> None:
        if statement.split(None, 1)[0] in {"SELECT", "UPDATE", "DELETE"}:
            raw = connection.connection.dbapi_connection
            plan = raw.execute(f"EXPLAIN QUERY PLAN {statement}", values[0] if many else values)
            self.plans.setdefault(statement, " | ".join(row[3] for row in plan))

    def walks(self) -> list[str]:
        return [f"{plan}\n    {statement}" for statement, plan in self.plans.items() if walks(plan)]


def walks(plan: str) -> bool:
    for found in WALKS.finditer(plan):
        if found[1] == "SCAN" and not OPEN_ONES.search(found["how"]):
            return True
        if found[1] == "SEARCH" and NO_NARROWER.search(found["how"]):
            return True
    return False


@contextmanager
def witnessing() -> Iterator[Witness]:
    witness = Witness()
    event.listen(Engine, "before_cursor_execute", witness.hear)
    try:
        yield witness
    finally:
        event.remove(Engine, "before_cursor_execute", witness.hear)


@pytest.fixture
async def office(sqlite_url: str, clock: Clock) -> Any:
    """Two hundred customers in three threads; colleagues have answered some, some are resolved, some deleted."""
    store = open_store(sqlite_url, clock=clock)
    found = Office(store, clock, policy=Policy(delete_within=timedelta(days=1)))
    messages = [found.message("charged twice", f"p{n}", thread=f"g{n % 3}", id=f"x{n}") for n in range(200)]
    await found.take(*messages)
    await found.sender_drains()
    for case in (await found.cases())[:50]:
        await found.desk.claim(case["id"], "lin")
        await found.desk.resolve(case["id"], "lin", REASONS_TO_RESOLVE[0])
    yield found
    await store.close()


@pytest.mark.parametrize(
    ("plan", "bad"),
    [
        ("SCAN outbox", True),
        ("SCAN TABLE message USING COVERING INDEX message_hour", True),
        ("SEARCH outbox USING INDEX outbox_person (account=?)", True),
        ("SEARCH outbox USING INDEX outbox_person (account=? AND author_id=?)", False),
        ("SCAN support_case USING INDEX case_queue", False),
        ("SCAN support_case USING INDEX case_open_key | USE TEMP B-TREE FOR GROUP BY", True),
        ("SEARCH event USING INTEGER PRIMARY KEY (rowid>?) | SCAN support_case", True),
        ("SCAN setting", False),
    ],
)
def test_the_eye_of_these_tests(plan: str, bad: bool) -> None:
    assert walks(plan) is bad


async def test_storing_a_page_walks_through_nothing(office: Office) -> None:
    with witnessing() as witness:
        await office.take(
            office.message("charged twice again", "p1", thread="g1"),
            office.message("stolen card", "p99", thread="g0"),
            office.message("charged twice, and again", "p5", thread="g2", id="x5", revision="2"),
            office.message("", "p60", thread="g0", id="x60", deleted=True),
            office.message("", "p61", thread="g1", id="x61", deleted=True),
            office.message("we are on it", "77", thread="g1", in_reply_to="x70"),
            office.message("we have it back", "77", thread="g2", in_reply_to="x71"),
        )
        authors, since = {"p1", "p2"}, office.clock() - timedelta(hours=24)
        await office.store.read(lambda c: recall.repeats(c, office.source.account, authors, since))
    met = " ".join(witness.plans.values())
    assert [
        index for index in ("case_key", "case_open_key", "outbox_receipt", "outbox_message") if index not in met
    ] == []
    assert witness.walks() == []


async def test_sending_walks_through_nothing(office: Office) -> None:
    office.clock.forward(minutes=2)
    await office.take(*(office.message("stolen card", f"q{n}") for n in range(5)))
    (case, *_) = [case for case in await office.cases() if case["status"] == "open"]
    await office.desk.answer(case["id"], "lin", "We have looked into it.")
    with witnessing() as witness:
        sender = office.sender(Platform(faults=[None, Unreachable("down", unsent=True), Unreachable("reset")]))
        await sender.recover()
        await sender.drain()
        office.clock.forward(minutes=2)
        await sender.drain()
    assert any("outbox_due" in plan for plan in witness.plans.values())
    assert witness.walks() == []


class Deaf:
    """The team's endpoint takes nothing."""

    async def send(self, *_: object, **__: object) -> object:
        raise Unreachable("nobody is there")


async def test_what_is_done_each_second_walks_through_nothing(office: Office) -> None:
    deaf: Any = Deaf()
    http: Http = deaf
    notifier = Notifier(office.store, lambda: office.guidance.care, http, office.clock, {})
    with witnessing() as witness:
        await notifier.drain()
        assert await office.desk.escalate() == []
        office.clock.forward(hours=9)
        assert len(await office.desk.escalate()) > 1
        await notifier.drain()
        assert await office.sender_drains() == []
        await tidy(office.store, office.clock())
        await office.store.read(lambda connection: events.since(connection, 5))
        await office.store.read(events.latest)
    assert any("case_late" in plan for plan in witness.plans.values())
    assert witness.walks() == []


@pytest.mark.parametrize(
    "asked",
    [
        CaseFilter(),
        CaseFilter(assignee="lin"),
        CaseFilter(assignee=""),
        CaseFilter(overdue=True),
        CaseFilter(status=("waiting",)),
        CaseFilter(status=("waiting", "claimed")),
        CaseFilter(status=("resolved",)),
        CaseFilter(team=("care", "payments"), priority=("P1", "P2"), teams=("care", "payments")),
    ],
)
async def test_the_queue_walks_through_no_more_than_the_open_cases(office: Office, asked: CaseFilter) -> None:
    with witnessing() as witness:
        await office.desk.list(asked)
    assert witness.walks() == []
    assert not any("TEMP B-TREE FOR ORDER BY" in plan for plan in witness.plans.values()) or asked.priority


async def test_the_page_walks_through_no_more_than_the_open_cases(office: Office) -> None:
    (first, second, *_) = await office.cases()
    with witnessing() as witness:
        await office.desk.counts()
        await office.desk.counts(("care", "payments"))
        await office.desk.show(first["id"])
        await office.desk.acknowledgements(AckFilter(state="approve"))
        for question in (
            lookups.assignees,
            lambda c: lookups.unclaimed_p1(c, None),
            lambda c: lookups.acknowledged(c, [first["id"], second["id"]]),
        ):
            await office.store.read(question)
    assert witness.walks() == []
