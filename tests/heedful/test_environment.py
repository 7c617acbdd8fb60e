"""`.env` beside the configuration: read, never executed, and always below the real environment."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from heedful.environment import SIZE_AT_MOST, Variables, parse
from heedful.signatures import sign
from tests.counterparts.telegram import BotApi
from tests.heedful.household import SECRET, Household, pager
from tests.heedful.test_daemon import logged, ready, shop_message


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("  export A = b  ", "b"),
        ("A=", ""),
        ("A=b # a comment", "b"),
        ("A=# a comment", ""),
        ("A=b#no-comment", "b#no-comment"),
        ("A='b # $HOME \\n'", "b # $HOME \\n"),
        ('A="b # \\n \\"c\\" \\\\" # a comment', 'b # \n "c" \\'),
        ("A=$(rm -rf /)`id`${HOME}", "$(rm -rf /)`id`${HOME}"),
        ("A=a=b=c", "a=b=c"),
        ("A=盗刷 🔥", "盗刷 🔥"),
        ("\ufeffA=b".removeprefix("\ufeff"), "b"),
        ("A=1\nA=2", "2"),
        ("A=b\r\n", "b"),
        ("exportA=1\nA=b", "b"),
    ],
)
def test_lines_are_read(line: str, value: str) -> None:
    values, unread = parse(line)
    assert (values["A"], unread) == (value, [])


@pytest.mark.parametrize(
    "line",
    ["A", "1A=b", "A B=c", "A-B=c", "=b", "A='b", 'A="b', 'A="b" c', "A='b''c'", "A=b\0c", "export", "Á=b", "A:b"],
)
def test_lines_that_are_none_are_named_by_number(line: str) -> None:
    assert parse(f"# first\n{line}\nZ=1") == ({"Z": "1"}, [2])


@given(st.text())
def test_any_text_is_read_or_named(text: str) -> None:
    values, unread = parse(text)
    assert all(name.isascii() and name.isidentifier() for name in values)
    assert len(unread) <= text.count("\n") + text.count("\r") + 1


@given(st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=["Cs"])))
def test_what_is_quoted_comes_back_as_it_was(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    assert parse(f'A="{escaped}"') == ({"A": value}, [])


def write(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / ".env"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def test_the_real_environment_wins_even_where_it_is_empty(tmp_path: Path) -> None:
    write(tmp_path, "A=file\nB=file\nC=file")
    found = Variables(tmp_path, {"A": "real", "B": ""})
    assert dict(found) == {"A": "real", "B": "", "C": "file"}
    assert len(found) == 3
    assert found.get("D") is None
    assert "C" not in os.environ


def test_a_changed_file_counts_at_once_and_a_missing_one_is_no_fault(tmp_path: Path) -> None:
    told: list[str] = []
    found = Variables(tmp_path, {}, told.append)
    assert found.get("A") is None
    path = write(tmp_path, "A=1")
    assert found["A"] == "1"
    write(tmp_path, "A=22")
    assert found["A"] == "22"
    path.unlink()
    assert found.get("A") is None
    assert told == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_can_read_is_read_and_said(tmp_path: Path, mode: int) -> None:
    told: list[str] = []
    path = write(tmp_path, "A=canary", mode)
    found = Variables(tmp_path, {}, told.append)
    assert [found["A"] for _ in range(3)] == ["canary"] * 3
    assert told == [f"{path} can be read by other users of this machine → chmod 600 {path}"]


@pytest.mark.parametrize("content", [b"A=\xff\xfe canary", b"A=canary\n" * SIZE_AT_MOST])
def test_a_file_that_is_none_is_left_alone(tmp_path: Path, content: bytes) -> None:
    told: list[str] = []
    write(tmp_path, content)
    assert dict(Variables(tmp_path, {}, told.append)) == {}
    assert len(told) == 1
    assert "canary" not in told[0]


def test_neither_a_pipe_nor_a_folder_nor_a_loop_holds_us_up(tmp_path: Path) -> None:
    makes: tuple[Callable[[Path], None], ...] = (os.mkfifo, os.mkdir, lambda path: path.symlink_to(path))
    for number, make in enumerate(makes):
        folder = tmp_path / str(number)
        folder.mkdir()
        make(folder / ".env")
        told: list[str] = []
        assert dict(Variables(folder, {}, told.append)) == {}
        assert len(told) == (0 if number == 2 else 1)


def test_broken_lines_are_said_without_what_stands_in_them(tmp_path: Path) -> None:
    told: list[str] = []
    write(tmp_path, "A=1\ncanary secret\nB='canary\n")
    assert dict(Variables(tmp_path, {}, told.append)) == {"A": "1"}
    assert "line 2, 3 is not NAME=value" in told[0]
    assert "canary" not in told[0]


class Bare(Household):
    """Nothing in the real environment: what there is, is in the file."""

    def environment(self, **more: str) -> dict[str, str]:
        return {name: value for name, value in super().environment(**more).items() if name != "SHOP_SECRET"}


@pytest_asyncio.fixture
async def bare(tmp_path: Path, bot_api: BotApi) -> AsyncIterator[Bare]:
    async with pager() as phone:
        yield Bare(tmp_path, bot_api.settings, phone.url)


async def knock(url: str, number: int) -> int:
    headers, raw = sign(SECRET, f"msg_{number}", shop_message(number, "stolen card"))
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/hooks/shop", data=raw, headers=headers) as answer,
    ):
        return answer.status


async def test_the_daemon_reads_it_and_says_that_others_can(bare: Bare) -> None:
    write(bare.folder, f'export SHOP_SECRET="{SECRET}"  # of the shop\n', 0o644)
    async with bare.runs() as running:
        await ready(running)
        assert await knock(running.url, 1) == 200
        log = running.log.read_text("utf-8")
    assert "can be read by other users" in log
    assert SECRET not in log


async def test_a_secret_is_mended_while_the_daemon_runs(bare: Bare) -> None:
    async with bare.runs() as running:
        await logged(running, "SHOP_SECRET is not set")
        assert await knock(running.url, 1) == 503
        write(bare.folder, f"SHOP_SECRET={SECRET}\n")
        running.signal(signal.SIGHUP)
        await ready(running)
        assert await knock(running.url, 1) == 200


async def test_commands_find_the_database_by_it(bare: Bare) -> None:
    bare.write(**{"\nbrand:": '\ndatabase: "sqlite:///${PLACE}.db"\nbrand:'})
    code, text = await bare.command("queue", "list")
    assert (code, "PLACE is not set → set it, or write it into .env" in text) == (1, True)
    assert "Traceback" not in text
    write(bare.folder, "PLACE=from-the-file")
    assert await bare.ask("queue", "list") == []
    assert (bare.folder / "from-the-file.db").exists()
    write(bare.folder, "PLACE=x\nHEEDFUL_DATABASE_URL=sqlite:///named.db")
    assert await bare.ask("queue", "list") == []
    assert (bare.folder / "named.db").exists()
