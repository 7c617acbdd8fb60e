"""The calm messages of this installation: what staff judged so, and what was kept as calm without an objection.

Marks alone would not do: what staff look at is mostly what was called negative, so that a share of those says
nothing about the share of all calm messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, exists, func, or_, select

from routing.corrections import WITH_CASE
from routing.store.rows import CASE, MARK, MESSAGE
from sentiment.api import NEGATIVE

__all__ = ["ENOUGH", "CalmCount", "CalmMessage", "calm_messages", "count_calm"]

ENOUGH = 50
"""So many messages that staff judged calm say more about this house than what was shipped."""
Asked = Select[*tuple[Any, ...]]
_MARKED = MARK.c.message_id == MESSAGE.c.id
_OBJECTED = exists().where(_MARKED, MARK.c.value == "negative")
_JUDGED = or_(
    exists().where(_MARKED, MARK.c.value == "not_negative"),
    func.coalesce(CASE.c.resolution, "") == "no_answer_needed",
)
_CALM = and_(
    or_(_JUDGED, func.coalesce(MESSAGE.c.kept, "") == "calm"),
    ~_OBJECTED,
    ~MESSAGE.c.own,
    ~MESSAGE.c.deleted,
    MESSAGE.c.negative.is_not(None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalmCount:
    """How many calm messages there were, how many of them staff judged, how many were called negative."""

    messages: int = 0
    judged: int = 0
    called_negative: int = 0

    @property
    def share(self) -> float | None:
        """The budget of false alarms that the cut in use corresponds to; None where there was nothing."""
        return self.called_negative / self.messages if self.messages else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalmMessage:
    """What a reader needs to read it again."""

    text: str
    private: bool
    body: Mapping[str, Any]
    judged: bool


def count_calm(connection: Connection, since: datetime, teams: Sequence[str] | None = None) -> CalmCount:
    """Over all calm messages received after `since`, by what their readings said."""
    alarm = MESSAGE.c.negative >= NEGATIVE
    columns = [func.count(), func.sum(case((_JUDGED, 1), else_=0)), func.sum(case((alarm, 1), else_=0))]
    question: Asked = select(*columns).select_from(WITH_CASE).where(_CALM, MESSAGE.c.hour >= since)
    if teams is not None:
        question = question.where(or_(MESSAGE.c.team.in_(teams), MESSAGE.c.team.is_(None)))
    messages, judged, called = connection.execute(question).one()
    return CalmCount(messages=messages, judged=int(judged or 0), called_negative=int(called or 0))


def calm_messages(connection: Connection, since: datetime, limit: int) -> list[CalmMessage]:
    """The newest calm messages whose text is still there."""
    columns = [MESSAGE.c.text, MESSAGE.c.private, MESSAGE.c.body, case((_JUDGED, 1), else_=0)]
    question: Asked = select(*columns).select_from(WITH_CASE)
    question = question.where(_CALM, MESSAGE.c.text != "", MESSAGE.c.hour >= since)
    rows = connection.execute(question.order_by(MESSAGE.c.id.desc()).limit(limit))
    return [
        CalmMessage(text=text, private=private, body=body, judged=bool(judged)) for text, private, body, judged in rows
    ]
