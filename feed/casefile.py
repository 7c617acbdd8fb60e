"""One case as its page shows it: the conversation in order, both clocks, why it was routed, how it sounds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from feed.catalogue import Catalogue
from feed.marking import SHOWN_AT_MOST
from feed.marks import Marked, Marks, marks_on
from feed.staff import Person
from feed.status import stamp
from feed.views import Spans, html_language, language_name, safe_link, spans_of
from routing.shown import CaseDetail, CaseItem, MessageItem, OutboxItem
from routing.store.events import Event

__all__ = ["Because", "CaseView", "Clock", "Moment", "ReadingView", "case_view"]

SILENT_EVENTS = frozenset(
    {
        "message",
        "case_changed",
        "answer_queued",
        "sent",
        "preview",
        "suppressed",
        "unknown",
        "refused",
        "marked",
        "unmarked",
    }
)
"""What the conversation itself already shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that was said or done. `form`: customer, acknowledgement, answer, elsewhere, note or event."""

    id: str
    form: str
    at: datetime
    actor: str = ""
    words: str = ""
    text: str = ""
    spans: Spans
    lang: str = ""
    message: str = ""
    edited: bool = False
    deleted: bool = False
    long: bool = False
    url: str | None = None
    parts: tuple[str, ...] = ()
    state: str = ""
    reason: str | None = None
    marks: Marks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    words: str
    detail: str
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A deadline that runs, or what became of it. `after` is how long it took, in words."""

    kind: str
    state: str
    at: datetime | None = None
    iso: str = ""
    after: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingView:
    bars: tuple[tuple[str, float], ...]
    label: str
    kind: str | None
    harm: tuple[str, ...]
    ironic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    item: CaseItem
    author: str
    language: str
    mine: bool
    seen: str
    moments: tuple[Moment, ...]
    clocks: tuple[Clock, ...]
    because: tuple[Because, ...]
    reading: ReadingView | None
    file_version: str
    opened_iso: str

    def __getattr__(self, name: str) -> Any:
        """What the case itself says, for the template."""
        return getattr(self.item, name)

    @property
    def id(self) -> str:
        return str(self.item.id)

    @property
    def handle(self) -> str | None:
        handle = self.item.author_handle
        return None if handle is None or handle == self.author else "@" + handle.removeprefix("@")


def case_view(detail: CaseDetail, person: Person, texts: Catalogue, marked: Marked | None = None) -> CaseView:
    """`marked`: who marked which of its messages as what."""
    item = detail.case
    routed = _deciding(detail)
    return CaseView(
        item=item,
        author=item.author_name or item.author_handle or item.author_id,
        language=language_name(item.language, texts),
        mine=item.assignee == person.name,
        seen=str(item.last_message_id),
        moments=tuple(sorted(_moments(detail, texts, person, marked or {}), key=lambda moment: moment.at)),
        clocks=tuple(_clocks(detail, texts)),
        because=tuple(_because(item.because, routed.text if routed else item.text, texts)),
        reading=_reading(_newest(detail)),
        file_version=routed.file_version if routed else "",
        opened_iso=stamp(item.opened_at) or "",
    )


def _deciding(detail: CaseDetail) -> MessageItem | None:
    """The message whose reasons the case shows: the last one that carries just these."""
    for message in reversed(detail.messages):
        if message.because == detail.case.because:
            return message
    return None


def _newest(detail: CaseDetail) -> MessageItem | None:
    said = [message for message in detail.messages if message.reading and not message.own]
    return said[-1] if said else None


def _moments(detail: CaseDetail, texts: Catalogue, person: Person, marked: Marked) -> Iterator[Moment]:
    sent_by_us = {row.receipt for row in detail.outbox if row.receipt}
    for message in detail.messages:
        if message.own and message.external_id in sent_by_us:
            continue
        yield _own(message) if message.own else _customer(message, marks_on(marked, message.id, person))
    yield from (_outgoing(row) for row in detail.outbox if row.kind in ("acknowledgement", "answer") and row.text)
    yield from (_event(event, texts) for event in detail.events if event.kind not in SILENT_EVENTS)


def _customer(message: MessageItem, marks: Marks) -> Moment:
    """What was not read, and what is gone, cannot be marked."""
    parts = message.body.get("parts") or ()
    markable = message.negative is not None and message.text and not message.deleted
    return Moment(
        id=f"c{message.id}",
        form="customer",
        at=message.sent_at,
        actor=message.author_name or message.author_handle or message.author_id,
        text=message.text,
        spans=spans_of(message.because),
        lang=html_language(message.language),
        message=str(message.id),
        edited=bool(message.revision) and not message.deleted,
        deleted=message.deleted,
        long=len(message.text) > SHOWN_AT_MOST,
        url=safe_link(message.url),
        parts=tuple(str(part.get("kind", "file")) for part in parts if isinstance(part, Mapping)),
        marks=marks if markable else None,
    )


