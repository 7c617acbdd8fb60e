"""Small questions of the page that nobody else asks. Each runs inside the caller's snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from routing.shown import MessageItem
from routing.store import search
from routing.store.literal import QUEUED
from routing.store.rows import CASE, GAP, MESSAGE, OUTBOX, STAFF

__all__ = [
    "Gap",
    "acknowledged",
    "assignees",
    "gaps",
    "message_text",
    "stream",
    "team_of_text",
    "unclaimed_p1",
    "visible_cases",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Messages that no platform will give us any more."""

    channel: str
    since: datetime | None
    until: datetime
    reason: str


def acknowledged(connection: Connection, cases: Sequence[int]) -> dict[int, str]:
    """What became of the newest automatic text of each case, by case; a dry run is a preview."""
    question = (
        select(OUTBOX.c.case_id, OUTBOX.c.state, OUTBOX.c.reason)
        .where(OUTBOX.c.kind == "acknowledgement", OUTBOX.c.case_id.in_(cases))
        .order_by(OUTBOX.c.id)
    )
    return {
        case: "preview" if state == "suppressed" and reason == "dry_run" else state
        for case, state, reason in connection.execute(question)
    }


def assignees(connection: Connection) -> list[str]:
    """Whom a case may be handed to: everybody with an account, and who holds a case now."""
    members = connection.execute(select(STAFF.c.name).where(STAFF.c.disabled_at.is_(None))).scalars()
    holding = select(CASE.c.assignee).where(CASE.c.assignee.is_not(None), QUEUED).distinct()
    return sorted({*members, *connection.execute(holding).scalars()})


def gaps(connection: Connection, limit: int = 50) -> list[Gap]:
    rows = connection.execute(select(GAP).order_by(GAP.c.until.desc()).limit(limit)).mappings()
    return [Gap(channel=row["channel"], since=row["since"], until=row["until"], reason=row["reason"]) for row in rows]


def message_text(connection: Connection, message_id: int) -> tuple[str, str | None] | None:
    """A message's text and the team whose case it belongs to."""
    joined = MESSAGE.outerjoin(CASE, CASE.c.id == MESSAGE.c.case_id)
    question = select(MESSAGE.c.text, func.coalesce(CASE.c.team, MESSAGE.c.team)).select_from(joined)
    row = connection.execute(question.where(MESSAGE.c.id == message_id)).first()
    return None if row is None else (row[0], row[1])


def team_of_text(connection: Connection, text_id: int) -> str | None:
    """The team of the case that a text of ours belongs to; None where it belongs to none."""
    question = (
        select(CASE.c.team).select_from(OUTBOX.join(CASE, CASE.c.id == OUTBOX.c.case_id)).where(OUTBOX.c.id == text_id)
    )
    return connection.execute(question).scalar_one_or_none()


def visible_cases(connection: Connection, ids: Sequence[int], teams: Sequence[str] | None) -> list[int]:
    """Which of these cases a person of these teams may see, in the order asked."""
    question = select(CASE.c.id).where(CASE.c.id.in_(ids))
    seen = set(connection.execute(question if teams is None else question.where(CASE.c.team.in_(teams))).scalars())
    return [case_id for case_id in ids if case_id in seen]


def unclaimed_p1(connection: Connection, teams: Sequence[str] | None) -> int:
    """How many of the most urgent cases nobody has taken."""
    question = select(func.count()).where(CASE.c.priority == "P1", QUEUED, CASE.c.assignee.is_(None))
    return int(connection.execute(question if teams is None else question.where(CASE.c.team.in_(teams))).scalar_one())


def stream(
    connection: Connection, q: str, outcome: str | None, limit: int, teams: Sequence[str] | None
) -> list[MessageItem]:
    """The newest messages, kept ones too; `q` searches them, `outcome` is routed or kept."""
    question = select(*(MESSAGE.c[field.name] for field in fields(MessageItem)))
    if q:
        matching = search.matching(connection, q)
        if matching is None:
            return []
        question = question.where(MESSAGE.c.id.in_(matching))
    if outcome:
        question = question.where(MESSAGE.c.outcome == outcome)
    if teams is not None:
        question = question.where(or_(MESSAGE.c.team.in_(teams), MESSAGE.c.team.is_(None)))
    rows = connection.execute(question.order_by(MESSAGE.c.id.desc()).limit(limit)).mappings()
    return [MessageItem(**row) for row in rows]
