"""The tables. SQLModel gives schema, administration and reads; the hot path writes with Core.

Ids are made by `routing.store.ids.new_id`: 63-bit, growing with time, so that a row may name another
before either is inserted. `event.seq` alone is numbered by the database, last in its transaction.
Texts that a customer wrote are masked before they come here.
"""

# pyright: reportIncompatibleVariableOverride=false
# SQLModel declares __tablename__ as a descriptor; a plain text is what it documents.

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

__all__ = [
    "CaseRow",
    "CursorRow",
    "EventRow",
    "GapRow",
    "Instant",
    "MarkRow",
    "MessageRow",
    "OutboxRow",
    "QuarantineRow",
    "SessionRow",
    "SettingRow",
    "SpendingRow",
    "StaffRow",
    "TallyRow",
]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
Identity = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware UTC time kept as microseconds since 1970: sorts, compares and indexes alike anywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:  # noqa: ARG002
        return _microseconds(value)

    def bind_processor(self, dialect: Any) -> Any:  # noqa: ARG002
        """Without the layers that a TypeDecorator otherwise has: every stored row passes here several times."""
        return _microseconds

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return None if value is None else EPOCH + timedelta(microseconds=value)


def _microseconds(value: datetime | None) -> int | None:
    return None if value is None else (value - EPOCH) // _MICROSECOND


def _where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class MessageRow(SQLModel, table=True):
    """One stored item: an original, an edit, a delete notice, or a post of our own. The ledger counts these.

    `outcome` is `routed` or `kept` (then `kept` says why: own, bot, deleted, edit, calm, muted).
    `acknowledgement` is sent, suppressed, refused, unknown or pending; `acknowledgement_reason` says why.
    `body` holds what Message has beyond the columns (parts, in_reply_to, …); `reading` the whole reading.
    """

    __tablename__: ClassVar[str] = "message"
    __table_args__ = (
        UniqueConstraint("account", "external_id", "revision", name="message_identity"),
        Index("message_author", "account", "author_id", "received_at"),
        Index("message_case", "case_id", "id"),
        Index("message_hour", "hour", "channel"),
    )

    id: int = Field(primary_key=True, sa_type=Identity, sa_column_kwargs={"autoincrement": False})
    account: str
    channel: str
    external_id: str
    revision: str = ""
    thread: str
    author_id: str
    author_name: str
    author_handle: str | None = None
    text: str = Field(sa_type=Text)
    language: str = "und"
    sent_at: datetime = Field(sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)
    hour: datetime = Field(sa_type=Instant)
    private: bool = False
    own: bool = False
    deleted: bool = False
    url: str | None = None
    body: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    outcome: str
    kept: str | None = None
    acknowledgement: str
    acknowledgement_reason: str | None = None
    case_id: int | None = Field(default=None, sa_type=Identity)
    team: str | None = None
    priority: str | None = None
    compound: float | None = None
    negative: float | None = None
    urgent: float | None = None
    needs_answer: float | None = None
    label: str | None = None
    kind: str | None = None
    reading: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    because: list[Any] = Field(default_factory=list, sa_type=JSON)
    file_version: str = ""


class TallyRow(SQLModel, table=True):
    """What the listeners received, by channel and hour of receipt (UTC), counted with each page."""

    __tablename__: ClassVar[str] = "tally"

    channel: str = Field(primary_key=True)
    hour: datetime = Field(primary_key=True, sa_type=Instant)
    received: int = 0
    duplicates: int = 0


class CursorRow(SQLModel, table=True):
    """Where a channel resumes; moved in the transaction that stores what it stands behind."""

    __tablename__: ClassVar[str] = "cursor"

    channel: str = Field(primary_key=True)
    account: str
    cursor: str
    moved_at: datetime = Field(sa_type=Instant)


class QuarantineRow(SQLModel, table=True):
    """An item that could not be read: its bytes, encrypted, gone after 30 days."""

    __tablename__: ClassVar[str] = "quarantine"
    __table_args__ = (UniqueConstraint("account", "sha256", name="quarantine_identity"),)

    id: int = Field(primary_key=True, sa_type=Identity, sa_column_kwargs={"autoincrement": False})
    account: str
    channel: str
    sha256: str
    reason: str
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    received_at: datetime = Field(sa_type=Instant)
    hour: datetime = Field(sa_type=Instant)


