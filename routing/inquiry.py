"""Reading the queue: what the page, the commands and the API show of cases and automatic texts."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from routing.shown import AckFilter, AckItem, CaseDetail, CaseFilter, CaseItem, Counts, MessageItem, OutboxItem
from routing.store import events, search
from routing.store.literal import DOUBTFUL, QUEUED, RESOLVED
from routing.store.rows import CASE, MESSAGE, OUTBOX

__all__ = ["acknowledgements", "cases", "counts", "detail", "find", "item", "messages", "outbox_item"]

_CASES = select(*(CASE.c[one.name] for one in fields(CaseItem)))
_MESSAGES = select(*(MESSAGE.c[one.name] for one in fields(MessageItem)))
_OUTBOX_COLUMNS = [OUTBOX.c[one.name] for one in fields(OutboxItem)]
_OUTBOX = select(*_OUTBOX_COLUMNS)


def cases(connection: Connection, asked: CaseFilter, now: datetime) -> list[CaseItem]:
    """List cases by priority, then by what is due first."""
    question = _CASES.where(*_conditions(connection, asked, now))
    question = question.order_by(CASE.c.priority, CASE.c.due, CASE.c.id).limit(asked.limit).offset(asked.offset)
    return [CaseItem(*row) for row in connection.execute(question)]


def _conditions(connection: Connection, asked: CaseFilter, now: datetime) -> list[ColumnElement[bool]]:
    found: list[Any] = []
    if "resolved" not in asked.status and "all" not in asked.status:
        found.append(QUEUED)
    if set(asked.status) == {"resolved"}:
        found.append(RESOLVED)
    if asked.status and "all" not in asked.status:
        found.append(CASE.c.status.in_(asked.status))
    named = {name: getattr(asked, name) for name in ("team", "priority", "channel", "label")}
    found.extend(CASE.c[name].in_(wanted) for name, wanted in named.items() if wanted)
    if asked.teams is not None:
        found.append(CASE.c.team.in_(asked.teams))
    if asked.language:
        found.append(or_(*(_speaks(language) for language in asked.language)))
    if asked.assignee is not None:
        found.append(CASE.c.assignee == asked.assignee if asked.assignee else CASE.c.assignee.is_(None))
    if asked.q:
        found.append(_mentions(connection, asked.q))
    found.extend(_by_time(asked, now))
    return found


def _by_time(asked: CaseFilter, now: datetime) -> list[ColumnElement[bool]]:
    found = []
    asleep = and_(CASE.c.snoozed_until.is_not(None), CASE.c.snoozed_until > now)
    late = and_(CASE.c.due.is_not(None), CASE.c.due <= now)
    if asked.snoozed is not None:
        found.append(asleep if asked.snoozed else ~asleep)
    if asked.overdue is not None:
        found.append(late if asked.overdue else ~late)
    return found


def _speaks(language: str) -> ColumnElement[bool]:
    return or_(CASE.c.language == language, CASE.c.language.startswith(f"{language}-", autoescape=True))


def _mentions(connection: Connection, q: str) -> ColumnElement[bool]:
    """All messages of a case are searched, not only the one that opened it."""
    name = q.strip()
    found = [CASE.c.ref == name.upper(), CASE.c.author_handle == name, CASE.c.author_handle == name.removeprefix("@")]
    matching = search.matching(connection, q)
    if matching is not None:
        found.append(CASE.c.id.in_(select(MESSAGE.c.case_id).where(MESSAGE.c.id.in_(matching))))
    return or_(*found)


def find(connection: Connection, name: str) -> int | None:
    """The id of a case by its id or its reference."""
    number = name.isascii() and name.isdigit() and len(name) < 20 and int(name) < 2**63
    wanted = CASE.c.id == int(name) if number else CASE.c.ref == name.upper()
    return connection.execute(select(CASE.c.id).where(wanted)).scalar_one_or_none()


def item(connection: Connection, case_id: int) -> CaseItem | None:
    row = connection.execute(_CASES.where(CASE.c.id == case_id)).first()
    return None if row is None else CaseItem(*row)


def detail(connection: Connection, case_id: int) -> CaseDetail | None:
    """A case with its messages (all revisions), our texts and its events."""
    case = item(connection, case_id)
    if case is None:
        return None
    said = _MESSAGES.where(MESSAGE.c.case_id == case_id).order_by(MESSAGE.c.sent_at, MESSAGE.c.id)
    ours = _OUTBOX.where(OUTBOX.c.case_id == case_id).order_by(OUTBOX.c.created_at, OUTBOX.c.id)
    return CaseDetail(
        case=case,
        messages=tuple(MessageItem(*row) for row in connection.execute(said)),
        outbox=tuple(OutboxItem(*row) for row in connection.execute(ours)),
        events=tuple(events.of_case(connection, case_id)),
    )


def outbox_item(connection: Connection, outbox_id: int) -> OutboxItem | None:
    row = connection.execute(_OUTBOX.where(OUTBOX.c.id == outbox_id)).first()
    return None if row is None else OutboxItem(*row)


def messages(
    connection: Connection, q: str | None, limit: int = 50, teams: tuple[str, ...] | None = None
) -> list[MessageItem]:
    """The newest messages, routed or kept, that hold all words of `q`; all without it."""
    question = _MESSAGES
    if q:
        matching = search.matching(connection, q)
        if matching is None:
            return []
        question = question.where(MESSAGE.c.id.in_(matching))
    if teams is not None:
        question = question.where(or_(MESSAGE.c.team.in_(teams), MESSAGE.c.team.is_(None)))
    rows = connection.execute(question.order_by(MESSAGE.c.id.desc()).limit(limit))
    return [MessageItem(*row) for row in rows]


def counts(connection: Connection, now: datetime, teams: tuple[str, ...] | None = None) -> Counts:
    """How many wait, by status, by priority and by team."""
    late = and_(CASE.c.due.is_not(None), CASE.c.due <= now)
    keys = (CASE.c.status, CASE.c.priority, CASE.c.team)
    question = select(*keys, func.count(), func.count().filter(late)).where(QUEUED).group_by(*keys)
    if teams is not None:
        question = question.where(CASE.c.team.in_(teams))
    found: tuple[dict[str, int], ...] = ({}, {}, {})
    overdue = 0
    for *names, number, of_these_late in connection.execute(question):
        overdue += of_these_late
        for by, name in zip(found, names, strict=True):
            by[name] = by.get(name, 0) + number
    waiting = _in_states(connection, teams)
    return Counts(
        by_status=found[0],
        by_priority=dict(sorted(found[1].items())),
        by_team=dict(sorted(found[2].items())),
        overdue=overdue,
        doubtful=waiting.get("unknown", 0),
        to_approve=waiting.get("approve", 0),
    )


def _in_states(connection: Connection, teams: tuple[str, ...] | None) -> dict[str, int]:
    """How many of our texts wait for a person's word, by state."""
    question = _ours(AckFilter(teams=teams), ("acknowledgement", "answer"), OUTBOX.c.state, func.count())
    rows = connection.execute(question.where(DOUBTFUL).group_by(OUTBOX.c.state))
    return {row[0]: row[1] for row in rows}


