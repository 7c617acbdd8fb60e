"""Pages inside the write transaction: history read, everything decided, everything written, cursor moved.

Decisions of a batch see each other: a case that the first message opens is open for the second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from config.folding import fold
from heedful import booking, recall
from heedful.batch import Batch, Outcome
from heedful.booking import Count
from heedful.docket import Docket, Names, names
from heedful.guidance import Guidance
from heedful.intent import Intents
from heedful.preparation import Prepared
from heedful.recall import Known, Overall
from heedful.rows import because_json, message_row, reading_columns, start_of_hour
from routing.announcements import URGENT
from routing.decide import Decision, History, decide
from routing.store import events, search, spending
from routing.store.ids import new_id
from routing.store.rows import MESSAGE, insert_rows

__all__ = ["ingest"]

REPEATS_WITHIN = timedelta(hours=24)
DELETED = "~deleted"
"""The revision of a delete notice that has none of its own: sorts after every other."""


def ingest(connection: Connection, batches: Sequence[Batch], guidance: Guidance) -> list[Outcome]:
    """Run the whole transaction, one batch a source, all items in the order of their places.

    May be run again after a rollback: it keeps nothing outside its result.
    """
    since = min([batch.items[0].at for batch in batches if batch.items], default=batches[0].now)
    numbers, overall = names(connection, since), Overall(since)
    pages = [_Page(connection, batch, guidance, numbers, overall) for batch in batches]
    for page, item in _in_turn(pages):
        page.take(item)
    for page in pages:
        page.write()
    return [page.outcome for page in pages]


def _in_turn(pages: Sequence[_Page]) -> Iterable[tuple[_Page, Prepared]]:
    if len(pages) == 1:
        return ((pages[0], item) for item in pages[0].items)
    turns = [(page, item) for page in pages for item in page.items]
    return sorted(turns, key=lambda turn: turn[1].place)


class _Page:
    """The batch of one source within the transaction."""

    def __init__(
        self, connection: Connection, batch: Batch, guidance: Guidance, numbers: Names, overall: Overall
    ) -> None:
        self.outcome = Outcome()
        self.items = batch.items
        self._connection = connection
        self._batch = batch
        self._source = batch.source
        self._guidance = guidance
        self._messages: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._index: list[tuple[int, str]] = []
        self._hours: defaultdict[datetime, Count] = defaultdict(Count)
        self._redact: list[Known] = []
        if batch.items:
            self._recall(numbers, overall)

    def _recall(self, numbers: Names, overall: Overall) -> None:
        connection, source = self._connection, self._source
        messages = [item.message for item in self.items]
        authors = {message.author.id for message in messages}
        keys = {(message.thread, message.author.id) for message in messages}
        self._known = recall.known(connection, source.account, {message.id for message in messages})
        found = recall.cases(connection, source.account, keys, overall.since)
        self._docket = Docket(source, self._guidance, numbers, found)
        self._intents = Intents(connection, source, self._guidance, authors, overall)
        self._repeats: dict[str, list[datetime]] = {}
        if self._guidance.uses_repeats:
            self._repeats = recall.repeats(connection, source.account, authors, overall.since - REPEATS_WITHIN)
        self._recall_own([item for item in self.items if item.own])

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
        hour = start_of_hour(item.at)
        self._hours[hour].received += 1
        revision = _revision(item, known)
        if revision is None:
            self._hours[hour].duplicates += 1
            return
        row = message_row(item, self._source, new_id(item.at), revision, hour, self._guidance.rules.version)
        superseded = bool(known) and revision < known[-1].revision
        self._book(item, row, known, edit=bool(known) or revision != "", superseded=superseded)
        self._messages.append(row)
        if row["text"]:
            self._index.append((row["id"], item.folded.text))
        known.append(Known(row["id"], revision, row["text"], row["deleted"], row["case_id"], row["author_id"]))
        if len(known) > 1:
            known.sort(key=lambda one: one.revision)
        said = {"outcome": "kept", "kept": row["kept"]} if row["kept"] else {"outcome": "routed"}
        self._event("message", row, None, said)

    def _book(
        self, item: Prepared, row: dict[str, Any], known: Sequence[Known], *, edit: bool, superseded: bool
    ) -> None:
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
        row["outcome"] = "kept"
        row["kept"] = why
        row["acknowledgement"] = "suppressed"
        row["acknowledgement_reason"] = acknowledgement or (why if why in {"own", "bot", "deleted"} else "kept")
        self.outcome.kept += 1

    def _delete(self, item: Prepared, row: dict[str, Any], known: Sequence[Known]) -> None:
        """A notice hides the text where the platform wants it gone, and calls back what has not left yet."""
        self._keep(row, "deleted")
        if item.message.deleted or self._source.policy.delete_within is not None:
            row["text"] = ""
        row["deleted"] = True
        row["case_id"] = next((one.case_id for one in known if one.case_id), None)
        self._redact.extend(one for one in known if not one.deleted)

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
            self._docket.open_case(key), self._docket.resolved_case(key, item.at), self._count_repeats(item, edit=edit)
        )
        decision = decide(
            message,
            reading,
            item.hits,
            self._guidance.rules,
            history,
            channel=self._source.name,
            connector=self._source.kind,
            now=item.at,
            views=item.views,
        )
        if item.views:
            item = item.seen_by(decision.view)
            row |= reading_columns(item.reading)
        row["because"] = [because_json(one) for one in decision.because]
        row["kind"] = decision.kind
        if decision.routed:
            self._route(item, row, decision, edit=edit)
        else:
            self._keep(row, "edit" if edit else decision.kept or "calm")
            row["case_id"] = self._docket.shown_in(key, item.at)
            self._intend(item, row, decision, None, edit=edit)

    def _count_repeats(self, item: Prepared, *, edit: bool) -> int:
        """How often the author wrote within the window, this time counted."""
        if not self._guidance.uses_repeats:
            return 1
        times = self._repeats.setdefault(item.message.author.id, [])
        count = 1 + sum(at > item.at - REPEATS_WITHIN for at in times)
        if not edit:
            times.append(item.at)
        return count

    def _route(self, item: Prepared, row: dict[str, Any], decision: Decision, *, edit: bool) -> None:
        case, kind = self._docket.route(item, row, decision)
        row["outcome"] = "routed"
        row["team"], row["priority"], row["case_id"] = case["team"], case["priority"], case["id"]
        self.outcome.routed += 1
        self._event(kind, row, case, {"because": row["because"]})
        self._intend(item, row, decision, case, edit=edit)
        if kind in {"case_opened", "reopened", "raised"} and case["priority"] in URGENT:
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
                "at": row["received_at"],
                "kind": kind,
                "actor": None,
                "channel": row["channel"],
                "team": case["team"] if case else None,
                "case_id": case["id"] if case else None,
                "message_id": row["id"],
                "data": data,
            }
        )

    def write(self) -> None:
        connection = self._connection
        if self._batch.unreadable:
            self._quarantine()
        if self.items:
            self._docket.write(connection)
            insert_rows(connection, MESSAGE, self._messages)
            search.index(connection, self._index)
            self._erase()
            self.outcome.intents = self._intents.write(connection)
        if self._batch.gaps:
            booking.record_gaps(connection, self._batch)
        booking.count(connection, self._source.name, self._hours)
        self.outcome.received = sum(one.received for one in self._hours.values())
        self.outcome.duplicates = sum(one.duplicates for one in self._hours.values())
        spending.add(connection, self._source.account, self._batch.now, reading=self._batch.cost)
        if self._batch.cursor is not None:
            booking.move(connection, self._batch)
        if self._events:
            events.append(connection, self._events)

    def _quarantine(self) -> None:
        for one, new in zip(self._batch.unreadable, booking.quarantine(self._connection, self._batch), strict=True):
            hour = self._hours[start_of_hour(one.at)]
            hour.received += 1
            hour.duplicates += not new
            self.outcome.quarantined += new

    def _erase(self) -> None:
        """What was deleted is called back; where the platform wants it, its text also goes from rows and search."""
        if not self._redact:
            return
        ids = [one.id for one in self._redact]
        self._intents.call_back(self._connection, ids)
        if self._source.policy.delete_within is not None:
            search.forget(self._connection, [(one.id, fold(one.text).text) for one in self._redact if one.text])
            booking.erase(self._connection, ids)


def _revision(item: Prepared, known: Sequence[Known]) -> str | None:
    """The revision to store it under, or None for a duplicate.

    Same id and revision with a text that no stored revision of that id has is the next revision; with one
    that it has, a duplicate. A second delete notice says nothing new; nor does the same revision of what was
    deleted, whose text may be erased here.
    """
    message = item.message
    wanted = message.revision or (DELETED if message.deleted else "")
    if not known:
        return wanted
    if message.deleted and any(one.deleted for one in known):
        return None
    same = [one for one in known if one.revision == wanted]
    if not same:
        return wanted
    if any(one.deleted for one in known) or (not message.deleted and any(one.text == message.text for one in known)):
        return None
    taken = {one.revision for one in known}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{wanted}+{number:04d}") not in taken)
