"""One page inside the write transaction: history read, everything decided, everything written, cursor moved.

Decisions of a batch see each other: a case that the first message opens is open for the second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from connectors.api import Cursor, Gap
from heedful import recall
from heedful.docket import Docket
from heedful.guidance import Guidance
from heedful.intent import Intents
from heedful.preparation import Prepared
from heedful.recall import Known
from heedful.rows import message_row, start_of_hour
from heedful.source import Source
from routing.decide import Because, Decision, History, decide
from routing.store import events, search
from routing.store.ids import new_id
from routing.store.rows import CURSOR, GAP, MESSAGE, QUARANTINE, TALLY, insert_new, upsert

__all__ = ["Batch", "Outcome", "Sealed", "because_json", "ingest", "pieces"]

REPEATS_WITHIN = timedelta(hours=24)
DELETED = "~deleted"
"""The revision of a delete notice that has none of its own: sorts after every other."""
_INSERT_MESSAGES, _INSERT_GAPS = insert(MESSAGE), insert(GAP)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Bytes that could not be read: their hash, the reason, and themselves, encrypted."""

    sha256: str
    reason: str
    sealed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A page, prepared. `last` is False for all but the last piece of a page too long for one transaction."""

    source: Source
    items: Sequence[Prepared]
    unreadable: Sequence[Sealed] = ()
    gaps: Sequence[Gap] = ()
    cursor: Cursor | None = None


@dataclass(slots=True)
class Outcome:
    """What became of the items of one page, and how many texts were made due."""

    received: int = 0
    duplicates: int = 0
    quarantined: int = 0
    routed: int = 0
    kept: int = 0
    intents: int = 0

    def as_counts(self) -> dict[str, int]:
        return {
            "received": self.received,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "routed": self.routed,
            "kept": self.kept,
        }


def ingest(connection: Connection, batch: Batch, guidance: Guidance, now: datetime) -> Outcome:
    """Run the whole transaction. May be run again after a rollback: it keeps nothing outside its result."""
    transaction = _Transaction(connection, batch, guidance, now)
    if batch.items:
        transaction.recall()
        for item in batch.items:
            transaction.take(item)
    transaction.write()
    return transaction.outcome


class _Transaction:
    def __init__(self, connection: Connection, batch: Batch, guidance: Guidance, now: datetime) -> None:
        self.outcome = Outcome(received=len(batch.items) + len(batch.unreadable))
        self._connection = connection
        self._batch = batch
        self._source = batch.source
        self._guidance = guidance
        self._now = now
        self._messages: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._index: list[tuple[int, str]] = []
        self._known: dict[str, list[Known]] = {}
        self._redact: list[int] = []

    def recall(self) -> None:
        connection, account = self._connection, self._source.account
        messages = [item.message for item in self._batch.items]
        self._known = recall.known(connection, account, {message.id for message in messages})
        authors = {message.author.id for message in messages}
        keys = {(message.thread, message.author.id) for message in messages}
        self._docket = Docket(
            self._source, self._guidance, self._now, recall.cases(connection, account, keys, self._now)
        )
        self._repeats = self._count_repeats(authors)
        self._intents = Intents(connection, self._source, self._guidance, self._now, authors)
        self._recall_own([item for item in self._batch.items if item.own])

    def _count_repeats(self, authors: set[str]) -> dict[str, int]:
        if not self._guidance.uses_repeats:
            return {}
        return recall.repeats(self._connection, self._source.account, authors, self._now - REPEATS_WITHIN)

    def _recall_own(self, own: Sequence[Prepared]) -> None:
        self._receipts: set[str] = set()
        self._leaving: set[tuple[str, str]] = set()
        if not own:
            return
        threads = list({item.message.thread for item in own})
        ids = [item.message.id for item in own]
        self._receipts, self._leaving = recall.our_posts(self._connection, self._source.account, ids, threads)
        self._docket.add(recall.cases_of_threads(self._connection, self._source.account, threads))
        replied = {item.message.in_reply_to for item in own if item.message.in_reply_to}
        if replied:
            self._known |= recall.known(self._connection, self._source.account, replied - self._known.keys())

    def take(self, item: Prepared) -> None:
        """Book one item: a duplicate, or a stored row with one outcome and one word on its acknowledgement."""
        known = self._known.setdefault(item.message.id, [])
        revision = _revision(item, known)
        if revision is None:
            self.outcome.duplicates += 1
            return
        row = message_row(item, self._source, new_id(self._now), revision, self._now)
        row |= {
            "because": [],
            "file_version": self._guidance.rules.version,
            "team": None,
            "priority": None,
            "case_id": None,
        }
        superseded = bool(known) and revision < known[-1].revision
        self._book(item, row, edit=bool(known) or revision != "", superseded=superseded)
        self._messages.append(row)
        self._index.append((row["id"], item.folded.text))
        known.append(Known(row["id"], revision, row["text"], row["deleted"], row["case_id"], row["author_id"]))
        known.sort(key=lambda one: one.revision)
        self._tell(row)

    def _book(self, item: Prepared, row: dict[str, Any], *, edit: bool, superseded: bool) -> None:
        known = self._known[item.message.id]
        if item.message.deleted or any(one.deleted for one in known):
            self._delete(item, row, known)
        elif item.own:
            self._keep(row, "own")
            self._colleague(item, row)
        elif item.message.author.bot:
            self._keep(row, "bot")
        elif superseded:
            self._keep(row, "edit", "edit")
        else:
            self._decide(item, row, edit=edit)

    def _keep(self, row: dict[str, Any], why: str, acknowledgement: str | None = None) -> None:
        row |= {
            "outcome": "kept",
            "kept": why,
            "acknowledgement": "suppressed",
            "acknowledgement_reason": acknowledgement or (why if why in {"own", "bot", "deleted"} else "kept"),
        }
        self.outcome.kept += 1

    def _delete(self, item: Prepared, row: dict[str, Any], known: Sequence[Known]) -> None:
        """A notice hides the text where the platform wants it gone, and calls back what has not left yet."""
        self._keep(row, "deleted")
        if item.message.deleted or self._source.policy.delete_within is not None:
            row["text"] = ""
        row["deleted"] = True
        row["case_id"] = next((one.case_id for one in known if one.case_id), None)
        self._redact.extend(one.id for one in known if not one.deleted)

    def _colleague(self, item: Prepared, row: dict[str, Any]) -> None:
        """A post in our voice that our outbox did not send is a colleague's answer given elsewhere."""
        message = item.message
        if message.author.id == self._source.machine or message.id in self._receipts:
            return
        if (message.thread, message.text) in self._leaving:
            return
        replied = self._known.get(message.in_reply_to or "", [])
        case = self._docket.answered_by(message, {one.author_id for one in replied})
        if case is not None:
            row["case_id"] = case["id"]
            self._event("answered_elsewhere", row, case, {"by": message.author.name})

    def _decide(self, item: Prepared, row: dict[str, Any], *, edit: bool) -> None:
        message, reading = item.message, item.reading
        assert reading is not None, "what is neither ours, a bot's nor deleted was read"
        key = (message.thread, message.author.id)
        history = History(
            open_case=self._docket.open_case(key),
            resolved_case=self._docket.resolved_case(key),
            repeats=self._repeats.get(message.author.id, 0) + 1,
        )
        decision = decide(
            message,
            reading,
            item.hits,
            self._guidance.rules,
            history,
            channel=self._source.name,
            connector=self._source.kind,
            now=self._now,
        )
        if not edit:
            self._repeats[message.author.id] = history.repeats
        row |= {"because": [because_json(one) for one in decision.because], "kind": decision.kind}
        if decision.routed:
            self._route(item, row, decision, edit=edit)
        else:
            self._keep(row, "edit" if edit else decision.kept or "calm")
            row["case_id"] = self._docket.shown_in(key)
            self._intend(item, row, decision, None, edit=edit)

    def _route(self, item: Prepared, row: dict[str, Any], decision: Decision, *, edit: bool) -> None:
        case, kind = self._docket.route(item, row, decision)
        row |= {
            "outcome": "routed",
            "kept": None,
            "team": case["team"],
            "priority": case["priority"],
            "case_id": case["id"],
        }
        self.outcome.routed += 1
        self._event(kind, row, case, {"because": row["because"]})
        self._intend(item, row, decision, case, edit=edit)
        if kind in {"case_opened", "reopened", "raised"} and case["priority"] in {"P1", "P2"}:
            self._intents.notify(case, row)

    def _intend(
        self, item: Prepared, row: dict[str, Any], decision: Decision, case: dict[str, Any] | None, *, edit: bool
    ) -> None:
        preview = self._intents.acknowledge(item, row, decision, case, edit=edit)
        if preview is not None:
            self._event("preview", row, case, preview)

    def _event(
        self, kind: str, row: Mapping[str, Any], case: Mapping[str, Any] | None, data: Mapping[str, Any]
    ) -> None:
        self._events.append(
            {
                "at": self._now,
                "kind": kind,
                "actor": None,
                "channel": self._source.name,
                "team": case["team"] if case else None,
                "case_id": case["id"] if case else None,
                "message_id": row["id"],
                "data": dict(data),
            }
        )

    def _tell(self, row: Mapping[str, Any]) -> None:
        self._event(
            "message",
            row,
            None,
            {"outcome": row["outcome"], "kept": row["kept"]} if row["kept"] else {"outcome": "routed"},
        )

    def write(self) -> None:
        connection = self._connection
        self._quarantine()
        if self._batch.items:
            self._docket.write(connection)
            if self._messages:
                connection.execute(_INSERT_MESSAGES, self._messages)
                search.index(connection, self._index)
            self._erase()
            self.outcome.intents = self._intents.write(connection)
        if self._batch.gaps:
            self._record_gaps()
        if self.outcome.received:
            self._count()
        if self._batch.cursor is not None:
            self._move()
        if self._events:
            events.append(connection, self._events)

    def _erase(self) -> None:
        if self._redact:
            erase = self._source.policy.delete_within is not None
            self._intents.call_back(self._connection, self._redact, erase=erase)

    def _quarantine(self) -> None:
        """The same bytes again are a duplicate; the statement that refuses them counts them."""
        statement = insert_new(self._connection, QUARANTINE).returning(QUARANTINE.c.id)
        for one in self._batch.unreadable:
            row = {
                "id": new_id(self._now),
                "account": self._source.account,
                "channel": self._source.name,
                "sha256": one.sha256,
                "reason": one.reason,
                "sealed": one.sealed,
                "received_at": self._now,
                "hour": start_of_hour(self._now),
            }
            new = self._connection.execute(statement, row).first() is not None
            self.outcome.quarantined += new
            self.outcome.duplicates += not new

    def _record_gaps(self) -> None:
        self._connection.execute(
            _INSERT_GAPS,
            [
                {
                    "id": new_id(self._now),
                    "channel": self._source.name,
                    "since": gap.since,
                    "until": gap.until,
                    "reason": gap.reason,
                    "count": gap.count,
                }
                for gap in self._batch.gaps
            ],
        )

    def _count(self) -> None:
        statement = upsert(
            self._connection,
            TALLY,
            lambda new: {
                "received": TALLY.c.received + new.received,
                "duplicates": TALLY.c.duplicates + new.duplicates,
            },
        )
        self._connection.execute(
            statement,
            {
                "channel": self._source.name,
                "hour": start_of_hour(self._now),
                "received": self.outcome.received,
                "duplicates": self.outcome.duplicates,
            },
        )

    def _move(self) -> None:
        statement = upsert(
            self._connection,
            CURSOR,
            lambda new: {"account": new.account, "cursor": new.cursor, "moved_at": new.moved_at},
        )
        self._connection.execute(
            statement,
            {
                "channel": self._source.name,
                "account": self._source.account,
                "cursor": self._batch.cursor,
                "moved_at": self._now,
            },
        )


