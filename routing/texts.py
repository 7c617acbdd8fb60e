"""What people decide about texts: let one go out, hold it back, say what became of it; and the kill switch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, and_, func, select, update

from config.schema import Care
from routing import cases
from routing.cases import NotAllowed
from routing.handling import LEASE
from routing.inquiry import outbox_item
from routing.shown import OutboxItem
from routing.store import events, settings
from routing.store.casebook import NotFound, Row, case_of, locked, save
from routing.store.rows import MESSAGE, OUTBOX
from routing.store.settings import Pause

__all__ = ["Outcome", "Texts", "answer_came_back", "answer_reached"]

Outcome = Literal["sent", "unsent"]


@dataclass(frozen=True, slots=True)
class Texts:
    """The decisions of one transaction about texts of ours, all made at `now`."""

    connection: Connection
    care: Care
    now: datetime

    def approve(self, outbox_id: int, actor: str) -> OutboxItem:
        """Let a text go out that waits for a person's word; its time to become stale starts anew.

        What the customer wrote until now was before that person's eyes; what comes later is not approved of.
        """
        row = self._waiting(outbox_id)
        too_old = self.care.acknowledge.too_old
        stale = self.now + too_old if too_old else None
        theirs = and_(MESSAGE.c.account == row["account"], MESSAGE.c.author_id == row["author_id"])
        seen = self.connection.execute(select(func.max(MESSAGE.c.id)).where(theirs)).scalar()
        self._write(row, state="pending", actor=actor, due_at=self.now, stale_at=stale, seen_message_id=seen)
        return self._told(row, "case_changed", actor, what="acknowledgement", state="approved")

    def reject(self, outbox_id: int, actor: str) -> OutboxItem:
        """Hold a text back for good."""
        row = self._waiting(outbox_id)
        self._write(row, state="suppressed", reason="rejected", actor=actor, settled_at=self.now)
        self._book(row, "suppressed", "rejected")
        return self._told(row, "suppressed", actor, what=row["kind"], reason="rejected")

    def settle_unknown(self, outbox_id: int, actor: str, outcome: Outcome) -> OutboxItem:
        """Say whether a doubtful text had arrived. What had not is never sent again by itself."""
        row = self._row(outbox_id)
        if row["state"] != "unknown":
            raise NotAllowed(f"this text is not in doubt: it is {row['state']}")
        if outcome not in {"sent", "unsent"}:
            raise NotAllowed("a doubtful text was either `sent` or `unsent`")
        state, reason = ("sent", "confirmed") if outcome == "sent" else ("refused", "unsent")
        self._write(row, state=state, reason=reason, actor=actor, settled_at=self.now)
        if row["kind"] == "acknowledgement":
            self._book(row, state, reason)
        self._follow(row, outcome)
        return self._told(row, state, actor, what=row["kind"], reason=reason)

    def pause(self, actor: str, reason: str | None) -> Pause:
        """Stop all automatic text."""
        state = Pause(paused=True, by=actor, at=self.now, reason=reason)
        return self._switch(state, "paused", actor, reason)

    def resume(self, actor: str) -> Pause:
        return self._switch(Pause(paused=False, by=actor, at=self.now), "resumed", actor, None)

    def _switch(self, state: Pause, kind: str, actor: str, reason: str | None) -> Pause:
        if settings.paused(self.connection).paused == state.paused:
            return settings.paused(self.connection)
        settings.pause(self.connection, state)
        data = {"reason": reason} if reason else {}
        events.append(self.connection, [{"at": self.now, "kind": kind, "actor": actor, "data": data}])
        return state

    def _row(self, outbox_id: int) -> Row:
        question = select(OUTBOX).where(OUTBOX.c.id == outbox_id).with_for_update()
        found = self.connection.execute(question).mappings().first()
        if found is None:
            raise NotFound(f"there is no text {outbox_id}")
        return found

    def _waiting(self, outbox_id: int) -> Row:
        row = self._row(outbox_id)
        if row["state"] != "approve":
            raise NotAllowed(f"this text does not wait for approval: it is {row['state']}")
        return row

    def _write(self, row: Row, **values: object) -> None:
        self.connection.execute(update(OUTBOX).where(OUTBOX.c.id == row["id"]).values(values))

    def _book(self, row: Row, outcome: str, reason: str) -> None:
        """The ledger counts the message's own outcome."""
        self.connection.execute(
            update(MESSAGE)
            .where(MESSAGE.c.id == row["message_id"])
            .values(acknowledgement=outcome, acknowledgement_reason=reason)
        )

    def _follow(self, row: Row, outcome: Outcome) -> None:
        if row["case_id"] is None:
            return
        at = row["claimed_at"] or self.now
        if row["kind"] == "answer":
            if outcome == "sent":
                answer_reached(self.connection, row["case_id"], at)
            else:
                answer_came_back(self.connection, row["case_id"], self.now)
        elif outcome == "sent":
            case = case_of(locked(self.connection, row["case_id"]))
            promised = row["envelope"].get("promised_due")
            told = datetime.fromisoformat(promised) if promised else None
            save(self.connection, case, cases.acknowledged(case, at, told))

    def _told(self, row: Row, kind: str, actor: str, **data: object) -> OutboxItem:
        event = {
            "at": self.now, "kind": kind, "actor": actor, "channel": row["channel"], "case_id": row["case_id"],
            "message_id": row["message_id"], "data": {**data, "outbox": str(row["id"])},
        }  # fmt: skip
        events.append(self.connection, [event])
        found = outbox_item(self.connection, row["id"])
        if found is None:
            raise NotFound(f"there is no text {row['id']}")
        return found


def answer_reached(connection: Connection, case_id: int, at: datetime) -> None:
    """A person's answer reached the customer: the answer clocks stop."""
    case = case_of(locked(connection, case_id))
    save(connection, case, cases.answered(case, at))


def answer_came_back(connection: Connection, case_id: int, now: datetime) -> None:
    """A person's answer was not sent: the case is its author's again, as if freshly claimed."""
    case = case_of(locked(connection, case_id))
    if case.status == "waiting" and case.assignee is not None:
        save(connection, case, replace(case, status="claimed", lease_until=now + LEASE))
