"""Rows that contradict each other or themselves: each is one line for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, false, func, select

from routing.store.rows import CASE, MESSAGE, OUTBOX

__all__ = ["find"]

Rows = Select[*tuple[Any, ...]]

AT_MOST = 20
"""Lines of one sort; whoever has more has one cause."""

_OUTCOMES = ("sent", "suppressed", "refused", "unknown", "pending")
_UNSETTLED = ("pending", "approve", "sending", "uncertain")
_TOLD = OUTBOX.c.kind == "acknowledgement"
_STATE = case((OUTBOX.c.state.in_(_UNSETTLED), "pending"), else_=OUTBOX.c.state)


def _mistaken() -> list[tuple[str, ColumnElement[bool]]]:
    """What one message row alone must not say."""
    message = MESSAGE.c
    kept, routed = message.outcome == "kept", message.outcome == "routed"
    silent = message.acknowledgement == "suppressed"
    return [
        ("outcome is neither routed nor kept", message.outcome.not_in(["routed", "kept"])),
        ("routed, and yet kept for a reason", and_(routed, message.kept.is_not(None))),
        ("routed, and yet of our own voice", and_(routed, message.own)),
        ("kept without a reason", and_(kept, message.kept.is_(None))),
        ("our own, and not kept as that", and_(message.own, kept, message.kept.not_in(("own", "deleted")))),
        ("kept as own, and yet not of our own", and_(message.own == false(), message.kept == "own")),
        ("kept as deleted, and yet not deleted", and_(message.deleted == false(), message.kept == "deleted")),
        ("the outcome of its acknowledgement is unknown to us", message.acknowledgement.not_in(_OUTCOMES)),
        ("no acknowledgement, and no reason for it", and_(silent, message.acknowledgement_reason.is_(None))),
    ]


def find(connection: Connection, since: datetime | None = None) -> Iterator[str]:
    """Look at messages received from `since` on; nothing found is a good sign."""
    recent = MESSAGE.c.hour >= since if since else MESSAGE.c.id.is_not(None)
    for what, wrong in _mistaken():
        yield from _lines(connection, select(MESSAGE.c.id, MESSAGE.c.channel).where(recent, wrong), what)
    yield from _lines(connection, _without_case(recent), "routed, but its case does not exist")
    yield from _lines(connection, _disagreeing(recent), "its acknowledgement's outcome differs from the outbox")
    yield from _lines(connection, _untold(recent), "its acknowledgement is not in the outbox")
    yield from _lines(connection, _told_twice(recent), "has more than one acknowledgement in the outbox")
    yield from _lines(connection, _orphans(), "an acknowledgement in the outbox without its message")


def _lines(connection: Connection, question: Rows, what: str) -> Iterator[str]:
    for number, row in enumerate(connection.execute(question.limit(AT_MOST + 1))):
        if number == AT_MOST:
            yield f"… and more: {what}"
            return
        yield f"{row.channel}, message {row.id}: {what}"


def _without_case(recent: ColumnElement[bool]) -> Rows:
    joined = MESSAGE.outerjoin(CASE, CASE.c.id == MESSAGE.c.case_id)
    question = select(MESSAGE.c.id, MESSAGE.c.channel).select_from(joined)
    return question.where(recent, MESSAGE.c.outcome == "routed", CASE.c.id.is_(None))


def _disagreeing(recent: ColumnElement[bool]) -> Rows:
    joined = OUTBOX.join(MESSAGE, MESSAGE.c.id == OUTBOX.c.message_id)
    question = select(MESSAGE.c.id, MESSAGE.c.channel).select_from(joined)
    return question.where(recent, _TOLD, MESSAGE.c.acknowledgement != _STATE)


def _untold(recent: ColumnElement[bool]) -> Rows:
    """Not a join: nothing indexes the outbox by message, and each message would walk through it."""
    told = select(OUTBOX.c.message_id).where(_TOLD, OUTBOX.c.message_id.is_not(None))
    question = select(MESSAGE.c.id, MESSAGE.c.channel)
    return question.where(recent, MESSAGE.c.acknowledgement != "suppressed", MESSAGE.c.id.not_in(told))


def _told_twice(recent: ColumnElement[bool]) -> Rows:
    joined = OUTBOX.join(MESSAGE, MESSAGE.c.id == OUTBOX.c.message_id)
    question = select(MESSAGE.c.id, MESSAGE.c.channel).select_from(joined).where(recent, _TOLD)
    return question.group_by(MESSAGE.c.id, MESSAGE.c.channel).having(func.count() > 1)


def _orphans() -> Rows:
    joined = OUTBOX.outerjoin(MESSAGE, MESSAGE.c.id == OUTBOX.c.message_id)
    question = select(OUTBOX.c.message_id.label("id"), OUTBOX.c.channel).select_from(joined)
    return question.where(_TOLD, MESSAGE.c.id.is_(None))
