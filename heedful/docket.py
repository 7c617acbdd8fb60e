"""The cases that one transaction touches: found, opened, changed in memory, written once at the end.

The key of a case is (account, thread, author id). An open case takes every message of its key; for seven
days after resolving, what would be routed reopens it, and what would be kept is only shown in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from config.schema import Deadline
from connectors.api import Message
from heedful.guidance import Guidance
from heedful.preparation import Prepared
from heedful.recall import Key
from heedful.source import Source
from routing import sla
from routing.calendar import Hours
from routing.decide import Decision, OpenCase
from routing.store.ids import new_id, ref
from routing.store.rows import CASE

__all__ = ["Docket"]

Case = dict[str, Any]
CHANGEABLE = (
    "status", "priority", "text", "language", "label", "because", "last_message_id", "last_customer_at", "bot_silent",
    "first_answered_at", "last_answered_at", "first_answer_due", "next_answer_due", "resolution_due", "due",
    "snoozed_until", "escalated_at", "resolved_at", "resolution", "resolved_by", "assignee", "lease_until", "opened_at",
)
_INSERT = insert(CASE)
_UPDATE = update(CASE).where(CASE.c.id == bindparam("case_id")).values({name: bindparam(name) for name in CHANGEABLE})
_BLANK: Mapping[str, Any] = {
    name: None
    for name in (
        "assignee", "lease_until", "snoozed_until", "acknowledged_at", "first_answered_at", "last_answered_at",
        "next_answer_due", "promised_due", "escalated_at", "resolved_at", "resolution", "resolved_by",
    )
}


class Docket:
    def __init__(self, source: Source, guidance: Guidance, now: datetime, found: Sequence[Case]) -> None:
        self._source = source
        self._guidance = guidance
        self._now = now
        self._cases: dict[int, Case] = {}
        self._open: dict[Key, Case] = {}
        self._resolved: dict[Key, Case] = {}
        self._new: list[Case] = []
        self._changed: dict[int, Case] = {}
        self.add(found)

    def add(self, found: Sequence[Case]) -> None:
        for case in found:
            if case["id"] in self._cases:
                continue
            self._cases[case["id"]] = case
            key = (case["thread"], case["author_id"])
            (self._resolved if case["status"] == "resolved" else self._open)[key] = case

    def open_case(self, key: Key) -> OpenCase | None:
        return _brief(self._open.get(key))

    def resolved_case(self, key: Key) -> OpenCase | None:
        return _brief(self._resolved.get(key))

    def shown_in(self, key: Key) -> int | None:
        """The lately resolved case in which a kept message is shown."""
        case = self._resolved.get(key)
        return case["id"] if case else None

    def route(self, item: Prepared, row: Mapping[str, Any], decision: Decision) -> tuple[Case, str]:
        """The case that the message goes to, and what happened to it: case_opened, reopened, raised or case_changed."""
        key = (item.message.thread, item.message.author.id)
        case = self._open.get(key)
        if case is None:
            case = self._resolved.pop(key, None)
            if case is None:
                return self._open_new(item, row, decision), "case_opened"
            self._reopen(case, decision)
            kind = "reopened"
        else:
            kind = "raised" if decision.priority < case["priority"] else "case_changed"
        self._heard(case, item, row, decision)
        self._open[key] = case
        return case, kind

    def answered_by(self, message: Message, customers: set[str]) -> Case | None:
        """The case that a colleague's post answers: by the message replied to, else the thread's only open one."""
        here = [case for (thread, _), case in self._open.items() if thread == message.thread]
        addressed = [case for case in here if case["author_id"] in customers]
        chosen = addressed if customers else here
        if len(chosen) != 1:
            return None
        case = chosen[0]
        case["first_answered_at"] = case["first_answered_at"] or message.sent_at
        case["last_answered_at"] = self._now
        case["next_answer_due"] = None
        case["status"] = "waiting" if case["status"] == "open" else case["status"]
        self._change(case)
        return case

    def write(self, connection: Connection) -> None:
        if self._new:
            connection.execute(_INSERT, self._new)
        if self._changed:
            rows = [{"case_id": id_, **{name: case[name] for name in CHANGEABLE}} for id_, case in self._changed.items()]
            connection.execute(_UPDATE, rows)

    def _open_new(self, item: Prepared, row: Mapping[str, Any], decision: Decision) -> Case:
        message, id_ = item.message, new_id(self._now)
        clocks = self._clocks(decision.deadlines, self._now)
        case: Case = {
            **_BLANK,
            "id": id_, "ref": ref(id_), "account": self._source.account, "channel": self._source.name,
            "thread": message.thread, "author_id": message.author.id, "author_name": message.author.name,
            "author_handle": message.author.handle, "private": message.private, "status": "open",
            "priority": decision.priority, "team": decision.team, "style": decision.style,
            "text": message.text[:500], "language": row["language"], "label": row["label"], "because": row["because"],
            "opened_at": self._now, "last_message_id": row["id"], "last_customer_at": self._now,
            "bot_silent": bool(item.reading and item.reading.asks_person),
            "first_answer_due": clocks.first_answer, "resolution_due": clocks.resolution,
        }
        case["due"] = _earliest(case)
        self._new.append(case)
        self._cases[id_] = case
        self._open[(message.thread, message.author.id)] = case
        return case

    def _heard(self, case: Case, item: Prepared, row: Mapping[str, Any], decision: Decision) -> None:
        """The customer wrote again: the next-answer clock runs, the priority may only rise."""
        if decision.priority < case["priority"]:
            case["priority"], case["because"] = decision.priority, row["because"]
            self._hasten(case, decision)
        if case["first_answered_at"] is not None and case["next_answer_due"] is None:
            case["next_answer_due"] = sla.next_answer(self._now, decision.deadlines, self._hours(decision.deadlines))
        case["text"], case["language"], case["label"] = item.message.text[:500], row["language"], row["label"]
        case["last_message_id"], case["last_customer_at"] = row["id"], self._now
        case["bot_silent"] = case["bot_silent"] or bool(item.reading and item.reading.asks_person)
        case["snoozed_until"] = None
        case["status"] = "open" if case["status"] == "waiting" and case["assignee"] is None else case["status"]
        self._change(case)

    def _hasten(self, case: Case, decision: Decision) -> None:
        """A higher priority brings its own deadlines, counted from the start; none moves outwards."""
        clocks = self._clocks(decision.deadlines, case["opened_at"])
        for name, due in (("first_answer_due", clocks.first_answer), ("resolution_due", clocks.resolution)):
            case[name] = min(filter(None, (case[name], due)), default=None)
        case["escalated_at"] = None

    def _reopen(self, case: Case, decision: Decision) -> None:
        clocks = self._clocks(decision.deadlines, self._now)
        case |= {
            "status": "open", "assignee": None, "lease_until": None, "resolved_at": None, "resolution": None,
            "resolved_by": None, "escalated_at": None, "resolution_due": clocks.resolution, "opened_at": case["opened_at"],
        }
        if case["first_answered_at"] is None:
            case["first_answer_due"] = clocks.first_answer
        case["priority"] = min(case["priority"], decision.priority)

    def _change(self, case: Case) -> None:
        case["due"] = _earliest(case)
        if case not in self._new:
            self._changed[case["id"]] = case

    def _hours(self, deadline: Deadline) -> Hours:
        return self._guidance.rules.hours(deadline)

    def _clocks(self, deadline: Deadline, start: datetime) -> sla.Due:
        return sla.clocks(start, deadline, self._hours(deadline))


def _earliest(case: Mapping[str, Any]) -> datetime | None:
    """What runs out first; a first answer that was given runs no more."""
    first = None if case["first_answered_at"] else case["first_answer_due"]
    promised = None if case["first_answered_at"] else case["promised_due"]
    return min(filter(None, (first, promised, case["next_answer_due"], case["resolution_due"])), default=None)


def _brief(case: Case | None) -> OpenCase | None:
    if case is None:
        return None
    return OpenCase(
        id=case["id"], priority=case["priority"], team=case["team"], style=case["style"], bot_silent=case["bot_silent"]
    )
