from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, insert, select

from routing.store.database import Store
from routing.store.rows import CASE, MESSAGE, OUTBOX, TALLY, insert_new, insert_rows
from tests.databases import START
from tests.routing import samples


def all_rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table).order_by(table.c.id)).mappings()]


async def test_rows_inserted_fast_are_the_same_rows(store: Store) -> None:
    reading = {"harm": ["fraud"], "why": [[1, 2, "x"]], "zh": "退款"}
    rows = [
        samples.message(reading=reading, because=[{"rule": "a"}], private=True),
        samples.message(reading=None, compound=None, author_handle="ann", text="'); -- %s :x ?"),
    ]
    for table, given in ((MESSAGE, rows), (CASE, [samples.case()]), (OUTBOX, [samples.outbox(envelope={"a": 1})])):

        def fast(connection: Connection, table: Table = table, given: Any = given) -> None:
            insert_rows(connection, table, given)

        def plain(connection: Connection, table: Table = table, given: Any = given) -> None:
            connection.execute(table.delete())
            connection.execute(insert(table), given)

        await store.write(fast)
        found = await store.read(lambda connection, table=table: all_rows(connection, table))  # type: ignore[misc]
        await store.write(plain)
        again = await store.read(lambda connection, table=table: all_rows(connection, table))  # type: ignore[misc]
        assert found == again == sorted(given, key=lambda row: row["id"])


async def test_no_rows_are_no_statement(store: Store) -> None:
    await store.write(lambda connection: insert_rows(connection, MESSAGE, []))


async def test_what_is_there_already_is_left_alone(store: Store) -> None:
    row = {"channel": "chat", "hour": samples.hour(START), "received": 1, "duplicates": 0}

    def put(connection: Connection, received: int) -> list[str]:
        statement = insert_new(connection, TALLY).returning(TALLY.c.channel)
        return list(connection.execute(statement, {**row, "received": received}).scalars())

    assert await store.write(lambda connection: put(connection, 1)) == ["chat"]
    assert await store.write(lambda connection: put(connection, 2)) == []
    assert await store.read(lambda connection: connection.execute(select(TALLY.c.received)).scalars().all()) == [1]
