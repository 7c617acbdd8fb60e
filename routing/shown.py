"""What the page, the commands and the API are shown of cases, messages and texts of ours.

The fields of an item are columns in order, so that a row is an item without being looked at twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from routing.store.events import Event
from routing.store.wire import identity, rfc3339

__all__ = [
    "AckFilter", "AckItem", "CaseDetail", "CaseFilter", "CaseItem", "Counts", "MessageItem", "OutboxItem",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What to list; all that is given must hold, an empty tuple asks for nothing.

    Without `status` all that is not resolved; `all` is every status. `teams`, where not None, is what
    the viewer may see. `language` "zh" covers both scripts. `q` is searched in all messages of a case,
    and is also a reference or an author's handle. `assignee` "" means nobody's.
    """

    status: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    q: str | None = None
    assignee: str | None = None
    snoozed: bool | None = None
    overdue: bool | None = None
    teams: tuple[str, ...] | None = None
    limit: int = 200
    offset: int = 0


@dataclass(frozen=True, slots=True)
class CaseItem:
    """One case as the queue lists it. Ids are numbers here and texts in JSON."""

    id: int
    ref: str
    account: str
    channel: str
    thread: str
    author_id: str
    author_name: str
    author_handle: str | None
    private: bool
    status: str
    priority: str
    team: str
    style: str
    assignee: str | None
    lease_until: datetime | None
    snoozed_until: datetime | None
    text: str
    language: str
    label: str | None
    because: list[Any]
    opened_at: datetime
    last_message_id: int
    last_customer_at: datetime
    acknowledged_at: datetime | None
    first_answered_at: datetime | None
    last_answered_at: datetime | None
    first_answer_due: datetime | None
    next_answer_due: datetime | None
    resolution_due: datetime | None
    promised_due: datetime | None
    due: datetime | None
    escalated_at: datetime | None
    bot_silent: bool
    resolved_at: datetime | None
    resolution: str | None
    resolved_by: str | None

    def as_json(self) -> dict[str, Any]:
        """The keys of `heedful queue list --json`, then more of our own."""
        plain = {name: _plain(getattr(self, name)) for name in _CASE_FIELDS}
        author = {"id": self.author_id, "name": self.author_name, "handle": self.author_handle}
        return {
            "id": identity(self.id),
            "channel": self.channel,
            "thread": self.thread,
            "author": author,
            **plain,
            "last_message_id": identity(self.last_message_id),
        }


@dataclass(frozen=True, slots=True)
class MessageItem:
    """One stored item: each revision, delete notice and post of our own is one."""

    id: int
    account: str
    channel: str
    external_id: str
    revision: str
    thread: str
    author_id: str
    author_name: str
    author_handle: str | None
    text: str
    language: str
    sent_at: datetime
    received_at: datetime
    private: bool
    own: bool
    deleted: bool
    url: str | None
    body: dict[str, Any]
    outcome: str
    kept: str | None
    acknowledgement: str
    acknowledgement_reason: str | None
    case_id: int | None
    team: str | None
    priority: str | None
    compound: float | None
    negative: float | None
    urgent: float | None
    needs_answer: float | None
    label: str | None
    kind: str | None
    reading: dict[str, Any] | None
    because: list[Any]
    file_version: str

    def as_json(self) -> dict[str, Any]:
        plain = {one.name: _plain(getattr(self, one.name)) for one in fields(self)}
        return {**plain, "id": identity(self.id), "case_id": identity(self.case_id)}


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A text of ours, whatever became of it."""

    id: int
    kind: str
    channel: str
    target: str
    thread: str
    case_id: int | None
    message_id: int | None
    priority: str
    style: str | None
    locale: str | None
    text: str
    state: str
    reason: str | None
    attempts: int
    created_at: datetime
    due_at: datetime
    stale_at: datetime | None
    settled_at: datetime | None
    receipt: str | None
    actor: str | None

    @property
    def preview(self) -> bool:
        """It was only written to be looked at: the mode is dry_run."""
        return self.state == "suppressed" and self.reason == "dry_run"

    def as_json(self) -> dict[str, Any]:
        plain = {one.name: _plain(getattr(self, one.name)) for one in fields(OutboxItem)}
        ids = {name: identity(getattr(self, name)) for name in ("id", "case_id", "message_id")}
        return {**plain, **ids, "preview": self.preview}


@dataclass(frozen=True, slots=True)
class AckItem(OutboxItem):
    """An automatic text beside what it answers."""

    ref: str | None = None
    author_name: str | None = None
    message_text: str | None = None
    language: str | None = None

    def as_json(self) -> dict[str, Any]:
        more = {"ref": self.ref, "author": self.author_name, "message": self.message_text, "language": self.language}
        return {**OutboxItem.as_json(self), **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class AckFilter:
    """Which automatic texts; `state` also takes `preview`. `teams` as in CaseFilter."""

    state: str | None = None
    channel: tuple[str, ...] = ()
    teams: tuple[str, ...] | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDetail:
    """A case with all that was said and done, each in order of time."""

    case: CaseItem
    messages: tuple[MessageItem, ...]
    outbox: tuple[OutboxItem, ...]
    events: tuple[Event, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            **self.case.as_json(),
            "messages": [one.as_json() for one in self.messages],
            "outbox": [one.as_json() for one in self.outbox],
            "events": [one.as_json() for one in self.events],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many cases wait: of all that are not resolved."""

    by_status: Mapping[str, int] = field(default_factory=dict)
    by_priority: Mapping[str, int] = field(default_factory=dict)
    by_team: Mapping[str, int] = field(default_factory=dict)
    overdue: int = 0
    doubtful: int = 0
    to_approve: int = 0

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "total": self.total, "by_status": dict(self.by_status), "by_priority": dict(self.by_priority),
            "by_team": dict(self.by_team), "overdue": self.overdue, "doubtful": self.doubtful,
            "to_approve": self.to_approve,
        }  # fmt: skip


_LISTED = (
    "text", "language", "priority", "team", "status", "assignee", "because", "opened_at", "acknowledged_at",
    "first_answer_due", "resolution_due",
)  # fmt: skip
_APART = {"id", "channel", "thread", "author_id", "author_name", "author_handle", "last_message_id", *_LISTED}
_CASE_FIELDS = (*_LISTED, *(one.name for one in fields(CaseItem) if one.name not in _APART))


def _plain(value: object) -> object:
    return rfc3339(value) if isinstance(value, datetime) else value
