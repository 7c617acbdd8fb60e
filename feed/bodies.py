"""What the API takes and gives, as its OpenAPI document tells it. Keys may be added, none removed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from feed.staff import Role
from routing.marks import Field as FieldOfReading
from routing.marks import Mark

__all__ = [
    "AgreementFigures",
    "Answer",
    "Assignment",
    "Bulk",
    "Case",
    "Done",
    "Example",
    "Marked",
    "Marking",
    "NewUser",
    "Note",
    "Pause",
    "ProblemDetail",
    "Resolution",
    "Snooze",
    "User",
]

Reason = Literal[
    "answered", "answered_elsewhere", "no_answer_needed", "not_for_us", "spam", "duplicate", "customer_silent"
]
Words = Annotated[str, Field(min_length=1, max_length=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=60)]
Id = Annotated[str, Field(pattern=r"^[0-9]{1,19}$", description="A 63-bit number as text.")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Answer(Body):
    """`seen` is the newest message that the author of the answer had read: a later one stops the answer."""

    text: Words
    seen: Id | int | None = None
    confirm: bool = False


class Note(Body):
    text: Words


class Assignment(Body):
    to: Name


class Snooze(Body):
    until: AwareDatetime


class Resolution(Body):
    reason: Reason
    detail: Annotated[str, Field(max_length=500)] | None = None


class Bulk(Body):
    """One action on many cases; each is refused or done by itself."""

    ids: Annotated[list[Id | int], Field(min_length=1, max_length=500)]
    action: Literal["claim", "release", "assign", "snooze", "resolve", "reopen"]
    to: Name | None = None
    until: AwareDatetime | None = None
    reason: Reason | None = None
    detail: Annotated[str, Field(max_length=500)] | None = None


class Marking(Body):
    """How the message should have been read."""

    mark: Mark


class Pause(Body):
    reason: Annotated[str, Field(max_length=200)] = ""


class NewUser(Body):
    """An agent without teams belongs to every team."""

    name: Name
    password: Annotated[str, Field(min_length=10, max_length=1_000)]
    role: Role = "agent"
    teams: Annotated[list[str], Field(max_length=100)] = []


class User(BaseModel):
    name: str
    role: Role
    teams: list[str]
    created_at: datetime
    disabled: bool


class Author(BaseModel):
    id: str
    name: str
    handle: str | None = None


class Case(BaseModel):
    """One case of the queue; more keys may come."""

    model_config = ConfigDict(extra="allow")

    id: str
    channel: str
    thread: str
    author: Author
    text: str
    language: str
    priority: str
    team: str
    status: Literal["open", "claimed", "waiting", "resolved"]
    assignee: str | None
    because: list[Any]
    opened_at: datetime
    acknowledged_at: datetime | None
    first_answer_due: datetime | None
    resolution_due: datetime | None


class Done(BaseModel):
    id: Id
    done: bool


class Numbers(BaseModel):
    """What the reading said when the mark was set."""

    negative: float | None
    urgent: float | None
    label: str | None


class Example(BaseModel):
    """A text, masked as stored, and what a person of ours said about its reading."""

    model_config = ConfigDict(extra="allow")

    text: str
    language: str
    field: FieldOfReading
    mark: Mark
    said: Numbers
    scorer: str
    at: datetime


class Marked(Example):
    message_id: Id
    case_id: Id | None
    channel: str
    by: str
    source: Literal["mark", "resolution"]
    agrees: bool


class AgreementFigures(BaseModel):
    """Shares from 0 to 1, None where there was nothing; more keys may come."""

    model_config = ConfigDict(extra="allow")

    weeks: list[dict[str, Any]]
    languages: list[dict[str, Any]]
    overall: dict[FieldOfReading, dict[str, Any]]
    false_alarms: dict[str, Any]
    disagreements: list[Marked]


class ProblemDetail(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
