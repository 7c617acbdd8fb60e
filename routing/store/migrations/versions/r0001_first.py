"""The tables of the first heedful."""

from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from routing.store.migrations import searching

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.BigInteger()
TEXT = sa.String()
LONG = sa.Text()
JSON = sa.JSON()
FLAG = sa.Boolean()
REAL = sa.Float()
COUNT = sa.Integer()
BYTES = sa.LargeBinary()


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


QUEUED = _where("status != 'resolved'")
UNSETTLED = _where("state in ('pending','sending','uncertain')")
DOUBTFUL = _where("state in ('approve','unknown')")
RESOLVED = _where("status = 'resolved'")
CLAIMED = _where("status = 'claimed'")
SNOOZED = _where("status != 'resolved' and snoozed_until is not null")
LATE = _where("status != 'resolved' and (escalated_at is null or escalated_at < due)")
RECEIVED = _where("receipt is not null")

_must = partial(sa.Column, nullable=False)
_may = partial(sa.Column, nullable=True)


def upgrade() -> None:
    _messages()
    _books()
    _cases()
    _outbox()
    _events()
    _people()
    searching.create(op.get_bind())


def downgrade() -> None:
    """There is nothing before the first."""


def _messages() -> None:
    op.create_table(
        "message",
        _must("id", ID, autoincrement=False),
        _must("account", TEXT),
        _must("channel", TEXT),
        _must("external_id", TEXT),
        _must("revision", TEXT),
        _must("thread", TEXT),
        _must("author_id", TEXT),
        _must("author_name", TEXT),
        _may("author_handle", TEXT),
        _must("text", LONG),
        _must("language", TEXT),
        _must("sent_at", TIME),
        _must("received_at", TIME),
        _must("hour", TIME),
        _must("private", FLAG),
        _must("own", FLAG),
        _must("deleted", FLAG),
        _may("url", TEXT),
        _must("body", JSON),
        _must("outcome", TEXT),
        _may("kept", TEXT),
        _must("acknowledgement", TEXT),
        _may("acknowledgement_reason", TEXT),
        _may("case_id", ID),
        _may("team", TEXT),
        _may("priority", TEXT),
        _may("compound", REAL),
        _may("negative", REAL),
        _may("urgent", REAL),
        _may("needs_answer", REAL),
        _may("label", TEXT),
        _may("kind", TEXT),
        _may("reading", JSON),
        _must("because", JSON),
        _must("file_version", TEXT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "external_id", "revision", name="message_identity"),
    )
    op.create_index("message_author", "message", ["account", "author_id", "received_at"])
    op.create_index("message_case", "message", ["case_id", "id"])
    op.create_index("message_hour", "message", ["hour", "channel"])


def _books() -> None:
    op.create_table(
        "tally",
        _must("channel", TEXT),
        _must("hour", TIME),
        _must("received", COUNT),
        _must("duplicates", COUNT),
        sa.PrimaryKeyConstraint("channel", "hour"),
    )
    op.create_table(
        "cursor",
        _must("channel", TEXT),
        _must("account", TEXT),
        _must("cursor", TEXT),
        _must("moved_at", TIME),
        sa.PrimaryKeyConstraint("channel"),
    )
    op.create_table(
        "quarantine",
        _must("id", ID, autoincrement=False),
        _must("account", TEXT),
        _must("channel", TEXT),
        _must("sha256", TEXT),
        _must("reason", TEXT),
        _may("sealed", BYTES),
        _must("received_at", TIME),
        _must("hour", TIME),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "sha256", name="quarantine_identity"),
    )
    op.create_table(
        "gap",
        _must("id", ID, autoincrement=False),
        _must("channel", TEXT),
        _may("since", TIME),
        _must("until", TIME),
        _must("reason", TEXT),
        _may("count", COUNT),
        sa.PrimaryKeyConstraint("id"),
    )


