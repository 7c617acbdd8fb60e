"""Rules of lint: every name that the file uses is one that exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from config.document import Path
from config.findings import did_you_mean
from config.report import Report, branches, conditions
from config.schema import Care, Condition, Deadline, Example, Priority, Route

__all__ = ["ADDRESSED", "HARMS", "KINDS", "LABELS", "LOCALE", "check_names"]

LABELS = ("negative", "neutral", "positive", "unsure")
HARMS = (
    "safety", "injury", "legal", "fraud", "data_leak", "self_harm", "bereavement", "vulnerable",
    "minor", "discrimination", "outage", "press", "regulator", "travel",
)  # fmt: skip
KINDS = ("complaint", "question", "request", "praise", "campaign", "spam", "news", "fan", "chatter")
ADDRESSED = ("to_us", "about_us", "about_other", "unknown")

LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?(?:-[a-z0-9]{5,8})*")
_LOCALES_MEANT = {"cn": "zh-Hans", "tw": "zh-Hant", "hk": "zh-Hant-HK", "chinese": "zh", "english": "en"}
_ALWAYS = "always"
_NONE = "none"


def check_names(care: Care, report: Report) -> None:
    names = _Names(care, report)
    names.routes()
    names.defaults()
    names.places()
    for index, example in enumerate(care.tests):
        names.example(("tests", index, "expect"), example)


class _Names:
    """The names that a file defines, and the places that use them."""

    def __init__(self, care: Care, report: Report) -> None:
        self._care = care
        self._report = report
        self._calendars = (*care.calendars, _ALWAYS)
        self._styles = (*care.acknowledge.styles, _NONE)

    def routes(self) -> None:
        seen: set[str] = set()
        for branch in branches(self._care):
            path, route = branch.path, branch.route
            self._one((*path, "team"), route.team, "team", self._care.teams)
            self._one((*path, "acknowledge"), route.acknowledge, "style", self._styles)
            self._clocks(path, route.calendar, route.deadlines)
            if isinstance(route, Route):
                self._child(path, route, seen)

    def _child(self, path: Path, route: Route, seen: set[str]) -> None:
        if route.name in seen or route.name == "root":
            self._report.error(
                (*path, "name"),
                "duplicate-name",
                f"a second route is named `{route.name}`",
                "give each route a name of its own",
            )
        seen.add(route.name)
        for inner, condition in conditions((*path, "when"), route.when):
            self._condition(inner, condition)

    def defaults(self) -> None:
        """Acknowledge, keep, calendars and deadlines at the top."""
        care = self._care
        self._one(("route", "keep", "acknowledge"), care.route.keep.acknowledge, "style", self._styles)
        for channel in care.acknowledge.channels:
            self._known(("acknowledge", "channels", channel), channel, "channel", care.channels, key=True)
        self._all(("acknowledge", "kinds"), care.acknowledge.kinds, "kind", KINDS)
        if care.acknowledge.fallback not in (None, _NONE):
            self._locale(("acknowledge", "fallback"), str(care.acknowledge.fallback))
        for style, texts in care.acknowledge.styles.items():
            for locale in texts.wordings:
                self._locale(("acknowledge", "styles", style, locale), locale, key=True)
        for index, language in enumerate(care.brand.languages):
            self._locale(("brand", "languages", index), language)
        self._clocks((), None, care.deadlines)

    def places(self) -> None:
        """Channels and teams."""
        care = self._care
        for name, channel in care.channels.items():
            path = ("channels", name)
            self._clocks(path, channel.calendar, channel.deadlines)
            self._one((*path, "reply_as"), channel.reply_as, "channel", care.channels)
            if channel.locale is not None:
                self._locale((*path, "locale"), channel.locale)
        for name, team in care.teams.items():
            self._all(("teams", name, "notify"), team.notify, "notify target", care.notify)
            self._clocks(("teams", name), team.calendar, team.deadlines)

    def example(self, path: Path, example: Example) -> None:
        expect = example.expect
        self._one((*path, "team"), expect.team, "team", self._care.teams)
        self._one((*path, "acknowledge"), expect.acknowledge, "style", self._styles)
        self._one((*path, "label"), expect.label, "label", LABELS)
        self._one((*path, "kind"), expect.kind, "kind", KINDS)
        self._all((*path, "harm"), expect.harm, "harm", HARMS)

    def _condition(self, path: Path, condition: Condition) -> None:
        care = self._care
        for key, names, noun, known in (
            ("keywords", condition.keywords, "keyword list", care.keywords),
            ("channel", condition.channel, "channel", care.channels),
            ("person_in", condition.person_in, "list of people", care.people),
            ("label", condition.label, "label", LABELS),
            ("harm", condition.harm, "harm", HARMS),
            ("kind", condition.kind, "kind", KINDS),
            ("addressed", condition.addressed, "value of `addressed`", ADDRESSED),
        ):
            self._all((*path, key), names, noun, known)
        for calendar in condition.calendar or ():
            self._known((*path, "calendar", calendar), calendar, "calendar", self._calendars, key=True)
        for index, language in enumerate(condition.language):
            self._locale((*path, "language", index), language)

    def _clocks(self, path: Path, calendar: str | None, deadlines: Mapping[Priority, Deadline]) -> None:
        self._one((*path, "calendar"), calendar, "calendar", self._calendars)
        for priority, deadline in deadlines.items():
            self._one((*path, "deadlines", priority, "calendar"), deadline.calendar, "calendar", self._calendars)

    def _all(self, path: Path, names: Sequence[str], noun: str, known: Iterable[str]) -> None:
        for index, name in enumerate(names):
            self._known((*path, index), name, noun, known)

    def _one(self, path: Path, name: str | None, noun: str, known: Iterable[str]) -> None:
        if name is not None:
            self._known(path, name, noun, known)

    def _known(self, path: Path, name: str, noun: str, known: Iterable[str], *, key: bool = False) -> None:
        if name not in known:
            self._report.error(path, "unknown-name", f"no {noun} is named `{name}`", did_you_mean(name, known), key=key)

    def _locale(self, path: Path, locale: str, *, key: bool = False) -> None:
        if LOCALE.fullmatch(locale) and locale not in _LOCALES_MEANT:
            return
        meant = _LOCALES_MEANT.get(locale.lower()) or _tidy(locale)
        way_out = f"did you mean `{meant}`?" if meant else "write en, zh-Hans, zh-Hant, zh-Hant-HK, es …"
        self._report.error(path, "bad-locale", f"`{locale}` is not a language tag", way_out, key=key)


def _tidy(locale: str) -> str | None:
    """The tag in its usual case, where only case and hyphen are wrong."""
    parts = re.split("[-_]", locale)
    shapes = {2: str.upper, 4: str.title}
    tidy = "-".join([parts[0].lower(), *(shapes.get(len(part), str.lower)(part) for part in parts[1:])])
    return tidy if LOCALE.fullmatch(tidy) and tidy != locale else None
