"""The statements of the outbox: claim before the first byte, settle afterwards. Each runs in one transaction.

The protocol: a row is `pending`, then `sending` once a claim is committed, then settled as sent, refused,
suppressed or unknown. A row still `sending` when the program starts is `uncertain`: nobody knows whether
it went out, and the channel's class of idempotency decides what may be done about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, select, update

from connectors.api import Message
from heedful.rows import message_of
from routing.store import events, settings
from routing.store.rows import CASE as CASES
from routing.store.rows import MESSAGE as MESSAGES
from routing.store.rows import OUTBOX

__all__ = ["ROUTES_OUT", "Row", "claim", "doubt", "message_of_row", "postpone", "recover", "settle", "uncertain"]

Row = Mapping[str, Any]
ROUTES_OUT = ("answer", "acknowledgement", "mark")
LEDGER_STATE = {"approve": "pending", "sending": "pending", "uncertain": "pending"}

_NAMES = (
    "external_id", "revision", "thread", "author_id", "author_name", "author_handle", "text", "sent_at", "url", "private",
    "own", "deleted", "body",
)
_MESSAGE_COLUMNS = [MESSAGES.c[name].label(f"message_{name}") for name in _NAMES]


def recover(connection: Connection, account: str) -> int:
    """What was being sent when the program died is uncertain from now on; how many rows that are."""
    done = connection.execute(
        update(OUTBOX).where(OUTBOX.c.account == account, OUTBOX.c.state == "sending").values(state="uncertain")
    )
    return done.rowcount


def claim(
    connection: Connection, account: str, now: datetime, limit: int, allowed: Callable[[Row], str | None]
) -> tuple[list[Row], bool]:
    """Claim what is due, answers of people first, then by priority; settle at once what may not go out.

    Returns the claimed rows, now `sending`, and whether anything at all was found. `allowed` names the
    reason why the running configuration forbids a row, or None.
    """
    found = connection.execute(_due(account, now, limit)).mappings().all()
    if not found:
        return [], False
    paused = settings.paused(connection).paused
    claimed: list[Row] = []
    for row in found:
        reason = _obstacle(row, now, paused) or (allowed(row) if row["kind"] != "answer" else None)
        if reason is None:
            claimed.append(row)
        else:
            settle(connection, row, "refused" if row["kind"] == "answer" else "suppressed", now, reason=reason)
    if claimed:
        connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.id.in_([row["id"] for row in claimed]))
            .values(state="sending", attempts=OUTBOX.c.attempts + 1, claimed_at=now)
        )
    return claimed, True


def uncertain(connection: Connection, account: str) -> list[Row]:
    """What may or may not have gone out, oldest first."""
    query = _sendable().where(OUTBOX.c.account == account, OUTBOX.c.state == "uncertain").order_by(OUTBOX.c.id)
    return list(connection.execute(query).mappings())


def postpone(connection: Connection, row: Row, until: datetime, reason: str | None = None) -> None:
    """It is proven that nothing was posted: the row is due again at `until`."""
    connection.execute(
        update(OUTBOX).where(OUTBOX.c.id == row["id"]).values(state="pending", due_at=until, reason=reason)
    )


def doubt(connection: Connection, row: Row) -> None:
    """It may or may not have been posted."""
    connection.execute(update(OUTBOX).where(OUTBOX.c.id == row["id"]).values(state="uncertain"))


def message_of_row(row: Row) -> Message:
    """The message that a row of the outbox answers."""
    return message_of({name: row[f"message_{name}"] for name in _NAMES})


def settle(
    connection: Connection, row: Row, state: str, now: datetime, *, reason: str | None = None, receipt: str | None = None
) -> None:
    """Write the last word on one row: outbox, ledger outcome of its message, its case and the event."""
    connection.execute(
        update(OUTBOX)
        .where(OUTBOX.c.id == row["id"])
        .values(state=state, reason=reason, receipt=receipt, settled_at=now)
    )
    if row["kind"] == "acknowledgement":
        _record_acknowledgement(connection, row, state, reason, now)
    elif row["kind"] == "answer":
        _record_answer(connection, row, state, now)
    data = {"what": row["kind"], "reason": reason, "outbox": str(row["id"])}
    event = {"at": now, "kind": state, "actor": row["actor"], "channel": row["channel"], "case_id": row["case_id"], "message_id": row["message_id"], "data": data}
    if row["kind"] != "mark":
        events.append(connection, [event])


def _due(account: str, now: datetime, limit: int) -> Any:
    rank = case((OUTBOX.c.kind == "answer", 0), else_=1)
    return (
        _sendable()
        .where(OUTBOX.c.account == account, OUTBOX.c.state == "pending", OUTBOX.c.due_at <= now)
        .where(OUTBOX.c.kind.in_(ROUTES_OUT))
        .order_by(rank, OUTBOX.c.priority, OUTBOX.c.id)
        .limit(limit)
    )


def _sendable() -> Any:
    return (
        select(
            OUTBOX,
            *_MESSAGE_COLUMNS,
            CASES.c.last_message_id,
            CASES.c.last_answered_at,
            CASES.c.bot_silent,
            CASES.c.status.label("case_status"),
        )
        .select_from(OUTBOX)
        .outerjoin(MESSAGES, MESSAGES.c.id == OUTBOX.c.message_id)
        .outerjoin(CASES, CASES.c.id == OUTBOX.c.case_id)
    )


def _obstacle(row: Row, now: datetime, paused: bool) -> str | None:
    """The final word before a claim: what has changed since the intent was written."""
    if row["kind"] == "answer":
        seen = row["seen_message_id"]
        return "customer wrote again" if seen and row["last_message_id"] and seen < row["last_message_id"] else None
    checks: Sequence[tuple[bool, str]] = (
        (paused, "paused"),
        (bool(row["stale_at"] and row["stale_at"] <= now), "stale"),
        (bool(row["message_deleted"]), "deleted"),
        (bool(row["bot_silent"]), "silenced"),
        (row["case_status"] == "resolved", "answered"),
        (bool(row["last_answered_at"] and row["last_answered_at"] >= row["created_at"]), "answered"),
    )
    return next((reason for holds, reason in checks if holds), None)


def _record_acknowledgement(connection: Connection, row: Row, state: str, reason: str | None, now: datetime) -> None:
    connection.execute(
        update(MESSAGES)
        .where(MESSAGES.c.id == row["message_id"])
        .values(acknowledgement=LEDGER_STATE.get(state, state), acknowledgement_reason=reason)
    )
    if state == "sent" and row["case_id"] is not None:
        promised = row["envelope"].get("promised_due")
        connection.execute(
            update(CASES)
            .where(CASES.c.id == row["case_id"], CASES.c.acknowledged_at.is_(None))
            .values(acknowledged_at=now, promised_due=promised and datetime.fromisoformat(promised))
        )


def _record_answer(connection: Connection, row: Row, state: str, now: datetime) -> None:
    if state != "sent":
        return
    connection.execute(
        update(CASES).where(CASES.c.id == row["case_id"], CASES.c.first_answered_at.is_(None)).values(first_answered_at=now)
    )
    connection.execute(
        update(CASES)
        .where(CASES.c.id == row["case_id"])
        .values(last_answered_at=now, next_answer_due=None, due=CASES.c.resolution_due)
    )
