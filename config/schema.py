"""The configuration file as frozen values. No I/O, and no knowledge of any connector.

Field names are the keys that staff write; unknown keys are errors. Cross-references (a team that does
not exist, an expression that does not parse) are `config.lint`'s to find: here only shapes are checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from config.durations import Duration, parse_duration
from config.fields import STRICT, Names, Words
from config.reading import ReadingSettings

__all__ = [
    "Acknowledge",
    "Brand",
    "Calendar",
    "Cap",
    "Caps",
    "Care",
    "Channel",
    "Condition",
    "Deadline",
    "Keep",
    "KeywordList",
    "Mode",
    "Modes",
    "NotifyTarget",
    "Priority",
    "RootRoute",
    "Route",
    "Style",
    "Team",
    "Web",
]

Priority = Literal["P1", "P2", "P3", "P4"]
Mode = Literal["off", "dry_run", "approve", "send"]
Probability = Annotated[float, Field(ge=0, le=1)]

_CAP = re.compile(r"([0-9]{1,6}) per ([0-9]{0,6}[smhd])")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("no such time zone; write it as in the IANA list, such as Asia/Shanghai") from error
    return value


TimeZone = Annotated[str, AfterValidator(_zone)]


class Frozen(BaseModel):
    model_config = STRICT


class Brand(Frozen):
    """Who we are: our names, the words that look like us and are not, our people."""

    name: Annotated[str, Field(min_length=1)]
    handles: Words = ()
    aliases: Words = ()
    not_us: Words = ()
    competitors: Words = ()
    staff: Words = ()
    languages: tuple[str, ...] = ("en", "zh-Hans", "zh-Hant")


class Web(Frozen):
    listen: str = "127.0.0.1:8080"
    hooks: str | None = None
    public_url: str | None = None


class Deadline(Frozen):
    """Promises for one priority; what is None is inherited from the level above."""

    first_answer: Duration | None = None
    next_answer: Duration | None = None
    resolve: Duration | None = None
    calendar: str | None = None


Deadlines = Mapping[Priority, Deadline]


class Channel(BaseModel):
    """The keys that any channel may have; the rest are checked by the connector's own settings."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    locale: str | None = None
    region: str | None = None
    reply_as: str | None = None
    calendar: str | None = None
    deadlines: Deadlines = {}

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the connector's own settings model checks, `${NAME}` not yet replaced."""
        return self.model_extra or {}


