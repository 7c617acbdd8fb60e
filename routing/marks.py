"""What staff may say about the reading of a message, and whether the reading had said so; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from routing.store.wire import identity, rfc3339
from sentiment.api import NEGATIVE

__all__ = [
    "FIELDS", "FIELD_OF", "MARKS", "SAID_BY_RESOLVING", "URGENT_CUT", "Field", "Mark", "MarkItem", "Said", "agrees",
    "final",
]  # fmt: skip

Mark = Literal["not_negative", "negative", "urgent", "not_urgent", "not_for_us"]
Field = Literal["negative", "urgent", "addressed"]
MARKS: tuple[Mark, ...] = get_args(Mark)
FIELDS: tuple[Field, ...] = get_args(Field)
FIELD_OF: Mapping[Mark, Field] = {
    "not_negative": "negative",
    "negative": "negative",
    "urgent": "urgent",
    "not_urgent": "urgent",
    "not_for_us": "addressed",
}
SAID_BY_RESOLVING: Mapping[str, Mark] = {"spam": "not_for_us", "not_for_us": "not_for_us"}
"""Reasons to resolve a case that say something about its messages."""
URGENT_CUT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the reading said when somebody marked it."""

    scorer: str
    negative: float | None
    urgent: float | None
    label: str | None
    addressed: str | None


def agrees(mark: Mark, said: Said) -> bool:
    """Whether the reading says the same as the mark."""
    if FIELD_OF[mark] == "negative":
        return ((said.negative or 0.0) >= NEGATIVE) == (mark == "negative")
    if FIELD_OF[mark] == "urgent":
        return ((said.urgent or 0.0) >= URGENT_CUT) == (mark == "urgent")
    return said.addressed == "about_other"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkItem:
    """One mark beside its message. `text` is masked as stored, and empty where it was erased or deleted.

    `handled`: the message's case was answered or resolved.
    """

    message_id: int
    case_id: int | None
    channel: str
    team: str | None
    text: str
    language: str
    received_at: datetime
    handled: bool
    mark: Mark
    staff: str
    source: str
    at: datetime
    said: Said

    @property
    def field(self) -> Field:
        return FIELD_OF[self.mark]

    @property
    def agrees(self) -> bool:
        return agrees(self.mark, self.said)

    def as_json(self) -> dict[str, Any]:
        return {
            "message_id": identity(self.message_id),
            "case_id": identity(self.case_id),
            "channel": self.channel,
            "by": self.staff,
            "source": self.source,
            "agrees": self.agrees,
            **self.as_example(),
        }

    def as_example(self) -> dict[str, Any]:
        """What a reader may be trained on; nobody's name stands in it."""
        return {
            "text": self.text,
            "language": self.language,
            "field": self.field,
            "mark": self.mark,
            "said": {"negative": self.said.negative, "urgent": self.said.urgent, "label": self.said.label},
            "scorer": self.said.scorer,
            "at": rfc3339(self.at),
        }


def final(marks: Iterable[MarkItem]) -> list[MarkItem]:
    """Of several people's marks of one field of a message the last; newest first."""
    newest: dict[tuple[int, Field], MarkItem] = {}
    for one in sorted(marks, key=lambda each: each.at, reverse=True):
        newest.setdefault((one.message_id, one.field), one)
    return list(newest.values())
