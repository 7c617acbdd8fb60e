"""`when:` compiled: from the file's conditions to tests of one message; pure.

A test says True, False or None: unknown, because the platform did not tell (followers, mentions_us).
`any` and `not` reckon with that, and only True matches: a condition on an unknown number is false, and
so is a `not` around it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, TypeVar

from config.keywords import Hits, Span
from config.schema import Condition
from connectors.api import Message
from responders.locales import Tag, tag
from routing.calendar import Hours
from sentiment.api import Kind, Reading

__all__ = ["Because", "Compiled", "Facts", "at_least", "compile_condition", "texts_of"]


@dataclass(frozen=True, slots=True)
class Because:
    """One reason: the rule, what of it, and where in the text (spans in characters of the original)."""

    rule: str
    detail: str = ""
    spans: tuple[Span, ...] = ()

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}" if self.detail else self.rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a condition may ask about one message. `kind` already counts a harm as a complaint."""

    message: Message
    reading: Reading
    hits: Hits
    kind: Kind
    channel: str
    connector: str
    repeats: int
    now: datetime


T = TypeVar("T")
Test = Callable[[Facts], bool | None]
Told = Callable[[Facts], Iterator[Because]]
Number = Callable[[Facts], float | None]

NUMBERS: Mapping[str, Number] = {
    "negative": attrgetter("reading.negative"),
    "urgent": attrgetter("reading.urgent"),
    "needs_answer": attrgetter("reading.needs_answer"),
    "followers": attrgetter("message.author.followers"),
    "repeats": attrgetter("repeats"),
}
WORDS: Mapping[str, Callable[[Facts], str]] = {
    "label": attrgetter("reading.label"),
    "kind": attrgetter("kind"),
    "addressed": attrgetter("reading.addressed"),
    "channel": attrgetter("channel"),
    "connector": attrgetter("connector"),
}
FLAGS: Mapping[str, Callable[[Facts], bool | None]] = {
    "private": attrgetter("message.private"),
    "mentions_us": attrgetter("message.mentions_us"),
}


class Compiled(NamedTuple):
    """A condition ready to be asked. `told` says what of it is worth telling, where it held."""

    test: Test
    told: Told


def compile_condition(
    condition: Condition, people: Mapping[str, Collection[str]], calendars: Mapping[str, Hours]
) -> Compiled:
    """All that is given must hold. Raises ValueError naming a list of people or a calendar that does not exist."""
    tests = [*_found(condition), *_worded(condition), *_counted(condition), *_flagged(condition)]
    tests += [_person(_all_people(condition.person_in, people))] if condition.person_in else []
    for name, state in (condition.calendar or {}).items():
        tests.append(_hours(_known(calendars, name, "calendar"), state == "open"))
    alternatives = tuple(compile_condition(each, people, calendars) for each in condition.any_of)
    if alternatives:
        tests.append(_any([each.test for each in alternatives]))
    if condition.none_of is not None:
        tests.append(_not(compile_condition(condition.none_of, people, calendars).test))
    return Compiled(_all(tests), _telling(condition, alternatives))


def texts_of(condition: Condition) -> Iterator[str]:
    """Every `text:` expression in a condition, however deep."""
    yield from condition.text
    for each in condition.any_of:
        yield from texts_of(each)
    if condition.none_of is not None:
        yield from texts_of(condition.none_of)


def _all(tests: Collection[Test]) -> Test:
    if len(tests) == 1:
        return next(iter(tests))

    def test(facts: Facts) -> bool | None:
        holds: bool | None = True
        for each in tests:
            answer = each(facts)
            if answer is False:
                return False
            if answer is None:
                holds = None
        return holds

    return test


def _any(tests: Collection[Test]) -> Test:
    def test(facts: Facts) -> bool | None:
        holds: bool | None = False
        for each in tests:
            answer = each(facts)
            if answer:
                return True
            if answer is None:
                holds = None
        return holds

    return test


def _not(inner: Test) -> Test:
    def test(facts: Facts) -> bool | None:
        answer = inner(facts)
        return None if answer is None else not answer

    return test


