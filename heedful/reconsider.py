"""What a second look changes, in one transaction with it: the stored reading, and what follows from it.

It never lowers and never closes. A message that was kept and now would not be is routed as the rules say, counted
from when it came; one that lies in an open case may raise it, unless a person has answered since. What a person has
closed stays closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from heedful import recall
from heedful.docket import Docket, Names, names
from heedful.guidance import Guidance
from heedful.intent import Intents
from heedful.preparation import Prepared
from heedful.recall import Overall
from heedful.rows import because_json, reading_columns
from heedful.source import Source
from responders.guard import NEVER_ALONE
from routing.announcements import URGENT
from routing.decide import Because, Decision, History, OpenCase, decide
from routing.store import events
from routing.store.rows import MESSAGE, OUTBOX
from sentiment.deep import SCORER, is_deep

__all__ = ["BECAUSE", "OUTCOMES", "reconsider"]

BECAUSE = Because("second look")
OUTCOMES = ("kept", "routed", "raised", "overtaken")
REPEATS_WITHIN = timedelta(hours=24)
_BY_READING = ("kept", "kind")
"""Reasons for no acknowledgement that lay in the reading, and may hold no more."""
_SHOWN = ("text", "language", "label")
_DECIDED = ("outcome", "kept", "acknowledgement", "acknowledgement_reason", "case_id", "team", "priority", "because")
_ROWS = select(MESSAGE).where(MESSAGE.c.id.in_(bindparam("ids", expanding=True))).order_by(MESSAGE.c.id)
_OUTGOING = select(OUTBOX.c.id).where(OUTBOX.c.message_id == bindparam("id"), OUTBOX.c.kind == "acknowledgement")
_CALL_BACK = (
    update(OUTBOX)
    .where(OUTBOX.c.message_id == bindparam("message"), OUTBOX.c.kind.in_(("acknowledgement", "mark")))
    .where(OUTBOX.c.state == "pending")
    .values(state="suppressed", reason="harm")
    .returning(OUTBOX.c.kind)
)


def reconsider(
    connection: Connection, source: Source, items: Mapping[int, Prepared], guidance: Guidance, now: datetime
) -> Counter[str]:
    """Store these readings, by the message's id, and count what became of them (`OUTCOMES`).

    What was looked at before, deleted or erased meanwhile is left alone: the same twice changes nothing.
    """
    found: Counter[str] = Counter()
    numbers, told = names(connection, now), list[dict[str, Any]]()
    for row in connection.execute(_ROWS.with_for_update(), {"ids": list(items)}).mappings().all():
        item = items[row["id"]]
        if is_deep((row["reading"] or {}).get("scorer", "")) or row["deleted"] or row["text"] != item.message.text:
            continue
        look = _Look(connection, source, guidance, numbers, now, dict(row), item)
        found[look.take()] += 1
        told += look.events
    if told:
        events.append(connection, told)
    return found


class _Look:
    """One message within the transaction; what it does is written before the next one is decided."""

    def __init__(
        self,
        connection: Connection,
        source: Source,
        guidance: Guidance,
        numbers: Names,
        now: datetime,
        row: dict[str, Any],
        item: Prepared,
    ) -> None:
        self._connection, self._source, self._guidance, self._now = connection, source, guidance, now
        self._row, self._item = row, item
        self._key = (item.message.thread, item.message.author.id)
        self._cases = recall.cases(connection, source.account, {self._key}, now)
        self._docket = Docket(source, guidance, numbers, self._cases)
        self.events: list[dict[str, Any]] = []

    def take(self) -> str:
        known = recall.known(self._connection, self._source.account, {self._item.message.id})[self._item.message.id]
        if known[-1].id != self._row["id"] or any(one.deleted for one in known):
            self._store({})
            return "overtaken"
        edit = len(known) > 1 or self._row["revision"] != ""
        alone = self._decide(None)
        self._item = self._item.seen_by(alone.view)
        before = self._row["outcome"]
        if not alone.routed or (before == "routed" and not self._may_rise()):
            self._store({"kind": alone.kind})
            return "kept"
        case = self._docket.open_case(self._key)
        decision = alone if case is None else self._decide(case)
        if before == "routed" and (case is None or decision.priority is None or decision.priority >= case.priority):
            self._store({"kind": alone.kind})
            return "kept"
        self._route(replace(decision, because=(*decision.because, BECAUSE)), edit=edit)
        return "routed" if before == "kept" else "raised"

    def _may_rise(self) -> bool:
        """Not where the message's case is closed, or somebody has answered since it came."""
        case = next((case for case in self._cases if case["id"] == self._row["case_id"]), None)
        if case is None or case["status"] == "resolved":
            return False
        return case["last_answered_at"] is None or case["last_answered_at"] < self._row["received_at"]

    def _decide(self, case: OpenCase | None) -> Decision:
        item = self._item
        assert item.reading is not None, "only what was read is looked at again"
        return decide(
            item.message,
            item.reading,
            item.hits,
            self._guidance.rules,
            History(case, self._docket.resolved_case(self._key, item.at), self._repeats()),
            channel=self._source.name,
            connector=self._source.kind,
            now=item.at,
            views=item.views,
        )

    def _repeats(self) -> int:
        """How often the author had written when this came, this time counted."""
        if not self._guidance.uses_repeats:
            return 1
        author, at = self._item.message.author.id, self._item.at
        times = recall.repeats(self._connection, self._source.account, {author}, at - REPEATS_WITHIN)
        return max(1, sum(one <= at for one in times.get(author, ())))

    def _route(self, decision: Decision, *, edit: bool) -> None:
        row = self._row | reading_columns(self._item.reading)
        row |= {"kind": decision.kind, "because": [because_json(one) for one in decision.because]}
        case, kind = self._to_case(row, decision)
        row |= {"outcome": "routed", "kept": None}
        row |= {"team": case["team"], "priority": case["priority"], "case_id": case["id"]}
        self._event(kind, case, {"because": row["because"]})
        intents = self._intents()
        if row["acknowledgement_reason"] in _BY_READING:
            self._acknowledge(intents, row, decision, case, edit=edit)
        if kind in {"case_opened", "reopened", "raised"} and case["priority"] in URGENT:
            intents.notify(case, row | {"received_at": self._now})
        self._docket.write(self._connection)
        self._store({"kind": decision.kind, **{name: row[name] for name in _DECIDED}})
        intents.write(self._connection)

    def _to_case(self, row: Mapping[str, Any], decision: Decision) -> tuple[dict[str, Any], str]:
        """What the case shows is the customer's newest message, which need not be this one."""
        newer = next((dict(case) for case in self._cases if case["last_message_id"] > row["id"]), None)
        case, kind = self._docket.route(self._item, row, decision)
        if newer is not None and newer["id"] == case["id"]:
            case |= {name: newer[name] for name in _SHOWN}
        return case, kind

    def _intents(self) -> Intents:
        author = self._item.message.author.id
        return Intents(self._connection, self._source, self._guidance, {author}, Overall(self._now))

    def _acknowledge(
        self, intents: Intents, row: dict[str, Any], decision: Decision, case: Mapping[str, Any], *, edit: bool
    ) -> None:
        """As of now, by the guard of all messages; not where `keep` has had a text of its own for it."""
        if self._connection.execute(_OUTGOING, {"id": row["id"]}).first() is not None:
            return
        asked = row | {"received_at": self._now}
        preview = intents.acknowledge(replace(self._item, at=self._now), asked, decision, case, edit=edit)
        row |= {name: asked[name] for name in ("acknowledgement", "acknowledgement_reason")}
        if preview is not None:
            self._event("preview", case, preview)

    def _store(self, changes: Mapping[str, Any]) -> None:
        """The new reading, marked as looked at whatever came of it."""
        read = reading_columns(self._item.reading)
        scorer = read["reading"]["scorer"]
        if not is_deep(scorer):
            read = {"reading": {**(self._row["reading"] or {}), "scorer": f"{scorer}, no {SCORER}"}}
        values = {**read, **changes, **self._called_back()}
        self._connection.execute(update(MESSAGE).where(MESSAGE.c.id == self._row["id"]).values(values))

    def _called_back(self) -> Mapping[str, Any]:
        """Where harm came to light no automatic text may leave any more."""
        reading = self._item.reading
        if self._row["acknowledgement"] != "pending" or reading is None or NEVER_ALONE.isdisjoint(reading.harm):
            return {}
        kinds: Sequence[str] = self._connection.execute(_CALL_BACK, {"message": self._row["id"]}).scalars().all()
        gone = {"acknowledgement": "suppressed", "acknowledgement_reason": "harm"}
        return gone if "acknowledgement" in kinds else {}

    def _event(self, kind: str, case: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        self.events.append(
            {
                "at": self._now,
                "kind": kind,
                "actor": None,
                "channel": self._source.name,
                "team": case["team"],
                "case_id": case["id"],
                "message_id": self._row["id"],
                "data": data,
            }
        )
