"""What people do with a case, inside one transaction: read it under a lock, let `cases` decide, write, tell.

Each action refuses before it writes anything, so that many may share one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid5

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from config.schema import Care
from routing import cases, sla
from routing.announcements import URGENT, Occasion, announcements
from routing.calendar import ALWAYS, Hours
from routing.cases import Case, NotAllowed
from routing.corrections import Corrections
from routing.deadlines import Layer, merged
from routing.inquiry import item
from routing.shown import CaseItem
from routing.sla import Due
from routing.store import settings
from routing.store.casebook import NotFound, Row, case_of, locked, save, tell
from routing.store.ids import new_id
from routing.store.literal import CLAIMED, LATE, QUEUED, SNOOZED
from routing.store.rows import CASE, MESSAGE, OUTBOX, insert_new
from routing.store.wire import rfc3339

__all__ = ["LEASE", "Handling", "newest_of_others"]

LEASE = timedelta(minutes=15)
"""A claim that is not renewed lapses; whatever its owner does with the case renews it."""
AT_ONCE = 500
NOWHERE = "-"
MIGHT_REACH = ("pending", "sending", "uncertain", "sent", "unknown")


@dataclass(frozen=True, slots=True)
class Handling:
    """The actions of one transaction: all happen at `now`, under the rules of `care`."""

    connection: Connection
    care: Care
    now: datetime
    lease: timedelta = LEASE

    def claim(self, case_id: int, actor: str) -> CaseItem:
        """Raises Taken while somebody else's claim holds."""
        return self._change(case_id, actor, "claimed", lambda case: cases.claim(case, actor, self.now, self.lease))

    def release(self, case_id: int, actor: str) -> CaseItem:
        return self._change(case_id, actor, "released", lambda case: cases.release(case, actor, self.now))

    def assign(self, case_id: int, actor: str, to: str) -> CaseItem:
        """Hand the case to `to`, or with `team:NAME` to that team, claimed by nobody."""
        kind, _, team = to.partition(":")
        if kind != "team":
            return self._change(
                case_id, actor, "assigned", lambda case: cases.assign(case, to, self.now, self.lease), to=to
            )
        if team not in self.care.teams:
            raise NotAllowed(f"there is no team `{team}`; the file names {', '.join(self.care.teams) or 'none'}")
        before = locked(self.connection, case_id)
        item = self._change(case_id, actor, "assigned", lambda case: self._hand_over(case, team), to=to)
        if before["team"] != team and before["priority"] in URGENT:
            self._announce({**before, "team": team})
        return item

    def snooze(self, case_id: int, actor: str, until: datetime) -> CaseItem:
        def change(case: Case) -> Case:
            return cases.snooze(case, actor, until, self.now)

        return self._change(case_id, actor, "snoozed", change, until=rfc3339(until.astimezone(UTC)))

    def note(self, case_id: int, actor: str, text: str) -> CaseItem:
        """Write down what no customer sees."""
        if not text.strip():
            raise NotAllowed("a note needs a text")
        return self._change(case_id, actor, "note", lambda case: case, text=text)

    def resolve(self, case_id: int, actor: str, reason: str, detail: str | None = None) -> CaseItem:
        """Raises Taken while somebody else's claim holds, NotAllowed for an unknown reason."""

        def change(case: Case) -> Case:
            if case.assignee not in {None, actor} and cases.is_held(case, self.now):
                raise cases.Taken(str(case.assignee))
            return cases.resolve(case, actor, reason, self.now)

        item = self._change(case_id, actor, "resolved", change, reason=reason, detail=detail)
        Corrections(self.connection, self.now).resolved(case_id, actor, reason)
        return item

    def reopen(self, case_id: int, actor: str) -> CaseItem:
        """Raises NotAllowed where the customer already has a newer open case here."""

        def change(case: Case) -> Case:
            self._alone(case_id)
            clocks, after = self._clocks(case, case_id)
            return cases.reopen(case, self.now, clocks=clocks, next_due=after)

        item = self._change(case_id, actor, "reopened", change)
        Corrections(self.connection, self.now).reopened(case_id)
        return item

    def answer(self, case_id: int, actor: str, text: str, seen: int | None = None, confirm: bool = False) -> CaseItem:
        """Queue an answer to the customer, once however often it is asked for.

        `seen` is the newest message or text that the author had before them (None: all there is).
        Raises Fenced where the customer wrote or a colleague answered after that, unless `confirm`;
        Taken while somebody else's claim holds. The sender refuses what happens between this and its sending;
        confirming the very same answer while it waits lets it go all the same.
        """
        if not text.strip():
            raise NotAllowed("an answer needs a text")
        row = locked(self.connection, case_id)
        case = case_of(row)
        known = case.last_message_id if seen is None else seen
        others = newest_of_others(self.connection, case_id, actor, MIGHT_REACH)
        settled = max(known, case.last_message_id, others or 0) if confirm else known
        key = self._new_key(f"{case_id}/{actor}/{text}/{known}")
        if key is None:
            if confirm:
                self._confirm(case, actor, text, settled)
            return self._item(case_id)
        cases.fence(case, settled, others)
        after = replace(cases.claim(case, actor, self.now, self.lease), status="waiting")
        number = self._queue(row, actor, text, key, settled)
        save(self.connection, case, after)
        tell(self.connection, self.now, row, "answer_queued", actor, outbox=str(number))
        return self._item(case_id)

    def something_due(self) -> bool:
        """Whether `renew` or `escalate` has anything to do."""
        question = select(CASE.c.id).where(or_(self._lapsed(), self._woken(), self._late())).limit(1)
        return self.connection.execute(question).first() is not None

    def renew(self) -> list[int]:
        """Let lapse what is not renewed, and wake what was put aside until now; returns the cases."""
        found = self._rows(or_(self._lapsed(), self._woken()), CASE.c.id)
        for row in found:
            case = case_of(row)
            awake = cases.wake(case, self.now)
            after = awake if awake is not case else cases.release(case, str(case.assignee), self.now)
            kind, why = ("released", "lapsed") if awake is case else ("case_changed", "woken")
            save(self.connection, case, after)
            tell(self.connection, self.now, row, kind, None, why=why)
        return [row["id"] for row in found]

    def escalate(self) -> list[int]:
        """Mark what has become due since it was last marked, each once for each time it becomes due."""
        found = self._rows(self._late(), CASE.c.due)
        for row in found:
            case = case_of(row)
            save(self.connection, case, cases.escalated(case, self.now))
            tell(self.connection, self.now, row, "escalated", None, due=rfc3339(case.due))
        return [row["id"] for row in found]

    def _lapsed(self) -> ColumnElement[bool]:
        return and_(CLAIMED, CASE.c.lease_until <= self.now)

    def _woken(self) -> ColumnElement[bool]:
        return and_(SNOOZED, CASE.c.snoozed_until <= self.now)

    def _late(self) -> ColumnElement[bool]:
        return and_(LATE, CASE.c.due <= self.now)

    def _rows(self, condition: ColumnElement[bool], order: ColumnElement[Any]) -> Sequence[Row]:
        question = select(CASE).where(condition).order_by(order).limit(AT_ONCE)
        return self.connection.execute(question.with_for_update(skip_locked=True)).mappings().all()

    def _change(self, case_id: int, actor: str, kind: str, change: Callable[[Case], Case], **data: object) -> CaseItem:
        row = locked(self.connection, case_id)
        before = case_of(row)
        after = change(before)
        save(self.connection, before, after)
        tell(self.connection, self.now, {**row, "team": after.team}, kind, actor, **data)
        return self._item(case_id)

    def _hand_over(self, case: Case, team: str) -> Case:
        if case.status == "resolved":
            raise NotAllowed("this case is resolved: reopen it first")
        return replace(case, status="open", team=team, assignee=None, lease_until=None, snoozed_until=None)

    def _announce(self, row: Row) -> None:
        """The team that has it now is told, and the one that had it no longer is."""
        out, space = OUTBOX.c, settings.install_id(self.connection)
        waiting = and_(out.case_id == row["id"], out.kind == "notify", out.state == "pending")
        told = {"state": "suppressed", "reason": "handed over", "settled_at": self.now}
        self.connection.execute(update(OUTBOX).where(waiting).values(told))
        channel = self.care.channels.get(row["channel"])
        about = Occasion(
            name=f"handed over {new_id(self.now)}",
            message_id=row["last_message_id"],
            words=row["text"],
            region=channel.region if channel else self._region_of_the_unknown(),
        )
        rows = list(announcements(dict(row), about, self.care, self.now, space, new_id))
        if rows:
            self.connection.execute(insert_new(self.connection, OUTBOX), rows)

    def _region_of_the_unknown(self) -> str | None:
        """Of a channel that has left the file: where the file knows regions at all, no words of it go anywhere."""
        return NOWHERE if any(channel.region for channel in self.care.channels.values()) else None

    def _item(self, case_id: int) -> CaseItem:
        found = item(self.connection, case_id)
        if found is None:
            raise NotFound(f"there is no case {case_id}")
        return found

    def _alone(self, case_id: int) -> None:
        key = select(CASE.c.account, CASE.c.thread, CASE.c.author_id).where(CASE.c.id == case_id).subquery()
        same = and_(CASE.c.account == key.c.account, CASE.c.thread == key.c.thread, CASE.c.author_id == key.c.author_id)
        newer = self.connection.execute(select(CASE.c.ref).where(same, QUEUED)).scalars().first()
        if newer is not None:
            raise NotAllowed(f"this customer has an open case here: {newer}")

    def _clocks(self, case: Case, case_id: int) -> tuple[Due, datetime | None]:
        channel = self.connection.execute(select(CASE.c.channel).where(CASE.c.id == case_id)).scalar_one()
        deadline = merged(_layers(self.care, channel, case.team), case.priority)
        hours = _hours(self.care, deadline.calendar)
        return sla.clocks(self.now, deadline, hours), sla.next_answer(self.now, deadline, hours)

    def _new_key(self, intent: str) -> str | None:
        """The key of an answer that may be given; None where the very same one is on its way or has arrived."""
        space = settings.install_id(self.connection)
        for attempt in count():
            key = str(uuid5(space, f"{intent}/{attempt}"))
            state = self.connection.execute(select(OUTBOX.c.state).where(OUTBOX.c.key == key)).scalar()
            if state is None:
                return key
            if state == "unknown":
                raise NotAllowed("nobody knows whether this answer arrived: look in the channel and settle it first")
            if state in MIGHT_REACH:
                return None
        raise AssertionError("unreachable")

    def _confirm(self, case: Case, actor: str, text: str, seen: int) -> None:
        """The same answer still waits: its author knows by now what came in between."""
        out = OUTBOX.c
        same = and_(out.case_id == case.id, out.kind == "answer", out.actor == actor, out.text == text)
        waiting = select(out.id, out.envelope).where(same, out.state == "pending").with_for_update()
        for number, envelope in self.connection.execute(waiting).all():
            values = {"seen_message_id": case.last_message_id, "envelope": {**envelope, "seen": seen}}
            self.connection.execute(update(OUTBOX).where(out.id == number).values(values))

    def _queue(self, row: Row, actor: str, text: str, key: str, seen: int) -> int:
        number = new_id(self.now)
        values = {
            "id": number, "key": key, "kind": "answer", "account": row["account"], "target": row["channel"],
            "channel": row["channel"], "thread": row["thread"], "author_id": row["author_id"], "case_id": row["id"],
            "message_id": row["last_message_id"], "priority": row["priority"], "text": text,
            "envelope": {"seen": seen}, "state": "pending", "attempts": 0, "created_at": self.now,
            "due_at": self.now, "actor": actor, "seen_message_id": row["last_message_id"],
        }  # fmt: skip
        self.connection.execute(insert_new(self.connection, OUTBOX), values)
        return number


