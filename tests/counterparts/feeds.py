"""2,242 feeds that we did not write: those that feedparser is tested with, out of its source package.

They come by pip, once, into a cache beside the tests' own (`.pytest_cache/feeds`); `HEEDFUL_FEEDS` may name a
folder that holds them already. On a laptop they are not fetched unasked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

__all__ = ["SOURCE", "feed_files", "feeds_folder", "headers_of"]

SOURCE = "feedparser==6.0.14"
_FOLDERS = ("wellformed", "encoding", "illformed", "entities")
_WITHIN = 300
_HEADER = re.compile(rb"^\s*(?:Header:\s*)([A-Za-z-]+):\s*([^\n]*)$", re.MULTILINE)


def feeds_folder(cache: Path) -> Path:
    """The folder `tests` of the source package."""
    named = os.environ.get("HEEDFUL_FEEDS")
    if named:
        return Path(named)
    folder = cache / SOURCE.replace("==", "-")
    if not folder.exists():
        if not os.environ.get("CI"):
            pytest.skip(f"not fetched here: CI=1 fetches {SOURCE} by pip, HEEDFUL_FEEDS names a folder that has it")
        _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as spare:
        wanted = ("download", "-q", "--no-deps", "--no-binary", ":all:", "-d", spare, SOURCE)
        tried = [_run(*pip, *wanted) for pip in _pips()]
        packages = list(Path(spare).glob("*.tar.gz"))
        if not packages:
            pytest.fail(f"{SOURCE} cannot be fetched: {' / '.join(tried)[-500:]}")
        _run("tar", "-xzf", str(packages[0]), "-C", spare)  # `tarfile` of Python 3.11.2 knows no safe way
        folder.parent.mkdir(parents=True, exist_ok=True)
        (tests,) = Path(spare).glob("*/tests")
        half = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.copytree(tests, half)
        with suppress(OSError):  # another one was quicker
            half.rename(folder)


def _pips() -> Iterator[tuple[str, ...]]:
    """The first pip that works: an environment made by uv has none of its own."""
    pythons = (sys.executable, *filter(None, map(shutil.which, ("python3", "/usr/bin/python3"))))
    for pip in (*((python, "-m", "pip") for python in pythons), ("uv", "tool", "run", "pip")):
        if (
            shutil.which(pip[0])
            and subprocess.run((*pip, "--version"), capture_output=True, check=False).returncode == 0
        ):
            yield pip
            return


def _run(*command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_WITHIN, env=environment, stdin=subprocess.DEVNULL
    )
    return done.stderr


def feed_files(folder: Path) -> list[Path]:
    """All feeds, none of what compares or explains them."""
    return sorted(path for name in _FOLDERS for path in (folder / name).rglob("*.xml"))


def headers_of(body: bytes) -> dict[str, str]:
    """The HTTP headers that a feed asks to be served with, in its own comment."""
    return {name.decode().lower(): value.decode().strip() for name, value in _HEADER.findall(body[:2_000])}