class GapRow(SQLModel, table=True):
    """Messages that no platform will give us any more."""

    __tablename__: ClassVar[str] = "gap"

    id: int = Field(primary_key=True, sa_type=Identity, sa_column_kwargs={"autoincrement": False})
    channel: str
    since: datetime | None = Field(default=None, sa_type=Instant)
    until: datetime = Field(sa_type=Instant)
    reason: str
    count: int | None = None


class CaseRow(SQLModel, table=True):
    """One customer in one thread. `status` is open, claimed, waiting or resolved.

    The first-answer clock and the acknowledgement are two facts that never mix. `promised_due` is what
    an acknowledgement told the customer; it never moves outwards. `escalate_at` is the earliest of all
    that still runs. `rank` orders the queue: priority digit, then due.
    """

    __tablename__: ClassVar[str] = "support_case"
    __table_args__ = (
        Index(
            "case_open_key",
            "account",
            "thread",
            "author_id",
            unique=True,
            **_where("status != 'resolved'"),
        ),
        Index("case_key", "account", "thread", "author_id", "resolved_at"),
        # What the page narrows the queue by lies in the index, so that rows which are not shown are not read.
        Index("case_queue", "priority", "due", "id", "status", "team", "assignee", **_where("status != 'resolved'")),
        Index("case_resolved", "priority", "due", **_where("status = 'resolved'")),
        Index("case_lease", "status", "lease_until", **_where("status = 'claimed'")),
        Index("case_snoozed", "snoozed_until", **_where("status != 'resolved' and snoozed_until is not null")),
        Index(
            "case_late",
            "due",
            **_where("status != 'resolved' and (escalated_at is null or escalated_at < due)"),
        ),
    )

    id: int = Field(primary_key=True, sa_type=Identity, sa_column_kwargs={"autoincrement": False})
    ref: str = Field(unique=True)
    account: str
    channel: str
    thread: str
    author_id: str
    author_name: str
    author_handle: str | None = None
    private: bool = False
    status: str = "open"
    priority: str
    team: str
    style: str = "none"
    assignee: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=Instant)
    snoozed_until: datetime | None = Field(default=None, sa_type=Instant)
    text: str = Field(sa_type=Text)
    language: str = "und"
    label: str | None = None
    because: list[Any] = Field(default_factory=list, sa_type=JSON)
    opened_at: datetime = Field(sa_type=Instant)
    last_message_id: int = Field(sa_type=Identity)
    last_customer_at: datetime = Field(sa_type=Instant)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Instant)
    first_answered_at: datetime | None = Field(default=None, sa_type=Instant)
    last_answered_at: datetime | None = Field(default=None, sa_type=Instant)
    first_answer_due: datetime | None = Field(default=None, sa_type=Instant)
    next_answer_due: datetime | None = Field(default=None, sa_type=Instant)
    resolution_due: datetime | None = Field(default=None, sa_type=Instant)
    promised_due: datetime | None = Field(default=None, sa_type=Instant)
    due: datetime | None = Field(default=None, sa_type=Instant)
    escalated_at: datetime | None = Field(default=None, sa_type=Instant)
    bot_silent: bool = False
    resolved_at: datetime | None = Field(default=None, sa_type=Instant)
    resolution: str | None = None
    resolved_by: str | None = None


