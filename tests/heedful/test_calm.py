"""The budget of false alarms over this installation's own calm messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from config.folding import Folded
from heedful.calm import measure, renewed
from heedful.guidance import Guidance
from routing.calm import ENOUGH, CalmMessage
from routing.desk import Desk
from routing.store.database import Store
from sentiment.api import Circumstances, Reading
from tests.databases import START, Clock
from tests.heedful.office import CARE, care_of
from tests.routing import samples
from tests.routing.deciding import CALM

BUDGET = CARE + "reading: {false_alarms: 10%}\n"


class Lengths:
    """The longer, the more negative; harm where the text says so."""

    def read(self, folded: Folded, circumstances: Circumstances, /) -> Reading:
        text, language = folded.original, circumstances.language or "en"
        harm: Any = ("injury",) if "harm" in text else ()
        return replace(CALM, language=language, negative=min(len(text), 100) / 100, harm=harm, unread="?" in text)

    def read_many(self, messages: Sequence[tuple[Folded, Circumstances]], /) -> list[Reading]:
        return [self.read(*message) for message in messages]


def guidance(text: str = BUDGET) -> Guidance:
    return replace(Guidance.compile(care_of(text)), reader=Lengths())


def calm(length: int, *, judged: bool = True, language: str | None = None, text: str = "") -> CalmMessage:
    return CalmMessage(text=text or "x" * length, private=False, body={"language": language}, judged=judged)


def test_too_few_judged_say_nothing() -> None:
    few = [calm(10) for _ in range(ENOUGH - 1)]
    kept = [calm(10, judged=False) for _ in range(500)]
    assert measure([*few, *kept], guidance()) == {}
    assert set(measure([*few, *kept, calm(10)], guidance())) == {"en"}


def test_the_threshold_is_that_of_all_calm_messages() -> None:
    alarms = [calm(90 + number % 5) for number in range(ENOUGH)]
    kept = [calm(20, judged=False) for _ in range(950)]
    assert measure([*alarms, *kept], guidance())["en"][0.1] == pytest.approx(0.2)
    assert measure([*alarms, *kept], guidance())["en"][0.01] == pytest.approx(0.93)


def test_each_family_counts_by_itself_and_what_nobody_read_does_not() -> None:
    odd = [calm(0, text="harm" + "!" * 90), calm(0, text="?")] * ENOUGH
    english, chinese = [calm(30) for _ in range(ENOUGH)], [calm(50, language="zh-Hant") for _ in range(ENOUGH)]
    found = measure([*english, *chinese, *odd], guidance())
    assert {name: budgets[0.5] for name, budgets in found.items()} == {"en": 0.3, "zh": 0.5}


async def test_what_is_measured_moves_the_cut(store: Store, clock: Clock) -> None:
    before = guidance()
    assert await renewed(store, before, clock()) is None
    rows = [samples.message(id=number, text="x" * 80, negative=0.7) for number in range(1, ENOUGH + 1)]
    await store.write(lambda connection: samples.add(connection, messages=rows))
    assert await renewed(store, before, clock()) is None
    desk = Desk(store, lambda: before.care, clock)
    for row in rows:
        await desk.mark(row["id"], "Lin", "not_negative")
    fresh = await renewed(store, before, clock())
    assert fresh is not None
    assert fresh.own.thresholds is not None
    assert fresh.own.thresholds["en"] == 0.8
    same = replace(fresh, reader=before.reader)
    assert await renewed(store, same, clock()) is None
    later = await renewed(store, same, START + timedelta(days=200))
    assert later is not None
    assert later.calm == {}


async def test_without_a_budget_nothing_is_asked(clock: Clock) -> None:
    assert await renewed(None, guidance(CARE), clock()) is None  # type: ignore[arg-type]  # would raise
