"""The cases that one transaction touches: found, opened, changed in memory, written once at the end.

The key of a case is (account, thread, author id). An open case takes every message of its key; for seven
days after resolving, what would be routed reopens it, and what would be kept is only shown in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, update

from config.schema import Deadline
from connectors.api import Message
from heedful.guidance import Guidance
from heedful.preparation import Prepared
from heedful.recall import REOPEN_WITHIN, Key
from heedful.source import Source
from routing import cases, sla
from routing.calendar import Hours
from routing.cases import Case
from routing.decide import Decision, OpenCase
from routing.sla import Due
from routing.store.casebook import case_of
from routing.store.ids import new_id, refs
from routing.store.rows import CASE, execute_rows, insert_rows

__all__ = ["Docket", "Names", "names"]

Row = dict[str, Any]
Names = Iterator[tuple[int, str]]
"""Ids for new cases, each with a reference that no other case bears."""
MOST_NAMES = 64
EXCERPT = 500
"""Characters of the customer's last text that a case shows in lists."""
LIFE = tuple(field.name for field in fields(Case) if field.name != "id")
CHANGEABLE = (*LIFE, "text", "language", "label", "because")
_UPDATE = update(CASE).where(CASE.c.id == bindparam("case_id")).values({name: bindparam(name) for name in CHANGEABLE})
_BLANK: Mapping[str, Any] = dict.fromkeys(
    (
        "assignee",
        "lease_until",
        "snoozed_until",
        "acknowledged_at",
        "first_answered_at",
        "last_answered_at",
        "next_answer_due",
        "promised_due",
        "due",
        "escalated_at",
        "resolved_at",
        "resolution",
        "resolved_by",
    )
)


def names(connection: Connection, now: datetime) -> Names:
    """Names for the cases that one transaction opens: a few at once, and more at once where many are opened."""
    given: set[str] = set()
    size = 2
    while True:
        size = min(2 * size, MOST_NAMES)
        for id_, name in refs(connection, [new_id(now) for _ in range(size)]).items():
            if name not in given:
                given.add(name)
                yield id_, name


