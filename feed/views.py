"""Cases, messages and texts of the queue as the templates show them. Pure: words come from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from feed.catalogue import Catalogue
from feed.marks import Marks
from feed.staff import Person
from feed.status import stamp
from routing.shown import AckItem, CaseItem, MessageItem

__all__ = ["Drop", "Line", "Out", "drop", "earliest", "language_name", "line", "out", "safe_link", "spans_of"]

Spans = list[Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case in the queue."""

    id: str
    ref: str
    priority: str
    status: str
    label: str | None
    channel: str
    author: str
    private: bool
    text: str
    spans: Spans
    lang: str
    language: str
    team: str
    assignee: str | None
    mine: bool
    snoozed: bool
    ack: str
    due: datetime | None
    due_at: str
    due_kind: str
    opened_at: datetime
    opened_iso: str
    resolution: str | None
    stamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One message of the stream, kept or routed."""

    id: str
    at: datetime
    label: str | None
    author: str
    channel: str
    lang: str
    language: str
    text: str
    spans: Spans
    outcome: str
    kept: str | None
    case: str | None
    team: str
    priority: str | None
    ack: str
    ack_reason: str | None
    edited: bool
    deleted: bool
    own: bool
    marks: Marks | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """One automatic text, whatever became of it."""

    id: str
    state: str
    reason: str | None
    channel: str
    style: str | None
    language: str
    at: datetime
    case: str | None
    author: str
    customer: str | None
    text: str


def line(item: CaseItem, ack: str, person: Person, texts: Catalogue, now: datetime) -> Line:
    due_kind, due = earliest(item)
    return Line(
        id=str(item.id),
        ref=item.ref,
        priority=item.priority,
        status=item.status,
        label=item.label,
        channel=item.channel,
        author=item.author_name or item.author_handle or item.author_id,
        private=item.private,
        text=item.text,
        spans=spans_of(item.because),
        lang=html_language(item.language),
        language=language_name(item.language, texts),
        team=item.team,
        assignee=item.assignee,
        mine=item.assignee == person.name,
        snoozed=item.snoozed_until is not None and item.snoozed_until > now,
        ack="sent" if item.acknowledged_at else ack,
        due=due,
        due_at=stamp(due) or "",
        due_kind=due_kind,
        opened_at=item.opened_at,
        opened_iso=stamp(item.opened_at) or "",
        resolution=item.resolution,
        stamp=f"{item.status}{item.last_message_id}{item.assignee or ''}",
    )


def earliest(item: CaseItem) -> tuple[str, datetime | None]:
    """Which clock runs out first, and when; the promise and the answer stop when a person has answered."""
    answered = item.first_answered_at is not None
    clocks = {
        "first_answer": None if answered else item.first_answer_due,
        "promised": None if answered else item.promised_due,
        "next_answer": item.next_answer_due if answered else None,
        "resolution": item.resolution_due,
    }
    running = [(due, kind) for kind, due in clocks.items() if due is not None]
    if not running:
        return "resolution", None
    due, kind = min(running, key=lambda pair: pair[0])
    return kind, due


def drop(item: MessageItem, texts: Catalogue, marks: Marks) -> Drop:
    """What was not read, and what is gone, cannot be marked."""
    return Drop(
        id=str(item.id),
        at=item.sent_at,
        label=item.label,
        author=item.author_name or item.author_handle or item.author_id,
        channel=item.channel,
        lang=html_language(item.language),
        language=language_name(item.language, texts),
        text=item.text,
        spans=spans_of(item.because),
        outcome=item.outcome,
        kept=item.kept,
        case=None if item.case_id is None or item.outcome != "routed" else str(item.case_id),
        team=item.team or "",
        priority=item.priority,
        ack=item.acknowledgement,
        ack_reason=item.acknowledgement_reason,
        edited=bool(item.revision) and not item.deleted,
        deleted=item.deleted,
        own=item.own,
        marks=marks if item.negative is not None and item.text and not item.own and not item.deleted else None,
    )


def out(item: AckItem, texts: Catalogue) -> Out:
    return Out(
        id=str(item.id),
        state="preview" if item.preview else item.state,
        reason=None if item.preview else item.reason,
        channel=item.channel,
        style=item.style,
        language=language_name(item.locale, texts) if item.locale else "",
        at=item.settled_at or item.created_at,
        case=None if item.case_id is None else str(item.case_id),
        author=item.author_name or "",
        customer=item.message_text,
        text=item.text,
    )


def spans_of(because: Iterable[Any]) -> Spans:
    """Where the words stand that a decision names, as offsets in the original text."""
    reasons = [one for one in because if isinstance(one, Mapping)]
    return [span for one in reasons for span in one.get("spans") or () if isinstance(span, Sequence) and len(span) == 2]


def language_name(tag: str, texts: Catalogue) -> str:
    """A language by its name, region aside; its tag where we have no name for it."""
    if f"lang.{tag}" in texts.texts:
        return texts.texts[f"lang.{tag}"]
    parts = tag.split("-")
    for length in (2, 1):
        name = texts.texts.get("lang." + "-".join(parts[:length]))
        if name:
            return name
    return tag


def html_language(tag: str) -> str:
    """For the `lang` attribute, so that each Chinese is shown in its own glyphs."""
    return tag if tag != "und" and all(part.isalnum() and part.isascii() for part in tag.split("-")) else ""


def safe_link(url: str | None) -> str | None:
    """A platform's address, only where following it is harmless to us: never a script, never a file."""
    if not url or len(url) > 2_000 or not url.isprintable() or " " in url:
        return None
    try:
        split = urlsplit(url)
    except ValueError:
        return None
    return url if split.scheme in ("http", "https") and split.hostname else None
