"""The process that reads: how it ends is told, and only what is hopeless is given up."""

from __future__ import annotations

import asyncio
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.api import Unreachable
from connectors.rss.apart import AT_ONCE, Hopeless, read_apart
from connectors.rss.feed import Document
from tests.connectors.rss.samples import item, rss
from tests.connectors.rss.site import opened, titles

PYTHON = sys.executable
FEED = Document(body=rss(item("1", "one")), url="https://acme.example/")


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shell script that runs in place of Python, with the same arguments."""
    program = tmp_path / "child"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(stat.S_IRWXU)
    monkeypatch.setattr("connectors.rss.apart.sys.executable", str(program))
    return program


def script(child: Path, *lines: str) -> None:
    child.write_text("\n".join(("#!/bin/sh", *lines)) + "\n")


async def failure(document: Document = FEED) -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        await read_apart(document)
    return caught.value


@pytest.mark.parametrize(
    ("ends", "hopeless", "says"),
    [
        (f"kill -{signal.SIGKILL.value} $$", False, "signal 9"),
        (f"kill -{signal.SIGSEGV.value} $$", False, "signal 11"),
        (f"kill -{signal.SIGXCPU.value} $$", True, "a minute"),
        ("exit 1", False, "installed whole"),
        ("exit 3", True, "no feed"),
        ("exit 4", True, "a gigabyte"),
        ("exit 77", False, "exit status 77"),
    ],
)
async def test_how_it_ended_is_told(child: Path, ends: str, says: str, *, hopeless: bool) -> None:
    script(child, "cat >/dev/null", ends)
    error = await failure()
    assert isinstance(error, Hopeless) == hopeless
    assert says in str(error)


async def test_a_death_that_was_not_the_feeds_fault_is_forgotten(child: Path) -> None:
    """The machine ran out of memory; the next poll finds the same document and reads it."""
    script(child, "cat >/dev/null", "kill -9 $$")
    async with opened() as site:
        with pytest.raises(Unreachable, match="signal 9"):
            await site.poll(item("1", "one"))
        script(child, f'exec {PYTHON} "$@"')
        assert titles(await site.poll(item("1", "one"))) == ["one"]


@pytest.mark.parametrize("limits", ["ulimit -t 20", "ulimit -v 600000", "ulimit -t 20 -v 600000"])
async def test_lower_limits_than_ours_are_kept_to(child: Path, limits: str) -> None:
    script(child, limits, f'exec {PYTHON} "$@"')
    assert [entry.title for entry in (await read_apart(FEED)).entries] == ["one"]


async def test_what_takes_its_share_of_the_processor_is_hopeless(child: Path) -> None:
    """A pattern of feedparser is quadratic in this; the system's bound is lowered to spare the test a minute."""
    script(child, "ulimit -t 2", f'exec {PYTHON} "$@"')
    slow = rss(f"<item><title>t</title><author>{'a' * 3_000_000}</author></item>")
    assert isinstance(await failure(Document(body=slow, url=FEED.url)), Hopeless)


async def test_what_takes_all_its_memory_is_hopeless(child: Path) -> None:
    script(child, "ulimit -v 100000", f'exec {PYTHON} "$@"')
    large = rss(item("1", "one", "x" * 15_000_000))
    assert isinstance(await failure(Document(body=large, url=FEED.url)), Hopeless)


async def test_no_more_than_two_read_at_once(child: Path, tmp_path: Path) -> None:
    """Each leaves a file while it runs, and writes down how many there are; none ends before others could start."""
    running = tmp_path / "running"
    running.mkdir()
    script(
        child,
        f"touch {running}/$$",
        "cat >/dev/null",
        "sleep 0.2",
        f"ls {running} | wc -l >>{tmp_path}/counts",
        f"rm {running}/$$",
        "exit 3",
    )
    await asyncio.gather(*(failure() for _ in range(6)))
    counts = [int(line) for line in (tmp_path / "counts").read_text().split()]
    assert (len(counts), max(counts)) == (6, AT_ONCE)


def test_the_child_needs_no_more_than_its_modules() -> None:
    """It starts at each changed document: whatever else it imports is paid each time."""
    asked = "import sys, connectors.rss.apart, connectors.rss.reading; print(*sys.modules)"
    loaded = subprocess.run((sys.executable, "-I", "-c", asked), capture_output=True, text=True, check=True, timeout=60)
    assert not {"aiohttp", "pydantic", "heedful"} & set(loaded.stdout.split())