class Docket:
    """The cases of one source. `numbers` names the new ones."""

    def __init__(self, source: Source, guidance: Guidance, numbers: Names, found: Sequence[Row]) -> None:
        self._source = source
        self._guidance = guidance
        self._numbers = numbers
        self._cases: dict[int, Row] = {}
        self._open: dict[Key, Row] = {}
        self._resolved: dict[Key, Row] = {}
        self._new: list[Row] = []
        self._fresh: set[int] = set()
        self._changed: dict[int, Row] = {}
        self.add(found)

    def add(self, found: Sequence[Row]) -> None:
        for case in found:
            if case["id"] in self._cases:
                continue
            self._cases[case["id"]] = case
            key = (case["thread"], case["author_id"])
            (self._resolved if case["status"] == "resolved" else self._open)[key] = case

    def open_case(self, key: Key) -> OpenCase | None:
        return _brief(self._open.get(key))

    def resolved_case(self, key: Key, now: datetime) -> OpenCase | None:
        return _brief(self._lately_resolved(key, now))

    def shown_in(self, key: Key, now: datetime) -> int | None:
        """The lately resolved case in which a kept message is shown."""
        case = self._lately_resolved(key, now)
        return case["id"] if case else None

    def route(self, item: Prepared, row: Mapping[str, Any], decision: Decision) -> tuple[Row, str]:
        """The case that the message goes to, and what happened to it: case_opened, reopened, raised or case_changed."""
        key = (item.message.thread, item.message.author.id)
        case = self._open.get(key)
        if case is None:
            case = self._lately_resolved(key, item.at)
            if case is None:
                return self._open_new(item, row, decision), "case_opened"
            del self._resolved[key]
            self._reopen(case, decision, item.at)
            kind = "reopened"
        else:
            kind = "raised" if decision.priority < case["priority"] else "case_changed"
        self._heard(case, item, row, decision)
        self._open[key] = case
        return case, kind

    def answered_by(self, message: Message, customers: set[str]) -> Row | None:
        """The case that a colleague's post answers: by the message replied to, else the thread's only open one."""
        here = [row for (thread, _), row in self._open.items() if thread == message.thread]
        chosen = [row for row in here if row["author_id"] in customers] if customers else here
        if len(chosen) != 1:
            return None
        self._change(
            chosen[0], cases.answered_elsewhere(case_of(chosen[0]), max(message.sent_at, chosen[0]["last_customer_at"]))
        )
        return chosen[0]

    def write(self, connection: Connection) -> None:
        insert_rows(connection, CASE, self._new)
        if self._changed:
            rows = [
                {"case_id": id_, **{name: case[name] for name in CHANGEABLE}} for id_, case in self._changed.items()
            ]
            execute_rows(connection, _UPDATE, rows)

    def _open_new(self, item: Prepared, row: Mapping[str, Any], decision: Decision) -> Row:
        message, (id_, name) = item.message, next(self._numbers)
        clocks = self._clocks(decision.deadlines, item.at)
        case: Row = {
            **_BLANK,
            "id": id_,
            "ref": name,
            "account": self._source.account,
            "channel": self._source.name,
            "thread": message.thread,
            "author_id": message.author.id,
            "author_name": message.author.name,
            "author_handle": message.author.handle,
            "private": message.private,
            "status": "open",
            "priority": decision.priority,
            "team": decision.team,
            "style": decision.style,
            "text": message.text[:EXCERPT],
            "language": row["language"],
            "label": row["label"],
            "because": row["because"],
            "opened_at": item.at,
            "last_message_id": row["id"],
            "last_customer_at": item.at,
            "bot_silent": bool(item.reading and item.reading.asks_person),
            "first_answer_due": clocks.first_answer,
            "resolution_due": clocks.resolution,
        }
        case["due"] = case_of(case).timed().due
        self._new.append(case)
        self._fresh.add(id_)
        self._cases[id_] = case
        self._open[(message.thread, message.author.id)] = case
        return case

    def _heard(self, row: Row, item: Prepared, stored: Mapping[str, Any], decision: Decision) -> None:
        """The customer wrote again: the next-answer clock runs, the priority may only rise."""
        case = case_of(row)
        assert decision.priority is not None, "what is routed has a priority"
        rises = decision.priority < case.priority
        clocks = self._clocks(decision.deadlines, case.opened_at if rises else item.at)
        after = cases.customer_message(
            case,
            stored["id"],
            item.at,
            priority=decision.priority,
            clocks=clocks,
            next_due=sla.next_answer(item.at, decision.deadlines, self._hours(decision.deadlines)),
            silences=decision.silences,
        )
        if rises:
            row["because"] = stored["because"]
        row |= {"text": item.message.text[:EXCERPT], "language": stored["language"], "label": stored["label"]}
        self._change(row, after)

    def _reopen(self, row: Row, decision: Decision, now: datetime) -> None:
        next_due = sla.next_answer(now, decision.deadlines, self._hours(decision.deadlines))
        clocks = self._clocks(decision.deadlines, now)
        after = cases.reopen(case_of(row), now, clocks=clocks, next_due=next_due)
        row["priority"] = decision.priority
        self._change(row, replace(after, priority=row["priority"]))

    def _change(self, row: Row, after: Case) -> None:
        row |= {name: getattr(after, name) for name in LIFE}
        if row["id"] not in self._fresh:
            self._changed[row["id"]] = row

    def _lately_resolved(self, key: Key, now: datetime) -> Row | None:
        case = self._resolved.get(key)
        return case if case and case["resolved_at"] > now - REOPEN_WITHIN else None

    def _hours(self, deadline: Deadline) -> Hours:
        return self._guidance.rules.hours(deadline)

    def _clocks(self, deadline: Deadline, start: datetime) -> Due:
        return sla.clocks(start, deadline, self._hours(deadline))


def _brief(case: Row | None) -> OpenCase | None:
    if case is None:
        return None
    return OpenCase(
        id=case["id"], priority=case["priority"], team=case["team"], style=case["style"], bot_silent=case["bot_silent"]
    )
