"""Tells systemd how we are: ready, alive, stopping. Where nobody asked to be told, nothing happens.

One datagram a message, as https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html has it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from routing.store.errors import StoreError

__all__ = ["Systemd"]

_ROUND_AT_MOST = 10.0
_IDLE = 3600.0


@dataclass(frozen=True, slots=True)
class Systemd:
    """`address` None: nobody listens. `patience`: without a sign of life for so long, systemd ends us."""

    address: str | None = None
    patience: timedelta | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ, pid: int | None = None) -> Self:
        """What the service manager put into our environment; a watchdog meant for another process is none of ours."""
        address = environ.get("NOTIFY_SOCKET", "")
        meant = environ.get("WATCHDOG_PID", "") in {"", str(os.getpid() if pid is None else pid)}
        microseconds = environ.get("WATCHDOG_USEC", "")
        watched = meant and microseconds.isascii() and microseconds.isdigit() and 0 < len(microseconds) < 16
        patience = timedelta(microseconds=int(microseconds)) if watched else None
        return cls(address if address[:1] in {"/", "@"} else None, patience or None)

    def ready(self, status: str) -> None:
        self._tell("READY=1", f"STATUS={_line(status)}")

    def stopping(self) -> None:
        self._tell("STOPPING=1", "STATUS=stops")

    def alive(self) -> None:
        self._tell("WATCHDOG=1")

    async def watch(self, probe: Callable[[], Awaitable[object]]) -> None:
        """For ever: a sign of life each third of the patience, and only after `probe` has come back.

        A writer that says that it cannot write (a full disk) is alive: there is an alarm, and a restart would mend
        nothing. One that says nothing at all is not waited for, and systemd starts us again.
        """
        while True:
            if self.patience is None:
                await asyncio.sleep(_IDLE)
                continue
            with suppress(StoreError):
                await probe()
            self.alive()
            await asyncio.sleep(min(self.patience.total_seconds() / 3, _ROUND_AT_MOST))

    def _tell(self, *lines: str) -> None:
        """Never waits and never fails: systemd's own watchdog notices silence."""
        if self.address is None:
            return
        where = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(lines).encode(), where)


def _line(text: str) -> str:
    return " ".join(text.split())
