"""The daemon: one TaskGroup of listeners, timers, outbox and web, each under a supervisor.

APScheduler only wakes: its jobs set events, and the work runs in the group. SIGTERM and SIGINT drain and
stop within ten seconds; SIGHUP or a changed file reloads, and a file that does not lint changes nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from fastapi import FastAPI
from sqlalchemy import Connection, select

from config.load import ConfigurationError, load
from config.schema import Care, Channel
from connectors.api import Http
from feed.app import close, create_app
from feed.staff import first_run_token
from feed.status import Status
from heedful import web
from heedful.alarms import Alarms
from heedful.calm import renewed
from heedful.channels import Environment, Runner
from heedful.guidance import Guidance
from heedful.hooks import Doors
from heedful.housekeeping import tidy
from heedful.metrics import Metrics, Outgoing
from heedful.notify import Notifier
from heedful.notify_systemd import Systemd
from heedful.pipeline import Pipeline
from heedful.sample_run import SampleRun
from heedful.second_look import SecondLook
from heedful.version import VERSION
from heedful.vigil import Vigil
from heedful.watch import changes
from routing.desk import Desk
from routing.store import settings
from routing.store.database import Store
from routing.store.errors import StoreError
from routing.store.rows import STAFF

__all__ = ["Daemon"]

log = structlog.get_logger("heedful")

TICKS = {
    "outbox": timedelta(seconds=1),
    "notify": timedelta(seconds=1),
    "pause": timedelta(seconds=1),
    "escalate": timedelta(seconds=5),
    "second look": timedelta(seconds=2),
    "vigil": timedelta(minutes=1),
    "tidy": timedelta(hours=1),
    "calm": timedelta(hours=1),
}
NOTIFY_PATIENCE = 0.5
WELL_AFTER = timedelta(minutes=1)
FINISH_WITHIN = 5.0
PAUSED_BY_FILE = "file"


class Daemon:
    """`path` is the file to watch, None in the sample run. All that runs, runs between `run`'s start and end."""

    def __init__(
        self,
        care: Care,
        store: Store,
        http: Http,
        clock: Callable[[], datetime],
        variables: Mapping[str, str],
        *,
        path: Path | None = None,
        sample: SampleRun | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._path = path
        self._sample = sample
        self._guidance = Guidance.compile(care)
        self._alarms = Alarms(store, clock)
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._paused = False
        self._scheduler = AsyncIOScheduler(job_defaults={"misfire_grace_time": None, "coalesce": True}, timezone="UTC")
        self._metrics = Metrics(self.status, clock)
        self._outgoing = Outgoing(store, self._metrics)
        self._env = Environment(
            store=store,
            pipeline=Pipeline(store, lambda: self._guidance, clock, self._metrics.count),
            http=http,
            alarms=self._alarms,
            guidance=lambda: self._guidance,
            clock=clock,
            variables=variables,
            wake_every=self._wake_every,
            took=self._metrics.took,
        )
        self.desk = Desk(store, lambda: self._guidance.care, clock)
        self._notifier = Notifier(store, lambda: self._guidance.care, http, clock, variables)
        self._vigil = Vigil(store, self._alarms, clock, lambda: self._runners)
        self._second_look = SecondLook.of(self._env, self._runners, self._metrics.looked)
        self._ticks = {name: asyncio.Event() for name in TICKS}
        self._faults: dict[str, datetime] = {}
        self._systemd = Systemd.of(variables)

    def status(self) -> Status:
        return Status(
            channels=tuple(runner.health.snapshot() for runner in self._runners.values()),
            alarms=self._alarms.ringing,
            paused=self._paused,
            version=VERSION,
        )

    @property
    def care(self) -> Care:
        return self._guidance.care

    async def run(self, ready: Callable[[str], None] = lambda _: None) -> None:
        """Until stopped by a signal or `stop`. Raises ListenError where an address is taken."""
        servers = self._servers()
        self._signals()
        await self._outgoing.begin()
        await self._invite()
        self._schedule()
        try:
            async with asyncio.TaskGroup() as group:
                loops = [
                    group.create_task(self._supervise(name, work), name=name)
                    for name, work in self._work(group).items()
                ]
                self._start_channels(group, self.care.channels if self._sample is None else {})
                serving = [group.create_task(server) for server in servers]
                log.info("heedful runs", page=f"http://{self.care.web.listen}", channels=len(self._runners))
                ready(f"http://{self.care.web.listen}")
                self._systemd.ready(f"the page: http://{self.care.web.listen}")
                await self._stop.wait()
                await self._drain(serving)
                self._notifier.stop()
                for task in (*loops, *self._tasks.values(), *serving):
                    task.cancel()
        finally:
            self._scheduler.shutdown(wait=False)

    async def _invite(self) -> None:
        """Without any user: a one-time link for the first one, valid an hour, in a file that only we can read."""
        if self._sample is not None or self._store.path is None:
            return
        now = self._clock()

        def work(connection: Connection) -> str | None:
            nobody = connection.execute(select(STAFF.c.name).limit(1)).first() is None
            return first_run_token(connection, now) if nobody else None

        token = await self._store.write(work)
        if token is None:
            return
        path = self._store.path.with_name(self._store.path.name + ".first-run")
        base = self.care.web.public_url or f"http://{self.care.web.listen}"
        await asyncio.to_thread(_write_private, path, f"{base.rstrip('/')}/first-run?token={token}\n")
        log.info("nobody can sign in yet: open the link in this file within an hour", file=str(path))

    def stop(self) -> None:
        self._stop.set()

    async def _drain(self, serving: list[asyncio.Task[None]]) -> None:
        log.info("heedful stops")
        self._systemd.stopping()
        for page in self._pages:
            await close(page)
        await asyncio.gather(*(runner.finish(FINISH_WITHIN) for runner in self._runners.values()))
        await asyncio.wait(serving, timeout=FINISH_WITHIN)

    def _work(self, group: asyncio.TaskGroup) -> dict[str, Callable[[], Awaitable[None]]]:
        work: dict[str, Callable[[], Awaitable[None]]] = {
            "outbox": self._wake_senders,
            "notify": self._notify,
            "escalate": self._escalate,
            "tidy": self._tidy,
            "calm": self._measure_calm,
            "vigil": self._watch_channels,
            "second look": lambda: self._second_look.run(self._ticks["second look"]),
            "watchdog": lambda: self._systemd.watch(self._prove),
            "pause": self._watch_pause,
        }
        if self._path is not None:
            work["watch"] = self._watch_file
            work["reload"] = lambda: self._reload_on_request(group)
        if self._sample is not None:
            sample = self._sample
            work["sample"] = lambda: sample.play(self._env, self._runners)
        return work

    async def _supervise(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """A fault in one loop is logged, rings, and starts that loop again; its siblings go on."""
        while True:
            try:
                await work()
            except StoreError as failure:
                await self._alarms.ring("store", str(failure))
            except Exception as fault:
                log.exception("fault", loop=name)
                self._faults[name] = self._clock()
                await self._alarms.ring(f"loop {name}", f"{type(fault).__name__}; it is started again")
            else:
                return
            await asyncio.sleep(2)

    def _servers(self) -> list[Any]:
        doors = Doors(
            lambda: self._runners,
            self._metrics,
            self._clock,
            self._env.variables.get("HEEDFUL_METRICS_TOKEN"),
            self._outgoing.catch_up,
        )
        settings_of_web = self.care.web
        page = self._page(local=False)
        self._pages = [page]
        own = [*doors.health(), *([] if settings_of_web.hooks else doors.hooks())]
        doors_at = [(web.compose(own, page), web.listen(settings_of_web.listen))]
        if settings_of_web.hooks:
            doors_at.append((web.compose(doors.hooks(), None), web.listen(settings_of_web.hooks)))
        servers = [web.serve(app, bound, self._stop) for app, bound in doors_at]
        commands = web.listen_unix(path.with_name(path.name + ".sock")) if (path := self._store.path) else None
        if commands is not None:
            self._pages.append(self._page(local=True))
            servers.append(web.serve(self._pages[-1], commands, self._stop))
        return servers

    def _page(self, *, local: bool) -> FastAPI:
        return create_app(
            self.desk,
            self._store,
            lambda: self.care,
            self.status,
            sample=self._sample is not None,
            clock=self._clock,
            local=local,
        )

    def _signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    def _schedule(self) -> None:
        for name, every in TICKS.items():
            self._scheduler.add_job(_set, "interval", args=[self._ticks[name]], seconds=every.total_seconds())
        self._scheduler.start()

    def _wake_every(self, name: str, event: asyncio.Event, every: timedelta) -> None:
        seconds = max(0.05, every.total_seconds())
        self._scheduler.add_job(_set, "interval", args=[event], seconds=seconds, id=name, replace_existing=True)

    def _start_channels(self, group: asyncio.TaskGroup, channels: Mapping[str, Channel]) -> None:
        for name, channel in channels.items():
            runner = self._runners[name] = Runner(name, channel, self._env)
            self._tasks[name] = group.create_task(runner.run(), name=f"channel:{name}")

    async def _stop_channel(self, name: str) -> None:
        """The runner stays where the hooks find it until its successor stands in its place."""
        task = self._tasks[name]
        try:
            await self._runners[name].finish(FINISH_WITHIN)
        finally:
            task.cancel()
        await asyncio.wait({task})
        if self._scheduler.get_job(name) is not None:
            self._scheduler.remove_job(name)
        await self._alarms.hush_channel(name)

    async def _wake_senders(self) -> None:
        """Answers of people and postponed texts become due by time."""
        while True:
            await _next(self._ticks["outbox"])
            for runner in self._runners.values():
                runner.wake.set()
            await self._forget_faults()

    async def _forget_faults(self) -> None:
        """A loop that has run for a minute since its fault is well again."""
        for name in [name for name, at in self._faults.items() if self._clock() - at >= WELL_AFTER]:
            del self._faults[name]
            await self._alarms.hush(f"loop {name}")

    async def _notify(self) -> None:
        while True:
            await _next(self._ticks["notify"])
            for name, problem in (await self._notifier.drain(NOTIFY_PATIENCE)).items():
                if problem is None:
                    await self._alarms.hush(f"notify {name}")
                else:
                    await self._alarms.ring(f"notify {name}", f"the team cannot be told here: {problem}")

    async def _escalate(self) -> None:
        while True:
            await _next(self._ticks["escalate"])
            await self.desk.escalate()

    async def _measure_calm(self) -> None:
        while True:
            before = self._guidance
            fresh = await renewed(self._store, before, self._clock())
            if fresh is not None and self._guidance is before:
                self._guidance = fresh
            await _next(self._ticks["calm"])

    async def _tidy(self) -> None:
        while True:
            await tidy(self._store, self._clock())
            await _next(self._ticks["tidy"])

    async def _prove(self) -> None:
        """That the loop turns and the writer writes."""
        await self._store.write(lambda _: None)

    async def _watch_channels(self) -> None:
        while True:
            await self._vigil.look()
            await _next(self._ticks["vigil"])

    async def _watch_pause(self) -> None:
        """The kill switch is thrown by a button, by `heedful pause`, or by a file `<database>.pause`."""
        path = self._store.path
        flag = path.with_name(path.name + ".pause") if path else None
        while True:
            state = await self._store.read(settings.paused)
            thrown = flag is not None and flag.exists()
            if thrown and not state.paused:
                await self.desk.pause(PAUSED_BY_FILE, f"the file {flag} exists")
            elif state.by == PAUSED_BY_FILE and state.paused and not thrown:
                await self.desk.resume(PAUSED_BY_FILE)
            self._paused = state.paused or thrown
            await _next(self._ticks["pause"])

    async def _watch_file(self) -> None:
        assert self._path is not None
        async for _ in changes(self._path):
            self._reload.set()

    async def _reload_on_request(self, group: asyncio.TaskGroup) -> None:
        while True:
            await _next(self._reload)
            await self._take_over(group)

    async def _take_over(self, group: asyncio.TaskGroup) -> None:
        """Compile the new file aside, then swap. Channels that changed, and those that had failed, are opened anew."""
        assert self._path is not None
        try:
            care = await asyncio.to_thread(load, self._path)
            guidance = await asyncio.to_thread(Guidance.compile, care, self._guidance.calm)
        except (ConfigurationError, ValueError) as error:
            what = f"{self._path.name} is refused, the running version stays: {_first_line(error)}"
            await self._alarms.ring("file", what)
            return
        before, self._guidance = self.care.channels, guidance
        self._ticks["calm"].set()
        await self._alarms.hush("file")
        log.info("file taken over", version=care.digest)
        failed = {name for name, runner in self._runners.items() if runner.health.state == "failed"}
        stale = {name for name in before if name in failed or care.channels.get(name) != before[name]}
        await asyncio.gather(*map(self._stop_channel, stale))
        if self._stop.is_set():
            return
        for name in stale - care.channels.keys():
            del self._runners[name], self._tasks[name]
        self._start_channels(group, {n: c for n, c in care.channels.items() if n in stale or n not in before})


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _set(event: asyncio.Event) -> None:
    event.set()


async def _next(event: asyncio.Event) -> None:
    await event.wait()
    event.clear()


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
