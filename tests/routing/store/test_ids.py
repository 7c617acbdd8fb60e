from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from routing.store.database import Store
from routing.store.ids import DIGITS, LETTERS, Ids, new_id, ref, refs
from tests.databases import START
from tests.routing import samples

START_OF_2026 = Ids().new(datetime(2026, 1, 1, tzinfo=UTC))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2110, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(MOMENTS, min_size=1, max_size=200))
def test_ids_grow_whatever_the_clock_does(moments: list[datetime]) -> None:
    made = Ids()
    found = [made.new(at) for at in moments]
    assert found == sorted(set(found))
    assert found[-1] < 2**63


def test_ids_fit_the_column_whatever_a_recording_claims() -> None:
    made = Ids()
    absurd = [made.new(datetime(2199, 12, 31, tzinfo=UTC)) for _ in range(10)]
    assert absurd == sorted(set(absurd))
    assert START_OF_2026 < absurd[0] <= absurd[-1] < 2**63


@given(MOMENTS, st.integers(1, 10**9))
def test_ids_of_later_ticks_are_larger_in_any_process(at: datetime, later: int) -> None:
    assert Ids().new(at) < Ids().new(at + timedelta(milliseconds=66 + later))


def test_ids_are_unique_among_threads() -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: new_id(START), range(5000)))
    assert len(set(found)) == len(found)


@given(st.integers(0, 2**63 - 1), st.integers(0, 9))
def test_a_reference_is_short_and_cannot_be_misread(number: int, attempt: int) -> None:
    found = ref(number, attempt)
    assert len(found) == 4 + min(attempt, 2)
    assert found[0] in LETTERS
    assert set(found) <= set(DIGITS)
    assert not set(found) & set("ILOU")


async def test_references_are_unique_among_cases_and_each_other(store: Store) -> None:
    numbers = [10**15 + number for number in range(3000)]
    taken = [samples.case(id=number, ref=ref(10**15 + number)) for number in range(50)]
    await store.write(lambda connection: samples.add(connection, cases=taken))
    found = await store.read(lambda connection: refs(connection, numbers))
    assert list(found) == numbers or set(found) == set(numbers)
    assert len(set(found.values())) == len(numbers)
    assert not set(found.values()) & {row["ref"] for row in taken}