def _cases() -> None:
    op.create_table(
        "support_case",
        _must("id", ID, autoincrement=False),
        _must("ref", TEXT),
        _must("account", TEXT),
        _must("channel", TEXT),
        _must("thread", TEXT),
        _must("author_id", TEXT),
        _must("author_name", TEXT),
        _may("author_handle", TEXT),
        _must("private", FLAG),
        _must("status", TEXT),
        _must("priority", TEXT),
        _must("team", TEXT),
        _must("style", TEXT),
        _may("assignee", TEXT),
        _may("lease_until", TIME),
        _may("snoozed_until", TIME),
        _must("text", LONG),
        _must("language", TEXT),
        _may("label", TEXT),
        _must("because", JSON),
        _must("opened_at", TIME),
        _must("last_message_id", ID),
        _must("last_customer_at", TIME),
        _may("acknowledged_at", TIME),
        _may("first_answered_at", TIME),
        _may("last_answered_at", TIME),
        _may("first_answer_due", TIME),
        _may("next_answer_due", TIME),
        _may("resolution_due", TIME),
        _may("promised_due", TIME),
        _may("due", TIME),
        _may("escalated_at", TIME),
        _must("bot_silent", FLAG),
        _may("resolved_at", TIME),
        _may("resolution", TEXT),
        _may("resolved_by", TEXT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
    )
    op.create_index("case_key", "support_case", ["account", "thread", "author_id", "resolved_at"])
    op.create_index("case_open_key", "support_case", ["account", "thread", "author_id"], unique=True, **QUEUED)
    op.create_index("case_queue", "support_case", ["priority", "due", "id", "status", "team", "assignee"], **QUEUED)
    op.create_index("case_resolved", "support_case", ["priority", "due"], **RESOLVED)
    op.create_index("case_lease", "support_case", ["status", "lease_until"], **CLAIMED)
    op.create_index("case_snoozed", "support_case", ["snoozed_until"], **SNOOZED)
    op.create_index("case_late", "support_case", ["due"], **LATE)


def _outbox() -> None:
    op.create_table(
        "outbox",
        _must("id", ID, autoincrement=False),
        _must("key", TEXT),
        _must("kind", TEXT),
        _must("account", TEXT),
        _must("target", TEXT),
        _must("channel", TEXT),
        _must("thread", TEXT),
        _must("author_id", TEXT),
        _may("case_id", ID),
        _may("message_id", ID),
        _must("priority", TEXT),
        _may("style", TEXT),
        _may("locale", TEXT),
        _may("wording", COUNT),
        _must("text", LONG),
        _must("envelope", JSON),
        _must("state", TEXT),
        _may("reason", TEXT),
        _must("attempts", COUNT),
        _must("created_at", TIME),
        _must("due_at", TIME),
        _may("stale_at", TIME),
        _may("claimed_at", TIME),
        _may("settled_at", TIME),
        _may("receipt", TEXT),
        _may("actor", TEXT),
        _may("seen_message_id", ID),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("outbox_case", "outbox", ["case_id"])
    op.create_index("outbox_created", "outbox", ["created_at", "kind"])
    op.create_index("outbox_message", "outbox", ["message_id"])
    op.create_index("outbox_receipt", "outbox", ["account", "receipt"], **RECEIVED)
    op.create_index("outbox_doubt", "outbox", ["state", "account", "created_at"], **DOUBTFUL)
    op.create_index("outbox_due", "outbox", ["account", "state", "due_at"], **UNSETTLED)
    op.create_index("outbox_person", "outbox", ["account", "author_id", "created_at"])


def _events() -> None:
    op.create_table(
        "event",
        _must("seq", ID),
        _must("at", TIME),
        _must("kind", TEXT),
        _may("actor", TEXT),
        _may("channel", TEXT),
        _may("team", TEXT),
        _may("case_id", ID),
        _may("message_id", ID),
        _must("data", JSON),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("event_case", "event", ["case_id", "seq"])


def _people() -> None:
    op.create_table(
        "staff",
        _must("name", TEXT),
        _must("role", TEXT),
        _must("teams", JSON),
        _must("password", TEXT),
        _must("created_at", TIME),
        _may("disabled_at", TIME),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "session",
        _must("id", TEXT),
        _must("staff", TEXT),
        _must("csrf", TEXT),
        _must("created_at", TIME),
        _must("seen_at", TIME),
        _must("expires_at", TIME),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_session_staff", "session", ["staff"])
    op.create_table(
        "setting",
        _must("name", TEXT),
        _must("value", JSON),
        sa.PrimaryKeyConstraint("name"),
    )