def acknowledgements(connection: Connection, asked: AckFilter) -> list[AckItem]:
    """Automatic texts, newest first: those sent, those waiting, and those that were only previewed."""
    more = [
        CASE.c.ref, MESSAGE.c.author_name, MESSAGE.c.text.label("message_text"), MESSAGE.c.language.label("language"),
    ]  # fmt: skip
    question = _ours(asked, ("acknowledgement",), *_OUTBOX_COLUMNS, *more)
    rows = connection.execute(question.order_by(OUTBOX.c.created_at.desc(), OUTBOX.c.id.desc()).limit(asked.limit))
    return [AckItem(*row) for row in rows]


def _ours(asked: AckFilter, kinds: tuple[str, ...], *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    joined = OUTBOX.outerjoin(CASE, CASE.c.id == OUTBOX.c.case_id)
    joined = joined.outerjoin(MESSAGE, MESSAGE.c.id == OUTBOX.c.message_id)
    question = select(*columns).select_from(joined).where(OUTBOX.c.kind.in_(kinds))
    if asked.state in {"approve", "unknown"}:
        question = question.where(DOUBTFUL)
    if asked.state == "preview":
        question = question.where(OUTBOX.c.state == "suppressed", OUTBOX.c.reason == "dry_run")
    elif asked.state:
        question = question.where(OUTBOX.c.state == asked.state)
    if asked.channel:
        question = question.where(OUTBOX.c.channel.in_(asked.channel))
    if asked.teams is not None:
        question = question.where(or_(CASE.c.team.in_(asked.teams), CASE.c.id.is_(None)))
    return question
