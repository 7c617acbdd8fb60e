"""Messages to rows and back: what a reply needs must be rebuilt from the stored row alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from connectors.api import Author, Message, Part
from heedful.preparation import Prepared
from heedful.source import Source
from routing.decide import Because
from sentiment.api import Reading

__all__ = ["because_json", "body_of", "message_of", "message_row", "reading_columns", "start_of_hour"]

_UNREAD: dict[str, Any] = dict.fromkeys(("compound", "negative", "urgent", "needs_answer", "label", "kind", "reading"))


def start_of_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def body_of(message: Message) -> dict[str, Any]:
    """What a Message holds beyond the columns; keys that say nothing are left out."""
    author = message.author
    body: dict[str, Any] = {}
    if author.followers is not None:
        body["followers"] = author.followers
    if message.in_reply_to is not None:
        body["in_reply_to"] = message.in_reply_to
    if message.language is not None:
        body["language"] = message.language
    if message.mentions_us is not None:
        body["mentions_us"] = message.mentions_us
    if message.repost:
        body["repost"] = True
    if message.automated:
        body["automated"] = True
    if author.bot:
        body["bot"] = True
    if message.parts:
        body["parts"] = [{k: v for k, v in asdict(part).items() if v is not None} for part in message.parts]
    return body


def message_of(row: Mapping[str, Any]) -> Message:
    """The message that a row (or an envelope with the same keys) was made of, masked text and all."""
    body = row["body"]
    return Message(
        id=row["external_id"],
        revision=row["revision"],
        author=Author(
            id=row["author_id"],
            name=row["author_name"],
            handle=row["author_handle"],
            followers=body.get("followers"),
            bot=body.get("bot", False),
        ),
        text=row["text"],
        sent_at=row["sent_at"],
        thread=row["thread"],
        url=row["url"],
        private=row["private"],
        mentions_us=body.get("mentions_us"),
        in_reply_to=body.get("in_reply_to"),
        language=body.get("language"),
        parts=tuple(Part(**part) for part in body.get("parts", ())),
        deleted=row["deleted"],
        own=row["own"],
        repost=body.get("repost", False),
        automated=body.get("automated", False),
    )


def because_json(one: Because) -> dict[str, Any]:
    return {"rule": one.rule, "detail": one.detail, "spans": [list(span) for span in one.spans]}


def message_row(
    prepared: Prepared, source: Source, row_id: int, revision: str, hour: datetime, version: str
) -> dict[str, Any]:
    """All columns; those that are decided are blank, and `outcome` and its like are the transaction's to fill."""
    message, author, reading = prepared.message, prepared.message.author, prepared.reading
    return {
        "id": row_id,
        "account": source.account,
        "channel": source.name,
        "external_id": message.id,
        "revision": revision,
        "thread": message.thread,
        "author_id": author.id,
        "author_name": author.name,
        "author_handle": author.handle,
        "text": message.text,
        "language": reading.language if reading else (message.language or "und"),
        "sent_at": message.sent_at,
        "received_at": prepared.at,
        "hour": hour,
        "private": message.private,
        "own": prepared.own,
        "deleted": message.deleted,
        "url": message.url,
        "body": body_of(message),
        "outcome": "",
        "kept": None,
        "acknowledgement": "",
        "acknowledgement_reason": None,
        "case_id": None,
        "team": None,
        "priority": None,
        "because": [],
        "file_version": version,
        **reading_columns(reading),
    }


def reading_columns(reading: Reading | None) -> dict[str, Any]:
    """What a row holds of a reading."""
    if reading is None:
        return _UNREAD
    return {
        "compound": reading.compound,
        "negative": reading.negative,
        "urgent": reading.urgent,
        "needs_answer": reading.needs_answer,
        "label": reading.label,
        "kind": reading.kind,
        "reading": {
            "harm": reading.harm,
            "addressed": reading.addressed,
            "scorer": reading.scorer,
            "asks_person": reading.asks_person,
            "ironic": reading.ironic,
            "why": [(weight.start, weight.end, weight.reason) for weight in reading.why],
        },
    }