def _revision(item: Prepared, known: Sequence[Known]) -> str | None:
    """The revision to store it under, or None for a duplicate.

    Same id and revision with a text that no stored revision of that id has is the next revision; with one
    that it has, a duplicate. A second delete notice says nothing new.
    """
    message = item.message
    wanted = message.revision or (DELETED if message.deleted else "")
    if message.deleted and any(one.deleted for one in known):
        return None
    same = [one for one in known if one.revision == wanted]
    if not same:
        return wanted
    if not message.deleted and any(one.text == message.text for one in known if not one.deleted):
        return None
    taken = {one.revision for one in known}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{wanted}+{number:04d}") not in taken)


def because_json(one: Because) -> dict[str, Any]:
    return {"rule": one.rule, "detail": one.detail, "spans": [list(span) for span in one.spans]}


def pieces(batch: Batch, size: int) -> Sequence[Batch]:
    """A long page in transactions of bounded size; only the last one carries cursor, gaps and quarantine."""
    if len(batch.items) <= size:
        return (batch,)
    starts = range(0, len(batch.items), size)
    cut = [replace(batch, items=batch.items[at : at + size], unreadable=(), gaps=(), cursor=None) for at in starts]
    cut[-1] = replace(cut[-1], unreadable=batch.unreadable, gaps=batch.gaps, cursor=batch.cursor)
    return cut