def _own(message: MessageItem) -> Moment:
    return Moment(
        id=f"o{message.id}",
        form="elsewhere",
        at=message.sent_at,
        text=message.text,
        spans=[],
        state="sent",
        actor=message.author_name,
    )


def _outgoing(row: OutboxItem) -> Moment:
    return Moment(
        id=f"t{row.id}",
        form=row.kind,
        at=row.settled_at or row.created_at,
        actor=row.actor or "",
        text=row.text,
        spans=[],
        state="preview" if row.preview else row.state,
        reason=None if row.preview else row.reason,
    )


def _event(event: Event, texts: Catalogue) -> Moment:
    if event.kind == "note":
        return Moment(
            id=f"e{event.seq}",
            form="note",
            at=event.at,
            actor=event.actor or "",
            text=str(event.data.get("text", "")),
            spans=[],
        )
    words = texts.name("event", event.kind)
    more = event.data.get("to") or event.data.get("detail") or ""
    if event.kind == "resolved":
        words = f"{words} ({texts.name('resolution', str(event.data.get('reason', '')))})"
    return Moment(
        id=f"e{event.seq}",
        form="event",
        at=event.at,
        actor=event.actor or "",
        words=words,
        text=more if isinstance(more, str) else "",
        spans=[],
    )


def _clocks(detail: CaseDetail, texts: Catalogue) -> Iterator[Clock]:
    item = detail.case
    yield _acknowledged(detail, texts)
    yield _answer("first_answer", item.first_answer_due, item.first_answered_at, item, texts)
    if item.status != "resolved" and item.next_answer_due:
        yield _answer("next_answer", item.next_answer_due, None, item, texts)
    yield _answer("resolution", item.resolution_due, item.resolved_at, item, texts)


def _acknowledged(detail: CaseDetail, texts: Catalogue) -> Clock:
    item = detail.case
    if item.acknowledged_at:
        after = _span(item.acknowledged_at - item.opened_at, texts)
        return Clock(kind="acknowledged", state="done", at=item.acknowledged_at, after=after)
    texts_sent = [row for row in detail.outbox if row.kind == "acknowledgement"]
    state = "none" if not texts_sent else "preview" if texts_sent[-1].preview else texts_sent[-1].state
    return Clock(kind="acknowledged", state="none", note=texts.name("ack", state))


def _answer(kind: str, due: datetime | None, done: datetime | None, item: CaseItem, texts: Catalogue) -> Clock:
    if done is not None:
        late = due is not None and done > due
        return Clock(kind=kind, state="late" if late else "done", at=done, after=_span(done - item.opened_at, texts))
    if due is None or item.status == "resolved":
        return Clock(kind=kind, state="none", note=texts.text("clock.none"))
    return Clock(kind=kind, state="running", at=due, iso=stamp(due) or "")


def _because(reasons: list[Any], text: str, texts: Catalogue) -> Iterator[Because]:
    for reason in reasons:
        if not isinstance(reason, Mapping):
            yield Because(words=str(reason), detail="", quotes=())
            continue
        rule, detail = str(reason.get("rule", "")), str(reason.get("detail", "") or "")
        if rule == "harm":
            detail = texts.name("harm", detail)
        elif rule == "unreadable" and detail:
            detail = language_name(detail, texts)
        quotes = tuple(
            dict.fromkeys(text[start:end] for start, end in spans_of([reason]) if 0 <= start < end <= len(text))
        )
        yield Because(words=texts.name("because", rule), detail=detail, quotes=quotes[:6])


def _reading(message: MessageItem | None) -> ReadingView | None:
    if message is None or message.reading is None:
        return None
    harm = tuple(str(one) for one in message.reading.get("harm") or ())
    bars = (("negative", message.negative), ("urgent", message.urgent), ("needs_answer", message.needs_answer))
    return ReadingView(
        bars=tuple((name, min(1.0, max(0.0, value or 0.0))) for name, value in bars),
        label=message.label or "unsure",
        kind=message.kind,
        harm=harm,
        ironic=bool(message.reading.get("ironic")),
    )


def _span(span: timedelta, texts: Catalogue) -> str:
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return texts.text("js.s", n=seconds)
    if seconds < 3600:
        return texts.text("js.min", n=seconds // 60)
    if seconds < 86400:
        return texts.text("js.h", n=seconds // 3600, m=f"{seconds % 3600 // 60:02d}")
    return texts.text("js.d", n=seconds // 86400, h=seconds % 86400 // 3600)
