"""Rules of lint: single values that no other rule looks at: variables, secrets, hours, addresses."""

from __future__ import annotations

import re

from config.document import Node, Path
from config.report import Report, branches
from config.schema import Care

__all__ = ["check_values", "check_variables"]

_VARIABLES_IN = ("database", "engine", "channels", "notify")
_VARIABLE = re.compile(r"\$\{([^}]*)\}?")
_GOOD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_KEY = re.compile(r"token|secret|password|passwd|api_?key|(?:^|_)key$|webhook", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b|\bxox[abeprs]-[0-9A-Za-z-]{10,}|\bwhsec_[0-9A-Za-z+/=]{16,}"
    r"|://[^/\s:@$]+:[^/\s@$]+@"
)
_SHORTEST_SECRET = 8
_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
_DAYS = re.compile(f"{_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-(?:([01][0-9]|2[0-3]):[0-5][0-9]|24:00)")
_LISTEN = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_DATABASE = re.compile(r"(?:sqlite(?:\+\w+)?:///|postgresql(?:\+\w+)?://|\$\{)")
_STAFF = re.compile(r"[a-z][a-z0-9_-]*:.+")


def check_variables(root: Node, report: Report) -> None:
    """`${NAME}` only where secrets belong. Works on any tree, whether or not it fits the schema."""
    for path, node in root.scalars():
        text = str(node.value)
        if "${" not in text:
            continue
        if not path or path[0] not in _VARIABLES_IN:
            report.error(
                path,
                "misplaced-variable",
                f"`{text[:60]}` stands where no variable is replaced",
                "write the value itself; ${NAME} works under database, engine, channels and notify",
            )
            continue
        for found in _VARIABLE.finditer(text):
            if not found[0].endswith("}") or not _GOOD_NAME.fullmatch(found[1]):
                report.error(
                    path, "bad-variable", f"`{found[0]}` names no variable", "write ${NAME} with letters, digits and _"
                )


def check_values(care: Care, report: Report) -> None:
    _secrets(report)
    _calendars(care, report)
    _addresses(care, report)
    _pages(care, report)
    for index, person in enumerate(care.brand.staff):
        if not _STAFF.fullmatch(person):
            report.error(
                ("brand", "staff", index),
                "bad-value",
                f"`{person}` names nobody",
                "write kind:id, such as telegram:123456",
            )


def _secrets(report: Report) -> None:
    for path, node in report.root.scalars():
        text, key = str(node.value), _last_key(path)
        if not path or path[0] not in (*_VARIABLES_IN, "web") or "${" in text:
            continue
        named = path[0] in ("channels", "notify") and _SECRET_KEY.search(key) and len(text) >= _SHORTEST_SECRET
        if (named and not text.startswith(("http://", "https://"))) or _SECRET_VALUE.search(text):
            report.warning(
                path,
                "literal-secret",
                f"`{key}` holds a secret in the open",
                "put it into the environment and write ${NAME} here",
            )


def _last_key(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _calendars(care: Care, report: Report) -> None:
    for name, calendar in care.calendars.items():
        if name == "always":
            report.error(
                ("calendars", name),
                "reserved-name",
                "`always` is the calendar that never closes",
                "give this calendar another name",
                key=True,
            )
        for days, spans in calendar.hours.items():
            path = ("calendars", name, "hours", days)
            if not _DAYS.fullmatch(days):
                report.error(path, "bad-hours", f"`{days}` names no days", "write mon-fri, sat or mon,wed", key=True)
            for span in spans:
                if not _HOURS.fullmatch(span) or span[:5] >= span[6:]:
                    report.error(
                        path,
                        "bad-hours",
                        f"`{span}` is not a span of hours",
                        'write "09:00-18:00"; a night takes two: ["00:00-02:00", "20:00-24:00"]',
                    )


def _addresses(care: Care, report: Report) -> None:
    for key, value in (("listen", care.web.listen), ("hooks", care.web.hooks)):
        match = _LISTEN.fullmatch(value) if value is not None else None
        if value is not None and (match is None or not 0 < int(match[1]) < 65536):
            report.error(
                ("web", key), "bad-value", f"`{value}` is not an address to listen on", 'write "127.0.0.1:8080"'
            )
    if care.web.public_url is not None and not care.web.public_url.startswith(("http://", "https://")):
        report.error(
            ("web", "public_url"),
            "bad-value",
            f"`{care.web.public_url}` is not an address",
            'write "https://care.example.org"',
        )
    if care.database is not None and not _DATABASE.match(care.database):
        report.error(
            ("database",),
            "bad-value",
            "`database` is neither SQLite nor PostgreSQL",
            "write sqlite:///heedful.db or postgresql://…",
        )
    if care.engine is not None and not care.engine.startswith(("nats://", "tls://", "${")):
        report.error(("engine",), "bad-value", f"`{care.engine}` is not an engine", "write nats://host:4222")


def _pages(care: Care, report: Report) -> None:
    """A P1 route whose team nobody tells; a rule that always fires."""
    told: set[str] = set()
    for branch in branches(care):
        team = care.teams.get(branch.team)
        if branch.priority == "P1" and team is not None and not team.notify and branch.team not in told:
            told.add(branch.team)
            report.warning(
                ("teams", branch.team),
                "unnotified-team",
                f"`{branch.team}` gets P1, and nobody is notified",
                "add `notify: [...]` to the team",
                key=True,
            )
        if branch.when is not None and not branch.when.model_fields_set:
            report.warning(
                (*branch.path, "when"),
                "always-fires",
                "a route without conditions takes every message",
                "add a condition, or set its values at the root",
            )
