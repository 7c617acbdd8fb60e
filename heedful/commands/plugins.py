"""connectors and new-connector: what is installed, the pages about it, and one of your own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from heedful.commands.output import JsonOption, fail, out, plain, print_json

if TYPE_CHECKING:
    from connectors.api import Plugin
    from heedful.scaffold.draft import Ear

__all__ = ["register"]


def connectors(
    kind: Annotated[str | None, typer.Argument(help="Print the page about this kind.", show_default=False)] = None,
    as_json: JsonOption = False,
    docs: Annotated[
        Path | None,
        typer.Option(help="Write the page about each kind, or about this one, into this folder.", show_default=False),
    ] = None,
) -> None:
    """List what is installed: abilities, class, limits and policy; print or write the pages about it."""
    from connectors import registry

    plugins = registry.installed() if kind is None else {kind: _named(kind)}
    broken = registry.broken() if kind is None else {}
    if docs is not None:
        _write_pages(docs, plugins)
    elif as_json:
        described = [_describe(plugin) for plugin in plugins.values()]
        print_json([*described, *({"kind": name, "broken": reason} for name, reason in broken.items())])
    elif kind is not None:
        from heedful.connector_page import page

        out.print(page(plugins[kind]), markup=False, end="")
    else:
        _print_table(plugins, broken)


def _named(kind: str) -> Plugin[Any]:
    """One that nobody knows is wrong use; one that is there and broken is a finding."""
    from connectors import registry

    known = kind in registry.kinds()
    try:
        return registry.load(kind)
    except registry.UnknownKind as error:
        fail(plain(error), code=1 if known else 2)


def _write_pages(folder: Path, plugins: Mapping[str, Plugin[Any]]) -> None:
    from heedful.connector_page import page

    _write({folder / f"{kind}.md": page(plugin) for kind, plugin in plugins.items()}, over=True)


def _print_table(plugins: Mapping[str, Plugin[Any]], broken: Mapping[str, str]) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("kind", "can", "class", "answer at most", "catches up", "what it is"):
        table.add_column(column)
    for plugin in plugins.values():
        found = _describe(plugin)
        seconds = found["recovers"]
        recovers = "what is held" if seconds is None else f"{seconds / 3600:g} h" if seconds else "not"
        longest = str(found["limits"]["reply_length"]) if "replies" in plugin.abilities else "–"
        doubt = found["idempotency"] if "replies" in plugin.abilities else "–"
        table.add_row(found["kind"], " ".join(found["abilities"]), doubt, longest, recovers, plain(found["summary"]))
    out.print(table)
    for kind, reason in broken.items():
        out.print(f"[red]{kind}[/] {plain(reason)}")
    out.print("[dim]More about one: heedful connectors KIND[/]")


def _describe(plugin: Plugin[Any]) -> dict[str, Any]:
    limits, policy = plugin.limits, plugin.policy
    window, erased = policy.reply_window, policy.delete_within
    return {
        "kind": plugin.kind,
        "summary": plugin.summary,
        "abilities": sorted(plugin.abilities),
        "idempotency": plugin.idempotency,
        "recovers": None if plugin.recovers is None else plugin.recovers.total_seconds(),
        "limits": {
            "poll_every": limits.poll_every.total_seconds(),
            "reply_length": limits.reply_length,
            "replies_per_minute": limits.replies_per_minute,
            "replies_per_minute_thread": limits.replies_per_minute_thread,
            "spacing": limits.spacing.total_seconds(),
        },
        "policy": {
            "unsolicited": policy.unsolicited,
            "private_first": policy.private_first,
            "automatic_marks": policy.automatic_marks,
            "per_interaction": policy.per_interaction,
            "reply_window": window.total_seconds() if window else None,
            "messages_per_window": policy.messages_per_window,
            "reopens": policy.reopens,
            "cost": policy.cost,
            "delete_within": erased.total_seconds() if erased else None,
        },
        "settings": sorted(plugin.settings.model_fields),
    }


def new_connector(
    name: Annotated[str, typer.Argument(help="The kind of channel, such as forum.")],
    polls: Annotated[bool, typer.Option("--polls", help="heedful asks the platform for news.")] = False,
    streams: Annotated[bool, typer.Option("--streams", help="The platform sends news over a held connection.")] = False,
    listens: Annotated[bool, typer.Option("--listens", help="The platform calls heedful (a webhook).")] = False,
    replies: Annotated[bool, typer.Option("--replies", help="It can also be answered.")] = False,
    folder: Annotated[Path, typer.Option("--dir", help="Where to make the folder heedful-NAME.")] = Path(),
) -> None:
    """Write a connector of your own, with its exam: a distribution that installs and passes as it is."""
    from connectors import registry
    from heedful.scaffold.draft import distribution, draft, objection

    asked: dict[Ear, bool] = {"polls": polls, "streams": streams, "listens": listens}
    ears: list[Ear] = [ear for ear in asked if asked[ear]]
    if len(ears) != 1:
        fail("say how news comes in: one of --polls, --streams, --listens", code=2)
    if (reason := objection(name, registry.kinds())) is not None:
        fail(plain(reason), code=2)
    home = folder / distribution(name)
    if os.path.lexists(home):
        fail(f"{home} exists already → move it away, or choose another place by --dir")
    _write({home / path: text for path, text in draft(name, ears[0], replies=replies).items()}, over=False)
    out.print(
        "Next, in heedful's own environment:", f"  cd {home}", "  uv pip install -e . pytest", "  pytest", sep="\n"
    )


def _write(texts: Mapping[Path, str], *, over: bool) -> None:
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w" if over else "x", encoding="utf-8") as file:
                file.write(text)
            out.print(f"wrote {plain(path)}", markup=False)
    except OSError as error:
        fail(f"{error.filename} cannot be written ({error.strerror}) → choose another folder")


def register(app: typer.Typer) -> None:
    app.command()(connectors)
    app.command("new-connector")(new_connector)
