"""run and replay: the daemon, and recorded messages through the same pipeline."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from heedful.commands.output import (
    ConfigOption,
    DatabaseOption,
    JsonOption,
    config_path,
    database_url,
    err,
    fail,
    failures,
    print_json,
    read_care,
)

if TYPE_CHECKING:
    from config.schema import Care
    from heedful.replay import Figures
    from heedful.sample_run import SampleRun
    from routing.store.database import Store

__all__ = ["register"]

LOCK_TRIES, LOCK_PAUSE = 50, 0.2
"""Ten seconds in all."""
WORTH_A_PROCESS = 8_000
"""Lines of a recording from which on a process that only reads is quicker, its start included."""


def now() -> datetime:
    return datetime.now(UTC)


def run(
    config: ConfigOption = None,
    database: DatabaseOption = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Bundled messages, a database of its own, no channel opened.")
    ] = False,
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], typer.Option(help="What the log tells.")
    ] = "INFO",
) -> None:
    """Run the daemon: listeners, timers, outbox and the page."""
    import structlog
    import uvloop

    from heedful.environment import Variables
    from heedful.logs import configure
    from heedful.sample_run import SampleRun, sample_care

    configure(log_level)
    with failures():
        if sample:
            with tempfile.TemporaryDirectory(prefix="heedful-sample-") as folder:
                uvloop.run(_run(sample_care(), f"sqlite:///{folder}/sample.db", None, SampleRun()))
            return
        care = read_care(config)
        assert care is not None
        path = config_path(config)
        environ = Variables(path.parent, warn=lambda what: structlog.get_logger("heedful").warning(what))
        uvloop.run(_run(care, database_url(database, care, environ), path, None, environ))


async def _run(
    care: Care, url: str, path: Path | None, sample: SampleRun | None, environ: Mapping[str, str] = os.environ
) -> None:
    from connectors.net import open_http
    from heedful.daemon import Daemon

    store = await _open_when_free(url)
    try:
        async with open_http() as http:
            daemon = Daemon(care, store, http, now, environ, path=path, sample=sample)
            await daemon.run(ready=_announce if sample is None else _show)
    finally:
        await store.close()


async def _open_when_free(url: str) -> Store:
    """A command may hold the database for a moment; another daemon holds it for ever."""
    from routing.store.database import Locked, open_store

    for _ in range(LOCK_TRIES):
        try:
            return open_store(url, clock=now)
        except Locked:
            await asyncio.sleep(LOCK_PAUSE)
    return open_store(url, clock=now)


def _announce(address: str) -> None:
    err.print(f"heedful listens. The page: [bold]{address}[/]  (Ctrl+C stops)")


def _show(address: str) -> None:
    """Open the page where somebody sits before a desktop; the address is printed anyway."""
    _announce(address)
    desktop = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if desktop and sys.stdout.isatty():
        Thread(target=_open_browser, args=(address,), name="browser", daemon=True).start()


def _open_browser(address: str) -> None:
    import webbrowser

    with suppress(webbrowser.Error, OSError):
        webbrowser.open(address)


def replay_command(
    file: Annotated[Path, typer.Argument(help="JSON lines, plain or .gz; - for standard input.")],
    config: ConfigOption = None,
    database: DatabaseOption = None,
    rate: Annotated[int | None, typer.Option(help="At most so many lines a second.", min=1)] = None,
    as_json: JsonOption = False,
) -> None:
    """Play recorded messages through the pipeline; print the ledger of this run; exit 1 where it does not balance."""
    import uvloop

    from heedful.aside import ReadingStopped
    from heedful.logs import configure
    from heedful.sample_run import sample_care

    configure("WARNING")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to clean up as after Ctrl+C
    with failures(ReadingStopped):
        care = read_care(config, needed=False) or sample_care()
        with tempfile.TemporaryDirectory(prefix="heedful-replay-") as folder:
            figures = uvloop.run(_replay(file, care, database or f"sqlite:///{folder}/replay.db", rate, quiet=as_json))
    if as_json:
        print_json(figures.as_json())
    else:
        print_json(figures.as_json(), indent=True)
    for problem in figures.problems:
        err.print(problem, markup=False)
    if not figures.balances:
        raise typer.Exit(1)


async def _replay(file: Path, care: Care, url: str, rate: int | None, *, quiet: bool) -> Figures:
    from rich.progress import Progress

    from heedful.aside import reading_aside
    from heedful.replay import ReplayClock, replay
    from routing.store.database import open_store

    clock = ReplayClock()
    async with AsyncExitStack() as stack:
        lines, size = stack.enter_context(_lines(file))
        long = size is not None and size >= WORTH_A_PROCESS and rate is None
        read = await stack.enter_async_context(reading_aside(care)) if long else None
        store = open_store(url, clock=clock)
        stack.push_async_callback(store.close)
        bar = stack.enter_context(Progress(console=err, disable=quiet or not err.is_terminal))
        task = bar.add_task("replaying", total=size)
        return await replay(
            lines, care, store, clock, read=read, rate=rate, progress=lambda count: bar.advance(task, count)
        )


@contextmanager
def _lines(file: Path) -> Iterator[tuple[Iterable[bytes], int | None]]:
    if str(file) == "-":
        yield sys.stdin.buffer, None
        return
    try:
        size = _count(file) if file.is_file() else None  # a pipe can be read only once
        with _open(file) as stream:
            yield stream, size
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror or error}")


def _count(file: Path) -> int:
    with _open(file) as lines:
        return sum(1 for _ in lines)


def _open(file: Path) -> Any:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")


def register(app: typer.Typer) -> None:
    app.command()(run)
    app.command("replay")(replay_command)
