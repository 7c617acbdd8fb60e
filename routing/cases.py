"""The life of a case: pure transitions from one frozen value to the next; storing them is the store's.

    open ── claim ──> claimed ── answered ──> waiting ── customer writes ──> open or claimed
      any of them ── resolve ──> resolved ── reopen ──> open

Two facts never mix: the acknowledgement by the bot, and the first answer by a person. Every change keeps
`due`, the earliest of all that still runs, up to date; what a customer was promised never moves outwards.

    CaseError         the transition is not possible now
    ├── Taken         somebody else has it
    ├── Fenced        something happened that the author of the answer has not seen
    └── NotAllowed    never in this state, and what to do instead
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from config.schema import Priority
from routing.sla import Due, binding, earliest, tighter

__all__ = [
    "COUNT_AS_ANSWERED",
    "LEASE",
    "REASONS_TO_RESOLVE",
    "Case",
    "CaseError",
    "Fenced",
    "NotAllowed",
    "Resolution",
    "Status",
    "Taken",
    "acknowledged",
    "answered",
    "answered_elsewhere",
    "assign",
    "claim",
    "customer_message",
    "escalated",
    "fence",
    "is_held",
    "release",
    "reopen",
    "reprioritise",
    "resolve",
    "snooze",
    "wake",
]

Status = Literal["open", "claimed", "waiting", "resolved"]
Resolution = Literal[
    "answered",
    "answered_elsewhere",
    "no_answer_needed",
    "not_for_us",
    "spam",
    "duplicate",
    "customer_silent",
]
REASONS_TO_RESOLVE: tuple[Resolution, ...] = get_args(Resolution)
COUNT_AS_ANSWERED: frozenset[str] = frozenset({"answered", "answered_elsewhere"})

NO_CLOCKS = Due()
LEASE = timedelta(minutes=30)
"""A claim that is not renewed lapses, so that nobody's lunch holds a customer up."""


class CaseError(Exception):
    """The case does not allow this now."""


class Taken(CaseError):
    """Somebody else has claimed the case."""

    def __init__(self, by: str) -> None:
        super().__init__(f"{by} has this case")
        self.by = by


class Fenced(CaseError):
    """The answer does not fit any more what the customer sees."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotAllowed(CaseError):
    """Not possible in this state; the message says the way out."""

    def __init__(self, way_out: str) -> None:
        super().__init__(way_out)
        self.way_out = way_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One customer in one thread, as far as its life goes. `last_message_id` is the customer's last message."""

    id: int
    priority: Priority
    team: str
    opened_at: datetime
    last_message_id: int
    last_customer_at: datetime
    status: Status = "open"
    style: str = "none"
    assignee: str | None = None
    lease_until: datetime | None = None
    snoozed_until: datetime | None = None
    acknowledged_at: datetime | None = None
    first_answered_at: datetime | None = None
    last_answered_at: datetime | None = None
    first_answer_due: datetime | None = None
    next_answer_due: datetime | None = None
    resolution_due: datetime | None = None
    promised_due: datetime | None = None
    due: datetime | None = None
    escalated_at: datetime | None = None
    bot_silent: bool = False
    resolved_at: datetime | None = None
    resolution: Resolution | None = None
    resolved_by: str | None = None

    def timed(self) -> Case:
        """The same with `due` reckoned anew."""
        return replace(self, due=_running(self))


def is_held(case: Case, now: datetime) -> bool:
    """Whether somebody has claimed the case and the claim still holds."""
    return case.assignee is not None and case.lease_until is not None and case.lease_until > now


def claim(case: Case, actor: str, now: datetime, lease: timedelta = LEASE) -> Case:
    """Take the case, or renew one's own claim. Raises Taken while somebody else's claim holds."""
    _unresolved(case)
    _free_for(case, actor, now)
    return replace(case, status="claimed", assignee=actor, lease_until=now + lease, snoozed_until=None)


def release(case: Case, actor: str, now: datetime) -> Case:
    """Give the case back to its team. Raises Taken while somebody else's claim holds."""
    _unresolved(case)
    _free_for(case, actor, now)
    return replace(case, status="waiting" if case.status == "waiting" else "open", assignee=None, lease_until=None)


def assign(case: Case, to: str, now: datetime, lease: timedelta = LEASE) -> Case:
    """Hand the case to somebody, whoever has it; who may do so is the desk's affair."""
    _unresolved(case)
    return replace(case, status="claimed", assignee=to, lease_until=now + lease, snoozed_until=None)


def snooze(case: Case, actor: str, until: datetime, now: datetime) -> Case:
    """Put the case aside until a time, or until the customer writes. No clock stops."""
    _unresolved(case)
    _free_for(case, actor, now)
    if until <= now:
        raise NotAllowed("a case is put aside until a time that is still to come")
    return replace(case, status="waiting", snoozed_until=until)


def wake(case: Case, now: datetime) -> Case:
    """Back into the queue, where the time of a snooze has come; otherwise the case as it is."""
    if case.status == "resolved" or case.snoozed_until is None or case.snoozed_until > now:
        return case
    return _back(case, now)


def fence(case: Case, seen: int, answered_id: int | None = None) -> None:
    """Refuse an answer whose author saw the conversation only up to message `seen`.

    `answered_id` is the last answer in the case that somebody else gave. Raises Fenced, or NotAllowed
    where the case is resolved.
    """
    _unresolved(case)
    if seen < case.last_message_id:
        raise Fenced("the customer wrote again since")
    if answered_id is not None and answered_id > seen:
        raise Fenced("a colleague answered since")


