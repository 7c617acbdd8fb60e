"""What all commands share: how they print, how they fail, where the file and the database are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import orjson
import typer
from rich.console import Console

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
    "print_json",
    "read_care",
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


def print_json(value: object) -> None:
    """One document on a line of its own, Chinese as it is written."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong on standard error. 1: a finding; 2: wrong use."""
    err.print(f"[red]heedful:[/] {message}" if err.is_terminal else f"heedful: {message}", markup=err.is_terminal)
    raise typer.Exit(code)


@contextmanager
def failures() -> Iterator[None]:
    """Foreseen errors become one plain line and exit code 1."""
    from config.load import ConfigurationError, MissingSecret
    from connectors.errors import ConnectorError
    from heedful.web import ListenError
    from routing.store.errors import StoreError

    try:
        yield
    except ConfigurationError as error:
        for finding in error.findings:
            err.print(str(finding), markup=False)
        raise typer.Exit(1) from None
    except (StoreError, ListenError, ConnectorError) as error:
        fail(str(error))
    except MissingSecret as error:
        fail(f"{error} is not set in the environment → set it")


def config_path(given: Path | None) -> Path:
    return given or Path(os.environ.get("HEEDFUL_CONFIG") or DEFAULT_FILE)


def read_care(given: Path | None, *, needed: bool = True) -> Care | None:
    """The file, or None where none is needed and none is there."""
    from config.load import load

    path = config_path(given)
    if not needed and given is None and "HEEDFUL_CONFIG" not in os.environ and not path.exists():
        return None
    return load(path)


def database_url(given: str | None, care: Care | None) -> str:
    """`--db`, then $HEEDFUL_DATABASE_URL, then the file's `database:`, then ./heedful.db."""
    if given or os.environ.get("HEEDFUL_DATABASE_URL"):
        return given or os.environ["HEEDFUL_DATABASE_URL"]
    if care is not None and care.database:
        from config.load import resolve

        return str(resolve({"database": care.database}, os.environ)["database"])
    return DEFAULT_DATABASE