class OutboxRow(SQLModel, table=True):
    """What is due to go out, each thing once.

    `kind` is acknowledgement, answer, notify or mark; `state` pending, approve, sending, uncertain,
    sent, suppressed, refused or unknown. `text` is frozen when the intent is written. `target` is the
    channel or the notify target; `envelope` holds what the sender needs (the message replied to).
    """

    __tablename__: ClassVar[str] = "outbox"
    __table_args__ = (
        Index("outbox_due", "account", "state", "due_at", **_where("state in ('pending','sending','uncertain')")),
        Index("outbox_doubt", "state", "account", "created_at", **_where("state in ('approve','unknown')")),
        Index("outbox_person", "account", "author_id", "created_at"),
        # The time first: beside an index that begins with `kind` SQLite would look at no other.
        Index("outbox_created", "created_at", "kind"),
        Index("outbox_case", "case_id"),
        Index("outbox_message", "message_id"),
        Index("outbox_receipt", "account", "receipt", **_where("receipt is not null")),
    )

    id: int = Field(primary_key=True, sa_type=Identity, sa_column_kwargs={"autoincrement": False})
    key: str = Field(unique=True)
    kind: str
    account: str
    target: str
    channel: str
    thread: str
    author_id: str = ""
    case_id: int | None = Field(default=None, sa_type=Identity)
    message_id: int | None = Field(default=None, sa_type=Identity)
    priority: str = "P3"
    style: str | None = None
    locale: str | None = None
    wording: int | None = None
    text: str = Field(sa_type=Text)
    envelope: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    state: str = "pending"
    reason: str | None = None
    attempts: int = 0
    created_at: datetime = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)
    stale_at: datetime | None = Field(default=None, sa_type=Instant)
    claimed_at: datetime | None = Field(default=None, sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    receipt: str | None = None
    actor: str | None = None
    seen_message_id: int | None = Field(default=None, sa_type=Identity)


class MarkRow(SQLModel, table=True):
    """What a person of ours says about the reading of one message; again by the same person replaces it.

    `field` is negative, urgent or addressed, `value` the mark itself (`routing.marks`). `source` is mark, or
    resolution where a reason to resolve said it. `scorer` and the numbers are those of the reading at that time.
    """

    __tablename__: ClassVar[str] = "mark"
    __table_args__ = (Index("mark_at", "at"),)

    message_id: int = Field(primary_key=True, sa_type=Identity, sa_column_kwargs={"autoincrement": False})
    field: str = Field(primary_key=True)
    staff: str = Field(primary_key=True)
    value: str
    source: str = "mark"
    at: datetime = Field(sa_type=Instant)
    scorer: str = ""
    negative: float | None = None
    urgent: float | None = None
    label: str | None = None
    addressed: str | None = None


class SpendingRow(SQLModel, table=True):
    """What calls to a platform have cost, by account and UTC day, in millionths of a US dollar."""

    __tablename__: ClassVar[str] = "spending"

    account: str = Field(primary_key=True)
    day: datetime = Field(primary_key=True, sa_type=Instant)
    reading: int = Field(default=0, sa_type=BigInteger)
    replies: int = Field(default=0, sa_type=BigInteger)


class EventRow(SQLModel, table=True):
    """What happened, in order: the live feed and the case's timeline read this.

    `kind`: message, case_opened, case_changed, claimed, released, assigned, snoozed, note, answer_queued,
    sent, suppressed, refused, unknown, resolved, reopened, escalated, alarm, alarm_over, paused, resumed, preview,
    marked, unmarked.
    """

    __tablename__: ClassVar[str] = "event"
    __table_args__ = (Index("event_case", "case_id", "seq"), {"sqlite_autoincrement": True})

    seq: int | None = Field(default=None, primary_key=True, sa_type=Identity)
    at: datetime = Field(sa_type=Instant)
    kind: str
    actor: str | None = None
    channel: str | None = None
    team: str | None = None
    case_id: int | None = Field(default=None, sa_type=Identity)
    message_id: int | None = Field(default=None, sa_type=Identity)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class StaffRow(SQLModel, table=True):
    """A person of ours. `role` is agent, lead or admin; `password` an argon2 hash."""

    __tablename__: ClassVar[str] = "staff"

    name: str = Field(primary_key=True)
    role: str = "agent"
    teams: list[str] = Field(default_factory=list, sa_type=JSON)
    password: str
    created_at: datetime = Field(sa_type=Instant)
    disabled_at: datetime | None = Field(default=None, sa_type=Instant)


class SessionRow(SQLModel, table=True):
    """A signed-in browser. `id` is the SHA-256 of the cookie, so a stolen database signs nobody in."""

    __tablename__: ClassVar[str] = "session"

    id: str = Field(primary_key=True)
    staff: str = Field(index=True)
    csrf: str
    created_at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)


class SettingRow(SQLModel, table=True):
    """What the installation itself remembers: its id, whether automatic texts are paused, alarms."""

    __tablename__: ClassVar[str] = "setting"

    name: str = Field(primary_key=True)
    value: Any = Field(default=None, sa_type=JSON)
