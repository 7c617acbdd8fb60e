"""The page on which staff see how often they agree with the reading. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from feed.catalogue import Catalogue
from feed.staff import Person
from feed.status import stamp
from feed.views import html_language, language_name
from routing.agreement import Agreement, Rate
from routing.calm import CalmCount
from routing.marks import FIELDS, Field, MarkItem

__all__ = ["AgreementView", "agreement_view", "percent"]

TALLEST = 96.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One cell: how often staff agreed, of how many messages."""

    field: Field
    words: str
    messages: int
    otherwise: int
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A week or a language."""

    name: str
    at: datetime | None
    iso: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """One message that somebody marked otherwise than it was read."""

    id: str
    mark: str
    mine: bool
    staff: str
    at: datetime
    label: str | None
    said: str
    text: str
    lang: str
    language: str
    channel: str
    case: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementView:
    empty: bool
    overall: tuple[Share, ...]
    weeks: tuple[Line, ...]
    languages: tuple[Line, ...]
    newest: tuple[Otherwise, ...]
    calm: CalmCount
    share: str
    budget: str


def agreement_view(found: Agreement, person: Person, texts: Catalogue, budget: float | None) -> AgreementView:
    """`budget`: the share of false alarms that the file asks for."""
    weeks = tuple(
        Line(name="", at=week, iso=(stamp(week) or "")[:10], shares=_shares(rates))
        for week, rates in found.weeks.items()
    )
    languages = tuple(
        Line(name=language_name(tag, texts), at=None, iso="", shares=_shares(rates))
        for tag, rates in found.languages.items()
    )
    return AgreementView(
        empty=not any(rate.messages for rate in found.overall.values()),
        overall=_shares(found.overall),
        weeks=weeks,
        languages=languages,
        newest=tuple(_otherwise(one, person, texts) for one in found.newest),
        calm=found.calm,
        share=percent(found.calm.share),
        budget=percent(budget),
    )


def _shares(rates: Mapping[Field, Rate]) -> tuple[Share, ...]:
    return tuple(
        Share(
            field=name,
            words=percent(rates[name].share),
            messages=rates[name].messages,
            otherwise=rates[name].otherwise,
            height=round((rates[name].share or 0.0) * TALLEST, 1),
        )
        for name in FIELDS
    )


def percent(share: float | None) -> str:
    """97.4%, 5%, 0.04%: as much as tells two small shares apart. 100% is nothing less."""
    if share is None:
        return ""
    hundred = share * 100
    words = f"{hundred:.2f}" if 0 < hundred < 1 else f"{min(hundred, 99.9):.1f}" if hundred < 100 else "100"
    return (words.rstrip("0").rstrip(".") if "." in words else words) + "%"


def _otherwise(one: MarkItem, person: Person, texts: Catalogue) -> Otherwise:
    number = {"negative": one.said.negative, "urgent": one.said.urgent}.get(one.field)
    what = (
        texts.name("label", one.said.label or "unsure") if one.field == "negative" else texts.name("reading", one.field)
    )
    said = what if number is None else f"{what} {percent(number)}"
    return Otherwise(
        id=str(one.message_id),
        mark=one.mark,
        mine=one.staff == person.name,
        staff=one.staff,
        at=one.at,
        label=one.said.label,
        said=said if one.field != "addressed" else texts.name("addressed", one.said.addressed or "unknown"),
        text=one.text,
        lang=html_language(one.language),
        language=language_name(one.language, texts),
        channel=one.channel,
        case=None if one.case_id is None else str(one.case_id),
    )
