"""What goes out because of a message: the guard's circumstances, the frozen text, the rows of the outbox.

An intent is written in the transaction that stores its message. Its key is derived from what it answers,
so that the same message can never make two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, bindparam, update

from heedful import recall
from heedful.guidance import Guidance
from heedful.preparation import Prepared
from heedful.recall import Overall, Sent, Traffic
from heedful.source import Source
from heedful.speech import Speech
from responders.guard import Verdict
from responders.wording import Words
from routing.announcements import Occasion, announcements
from routing.decide import Decision
from routing.store import settings
from routing.store.ids import new_id
from routing.store.rows import MESSAGE, OUTBOX, insert_new

__all__ = ["Intents"]

OUTCOMES = {"send": "pending", "approve": "pending", "suppress": "suppressed"}
_CALL_BACK = (
    update(OUTBOX)
    .where(OUTBOX.c.message_id.in_(bindparam("ids", expanding=True)), OUTBOX.c.kind.in_(("acknowledgement", "mark")))
    .where(OUTBOX.c.state.in_(("pending", "approve")))
    .values(state="suppressed", reason="deleted")
    .returning(OUTBOX.c.message_id, OUTBOX.c.kind)
)
_CALLED_BACK = (
    update(MESSAGE)
    .where(MESSAGE.c.id.in_(bindparam("ids", expanding=True)), MESSAGE.c.acknowledgement == "pending")
    .values(acknowledgement="suppressed", acknowledgement_reason="deleted")
)


class Intents:
    """The outgoing side of one transaction. What the caps count is asked for only once it is needed."""

    def __init__(
        self, connection: Connection, source: Source, guidance: Guidance, authors: set[str], overall: Overall
    ) -> None:
        self._connection = connection
        self._source = source
        self._speech = Speech(source, guidance)
        self._care = guidance.care
        self._authors = authors
        self._overall = overall
        self._rows: list[dict[str, Any]] = []
        self._traffic: Traffic | None = None
        self._install: UUID | None = None

    def traffic(self) -> Traffic:
        if self._traffic is None:
            caps, source = self._care.acknowledge.caps, self._source
            self._traffic = recall.traffic(
                self._connection, source.account, source.name, self._authors, caps, self._overall
            )
        return self._traffic

    def acknowledge(
        self, item: Prepared, row: dict[str, Any], decision: Decision, case: Mapping[str, Any] | None, *, edit: bool
    ) -> dict[str, Any] | None:
        """Write the message's acknowledgement outcome into `row`; returns a preview's text where there is one."""
        verdict, words = self._speech.consider(item, decision, case, self.traffic, edit=edit)
        row["acknowledgement"] = OUTCOMES[verdict.outcome]
        row["acknowledgement_reason"] = verdict.reason or ("approve" if verdict.outcome == "approve" else None)
        if words is None or (verdict.outcome == "suppress" and not verdict.preview):
            return None
        self._intend(row, decision, case, words, verdict)
        return {"text": words.text, "locale": words.locale, "style": decision.style} if verdict.preview else None

    def notify(self, case: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        """Tell the case's team."""
        about = Occasion(name=str(row["id"]), message_id=row["id"], words=row["text"], region=self._source.region)
        now = row["received_at"]
        self._rows += announcements(case, about, self._care, now, self._namespace(), new_id)

    def write(self, connection: Connection) -> int:
        """Insert what is intended; returns how many rows may leave."""
        if self._rows:
            connection.execute(insert_new(connection, OUTBOX), self._rows)
        return sum(row["state"] == "pending" for row in self._rows)

    def call_back(self, connection: Connection, message_ids: Sequence[int]) -> None:
        """The customer deleted it: what has not left stays. What is leaving is the sender's to settle."""
        gone = set(message_ids)
        held = [row for row in self._rows if row["state"] == "approve" and row["message_id"] in gone]
        for row in held:
            row |= {"state": "suppressed", "reason": "deleted"}
        stayed = {row["message_id"] for row in held}
        for message_id, kind in connection.execute(_CALL_BACK, {"ids": list(gone)}):
            if kind == "acknowledgement":
                stayed.add(message_id)
        if stayed:
            connection.execute(_CALLED_BACK, {"ids": list(stayed)})

    def _intend(
        self,
        row: Mapping[str, Any],
        decision: Decision,
        case: Mapping[str, Any] | None,
        words: Words,
        verdict: Verdict,
    ) -> None:
        state = {"send": "pending", "approve": "approve", "suppress": "suppressed"}[verdict.outcome]
        promised = self._speech.promised(decision, case, row["received_at"]) if words.promises else None
        self._rows.append(
            self._outgoing(
                row,
                case,
                kind="acknowledgement",
                state=state,
                reason=verdict.reason,
                text=words.text,
                style=decision.style,
                locale=words.locale,
                wording=words.index,
                envelope={"promised_due": promised.isoformat()} if promised else {},
            )
        )
        if verdict.outcome == "suppress":
            return
        traffic, at = self.traffic(), row["received_at"]
        sent = Sent(row["thread"], at, decision.style, words.locale, words.index, row["id"])
        traffic.by_person.setdefault(row["author_id"], []).append(sent)
        traffic.channel.append(at)
        traffic.overall.append(at)
        self._mark(row, case, decision, state)

    def _mark(self, row: Mapping[str, Any], case: Mapping[str, Any] | None, decision: Decision, state: str) -> None:
        """A reaction under the same guard and mode as the text; off unless the file names one."""
        mark = self._care.acknowledge.mark
        if (
            mark is None
            or "marks" not in self._source.abilities
            or not self._source.policy.automatic_marks
            or state != "pending"
        ):
            return
        self._rows.append(self._outgoing(row, case, kind="mark", state=state, text=mark, style=decision.style))

    def _outgoing(
        self, row: Mapping[str, Any], case: Mapping[str, Any] | None, *, kind: str, state: str, text: str, **more: Any
    ) -> dict[str, Any]:
        too_old, now = self._care.acknowledge.too_old, row["received_at"]
        return {
            "id": new_id(now),
            "key": str(uuid5(self._namespace(), f"{self._source.account} {row['external_id']} {kind}")),
            "kind": kind,
            "account": self._source.account,
            "target": self._source.name,
            "channel": self._source.name,
            "thread": row["thread"],
            "author_id": row["author_id"],
            "case_id": case["id"] if case else None,
            "message_id": row["id"],
            "priority": case["priority"] if case else "P4",
            "text": text,
            "state": state,
            "reason": None,
            "style": None,
            "locale": None,
            "wording": None,
            "envelope": {},
            "attempts": 0,
            "created_at": now,
            "due_at": now,
            "stale_at": row["sent_at"] + too_old if too_old else None,
            **more,
        }

    def _namespace(self) -> UUID:
        if self._install is None:
            self._install = settings.install_id(self._connection)
        return self._install
