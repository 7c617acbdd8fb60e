"""What the environment says, and for what it leaves unsaid the file `.env` beside the configuration.

The real environment always wins. Nothing is executed, replaced or put into the environment of this process:
the values are handed to whoever resolves `${NAME}`, and a line that cannot be read is named, never shown.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

__all__ = ["Variables", "parse"]

NAME = ".env"
SIZE_AT_MOST = 64_000
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)
_QUOTED = re.compile(r"""(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?""")
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}

Warn = Callable[[str], None]


class Variables(Mapping[str, str]):
    """A live view: a changed file counts from the next look-up, so that a secret can be mended in a running daemon.

    `warn` is told once for each version of the file what is wrong with it.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ, warn: Warn = lambda _: None) -> None:
        self._path = folder / NAME
        self._environ = environ
        self._warn = warn
        self._seen: tuple[int, ...] | None = None
        self._values: Mapping[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name in self._environ:
            return self._environ[name]
        return self._file()[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._file(), **self._environ})

    def __len__(self) -> int:
        return len({**self._file(), **self._environ})

    def _file(self) -> Mapping[str, str]:
        try:
            found = self._path.stat()
        except OSError:
            self._seen, self._values = None, {}
            return self._values
        version = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode)
        if version != self._seen:
            self._seen, self._values = version, self._read(found)
        return self._values

    def _read(self, found: os.stat_result) -> Mapping[str, str]:
        if not stat.S_ISREG(found.st_mode) or found.st_size > SIZE_AT_MOST:
            self._warn(f"{self._path} is no file of lines such as NAME=value → it is not read")
            return {}
        if found.st_mode & (stat.S_IRGRP | stat.S_IROTH):
            self._warn(f"{self._path} can be read by other users of this machine → chmod 600 {self._path}")
        try:
            text = self._path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            self._warn(f"{self._path} cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})")
            return {}
        values, unread = parse(text)
        if unread:
            lines = ", ".join(map(str, unread[:10]))
            self._warn(f"{self._path}: line {lines} is not NAME=value (with a closed quote, if any) → it is left out")
        return values


def parse(text: str) -> tuple[dict[str, str], list[int]]:
    r"""NAME=value lines, `#` comments, quotes and `export`; the numbers of lines that are none. The last one wins.

    In "double quotes" \n, \r, \t, \" and \\ are escapes; 'single quotes' and bare values are taken as they are.
    """
    values: dict[str, str] = {}
    unread: list[int] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        value = _value(match[2]) if match else None
        if match is None or value is None or "\0" in value:
            unread.append(number)
        else:
            values[match[1]] = value
    return values, unread


def _value(written: str) -> str | None:
    if written[:1] not in {"'", '"'}:
        return re.split(r"(?:^|\s)#", written, maxsplit=1)[0].strip()
    match = _QUOTED.fullmatch(written)
    if match is None:
        return None
    if match[1] is not None:
        return match[1]
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), match[2])
