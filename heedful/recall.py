"""What the transaction asks of the database before it decides: one question each for a whole batch.

Everything is read inside the write transaction, so what is decided cannot be overtaken.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select, text, union_all

from config.schema import Cap, Caps
from routing.store import settings
from routing.store.literal import DOUBTFUL, QUEUED, UNSETTLED
from routing.store.rows import CASE, CURSOR, MESSAGE, OUTBOX

__all__ = [
    "REOPEN_WITHIN",
    "Key",
    "Known",
    "Overall",
    "Sent",
    "Traffic",
    "cases",
    "cases_of_threads",
    "cursor",
    "known",
    "memory",
    "our_posts",
    "repeats",
    "traffic",
]

Key = tuple[str, str]
"""A case's key within the account: thread and author id."""
REOPEN_WITHIN = timedelta(days=7)
WENT_OUT = ("pending", "approve", "sending", "uncertain", "sent", "unknown")


@dataclass(frozen=True, slots=True)
class Known:
    """One stored revision of an external id."""

    id: int
    revision: str
    text: str
    deleted: bool
    case_id: int | None
    author_id: str


@dataclass(frozen=True, slots=True)
class Sent:
    """An automatic text that this person got or will get."""

    thread: str
    at: datetime
    style: str | None
    locale: str | None
    wording: int | None
    message_id: int | None


@dataclass(slots=True)
class Overall:
    """When automatic texts went out, on any channel: shared by all of a transaction, read once somebody asks.

    `since` is when the first item of the transaction is decided.
    """

    since: datetime
    times: list[datetime] | None = None


@dataclass(slots=True)
class Traffic:
    """What the caps count; grows while the batch is decided. Of each window the newest that a cap can count."""

    paused: bool
    by_person: dict[str, list[Sent]] = field(default_factory=dict)
    channel: list[datetime] = field(default_factory=list)
    overall: list[datetime] = field(default_factory=list)


_KNOWN = (
    select(
        MESSAGE.c.external_id,
        MESSAGE.c.id,
        MESSAGE.c.revision,
        MESSAGE.c.text,
        MESSAGE.c.deleted,
        MESSAGE.c.case_id,
        MESSAGE.c.author_id,
    )
    .where(MESSAGE.c.account == bindparam("account"), MESSAGE.c.external_id.in_(bindparam("ids", expanding=True)))
    .order_by(MESSAGE.c.revision)
)
_THREADS = (
    select(CASE)
    .where(CASE.c.account == bindparam("account"), CASE.c.thread.in_(bindparam("threads", expanding=True)))
    .where(QUEUED)
    .order_by(CASE.c.id)
    .with_for_update()
)
_REPEATS = (
    select(MESSAGE.c.author_id, MESSAGE.c.received_at)
    .where(MESSAGE.c.account == bindparam("account"), MESSAGE.c.author_id.in_(bindparam("authors", expanding=True)))
    .where(MESSAGE.c.received_at > bindparam("since", type_=MESSAGE.c.received_at.type))
    .where(MESSAGE.c.revision == "", or_(MESSAGE.c.kept.is_(None), MESSAGE.c.kept.in_(("calm", "muted"))))
)
_SENT = (
    select(
        OUTBOX.c.author_id,
        OUTBOX.c.thread,
        OUTBOX.c.created_at,
        OUTBOX.c.style,
        OUTBOX.c.locale,
        OUTBOX.c.wording,
        OUTBOX.c.message_id,
    )
    .where(OUTBOX.c.account == bindparam("account"), OUTBOX.c.author_id.in_(bindparam("authors", expanding=True)))
    .where(OUTBOX.c.created_at > bindparam("since", type_=OUTBOX.c.created_at.type))
    .where(OUTBOX.c.kind == "acknowledgement", OUTBOX.c.state.in_(WENT_OUT))
    .order_by(OUTBOX.c.created_at)
)
_OVERALL = (
    select(OUTBOX.c.created_at)
    .where(OUTBOX.c.kind == "acknowledgement", OUTBOX.c.created_at > bindparam("since", type_=OUTBOX.c.created_at.type))
    .where(OUTBOX.c.state.in_(WENT_OUT))
    .order_by(OUTBOX.c.created_at.desc())
    .limit(bindparam("most"))
)
_CHANNEL = _OVERALL.where(OUTBOX.c.channel == bindparam("channel"))
_RECEIPTS = select(OUTBOX.c.receipt).where(
    OUTBOX.c.account == bindparam("account"),
    OUTBOX.c.receipt.in_(bindparam("ids", expanding=True)),
    OUTBOX.c.kind.in_(("acknowledgement", "answer")),
)
_OURS = select(OUTBOX.c.thread, OUTBOX.c.text).where(
    OUTBOX.c.account == bindparam("account"),
    OUTBOX.c.thread.in_(bindparam("threads", expanding=True)),
    OUTBOX.c.kind.in_(("acknowledgement", "answer")),
)
_LEAVING = union_all(
    _OURS.where(OUTBOX.c.state.in_(("sending", "uncertain")), UNSETTLED),
    _OURS.where(OUTBOX.c.state == "unknown", DOUBTFUL),
)


