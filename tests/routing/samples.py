"""Rows for tests: each function gives one that is whole, changed as the test says."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, insert

from config.schema import Care
from routing.store.rows import CASE, MESSAGE, OUTBOX, TALLY, upsert
from tests.databases import START

__all__ = ["CARE", "add", "book", "case", "message", "outbox"]

_numbers = count(1)

CARE = Care.model_validate(
    {
        "version": 1,
        "brand": {"name": "Acme Air"},
        "route": {"team": "care", "priority": "P3"},
        "teams": {"care": {}, "payments": {}},
    }
)


def hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def message(**changes: Any) -> dict[str, Any]:
    """A calm message, kept."""
    number = changes.pop("id", next(_numbers))
    at = changes.pop("received_at", START)
    row: dict[str, Any] = {
        "id": number, "account": "telegram:1", "channel": "chat", "external_id": f"m{number}", "revision": "",
        "thread": "t", "author_id": "a", "author_name": "Ann", "author_handle": None, "text": "hello", "language": "en",
        "sent_at": at, "received_at": at, "hour": hour(at), "private": False, "own": False, "deleted": False,
        "url": None, "body": {}, "outcome": "kept", "kept": "calm", "acknowledgement": "suppressed",
        "acknowledgement_reason": "kept", "case_id": None, "team": None, "priority": None, "compound": 0.0,
        "negative": 0.1, "urgent": 0.1, "needs_answer": 0.1, "label": "neutral", "kind": "chatter", "reading": {},
        "because": [], "file_version": "v",
    }  # fmt: skip
    return {**row, **changes}


def case(**changes: Any) -> dict[str, Any]:
    """An open case with both clocks running."""
    number = changes.pop("id", next(_numbers))
    row: dict[str, Any] = {
        "id": number, "ref": f"R{number}", "account": "telegram:1", "channel": "chat", "thread": f"t{number}",
        "author_id": f"a{number}", "author_name": "Ann", "author_handle": None, "private": False, "status": "open",
        "priority": "P3", "team": "care", "style": "default", "assignee": None, "lease_until": None,
        "snoozed_until": None, "text": "where is my bag?", "language": "en", "label": "negative",
        "because": [{"rule": "negative"}], "opened_at": START, "last_message_id": number, "last_customer_at": START,
        "acknowledged_at": None, "first_answered_at": None, "last_answered_at": None,
        "first_answer_due": START + timedelta(hours=4), "next_answer_due": None,
        "resolution_due": START + timedelta(days=2), "promised_due": None, "due": START + timedelta(hours=4),
        "escalated_at": None, "bot_silent": False, "resolved_at": None, "resolution": None, "resolved_by": None,
    }  # fmt: skip
    return {**row, **changes}


def outbox(**changes: Any) -> dict[str, Any]:
    """An acknowledgement that was sent."""
    number = changes.pop("id", next(_numbers))
    row: dict[str, Any] = {
        "id": number, "key": f"k{number}", "kind": "acknowledgement", "account": "telegram:1", "target": "chat",
        "channel": "chat", "thread": "t", "author_id": "a", "case_id": None, "message_id": None, "priority": "P3",
        "style": "default", "locale": "en", "wording": 0, "text": "We have your message.", "envelope": {},
        "state": "sent", "reason": None, "attempts": 1, "created_at": START, "due_at": START, "stale_at": None,
        "claimed_at": START, "settled_at": START, "receipt": None, "actor": None, "seen_message_id": None,
    }  # fmt: skip
    return {**row, **changes}


def add(connection: Connection, *, messages: Any = (), cases: Any = (), texts: Any = ()) -> None:
    for table, rows in ((CASE, cases), (MESSAGE, messages), (OUTBOX, texts)):
        if rows:
            connection.execute(insert(table), list(rows))


def book(
    connection: Connection, received: int, duplicates: int = 0, channel: str = "chat", at: datetime = START
) -> None:
    """Count a page as a listener does."""
    tally = TALLY.c
    statement = upsert(
        connection,
        TALLY,
        lambda new: {"received": tally.received + new.received, "duplicates": tally.duplicates + new.duplicates},
    )
    row = {"channel": channel, "hour": hour(at), "received": received, "duplicates": duplicates}
    connection.execute(statement, row)
