"""What is done about one message: (message, reading, hits, rules, history) -> Decision; pure.

The root always matches. A message is routed where a child of the root matches, a `keep` threshold is
reached, its key has an open case, it asks for a person, it could not be read, or it carries one of
`ALWAYS_QUEUED`, which makes it P1. Everything else is kept in the history: `calm`, or `muted` where
the route that matched says `queue: false`; that never holds back an open case, a wish for a person or
one of `ALWAYS_QUEUED`. Spam and campaigns never reach a threshold.

Team and priority of an open case stay; a message with a reason of its own may raise the priority.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from config.keywords import Hits, Keywords
from config.schema import Care, Deadline, Keep, Priority
from connectors.api import Message
from routing.calendar import ALWAYS, Hours
from routing.conditions import Because, Facts, at_least
from routing.deadlines import Layer, merged
from routing.tree import Found, Node, compile_nodes, texts, walk
from sentiment.api import Harm, Kind, Reading

__all__ = [
    "ALWAYS_QUEUED",
    "Because",
    "Decision",
    "History",
    "OpenCase",
    "Rules",
    "decide",
    "most_urgent",
    "one_up",
]

ALWAYS_QUEUED: frozenset[Harm] = frozenset({"self_harm", "bereavement", "minor", "legal", "press", "regulator"})
"""P1 and a person, whatever the file says."""

NEVER_COMPLAINTS: frozenset[Kind] = frozenset({"campaign", "spam", "news", "fan"})
NEVER_BY_THRESHOLD: frozenset[Kind] = frozenset({"campaign", "spam"})
READ_LANGUAGES = ("en", "zh")
"""Where a scorer abstains in one of these, the text itself says too little; elsewhere it is unreadable."""

NO_DEADLINE = Deadline()
NO_READINGS: Mapping[str, Reading] = MappingProxyType({})
URGENCY: tuple[Priority, ...] = ("P1", "P2", "P3", "P4")


@dataclass(frozen=True, slots=True)
class OpenCase:
    """What a decision needs to know of a case of the same customer in the same thread."""

    id: int
    priority: Priority
    team: str
    style: str = "none"
    bot_silent: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the customer. `resolved_case` was resolved less than 7 days ago.

    `repeats` counts the messages of this author within 24 hours, this one among them.
    """

    open_case: OpenCase | None = None
    resolved_case: OpenCase | None = None
    repeats: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done, and why.

    `kept` is calm or muted where `routed` is False; then `team` and `priority` are None and `style` is
    the one `keep` names. `kind` is the final one. `case_id` is the open case, or the resolved one that
    is shown or, where `reopens`, opened again; None: a new case where routed. `silences` is True where
    the bot must keep quiet in the thread from this message on. `version` is the file's. `view` is the team
    whose view of the reading counts: the one that the message went to, or would have gone to.
    """

    routed: bool
    kept: str | None = None
    team: str | None = None
    priority: Priority | None = None
    style: str = "none"
    route: tuple[str, ...] = ("root",)
    deadlines: Deadline = NO_DEADLINE
    because: tuple[Because, ...] = ()
    kind: Kind = "chatter"
    case_id: int | None = None
    reopens: bool = False
    silences: bool = False
    version: str = ""
    view: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of the file, compiled once: the tree, its keywords, its calendars."""

    care: Care
    keywords: Keywords
    calendars: Mapping[str, Hours]
    nodes: tuple[Node, ...]
    version: str
    remembered: dict[tuple[str, str, Priority, tuple[int, ...]], Deadline] = field(
        default_factory=dict, repr=False, compare=False
    )
    """Deadlines already merged, by channel, team, priority and layers: a file has few of them."""

    @classmethod
    def compile(cls, care: Care) -> Rules:
        """Raises ValueError for names that do not exist, calendars never open and expressions that do not parse."""
        zone = care.zone()
        calendars = {name: Hours.compile(calendar, zone) for name, calendar in care.calendars.items()}
        calendars["always"] = ALWAYS
        keywords = Keywords.compile(care.keywords, tuple(texts(care.route.routes)))
        nodes = compile_nodes(care.route.routes, care.route.team, care.people, calendars)
        return cls(care, keywords, calendars, nodes, care.digest)

    def hours(self, deadline: Deadline) -> Hours:
        """The opening hours that a merged deadline counts in."""
        return self.calendars[deadline.calendar or "always"]

    def deadlines(self, channel: str, team: str, priority: Priority, layers: tuple[Layer, ...] = ()) -> Deadline:
        """What is promised there, `layers` being those of the routes that matched; also for a case without them."""
        channel = channel if channel in self.care.channels else ""
        key = (channel, team, priority, tuple(map(id, layers)))
        if key not in self.remembered:
            self.remembered[key] = merged(_layers(self.care, layers, channel, team), priority)
        return self.remembered[key]


