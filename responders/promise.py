"""The time that a customer is told: rounded up, with day and zone, in the customer's locale; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from responders.locales import Tag, ladder, tag

__all__ = ["round_up", "when"]

NEAR_MIDNIGHT = timedelta(minutes=30)
"""A text may wait that long before it is sent or read: then `today` could already be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """How a locale writes a day and a time. Dates take {day}, {month}, {year}, {weekday}."""

    today: str
    tomorrow: str
    date: str
    dated_year: str
    moment: str = "{day} {time} ({zone})"
    weekdays: tuple[str, ...] = ()
    months: tuple[str, ...] = ()


_ISO = _Manner(
    today="{year:04}-{number:02}-{dom:02}",
    tomorrow="{year:04}-{number:02}-{dom:02}",
    date="{year:04}-{number:02}-{dom:02}",
    dated_year="{year:04}-{number:02}-{dom:02}",
)
_ENGLISH = _Manner(
    today="today",
    tomorrow="tomorrow",
    date="{weekday} {dom} {month}",
    dated_year="{weekday} {dom} {month} {year}",
    weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_SPANISH = _Manner(
    today="hoy",
    tomorrow="mañana",
    date="{weekday} {dom} {month}",
    dated_year="{weekday} {dom} {month} {year}",
    weekdays=("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
    months=("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
)


def _chinese(today: str, tomorrow: str, week: str) -> _Manner:
    date = "{number}月{dom}日{weekday}"
    return _Manner(
        today=today,
        tomorrow=tomorrow,
        date=date,
        dated_year="{year}年" + date,
        moment="{day} {time}（{zone}）",
        weekdays=tuple(week + day for day in "一二三四五六日"),
    )


_MANNERS: Mapping[Tag, _Manner] = {
    Tag("en"): _ENGLISH,
    Tag("es"): _SPANISH,
    Tag("zh"): _chinese("今天", "明天", "周"),
    Tag("zh", "Hant"): _chinese("今天", "明天", "週"),
    Tag("zh", "Hant", "HK"): _chinese("今日", "明日", "星期"),
}
_CITIES: Mapping[str, tuple[str, str]] = {
    "Asia/Shanghai": ("北京时间", "北京時間"), "Asia/Taipei": ("台北时间", "台北時間"),
    "Asia/Hong_Kong": ("香港时间", "香港時間"), "Asia/Macau": ("澳门时间", "澳門時間"),
    "Asia/Singapore": ("新加坡时间", "新加坡時間"), "Asia/Tokyo": ("东京时间", "東京時間"),
    "Europe/Madrid": ("马德里时间", "馬德里時間"), "Europe/London": ("伦敦时间", "倫敦時間"),
    "America/New_York": ("纽约时间", "紐約時間"), "America/Los_Angeles": ("洛杉矶时间", "洛杉磯時間"),
}  # fmt: skip


def round_up(due: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant that is told, never before `due`, and so the one to keep as the promise: what is told binds.

    Rounded up on the zone's clock, to 5 minutes where it is less than 1 hour ahead, to a quarter of an
    hour up to 24 hours, and beyond that to the hour.
    """
    ahead = due - now
    step = 5 if ahead < timedelta(hours=1) else 15 if ahead < timedelta(hours=24) else 60
    local = due.astimezone(zone)
    past = timedelta(minutes=local.minute % step, seconds=local.second, microseconds=local.microsecond)
    added = timedelta(minutes=step) - past if past else timedelta(0)
    return due.astimezone(UTC) + added


def when(due: datetime, zone: ZoneInfo, locale: str, now: datetime) -> str:
    """Write a deadline for the customer: `today 18:30 (UTC+8)`, `明天 09:00（北京时间 UTC+8）`.

    Rounded up by `round_up`. The day is a date from the day after tomorrow on, and also shortly before
    midnight. Locales without a manner of their own get a date in digits.
    """
    told = round_up(due, zone, now).astimezone(zone)
    wish = tag(locale)
    manner = next((_MANNERS[rung] for rung in ladder(wish) if rung in _MANNERS), _ISO)
    day = _day(told, now.astimezone(zone), manner)
    return manner.moment.format(day=day, time=f"{told:%H:%M}", zone=_zone(told, zone, wish))


def _day(told: datetime, now: datetime, manner: _Manner) -> str:
    days = (told.date() - now.date()).days
    late = (now.replace(tzinfo=None) + NEAR_MIDNIGHT).date() > now.date()
    pattern = manner.date if told.year == now.year else manner.dated_year
    if days in (0, 1) and not late:
        pattern = manner.tomorrow if days else manner.today
    return pattern.format(
        year=told.year,
        number=told.month,
        dom=told.day,
        weekday=manner.weekdays[told.weekday()] if manner.weekdays else "",
        month=manner.months[told.month - 1] if manner.months else "",
    )


def _zone(told: datetime, zone: ZoneInfo, wish: Tag) -> str:
    """`UTC+8`, in Chinese with the city whose clock it is."""
    minutes = (told.utcoffset() or timedelta(0)) // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    offset = f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}" if minutes else "UTC"
    simplified, traditional = _CITIES.get(zone.key, ("", ""))
    city = "" if wish.language != "zh" else traditional if wish.script == "Hant" else simplified
    return f"{city} {offset}" if city else offset
