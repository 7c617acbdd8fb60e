"""The statements of the outbox: claim before the first byte, settle afterwards. Each runs in one transaction.

The protocol: a row is `pending`, then `sending` once a claim is committed, then settled as sent, refused,
suppressed or unknown. A row still `sending` when the program starts is `uncertain`: nobody knows whether
it went out, and the channel's class of idempotency decides what may be done about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, select, update

from connectors.api import Message
from heedful.lastword import Row, obstacle, since_then
from heedful.rows import message_of
from routing.cases import Case, acknowledged, answered
from routing.store import events, settings, spending
from routing.store.casebook import case_of
from routing.store.literal import UNSETTLED
from routing.store.rows import CASE as CASES
from routing.store.rows import MESSAGE as MESSAGES
from routing.store.rows import OUTBOX, execute_rows
from routing.texts import answer_came_back

__all__ = [
    "DOUBT",
    "ROUTES_OUT",
    "Moment",
    "Row",
    "Settlement",
    "claim",
    "disprove",
    "doubt",
    "doubts",
    "give_back",
    "look_again",
    "message_of_row",
    "postpone",
    "recover",
    "settle",
    "uncertain",
]

Moment = Callable[[Row], datetime]
DOUBT = "nobody can tell whether it was sent"
ROUTES_OUT = ("answer", "acknowledgement", "mark")
_TOUCHED = (
    "status",
    "acknowledged_at",
    "promised_due",
    "first_answered_at",
    "last_answered_at",
    "next_answer_due",
    "due",
)
_SETTLE = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in ("state", "reason", "receipt", "settled_at")})
)
_CLAIM = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("row_id"))
    .values(
        state="sending",
        attempts=OUTBOX.c.attempts + 1,
        claimed_at=bindparam("at", type_=OUTBOX.c.claimed_at.type),
    )
)
_BOOK = (
    update(MESSAGES)
    .where(MESSAGES.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in ("acknowledgement", "acknowledgement_reason")})
)
_CASES = update(CASES).where(CASES.c.id == bindparam("row_id")).values({name: bindparam(name) for name in _TOUCHED})
LEDGER_STATE = {"approve": "pending", "sending": "pending", "uncertain": "pending"}

_NAMES = (
    "external_id",
    "revision",
    "thread",
    "author_id",
    "author_name",
    "author_handle",
    "text",
    "sent_at",
    "url",
    "private",
    "own",
    "deleted",
    "body",
)
_MESSAGE_COLUMNS = [MESSAGES.c[name].label(f"message_{name}") for name in _NAMES]


def recover(connection: Connection, account: str) -> set[int]:
    """What was being sent when the program died is uncertain from now on; which rows that are."""
    done = connection.execute(
        update(OUTBOX)
        .where(OUTBOX.c.account == account, OUTBOX.c.state == "sending", UNSETTLED)
        .values(state="uncertain")
        .returning(OUTBOX.c.id)
    )
    return set(done.scalars())


def claim(
    connection: Connection,
    account: str,
    now: datetime,
    limit: int,
    allowed: Callable[[Row], str | None],
    moment: Moment | None = None,
) -> tuple[list[Row], bool]:
    """Claim what is due, answers of people first, then by priority; settle at once what may not go out.

    Returns the claimed rows, now `sending`, and whether anything at all was found. `allowed` names the reason why the
    running configuration forbids a row, or None. `moment`, where given, is when each counts as claimed: as of then
    nothing newer is known. What may not go out, but in doubt may already have, is a person's to judge.
    """
    found = connection.execute(_DUE, {"account": account, "now": now, "limit": limit}).mappings().all()
    if not found:
        return [], False
    paused = settings.paused(connection).paused
    news = since_then(connection, account, found) if moment is None else {}
    claimed: list[Row] = []
    settled: list[Settlement] = []
    answering: set[int] = set()
    for row in found:
        if row["kind"] != "answer" and row["case_id"] in answering:
            continue  # a person speaks there now: looked at again once that is settled
        at = moment(row) if moment else now
        reason = obstacle(row, at, paused, news.get(row["id"]))
        if reason is None and row["kind"] != "answer":
            reason = allowed(row)
        if reason is None:
            claimed.append(row)
            if row["kind"] == "answer":
                answering.add(row["case_id"])
        else:
            settled.append(_withheld(row, at, reason))
    settle(connection, settled)
    if claimed:
        moments = [{"row_id": row["id"], "at": moment(row) if moment else now} for row in claimed]
        execute_rows(connection, _CLAIM, moments)
    return claimed, True


def uncertain(connection: Connection, account: str) -> list[Row]:
    """What may or may not have gone out, oldest first."""
    query = _sendable().where(OUTBOX.c.account == account, OUTBOX.c.state == "uncertain", UNSETTLED)
    return list(connection.execute(query.order_by(OUTBOX.c.id)).mappings())


def postpone(connection: Connection, row: Row, until: datetime, reason: str | None = None) -> None:
    """Nothing was posted, or a repeat is harmless: due again at `until`; without a reason the row keeps its own."""
    _change(connection, row, state="pending", due_at=until, **({"reason": reason} if reason else {}))


def give_back(connection: Connection, rows: Sequence[Row], until: datetime | None = None) -> None:
    """Claimed, but not even tried: as before the claim, though due no earlier than `until`."""
    values: dict[str, Any] = {"state": "pending", "attempts": OUTBOX.c.attempts - 1}
    if until is not None:
        values["due_at"] = until
    connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_([row["id"] for row in rows])).values(values))


def doubts(row: Row) -> int:
    """How often nobody could tell what became of a try."""
    count: int = row["envelope"].get("doubts", 0)
    return count


def doubt(connection: Connection, row: Row) -> Row:
    """It may or may not have been posted; returns the row as it is now."""
    envelope = {**row["envelope"], "doubts": doubts(row) + 1, "doubtful": True}
    _change(connection, row, state="uncertain", envelope=envelope)
    return {**row, "state": "uncertain", "envelope": envelope}


def disprove(connection: Connection, row: Row, until: datetime) -> None:
    """It was looked for and is not there: due again at `until`, and no longer in doubt."""
    _change(connection, row, state="pending", due_at=until, envelope={**row["envelope"], "doubtful": False})


def look_again(connection: Connection, row: Row, at: datetime) -> None:
    """It stays in doubt, and is looked for again at `at`."""
    _change(connection, row, due_at=at)


def _change(connection: Connection, row: Row, **values: Any) -> None:
    connection.execute(update(OUTBOX).where(OUTBOX.c.id == row["id"]).values(values))


def message_of_row(row: Row) -> Message:
    """The message that a row of the outbox answers."""
    return message_of({name: row[f"message_{name}"] for name in _NAMES})


@dataclass(frozen=True, slots=True)
class Settlement:
    """The last word on one row: its state, why, what the platform calls what it took, and what that cost."""

    row: Row
    state: str
    at: datetime
    reason: str | None = None
    receipt: str | None = None
    cost: int = 0


def settle(connection: Connection, settled: Sequence[Settlement]) -> None:
    """Write last words: outbox, ledger outcomes of the messages, cases, spending and events."""
    if not settled:
        return
    execute_rows(connection, _SETTLE, [_outbox_values(one) for one in settled])
    acknowledgements = [one for one in settled if one.row["kind"] == "acknowledgement"]
    if acknowledgements:
        execute_rows(connection, _BOOK, [_message_values(one) for one in acknowledgements])
    _change_cases(connection, [one for one in settled if one.state == "sent" and one.row["case_id"] is not None])
    for one in settled:
        if one.row["kind"] == "answer" and one.state in {"refused", "unknown"}:
            answer_came_back(connection, one.row["case_id"], one.at)
    for one in settled:
        spending.add(connection, one.row["account"], one.at, replies=one.cost)
    events.append(connection, [_event(one) for one in settled if one.row["kind"] != "mark"])


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


_DUE = (
    _sendable()
    .where(OUTBOX.c.account == bindparam("account"), OUTBOX.c.state == "pending", UNSETTLED)
    .where(OUTBOX.c.due_at <= bindparam("now", type_=OUTBOX.c.due_at.type), OUTBOX.c.kind.in_(ROUTES_OUT))
    .order_by(case((OUTBOX.c.kind == "answer", 0), else_=1), OUTBOX.c.priority, OUTBOX.c.id)
    .limit(bindparam("limit"))
)


def _withheld(row: Row, at: datetime, reason: str) -> Settlement:
    if row["kind"] == "mark":
        return Settlement(row, "suppressed", at, reason)
    if row["envelope"].get("doubtful"):
        return Settlement(row, "unknown", at, DOUBT)
    return Settlement(row, "refused" if row["kind"] == "answer" else "suppressed", at, reason)


def _outbox_values(one: Settlement) -> dict[str, Any]:
    return {
        "row_id": one.row["id"],
        "state": one.state,
        "reason": one.reason,
        "receipt": one.receipt,
        "settled_at": one.at,
    }


def _message_values(one: Settlement) -> dict[str, Any]:
    state = LEDGER_STATE.get(one.state, one.state)
    return {"row_id": one.row["message_id"], "acknowledgement": state, "acknowledgement_reason": one.reason}


def _event(one: Settlement) -> dict[str, Any]:
    row = one.row
    return {
        "at": one.at,
        "kind": one.state,
        "actor": row["actor"],
        "channel": row["channel"],
        "case_id": row["case_id"],
        "message_id": row["message_id"],
        "data": {"what": row["kind"], "reason": one.reason, "outbox": str(row["id"])},
    }


def _change_cases(connection: Connection, sent: Sequence[Settlement]) -> None:
    """An answer that went out stops the clocks; an acknowledgement only binds what it promised."""
    wanted = {one.row["case_id"] for one in sent if one.row["kind"] != "mark"}
    if not wanted:
        return
    found = connection.execute(select(CASES).where(CASES.c.id.in_(wanted)).with_for_update()).mappings()
    before = {row["id"]: case_of(row) for row in found}
    after = dict(before)
    for one in sent:
        if one.row["case_id"] in after:
            after[one.row["case_id"]] = _after(after[one.row["case_id"]], one.row, one.at)
    changed = [_case_values(case) for id_, case in after.items() if case != before[id_]]
    if changed:
        execute_rows(connection, _CASES, changed)


def _after(case: Case, row: Row, now: datetime) -> Case:
    if row["kind"] == "answer":
        return answered(case, now)
    if row["kind"] != "acknowledgement":
        return case
    promised = row["envelope"].get("promised_due")
    return acknowledged(case, now, promised and datetime.fromisoformat(promised))


def _case_values(case: Case) -> dict[str, Any]:
    return {"row_id": case.id, **{name: getattr(case, name) for name in _TOUCHED}}