@lru_cache(maxsize=16)
def _cases(size: int) -> Select[Any]:
    """For `size` keys, each found by itself in the index: of a list of pairs SQLite would use none.

    The rows are locked: where another process writes too, nobody claims between reading and writing.
    """
    pairs = ", ".join(f"(:thread{place}, :author{place})" for place in range(size))
    key = "(support_case.thread, support_case.author_id)"
    wanted = text(f"{key} IN (SELECT * FROM (VALUES {pairs}) AS wanted)")  # noqa: S608  places only
    recent = CASE.c.resolved_at > bindparam("since", type_=CASE.c.resolved_at.type)
    question = select(CASE).where(CASE.c.account == bindparam("account"), wanted, or_(QUEUED, recent))
    return question.order_by(CASE.c.id).with_for_update()


def known(connection: Connection, account: str, ids: Collection[str]) -> dict[str, list[Known]]:
    """All stored revisions of these external ids, oldest first."""
    found: dict[str, list[Known]] = {}
    for external_id, *rest in connection.execute(_KNOWN, {"account": account, "ids": list(ids)}):
        found.setdefault(external_id, []).append(Known(*rest))
    return found


def cases(connection: Connection, account: str, keys: Collection[Key], now: datetime) -> list[dict[str, Any]]:
    """The open cases of these keys, and those resolved in the last seven days."""
    given = list(keys)
    size = 1 << (len(given) - 1).bit_length()  # few different sizes: each is compiled but once
    asked: dict[str, Any] = {"account": account, "since": now - REOPEN_WITHIN}
    for place in range(size):
        asked[f"thread{place}"], asked[f"author{place}"] = given[min(place, len(given) - 1)]
    return [dict(row) for row in connection.execute(_cases(size), asked).mappings()]


def cases_of_threads(connection: Connection, account: str, threads: Collection[str]) -> list[dict[str, Any]]:
    """All open cases of these threads, whoever wrote."""
    return [
        dict(row) for row in connection.execute(_THREADS, {"account": account, "threads": list(threads)}).mappings()
    ]


def repeats(
    connection: Connection, account: str, authors: Collection[str], since: datetime
) -> dict[str, list[datetime]]:
    """When each author wrote since then."""
    found: dict[str, list[datetime]] = {}
    for author, at in connection.execute(_REPEATS, {"account": account, "authors": list(authors), "since": since}):
        found.setdefault(author, []).append(at)
    return found


def memory(caps: Caps) -> timedelta:
    """How long it matters what a person got."""
    return max(caps.per_person.window, caps.per_thread.window)


def traffic(
    connection: Connection,
    account: str,
    channel: str,
    authors: Collection[str],
    caps: Caps,
    overall: Overall,
) -> Traffic:
    """What went out in the windows of the caps."""
    now = overall.since
    since = now - memory(caps)
    by_person: dict[str, list[Sent]] = {}
    for author, *rest in connection.execute(_SENT, {"account": account, "authors": list(authors), "since": since}):
        by_person.setdefault(author, []).append(Sent(*rest))
    if overall.times is None:
        overall.times = _times(connection, _OVERALL, caps.overall, now)
    here = _times(connection, _CHANNEL, caps.per_channel, now, channel=channel)
    return Traffic(settings.paused(connection).paused, by_person, here, overall.times)


def _times(connection: Connection, question: Any, cap: Cap, now: datetime, **more: str) -> list[datetime]:
    """Oldest first; of more than the cap only the newest can ever count."""
    given = {"since": now - cap.window, "most": cap.count, **more}
    return list(connection.execute(question, given).scalars())[::-1]


def our_posts(
    connection: Connection, account: str, ids: Sequence[str], threads: Sequence[str]
) -> tuple[set[str], set[tuple[str, str]]]:
    """Receipts among `ids`, and (thread, text) of what may be leaving right now: these our outbox sent."""
    receipts = connection.execute(_RECEIPTS, {"account": account, "ids": list(ids)}).scalars()
    leaving = connection.execute(_LEAVING, {"account": account, "threads": list(threads)})
    return set(receipts), {(thread, said) for thread, said in leaving}


def cursor(connection: Connection, channel: str) -> tuple[str | None, datetime | None]:
    """Where the channel resumes, and when it last was known to be there."""
    row = connection.execute(select(CURSOR.c.cursor, CURSOR.c.moved_at).where(CURSOR.c.channel == channel)).first()
    return (None, None) if row is None else (row.cursor or None, row.moved_at)
