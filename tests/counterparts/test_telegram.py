"""The counterpart itself, as other tests use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.counterparts import telegram
from tests.counterparts.telegram import start_bot_api


async def test_it_starts_speaks_and_is_gone(tmp_path: Path) -> None:
    async with start_bot_api(tmp_path) as bot_api:
        number = await bot_api.say("hello")
        updates = await bot_api.call("getUpdates", offset=number)
        assert [update["message"]["text"] for update in updates["result"]] == ["hello"]
        assert bot_api.calls("getUpdates") == 1
        assert await bot_api.answered(1, within=0) == 0
        url = bot_api.url
    async with start_bot_api(tmp_path) as another:
        assert another.url != url or (await another.call("getUpdates"))["result"] == []


@pytest.mark.parametrize(
    ("environment", "outcome"), [({}, pytest.skip.Exception), ({"CI": "1"}, pytest.fail.Exception)]
)
def test_without_the_program_a_test_is_skipped_but_fails_where_it_counts(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], outcome: type[BaseException]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(telegram, "_PROGRAM", "no-such-program-anywhere")
    with pytest.raises(outcome, match="not installed"):
        telegram._program()