def newest_of_others(connection: Connection, case_id: int, actor: str, states: Collection[str]) -> int | None:
    """The newest answer that somebody else gave: through us, in one of `states`, or in the platform's own app."""
    through_us = select(func.max(OUTBOX.c.id)).where(
        OUTBOX.c.case_id == case_id,
        OUTBOX.c.kind == "answer",
        OUTBOX.c.actor != actor,
        OUTBOX.c.state.in_(states),
    )
    echoes = select(OUTBOX.c.receipt).where(OUTBOX.c.case_id == case_id, OUTBOX.c.receipt.is_not(None))
    elsewhere = select(func.max(MESSAGE.c.id)).where(
        MESSAGE.c.case_id == case_id, MESSAGE.c.own, MESSAGE.c.external_id.not_in(echoes)
    )
    found = (connection.execute(question).scalar() for question in (through_us, elsewhere))
    return max((number for number in found if number is not None), default=None)


def _layers(care: Care, channel: str, team: str) -> Iterator[Layer]:
    """Root, channel and team; which routes once matched is not kept."""
    yield Layer(None, care.deadlines)
    yield Layer(care.route.calendar, care.route.deadlines)
    if channel in care.channels:
        yield Layer(care.channels[channel].calendar, care.channels[channel].deadlines)
    if team in care.teams:
        yield Layer(care.teams[team].calendar, care.teams[team].deadlines)


def _hours(care: Care, name: str | None) -> Hours:
    calendar = care.calendars.get(name or "always")
    return ALWAYS if calendar is None else Hours.compile(calendar, care.zone())
