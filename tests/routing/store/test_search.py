from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from config.folding import fold
from routing.store import search
from routing.store.database import Store
from routing.store.migrations import searching

TEXTS = {
    1: "我要退款，太慢了！iphone15坏了",
    2: "You charged my card twice; that's refund-worthy",
    3: "退",
    4: "เครื่องบินล่าช้า 航班a航",
    5: "café naïve O'Brien back\\slash it's",
    6: "飛機誤點，請退款",
    7: "한국어 환불 요청",
    8: "ab" * 2500,
}


@pytest.fixture
async def filled(store: Store) -> Store:
    rows = [(number, fold(text).text) for number, text in TEXTS.items()]
    await store.write(lambda connection: search.index(connection, rows))
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("退款", [6, 1]), ("退", [6, 3, 1]), ("太慢", [1]), ("太慢了", [1]), ("慢", [1]), ("款", [6, 1]),
        ("iphone15坏", [1]), ("坏了 iphone", [1]), ("款太", []), ("退 款", [6, 1]),
        ("飞机误点", [6]), ("誤點", [6]), ("ล่าช้า", [4]), ("航", [4]), ("a航", [4]), ("환불", [7]),
        ("charge", [2]), ("CHARGED", [2]), ("ｃａｒｄ twice", [2]), ("twice card", [2]), ("refund-worthy", [2]),
        ("harged", []), ("o'brien", [5]), ("back\\slash", [5]), ("it's", [5]), ("naïve", [5]),
        ("", []), ("  ", []), ("!!!", []), ("AND", []), ("card NOT twice", []), ('"', []), ("'", []), ("*", []),
        ("card* ", [2]), ("words: card", []), ("a OR b", []), ("ab" * 200, [8]),
    ],
)  # fmt: skip
async def test_both_databases_find_the_same(filled: Store, query: str, found: list[int]) -> None:
    assert await filled.read(lambda connection: search.search(connection, query)) == found


async def test_the_newest_come_first_and_no_more_than_asked(store: Store) -> None:
    await store.write(lambda connection: search.index(connection, [(number, "refund") for number in range(1, 30)]))
    assert await store.read(lambda connection: search.search(connection, "refund", 3)) == [29, 28, 27]


async def test_what_was_erased_is_not_found(filled: Store) -> None:
    await filled.write(lambda connection: search.forget(connection, [(1, fold(TEXTS[1]).text)]))
    assert await filled.read(lambda connection: search.search(connection, "退款")) == [6]


async def test_nothing_to_index_is_nothing_done(store: Store) -> None:
    await store.write(lambda connection: search.index(connection, []))
    await store.write(lambda connection: search.index(connection, [(1, ""), (2, "…")]))
    await store.write(lambda connection: search.forget(connection, [(1, "")]))


@settings(max_examples=150)
@given(
    st.lists(st.text("退款太慢了啊航班延誤请問リモ환불ล่า", min_size=1, max_size=12), min_size=1, max_size=4),
    st.data(),
)
def test_any_stretch_of_dense_writing_is_found(runs: list[str], data: st.DataObject) -> None:
    """Complete: what stands side by side in a message finds it, from one character on."""
    run = data.draw(st.sampled_from(runs))
    start = data.draw(st.integers(0, len(run) - 1))
    stretch = run[start : data.draw(st.integers(start + 1, len(run)))]
    folded = fold("，".join(runs)).text
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        searching.create(connection)
        search.index(connection, [(1, folded), (2, "elsewhere")])
        found = search.search(connection, stretch)
    engine.dispose()
    if fold(stretch).text in folded and re.search(r"\w", fold(stretch).text):
        assert found == [1]


@settings(max_examples=150)
@given(st.text(max_size=40), st.text(max_size=40))
def test_no_query_is_an_error(text: str, query: str) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        searching.create(connection)
        search.index(connection, [(1, fold(text).text)])
        search.search(connection, query)
    engine.dispose()
