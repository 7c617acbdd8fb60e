"""The command `heedful`. Exit code 0; 1 for findings; 2 for wrong use."""

from __future__ import annotations

from typing import Annotated

import typer

from heedful.commands import desk, doctor, file, marks, plugins, run
from heedful.version import VERSION

__all__ = ["app", "main"]

app = typer.Typer(
    name="heedful",
    help="Listens to the public channels of a brand, answers modestly, and brings what matters to its care team.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"heedful {VERSION}")
        raise typer.Exit


file.register(app)
run.register(app)
plugins.register(app)
desk.register(app)
marks.register(app)
doctor.register(app)


def main() -> None:
    app()
