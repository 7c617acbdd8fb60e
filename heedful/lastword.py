"""The last word before a text leaves: what has happened since it was intended.

Asked inside the transaction of the claim, so that nothing can come in between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select

from responders.guard import NEVER_ALONE
from routing.cases import COUNT_AS_ANSWERED
from routing.handling import newest_of_others
from routing.store.rows import CASE, MESSAGE

__all__ = ["Row", "obstacle", "since_then"]

Row = Mapping[str, Any] | RowMapping
GONE_OUT = ("sending", "uncertain", "sent", "unknown")
_SAME = select(MESSAGE.c.external_id, MESSAGE.c.id, MESSAGE.c.deleted, MESSAGE.c.reading).where(
    MESSAGE.c.account == bindparam("account"), MESSAGE.c.external_id.in_(bindparam("ids", expanding=True))
)
_LATER = select(MESSAGE.c.case_id, MESSAGE.c.id, MESSAGE.c.reading).where(
    MESSAGE.c.case_id.in_(bindparam("cases", expanding=True)), MESSAGE.c.id > bindparam("after")
)
_CLOSED = select(CASE.c.resolved_by, CASE.c.resolution).where(CASE.c.id == bindparam("id"))


def obstacle(row: Row, now: datetime, paused: bool, news: str | None) -> str | None:
    """Why this may not go out as of `now`; `news` is what `since_then` found."""
    if row["kind"] == "answer":
        seen = row["seen_message_id"]
        wrote = bool(seen and row["last_message_id"] and seen < row["last_message_id"])
        return "customer wrote again" if wrote else news
    checks: Sequence[tuple[bool, str]] = (
        (bool(row["message_deleted"]), "deleted"),
        (news is not None, news or ""),
        (bool(row["bot_silent"]), "silenced"),
        (row["case_status"] == "resolved", "answered"),
        (bool(row["last_answered_at"] and row["last_answered_at"] >= row["created_at"]), "answered"),
        (paused, "paused"),
        (bool(row["stale_at"] and row["stale_at"] <= now), "stale"),
    )
    return next((reason for holds, reason in checks if holds), None)


def since_then(connection: Connection, account: str, rows: Sequence[Row]) -> dict[int, str]:
    """By the id of the text: its message was deleted, harm came to light, or a colleague answered."""
    automatic = [row for row in rows if row["kind"] != "answer" and row["message_external_id"] is not None]
    found = _heard(connection, account, automatic) if automatic else {}
    for row in rows:
        if row["kind"] == "answer" and _overtaken(connection, row):
            found[row["id"]] = "a colleague answered"
    return found


def _heard(connection: Connection, account: str, rows: Sequence[Row]) -> dict[int, str]:
    """What a person saw before approving a text is no news."""
    deleted: set[str] = set()
    harmful: defaultdict[str | int, int] = defaultdict(int)
    ids = list({row["message_external_id"] for row in rows})
    for external_id, id_, gone, reading in connection.execute(_SAME, {"account": account, "ids": ids}):
        if gone:
            deleted.add(external_id)
        if _harms(reading):
            harmful[external_id] = max(harmful[external_id], id_)
    cases = list({row["case_id"] for row in rows if row["case_id"] is not None})
    after = min(row["message_id"] for row in rows)
    for case_id, id_, reading in connection.execute(_LATER, {"cases": cases, "after": after}) if cases else ():
        if _harms(reading):
            harmful[case_id] = max(harmful[case_id], id_)
    found: dict[int, str] = {}
    for row in rows:
        if row["message_external_id"] in deleted:
            found[row["id"]] = "deleted"
        elif max(harmful[row["message_external_id"]], harmful[row["case_id"]]) > _seen(row):
            found[row["id"]] = "harm"
    return found


def _seen(row: Row) -> int:
    seen: int = max(row["message_id"], row["seen_message_id"] or 0)
    return seen


def _harms(reading: Mapping[str, Any] | None) -> bool:
    return reading is not None and not NEVER_ALONE.isdisjoint(reading.get("harm") or ())


def _overtaken(connection: Connection, row: Row) -> bool:
    """Whether somebody else answered what the author of this answer had not seen answered."""
    if row["case_id"] is None:
        return False
    other = newest_of_others(connection, row["case_id"], row["actor"], GONE_OUT)
    if other is not None and other > row["envelope"].get("seen", row["id"]):
        return True
    closed = connection.execute(_CLOSED, {"id": row["case_id"]}).first()
    return closed is not None and closed.resolution in COUNT_AS_ANSWERED and closed.resolved_by != row["actor"]