def answered(case: Case, at: datetime) -> Case:
    """An answer of a person reached the customer: the answer clocks stop, the case waits for the customer.

    Whatever was promised is kept or broken with it, and binds no more; the outbox remembers it.
    """
    status: Status = "resolved" if case.status == "resolved" else "waiting"
    first = earliest(case.first_answered_at, at)
    last = at if case.last_answered_at is None else max(case.last_answered_at, at)
    return replace(
        case, status=status, first_answered_at=first, last_answered_at=last, next_answer_due=None, promised_due=None
    ).timed()


def answered_elsewhere(case: Case, at: datetime) -> Case:
    """A colleague answered in the platform's own app: the same to the customer, and so to the clocks.

    An answer older than the customer's last message stops the first-answer clock only.
    """
    if at >= case.last_customer_at:
        return answered(case, at)
    return replace(case, first_answered_at=earliest(case.first_answered_at, at)).timed()


def acknowledged(case: Case, at: datetime, promised: datetime | None = None) -> Case:
    """The bot's text went out; a time it told binds from now on. The answer clocks run on."""
    promise = binding(case.promised_due, promised)
    return replace(case, acknowledged_at=earliest(case.acknowledged_at, at), promised_due=promise).timed()


def customer_message(
    case: Case,
    message_id: int,
    at: datetime,
    *,
    priority: Priority,
    clocks: Due = NO_CLOCKS,
    next_due: datetime | None = None,
    silences: bool = False,
) -> Case:
    """The customer wrote again: the case wakes up, and its priority rises or stays.

    `clocks` and `next_due` are counted from this message with the deadlines that now apply. The first
    message after an answer starts the next-answer clock; later ones, and a risen priority, only bring
    due times forward. Raises NotAllowed where the case is resolved: reopen it.
    """
    _unresolved(case)
    rises = priority < case.priority
    old = Due(case.first_answer_due, case.resolution_due)
    due = tighter(old, clocks) if rises else old
    starts = case.first_answered_at is not None and (rises or case.next_answer_due is None)
    return replace(
        _back(case, at),
        last_message_id=max(case.last_message_id, message_id),
        last_customer_at=max(case.last_customer_at, at),
        priority=min(case.priority, priority),
        first_answer_due=due.first_answer,
        resolution_due=due.resolution,
        next_answer_due=earliest(case.next_answer_due, next_due) if starts else case.next_answer_due,
        bot_silent=case.bot_silent or silences,
        escalated_at=None if rises else case.escalated_at,
    ).timed()


def reprioritise(case: Case, priority: Priority, clocks: Due) -> Case:
    """A person changes the priority, up or down; `clocks` are those of the new one, from `opened_at`.

    What the customer was promised stays a deadline of its own.
    """
    _unresolved(case)
    return replace(
        case, priority=priority, first_answer_due=clocks.first_answer, resolution_due=clocks.resolution
    ).timed()


def resolve(case: Case, actor: str, reason: str, at: datetime) -> Case:
    """Close the case. Only `answered` and `answered_elsewhere` stop the first-answer clock as answered."""
    _unresolved(case)
    if reason not in REASONS_TO_RESOLVE:
        raise NotAllowed(f"`{reason}` is no reason; reasons are {', '.join(REASONS_TO_RESOLVE)}")
    counts = reason in COUNT_AS_ANSWERED
    return replace(
        case,
        status="resolved",
        resolution=reason,
        resolved_at=at,
        resolved_by=actor,
        first_answered_at=case.first_answered_at or at if counts else case.first_answered_at,
        last_answered_at=case.last_answered_at or at if counts else case.last_answered_at,
        next_answer_due=None,
        snoozed_until=None,
        due=None,
    )


def reopen(case: Case, at: datetime, *, clocks: Due = NO_CLOCKS, next_due: datetime | None = None) -> Case:
    """Back into the queue of its team, or to whom had it where the claim still holds; its clocks start again.

    A first answer that was given stays given: then the next-answer clock runs. Raises NotAllowed where
    the case is not resolved.
    """
    if case.status != "resolved":
        raise NotAllowed("this case is not resolved")
    first = case.first_answered_at is not None
    return replace(
        _back(case, at),
        resolution=None,
        resolved_at=None,
        resolved_by=None,
        first_answer_due=case.first_answer_due if first else clocks.first_answer or case.first_answer_due,
        next_answer_due=next_due if first else None,
        resolution_due=clocks.resolution or case.resolution_due,
        escalated_at=None,
    ).timed()


def escalated(case: Case, at: datetime) -> Case:
    """Somebody was told that the case is due."""
    return replace(case, escalated_at=at)


def _running(case: Case) -> datetime | None:
    if case.status == "resolved":
        return None
    first = case.first_answer_due if case.first_answered_at is None else None
    return earliest(first, case.next_answer_due, case.resolution_due, case.promised_due)


def _back(case: Case, now: datetime) -> Case:
    """Awake again: with its assignee while the claim holds, otherwise free."""
    if is_held(case, now):
        return replace(case, status="claimed", snoozed_until=None)
    return replace(case, status="open", assignee=None, lease_until=None, snoozed_until=None)


def _unresolved(case: Case) -> None:
    if case.status == "resolved":
        raise NotAllowed("this case is resolved: reopen it first")


def _free_for(case: Case, actor: str, now: datetime) -> None:
    if case.assignee is not None and case.assignee != actor and is_held(case, now):
        raise Taken(case.assignee)
