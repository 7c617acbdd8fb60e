"""What all commands share: how they print, how they fail, where the file and the database are."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import orjson
import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:  # each command imports what it needs when it runs: `heedful --help` must not wait for a web server
    from config.schema import Care


__all__ = [
    "ConfigOption",
    "DatabaseOption",
    "JsonOption",
    "config_path",
    "database_url",
    "fail",
    "failures",
    "out",
    "plain",
    "print_json",
    "read_care",
    "variables",
]

DEFAULT_FILE = "heedful.yaml"
DEFAULT_DATABASE = "sqlite:///heedful.db"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="The configuration file; else $HEEDFUL_CONFIG, else ./heedful.yaml.", show_default=False
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--db",
        help="The database's URL; else $HEEDFUL_DATABASE_URL, else the file's, else ./heedful.db.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def print_json(value: object, *, indent: bool = False) -> None:
    """One document, on a line of its own, Chinese as it is written; what a terminal would obey is escaped."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None).decode()
    sys.stdout.flush()
    sys.stdout.buffer.write(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode() + b"\n")
    sys.stdout.buffer.flush()


def plain(text: object) -> str:
    """Strangers write names and texts: no control characters on a terminal, and no bidirectional tricks."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong on standard error. 1: a finding; 2: wrong use."""
    err.print(Text.assemble(("heedful:", "red"), f" {message}"))
    raise typer.Exit(code)


@contextmanager
def failures(*more: type[Exception]) -> Iterator[None]:
    """Foreseen errors, and those that the command names, become one plain line and exit code 1."""
    from config.load import ConfigurationError, MissingSecret
    from connectors.errors import ConnectorError
    from connectors.registry import UnknownKind
    from heedful.web import ListenError
    from routing.store.errors import StoreError

    foreseen: tuple[type[Exception], ...] = (StoreError, ListenError, ConnectorError, UnknownKind, *more)
    try:
        yield
    except ConfigurationError as error:
        for finding in error.findings:
            err.print(str(finding), markup=False)
        raise typer.Exit(1) from None
    except foreseen as error:
        fail(str(error))
    except MissingSecret as error:
        fail(f"{error} → set it, or write it into .env beside the file")


def config_path(given: Path | None) -> Path:
    return given or Path(os.environ.get("HEEDFUL_CONFIG") or DEFAULT_FILE)


def read_care(given: Path | None, *, needed: bool = True) -> Care | None:
    """The file, or None where none is needed and none is there."""
    from config.load import load

    path = config_path(given)
    if not needed and given is None and "HEEDFUL_CONFIG" not in os.environ and not path.exists():
        return None
    return load(path)


def variables(config: Path | None) -> Mapping[str, str]:
    """The environment, and `.env` beside the file; what is wrong with that is said once."""
    from heedful.environment import Variables

    return Variables(config_path(config).parent, warn=lambda what: err.print(f"heedful: {what}", markup=False))


def database_url(given: str | None, care: Care | None, environ: Mapping[str, str]) -> str:
    """`--db`, then $HEEDFUL_DATABASE_URL, then the file's `database:`, then ./heedful.db."""
    named = given or environ.get("HEEDFUL_DATABASE_URL")
    if named:
        return named
    if care is not None and care.database:
        from config.load import resolve

        return str(resolve({"database": care.database}, environ)["database"])
    return DEFAULT_DATABASE