class NotifyTarget(BaseModel):
    """Where a team is told; the rest of the keys belong to the kind."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    region: str | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.model_extra or {}


class KeywordList(Frozen):
    """One named list: entries by language are OR; every list is searched in every message."""

    en: Words = ()
    zh: Words = ()
    any: Words = ()
    exceptions: Words = Field(default=(), alias="except")
    until: date | None = None
    single: bool = False
    should_match: tuple[str, ...] = ()
    should_not_match: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[str, ...]:
        return (*self.en, *self.zh, *self.any)


class Condition(Frozen):
    """All that is given must hold; lists mean any; numbers mean 'at least'."""

    keywords: Names = ()
    text: Names = ()
    negative: Probability | None = None
    urgent: Probability | None = None
    needs_answer: Probability | None = None
    label: Names = ()
    harm: Names = ()
    kind: Names = ()
    addressed: Names = ()
    channel: Names = ()
    connector: Names = ()
    language: Names = ()
    followers: Annotated[int, Field(ge=0)] | None = None
    repeats: Annotated[int, Field(ge=1)] | None = None
    private: bool | None = None
    mentions_us: bool | None = None
    person_in: Names = ()
    calendar: Mapping[str, Literal["open", "closed"]] | None = None
    any_of: tuple[Condition, ...] = Field(default=(), alias="any")
    none_of: Condition | None = Field(default=None, alias="not")


class Keep(Frozen):
    """Below all of these, and matched by no child: kept in the history, not queued."""

    negative: Probability | None = 0.6
    urgent: Probability | None = 0.5
    needs_answer: Probability | None = 0.7
    acknowledge: str | None = None


class Route(Frozen):
    """A child of the routing tree. What it does not set, it inherits."""

    name: str
    when: Condition
    team: str | None = None
    priority: Priority | None = None
    acknowledge: str | None = None
    queue: bool | None = None
    proceed: bool = Field(default=False, alias="continue")
    calendar: str | None = None
    deadlines: Deadlines = {}
    routes: tuple[Route, ...] = ()


class RootRoute(Frozen):
    """The root always matches."""

    team: str
    priority: Priority = "P3"
    acknowledge: str = "none"
    keep: Keep = Keep()
    calendar: str | None = None
    deadlines: Deadlines = {}
    routes: tuple[Route, ...] = ()


class Modes(Frozen):
    """One mode for public and one for private; a mode not written is None and counts as dry_run."""

    public: Mode | None = None
    private: Mode | None = None


def _modes(value: object) -> object:
    return {"public": value, "private": value} if isinstance(value, str) else value


ModesField = Annotated[Modes, BeforeValidator(_modes)]


class Style(BaseModel):
    """Wordings by locale. Other keys than `mode` are locales, such as en, zh-Hans, zh-Hant-HK."""

    model_config = ConfigDict(frozen=True, extra="allow")

    mode: ModesField = Modes()

    @model_validator(mode="after")
    def _texts(self) -> Style:
        for locale, texts in (self.model_extra or {}).items():
            if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t.strip() for t in texts):
                raise ValueError(f"`{locale}` must be a list of texts, at least one")
        return self

    @cached_property
    def wordings(self) -> Mapping[str, tuple[str, ...]]:
        return {locale: tuple(texts) for locale, texts in (self.model_extra or {}).items()}


class Cap(Frozen):
    """At most `count` in any sliding `window`."""

    count: Annotated[int, Field(ge=0)]
    window: timedelta


def _cap(value: object) -> object:
    if isinstance(value, (Cap, dict)):
        return value
    match = _CAP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a cap is a count and a window: `1 per 24h`, `30 per 1m`")
    window = match[2] if match[2][0].isdigit() else "1" + match[2]
    return {"count": int(match[1]), "window": parse_duration(window)}


CapField = Annotated[Cap, BeforeValidator(_cap)]


def _per(text: str) -> Cap:
    return Cap.model_validate(_cap(text))


class Caps(Frozen):
    per_thread: CapField = _per("1 per 24h")
    per_person: CapField = _per("3 per 24h")
    per_channel: CapField = _per("30 per 1m")
    overall: CapField = _per("60 per 1m")


def _too_old(value: object) -> object:
    return None if value == "never" else parse_duration(value)


class Acknowledge(Frozen):
    """Automatic texts. `channels` holds a mode by channel name; `mark` is a reaction such as 👀."""

    mode: ModesField = Modes()
    channels: Mapping[str, ModesField] = {}
    caps: Caps = Caps()
    too_old: Annotated[timedelta | None, BeforeValidator(_too_old)] = timedelta(minutes=15)
    fallback: str | None = "en"
    disclose: bool = True
    mark: str | None = None
    kinds: tuple[str, ...] = ("complaint", "question", "request")
    forbidden_names: Words = ()
    styles: Mapping[str, Style] = {}


class Calendar(Frozen):
    """Opening hours: days (`mon-fri`, `sat`, `mon,wed`) to one span or several, `09:00-18:00`."""

    timezone: TimeZone | None = None
    hours: Mapping[str, Names]
    holidays: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()


class Team(Frozen):
    """`reading` overrides that of the root, key by key, wherever this team is meant."""

    notify: Names = ()
    calendar: str | None = None
    deadlines: Deadlines = {}
    reading: ReadingSettings | None = None


class Expectation(Frozen):
    routed: bool | None = None
    team: str | None = None
    priority: Priority | None = None
    acknowledge: str | None = None
    label: str | None = None
    kind: str | None = None
    harm: Names = ()


class Example(BaseModel):
    """A test of the file itself: takes all keys of a replayed message; `at` sets the clock."""

    model_config = ConfigDict(frozen=True, extra="allow")

    say: str
    at: datetime | None = None
    expect: Expectation


DEFAULT_DEADLINES: Deadlines = {
    "P1": Deadline.model_validate({"first_answer": "15m", "next_answer": "30m", "resolve": "4h", "calendar": "always"}),
    "P2": Deadline.model_validate({"first_answer": "1h", "resolve": "1d", "calendar": "always"}),
    "P3": Deadline.model_validate({"first_answer": "4h", "resolve": "2d", "calendar": "always"}),
    "P4": Deadline.model_validate({"first_answer": "2d", "resolve": "7d", "calendar": "always"}),
}
"""Without `deadlines` in the file. Without a next_answer the first_answer serves for it too."""


class Care(Frozen):
    """The whole file."""

    version: Literal[1]
    brand: Brand
    timezone: TimeZone = "UTC"
    database: str | None = None
    engine: str | None = None
    retention: Duration = timedelta(days=365)
    web: Web = Web()
    channels: Mapping[str, Channel] = {}
    keywords: Mapping[str, KeywordList] = {}
    people: Mapping[str, Words] = {}
    reading: ReadingSettings | None = None
    route: RootRoute
    acknowledge: Acknowledge = Acknowledge()
    calendars: Mapping[str, Calendar] = {}
    deadlines: Deadlines = DEFAULT_DEADLINES
    teams: Mapping[str, Team] = {}
    notify: Mapping[str, NotifyTarget] = {}
    tests: tuple[Example, ...] = ()

    digest: str = Field(default="", exclude=True)
    """Which version of the file this is: set by the loader, written beside each decision."""

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
