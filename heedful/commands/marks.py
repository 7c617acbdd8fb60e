"""marks: what staff said about readings, listed and as training examples."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from heedful.commands.output import ConfigOption, DatabaseOption, JsonOption, out, plain, print_json

__all__ = ["marks", "register"]

marks = typer.Typer(no_args_is_help=True, help="What staff marked as read wrongly, or rightly.")
Since = Annotated[str | None, typer.Option(help="Marked within this time, such as 30d; else all.")]
COLOURS = {True: "dim", False: "yellow"}


@marks.command("list")
def list_marks(
    since: Since = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 200,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List marks, the newest first, beside what the reading said."""
    from heedful.commands.remote import Api

    found = Api(config, database).ask("GET", "/marks", params=_asked(since, limit))
    if as_json:
        print_json(found)
        return
    for one in found:
        out.print(_line(one))
    if not found:
        out.print("Nothing is marked yet. The flag beside a message in the page marks it.")


@marks.command()
def export(
    since: Since = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines; there is no other form.")] = False,
) -> None:
    """Write marks as training examples, one JSON object a line; texts that are gone are left out."""
    del as_json
    from heedful.commands.remote import Api

    for one in Api(config, database).ask("GET", "/marks/export", params=_asked(since)):
        print_json(one)


def _asked(since: str | None, limit: int | None = None) -> dict[str, Any]:
    return {key: value for key, value in (("since", since), ("limit", limit)) if value is not None}


def _line(one: dict[str, Any]) -> Text:
    said = one["said"]
    words = f"{one['at'][:16].replace('T', ' ')}  {one['mark']:<12}  {plain(one['by'])}  "
    number = "" if said["negative"] is None else f" {said['negative']:.2f}"
    return Text.assemble(
        words, (f"{said['label'] or 'unread'}{number}  ", COLOURS[one["agrees"]]), plain(" ".join(one["text"].split()))
    )


def register(app: typer.Typer) -> None:
    app.add_typer(marks, name="marks")