def _found(condition: Condition) -> Iterator[Test]:
    lists, texts, harms = map(frozenset, (condition.keywords, condition.text, condition.harm))
    if lists:
        yield lambda facts: not lists.isdisjoint(facts.hits.lists)
    if texts:
        yield lambda facts: not texts.isdisjoint(facts.hits.expressions)
    if harms:
        yield lambda facts: not harms.isdisjoint(facts.reading.harm)


def _worded(condition: Condition) -> Iterator[Test]:
    for name, word in WORDS.items():
        if getattr(condition, name):
            yield _one_of(word, frozenset(getattr(condition, name)))
    if condition.language:
        yield _language(tuple(map(tag, condition.language)))


def _one_of(word: Callable[[Facts], str], allowed: frozenset[str]) -> Test:
    return lambda facts: word(facts) in allowed


def _language(wishes: tuple[Tag, ...]) -> Test:
    """`zh` covers both scripts; a region counts only where the reading tells one."""

    def test(facts: Facts) -> bool:
        read = tag(facts.reading.language)
        return any(_covers(wish, read) for wish in wishes)

    return test


def _covers(wish: Tag, read: Tag) -> bool:
    same_region = not (wish.region and read.region) or wish.region == read.region
    return wish.language == read.language and wish.script in ("", read.script) and same_region


def _counted(condition: Condition) -> Iterator[Test]:
    for name, number in NUMBERS.items():
        least = getattr(condition, name)
        if least is not None:
            yield _at_least(number, least)


def _at_least(number: Number, least: float) -> Test:
    def test(facts: Facts) -> bool | None:
        value = number(facts)
        return None if value is None else value >= least

    return test


def _flagged(condition: Condition) -> Iterator[Test]:
    for name, flag in FLAGS.items():
        wanted = getattr(condition, name)
        if wanted is not None:
            yield _is(flag, wanted)


def _is(flag: Callable[[Facts], bool | None], wanted: bool) -> Test:
    def test(facts: Facts) -> bool | None:
        value = flag(facts)
        return None if value is None else value is wanted

    return test


def _person(entries: frozenset[str]) -> Test:
    def test(facts: Facts) -> bool:
        author = facts.message.author
        if f"{facts.connector}:{author.id}" in entries:
            return True
        return bool(author.handle) and f"{facts.connector}:{_handle(author.handle or '')}" in entries

    return test


def _all_people(names: Collection[str], people: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The entries of some lists: `kind:id` as written, `kind:@handle` in one letter case."""
    entries = (entry.partition(":") for name in names for entry in _known(people, name, "list of people"))
    return frozenset(f"{kind}:{_handle(who) if who.startswith('@') else who}" for kind, _, who in entries)


def _handle(text: str) -> str:
    return "@" + text.lstrip("@").casefold()


def _hours(hours: Hours, wanted: bool) -> Test:
    return lambda facts: hours.is_open(facts.now) is wanted


def _known(things: Mapping[str, T], name: str, what: str) -> T:
    if name not in things:
        raise ValueError(f"there is no {what} called `{name}`")
    return things[name]


def _telling(condition: Condition, alternatives: tuple[Compiled, ...]) -> Told:
    """Hits with their spans, harms, numbers with their bound; of `any` only what held, of `not` nothing."""

    def told(facts: Facts) -> Iterator[Because]:
        lists, expressions = facts.hits.lists, facts.hits.expressions
        yield from (Because("keywords", name, lists[name]) for name in condition.keywords if name in lists)
        yield from (Because("text", text, expressions[text]) for text in condition.text if text in expressions)
        yield from (Because("harm", harm) for harm in facts.reading.harm if harm in condition.harm)
        yield from _numbers_told(condition, facts)
        for each in alternatives:
            if each.test(facts):
                yield from each.told(facts)

    return told


def _numbers_told(condition: Condition, facts: Facts) -> Iterator[Because]:
    for name, number in NUMBERS.items():
        least, value = getattr(condition, name), number(facts)
        if least is not None and value is not None:
            yield at_least(name, value, least)


def at_least(name: str, value: float, least: float) -> Because:
    """A number that reached its bound."""
    return Because(name, f"{round(value, 3)} ≥ {least}")