def decide(
    message: Message,
    reading: Reading,
    hits: Hits,
    rules: Rules,
    history: History,
    *,
    channel: str,
    connector: str,
    now: datetime,
    views: Mapping[str, Reading] = NO_READINGS,
) -> Decision:
    """Decide about an original message of a customer, or about an edit, which may raise its open case.

    `views`: the reading by team, where the file lets a team read otherwise.
    """
    facts = Facts(
        message=message,
        reading=reading,
        hits=hits,
        kind=_complained(reading.kind, bool(reading.harm)),
        channel=channel,
        connector=connector,
        repeats=history.repeats,
        now=now,
    )
    seen = {team: _seen(facts, view) for team, view in views.items()}
    found = walk(rules.nodes, facts, seen)
    team = _team(rules, history, found)
    facts = seen.get(team, facts)
    own = tuple(dict.fromkeys(_reasons(facts, found, rules.care.route.keep)))
    kind = _complained(facts.kind, any(each.rule in ("keywords", "text") for each in found.because))
    muted = found.queue is False and not _must_be_queued(facts.reading)
    if history.open_case is None and (muted or not own):
        return _kept(rules, history, found, kind, muted, team)
    return _routed(rules, history, found, kind, facts, () if muted else own, team)


def most_urgent(*priorities: Priority) -> Priority:
    """P1 before P4."""
    return min(priorities)


def one_up(priority: Priority) -> Priority:
    """The next more urgent priority."""
    return URGENCY[max(URGENCY.index(priority) - 1, 0)]


def _seen(facts: Facts, reading: Reading) -> Facts:
    return replace(facts, reading=reading, kind=_complained(reading.kind, bool(reading.harm)))


def _team(rules: Rules, history: History, found: Found) -> str:
    """Whom the message goes to if it goes to anybody: an open case stays where it is."""
    if history.open_case is not None:
        return history.open_case.team
    case = history.resolved_case
    return found.team or (rules.care.route.team if case is None else case.team)


def _complained(kind: Kind, something_wrong: bool) -> Kind:
    return "complaint" if something_wrong and kind not in NEVER_COMPLAINTS else kind


def _must_be_queued(reading: Reading) -> bool:
    return reading.asks_person or not ALWAYS_QUEUED.isdisjoint(reading.harm)


def _reasons(facts: Facts, found: Found, keep: Keep) -> Iterator[Because]:
    """Why this message goes to a person by itself, open case or not."""
    reading = facts.reading
    yield from (Because("harm", harm) for harm in reading.harm if harm in ALWAYS_QUEUED)
    if reading.asks_person:
        yield Because("asks for a person")
    if _unreadable(facts):
        yield Because("unreadable", reading.language)
    yield from found.because
    if facts.kind not in NEVER_BY_THRESHOLD:
        yield from _thresholds(reading, keep)


def _unreadable(facts: Facts) -> bool:
    """Three letters or more in a language that nothing here reads."""
    reading = facts.reading
    if not reading.unread or reading.language.partition("-")[0] in READ_LANGUAGES:
        return False
    return sum(map(str.isalpha, facts.message.text)) >= 3


def _thresholds(reading: Reading, keep: Keep) -> Iterator[Because]:
    if keep.negative is not None and reading.negative >= keep.negative:
        yield at_least("negative", reading.negative, keep.negative)
    if keep.urgent is not None and reading.urgent >= keep.urgent:
        yield at_least("urgent", reading.urgent, keep.urgent)
    if keep.needs_answer is not None and reading.needs_answer >= keep.needs_answer:
        yield at_least("needs_answer", reading.needs_answer, keep.needs_answer)


def _kept(rules: Rules, history: History, found: Found, kind: Kind, muted: bool, view: str) -> Decision:
    style = rules.care.route.keep.acknowledge or "none"
    return Decision(
        routed=False,
        kept="muted" if muted else "calm",
        style="none" if muted else style,
        route=found.route,
        because=(Because("muted", found.route[-1]),) if muted else (Because("calm"),),
        kind=kind,
        case_id=None if history.resolved_case is None else history.resolved_case.id,
        version=rules.version,
        view=view,
    )


def _routed(
    rules: Rules, history: History, found: Found, kind: Kind, facts: Facts, own: tuple[Because, ...], team: str
) -> Decision:
    root, case = rules.care.route, history.open_case or history.resolved_case
    priority = _priority(found.priority or root.priority, facts.reading)
    style, because = found.style or root.acknowledge, own
    if history.open_case is not None:
        case = history.open_case
        style = style if own and priority < case.priority else case.style
        priority = most_urgent(priority, case.priority) if own else case.priority
        because = (Because("open case"), *own)
    elif case is not None:
        priority = most_urgent(priority, case.priority)
        because = (*own, Because("resolved case"))
    return Decision(
        routed=True,
        team=team,
        priority=priority,
        style=style,
        route=found.route,
        deadlines=rules.deadlines(facts.channel, team, priority, found.layers),
        because=because,
        kind=kind,
        case_id=None if case is None else case.id,
        reopens=history.open_case is None and case is not None,
        silences=facts.reading.asks_person or (case is not None and case.bot_silent),
        version=rules.version,
        view=team,
    )


def _priority(priority: Priority, reading: Reading) -> Priority:
    if not ALWAYS_QUEUED.isdisjoint(reading.harm):
        return "P1"
    return one_up(priority) if reading.asks_person else priority


def _layers(care: Care, matched: tuple[Layer, ...], channel: str, team: str) -> Iterator[Layer]:
    """Deadlines and calendars, each overriding the one before: root, channel, route, team."""
    yield Layer(None, care.deadlines)
    yield Layer(care.route.calendar, care.route.deadlines)
    if channel in care.channels:
        yield Layer(care.channels[channel].calendar, care.channels[channel].deadlines)
    yield from matched
    if team in care.teams:
        yield Layer(care.teams[team].calendar, care.teams[team].deadlines)
