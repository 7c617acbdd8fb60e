"""Marks of staff, inside one transaction: set, taken back, and listed beside their messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, or_, select

from routing.cases import NotAllowed
from routing.marks import FIELD_OF, MARKS, SAID_BY_RESOLVING, Mark, MarkItem, Said
from routing.store import events
from routing.store.casebook import NotFound
from routing.store.rows import CASE, MARK, MESSAGE, insert_new, upsert

__all__ = ["HANDLED", "WITH_CASE", "Corrections", "MarkFilter", "marked", "marks_of"]

BY_MARK, BY_RESOLVING = "mark", "resolution"
AT_ONCE = 500
HANDLED = or_(CASE.c.status == "resolved", CASE.c.first_answered_at.is_not(None))
"""Somebody of ours has dealt with the case."""
WITH_CASE = MESSAGE.outerjoin(CASE, CASE.c.id == MESSAGE.c.case_id)
_TEAM = func.coalesce(CASE.c.team, MESSAGE.c.team)
_NOTICE = MESSAGE.alias("notice")
_SAME = and_(_NOTICE.c.account == MESSAGE.c.account, _NOTICE.c.external_id == MESSAGE.c.external_id)
_GONE = exists().where(_SAME, _NOTICE.c.deleted).correlate(MESSAGE)
"""The platform says that the customer took it back, whether or not its terms ask for the text to go."""
_ERASED = or_(_GONE, MESSAGE.c.text == "")
_SAID = ("scorer", "negative", "urgent", "label", "addressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkFilter:
    """`since`: marked after. `teams`, where not None, is what the viewer may see; kept messages belong to all."""

    since: datetime | None = None
    teams: tuple[str, ...] | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Corrections:
    """What people say about readings in one transaction, all at `now`."""

    connection: Connection
    now: datetime

    def mark(self, message_id: int, actor: str, mark: Mark) -> None:
        """Replaces the actor's own former mark of the same field. Raises NotFound and NotAllowed."""
        row = self._message(message_id)
        if row.negative is None or row.own:
            raise NotAllowed("only a message of a customer that was read can be marked")
        if row.gone or not row.text:
            raise NotAllowed("a message whose text is gone cannot be marked")
        values = _values(row, actor, mark, BY_MARK, self.now)
        statement = upsert(
            self.connection, MARK, lambda new: {name: new[name] for name in ("value", "source", "at", *_SAID)}
        )
        self.connection.execute(statement, values)
        self._tell("marked", row, actor, mark)

    def unmark(self, message_id: int, actor: str, mark: Mark) -> None:
        """Takes back the actor's own mark; where there is none nothing happens. Raises NotFound."""
        row = self._message(message_id)
        mine = and_(MARK.c.message_id == message_id, MARK.c.staff == actor, MARK.c.value == mark)
        if self.connection.execute(delete(MARK).where(mine)).rowcount:
            self._tell("unmarked", row, actor, mark)

    def resolved(self, case_id: int, actor: str, reason: str) -> None:
        """Some reasons to resolve mark all that the customer wrote in the case, where nobody marked otherwise."""
        mark = SAID_BY_RESOLVING.get(reason)
        if mark is None:
            return
        said = and_(MESSAGE.c.case_id == case_id, ~MESSAGE.c.own, MESSAGE.c.negative.is_not(None), ~_ERASED)
        rows = self.connection.execute(select(MESSAGE).where(said).order_by(MESSAGE.c.id.desc()).limit(AT_ONCE)).all()
        values = [_values(row, actor, mark, BY_RESOLVING, self.now) for row in rows]
        if values:
            self.connection.execute(insert_new(self.connection, MARK), values)

    def reopened(self, case_id: int) -> None:
        """What only a reason to resolve had said is taken back with it."""
        here = select(MESSAGE.c.id).where(MESSAGE.c.case_id == case_id)
        self.connection.execute(delete(MARK).where(MARK.c.source == BY_RESOLVING, MARK.c.message_id.in_(here)))

    def _message(self, message_id: int) -> Row[Any]:
        question = select(MESSAGE, _TEAM.label("shown_to"), _GONE.label("gone")).select_from(WITH_CASE)
        found = self.connection.execute(question.where(MESSAGE.c.id == message_id)).first()
        if found is None:
            raise NotFound(f"there is no message {message_id}")
        return found

    def _tell(self, kind: str, row: Row[Any], actor: str, mark: Mark) -> None:
        event = {
            "at": self.now, "kind": kind, "actor": actor, "channel": row.channel, "team": row.shown_to,
            "case_id": row.case_id, "message_id": row.id, "data": {"mark": mark},
        }  # fmt: skip
        events.append(self.connection, [event])


def _values(row: Row[Any], actor: str, mark: Mark, source: str, now: datetime) -> dict[str, Any]:
    reading: Mapping[str, Any] = row.reading or {}
    return {
        "message_id": row.id, "field": FIELD_OF[mark], "staff": actor, "value": mark, "source": source, "at": now,
        "scorer": str(reading.get("scorer", "")), "negative": row.negative, "urgent": row.urgent,
        "label": row.label, "addressed": reading.get("addressed"),
    }  # fmt: skip


def marked(connection: Connection, asked: MarkFilter) -> list[MarkItem]:
    """Marks beside their messages, newest first."""
    handled = func.coalesce(HANDLED, False)
    columns: list[Any] = [
        *MARK.c, MESSAGE.c.case_id, MESSAGE.c.channel, _TEAM.label("shown_to"), MESSAGE.c.text, _GONE.label("gone"),
        MESSAGE.c.language, MESSAGE.c.received_at, handled.label("handled"),
    ]  # fmt: skip
    question = select(*columns).select_from(MARK.join(WITH_CASE, MESSAGE.c.id == MARK.c.message_id))
    question = question.where(MARK.c.value.in_(MARKS), *_asked(asked)).order_by(MARK.c.at.desc(), MARK.c.message_id)
    return [_item(row) for row in connection.execute(question.limit(asked.limit))]


def _asked(asked: MarkFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.since is not None:
        found.append(MARK.c.at >= asked.since)
    if asked.teams is not None:
        found.append(or_(_TEAM.in_(asked.teams), _TEAM.is_(None)))
    return found


def _item(row: Row[*tuple[Any, ...]]) -> MarkItem:
    return MarkItem(
        message_id=row.message_id,
        case_id=row.case_id,
        channel=row.channel,
        team=row.shown_to,
        text="" if row.gone else row.text,
        language=row.language,
        received_at=row.received_at,
        handled=bool(row.handled),
        mark=row.value,
        staff=row.staff,
        source=row.source,
        at=row.at,
        said=Said(**{name: getattr(row, name) for name in _SAID}),
    )


def marks_of(connection: Connection, message_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """Who marked these messages as what, by message, the oldest mark first."""
    if not message_ids:
        return {}
    question = select(MARK.c.message_id, MARK.c.staff, MARK.c.value).where(MARK.c.message_id.in_(message_ids))
    found: dict[int, list[tuple[str, str]]] = {}
    for number, staff, value in connection.execute(question.order_by(MARK.c.at)):
        found.setdefault(number, []).append((staff, value))
    return found
