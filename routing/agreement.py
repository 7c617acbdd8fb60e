"""How often staff agreed with the reading: by week, by language and by what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from routing.calm import CalmCount, count_calm
from routing.corrections import HANDLED, MarkFilter, marked
from routing.marks import FIELDS, Field, MarkItem, final
from routing.store.rows import CASE, MESSAGE
from routing.store.tables import EPOCH
from routing.store.wire import rfc3339

__all__ = ["WEEKS", "Agreement", "Rate", "agreement", "figures", "week_of"]

WEEKS = 12
WEEK = timedelta(days=7)
FIRST_MONDAY = EPOCH + timedelta(days=4)
MARKS_AT_MOST = 20_000
SHOWN = 50
Handled = Mapping[tuple[datetime, str], int]
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Of so many messages that staff dealt with, how many they marked otherwise."""

    messages: int = 0
    otherwise: int = 0

    @property
    def share(self) -> float | None:
        return 1 - self.otherwise / self.messages if self.messages else None

    def as_json(self) -> dict[str, Any]:
        return {"messages": self.messages, "otherwise": self.otherwise, "share": self.share}


Rates = Mapping[Field, Rate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """`weeks` begin on Monday, UTC, the oldest first; `languages` by number of messages; `newest` disagreements."""

    weeks: Mapping[datetime, Rates]
    languages: Mapping[str, Rates]
    overall: Rates
    newest: Sequence[MarkItem]
    calm: CalmCount

    def as_json(self) -> dict[str, Any]:
        return {
            "weeks": [{"week": rfc3339(week), **_json(rates)} for week, rates in self.weeks.items()],
            "languages": [{"language": tag, **_json(rates)} for tag, rates in self.languages.items()],
            "overall": _json(self.overall),
            "false_alarms": {
                "calm": self.calm.messages, "judged": self.calm.judged,
                "called_negative": self.calm.called_negative, "share": self.calm.share,
            },
            "disagreements": [one.as_json() for one in self.newest],
        }  # fmt: skip


def _json(rates: Rates) -> dict[str, Any]:
    return {name: rate.as_json() for name, rate in rates.items()}


def week_of(at: datetime) -> datetime:
    """The Monday, 00:00 UTC, of its week."""
    return FIRST_MONDAY + (at - FIRST_MONDAY) // WEEK * WEEK


def figures(handled: Handled, marks: Iterable[MarkItem], now: datetime, calm: CalmCount) -> Agreement:
    """`handled`: messages of answered and resolved cases by week and language. A message without a mark agrees.

    One that is marked counts once in each field marked, also where its case is still open or it was kept.
    """
    last = final(marks)
    weeks = [week_of(now) - WEEK * back for back in reversed(range(WEEKS))]
    by_week = _rates(handled, last, lambda week, _: week)
    by_language = _rates(handled, last, lambda _, tag: _language(tag))
    nothing = dict.fromkeys(FIELDS, Rate())
    return Agreement(
        weeks={week: by_week.get(week, nothing) for week in weeks},
        languages=dict(sorted(by_language.items(), key=lambda one: (-one[1]["negative"].messages, one[0]))),
        overall=_rates(handled, last, lambda _, __: None).get(None, nothing),
        newest=[one for one in last if not one.agrees][:SHOWN],
        calm=calm,
    )


def _rates(handled: Handled, marks: Sequence[MarkItem], key: Callable[[datetime, str], K]) -> dict[K, Rates]:
    messages: Counter[tuple[K, Field]] = Counter()
    otherwise: Counter[tuple[K, Field]] = Counter()
    for (week, tag), number in handled.items():
        for name in FIELDS:
            messages[key(week, tag), name] += number
    for one in marks:
        place = (key(week_of(one.received_at), one.language), one.field)
        messages[place] += not one.handled
        otherwise[place] += not one.agrees
    keys = dict.fromkeys(place for place, _ in messages)
    return {
        place: {name: Rate(messages=messages[place, name], otherwise=otherwise[place, name]) for name in FIELDS}
        for place in keys
    }


def _language(tag: str) -> str:
    """zh-Hant of zh-Hant-HK, en of en-GB: scripts stay apart, regions do not."""
    first, _, rest = tag.partition("-")
    script = rest.partition("-")[0]
    return f"{first}-{script}" if len(script) == 4 else first


def agreement(connection: Connection, now: datetime, teams: tuple[str, ...] | None = None) -> Agreement:
    """Of the messages received in the last twelve weeks; `teams`, where not None, is what the viewer may see."""
    since = week_of(now) - WEEK * (WEEKS - 1)
    marks = marked(connection, MarkFilter(since=since, teams=teams, limit=MARKS_AT_MOST))
    recent = [one for one in marks if one.received_at >= since]
    return figures(_handled(connection, since, teams), recent, now, count_calm(connection, since, teams))


def _handled(connection: Connection, since: datetime, teams: tuple[str, ...] | None) -> Handled:
    received = type_coerce(MESSAGE.c.received_at, BigInteger)
    first, length = (FIRST_MONDAY - EPOCH) // timedelta(microseconds=1), WEEK // timedelta(microseconds=1)
    week = ((received - first) // length).label("week")
    question = (
        select(week, MESSAGE.c.language, func.count())
        .select_from(MESSAGE.join(CASE, CASE.c.id == MESSAGE.c.case_id))
        .where(MESSAGE.c.hour >= since, HANDLED, ~MESSAGE.c.own, ~MESSAGE.c.deleted, MESSAGE.c.negative.is_not(None))
    )
    if teams is not None:
        question = question.where(CASE.c.team.in_(teams))
    rows = connection.execute(question.group_by("week", MESSAGE.c.language))
    return {(FIRST_MONDAY + WEEK * number, language): count for number, language, count in rows}
