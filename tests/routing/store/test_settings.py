from __future__ import annotations

import pytest

from routing.store import settings
from routing.store.database import Store
from routing.store.settings import Pause
from tests.databases import START


@pytest.mark.parametrize("value", [1, 0, 1.5, "text", "1", True, None, [1, {"a": "退款"}], {}, {"b": None}, 2**53])
async def test_a_value_comes_back_as_it_was(store: Store, value: object) -> None:
    await store.write(lambda connection: settings.put(connection, "name", "before"))
    await store.write(lambda connection: settings.put(connection, "name", value))
    assert await store.read(lambda connection: settings.get(connection, "name", "other")) == value


async def test_what_is_not_there_is_the_default(store: Store) -> None:
    assert await store.read(lambda connection: settings.get(connection, "name", 7)) == 7
    await store.write(lambda connection: settings.put(connection, "name", 1))
    await store.write(lambda connection: settings.forget(connection, "name"))
    assert await store.read(lambda connection: settings.get(connection, "name")) is None


async def test_texts_are_not_paused_until_somebody_pauses_them(store: Store) -> None:
    assert await store.read(settings.paused) == Pause()
    state = Pause(paused=True, by="ann", at=START, reason="storm")
    await store.write(lambda connection: settings.pause(connection, state))
    assert await store.read(settings.paused) == state
    assert state.as_json() == {"paused": True, "by": "ann", "at": "2027-03-01T09:00:00Z", "reason": "storm"}
