"""What systemd hears, over a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from heedful.notify_systemd import Systemd
from routing.store.errors import StoreError


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The service manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        yield listener


def heard(manager: socket.socket) -> list[str]:
    told: list[str] = []
    with suppress(BlockingIOError):
        while True:
            told.append(manager.recv(4096).decode())
    return told


def speaker(manager: socket.socket, patience: float | None = None) -> Systemd:
    microseconds = {} if patience is None else {"WATCHDOG_USEC": str(int(patience * 1e6))}
    return Systemd.of({"NOTIFY_SOCKET": manager.getsockname(), **microseconds})


def test_ready_and_stopping_are_one_datagram_each(manager: socket.socket) -> None:
    systemd = speaker(manager)
    systemd.ready("listens on\nhttp://127.0.0.1:8080")
    systemd.alive()
    systemd.stopping()
    assert heard(manager) == [
        "READY=1\nSTATUS=listens on http://127.0.0.1:8080",
        "WATCHDOG=1",
        "STOPPING=1\nSTATUS=stops",
    ]


def test_an_abstract_socket_is_heard_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"heedful-test-{os.getpid()}"
        listener.bind(f"\0{name}")
        listener.setblocking(False)
        Systemd.of({"NOTIFY_SOCKET": f"@{name}"}).alive()
        assert heard(listener) == ["WATCHDOG=1"]


@pytest.mark.parametrize("address", ["", "relative", "/no/such/socket", "vsock:2:1"])
def test_where_nobody_listens_nothing_happens(address: str) -> None:
    systemd = Systemd.of({"NOTIFY_SOCKET": address})
    systemd.ready("well")
    systemd.stopping()


def test_a_manager_that_does_not_read_holds_nobody_up(manager: socket.socket) -> None:
    systemd = speaker(manager)
    for _ in range(10_000):
        systemd.alive()
    assert len(heard(manager)) < 10_000


@pytest.mark.parametrize(
    ("environ", "patience"),
    [
        ({"WATCHDOG_USEC": "60000000"}, timedelta(minutes=1)),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, timedelta(minutes=1)),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "9" * 40}, None),
        ({"WATCHDOG_USEC": "²"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_the_one_that_was_meant(environ: dict[str, str], patience: timedelta | None) -> None:
    assert Systemd.of(environ, pid=7).patience == patience


async def test_a_sign_of_life_follows_each_answer_of_the_writer(manager: socket.socket) -> None:
    answers = asyncio.Queue[None]()
    watching = asyncio.create_task(speaker(manager, patience=0.003).watch(answers.get))
    try:
        for count in range(1, 4):
            assert len(heard(manager)) == 0, f"before answer {count}"
            answers.put_nowait(None)
            async with asyncio.timeout(10):
                await _until_heard(manager)
    finally:
        watching.cancel()


async def _until_heard(manager: socket.socket) -> None:
    assert await asyncio.get_running_loop().sock_recv(manager, 100) == b"WATCHDOG=1"


async def test_a_writer_that_never_answers_is_not_called_alive(manager: socket.socket) -> None:
    asked = asyncio.Event()

    async def hangs() -> None:
        asked.set()
        await asyncio.Event().wait()

    watching = asyncio.create_task(speaker(manager, patience=0.001).watch(hangs))
    async with asyncio.timeout(10):
        await asked.wait()
    await asyncio.sleep(0)
    watching.cancel()
    assert heard(manager) == []


async def test_a_writer_that_says_no_is_alive(manager: socket.socket) -> None:
    async def full() -> None:
        raise StoreError("the disk is full")

    watching = asyncio.create_task(speaker(manager, patience=0.003).watch(full))
    async with asyncio.timeout(10):
        await _until_heard(manager)
    watching.cancel()


async def test_a_fault_of_ours_is_not_hidden(manager: socket.socket) -> None:
    async def broken() -> None:
        raise LookupError("a fault")

    with pytest.raises(LookupError):
        await speaker(manager, patience=1).watch(broken)
    assert heard(manager) == []
