"""queue, acks, ledger, pause, resume and users: one request each to the API under /api/v1."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table
from rich.text import Text

from heedful.commands.output import ConfigOption, DatabaseOption, JsonOption, out, plain, print_json

if TYPE_CHECKING:
    from heedful.commands.remote import Api

__all__ = ["acks", "queue", "register", "users"]

queue = typer.Typer(no_args_is_help=True, help="The private support queue.")
acks = typer.Typer(no_args_is_help=True, help="Automatic texts.")
users = typer.Typer(no_args_is_help=True, help="Accounts of staff.")
COLUMNS = ("case", "", "due", "channel", "author", "status", "text")
TEXT_AT_LEAST, NAME_AT_MOST = 24, 14
PRIORITY_COLOURS = {"P1": "bold red", "P2": "yellow", "P3": "cyan", "P4": "dim"}


def _api(config: Path | None, database: str | None) -> Api:
    from heedful.commands.remote import Api

    return Api(config, database)


Case = Annotated[str, typer.Argument(help="The case's id, or its reference such as K7Q2.")]


@queue.command("list")
def list_cases(
    status: Annotated[
        str | None, typer.Option(help="open, claimed, waiting, resolved or all; else all that is not resolved.")
    ] = None,
    team: Annotated[str | None, typer.Option(help="Only this team's.")] = None,
    priority: Annotated[str | None, typer.Option(help="Only this priority.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", "-q", help="Words of the conversation, Chinese too.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 200,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the queue by priority, then by what is due first."""
    wanted = {"status": status, "team": team, "priority": priority, "q": search, "limit": limit}
    cases = _api(config, database).ask("GET", "/cases", params={k: v for k, v in wanted.items() if v is not None})
    if as_json:
        print_json(cases)
        return
    if not cases:
        out.print("The queue is empty. Nothing waits for a person.")
        return
    out.print(_table(cases))


def _table(cases: list[dict[str, Any]]) -> Table:
    """A line a case, in 80 columns too: every command takes the reference, and the text gets what the rest leaves."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in COLUMNS:
        table.add_column(column, no_wrap=True)
    rows = [_row(item) for item in cases]
    widths = [max([len(column), *(row[at].cell_len for row in rows)]) for at, column in enumerate(COLUMNS[:-1])]
    taken = sum(widths) + 2 * len(widths)
    for row in rows:
        row[-1].truncate(max(TEXT_AT_LEAST, out.width - taken), overflow="ellipsis")
        table.add_row(*row)
    return table


def _row(item: dict[str, Any]) -> list[Text]:
    due = (item["first_answer_due"] or item["resolution_due"] or "")[5:16].replace("T", " ")
    author = item["author"].get("name", "") if isinstance(item["author"], dict) else item["author"]
    status = " ".join(filter(None, (item["status"], item["assignee"])))
    row = [Text(plain(word)) for word in (due, item["channel"], author, status, " ".join(item["text"].split()))]
    for name in row[1:3]:
        name.truncate(NAME_AT_MOST, overflow="ellipsis")
    return [
        Text(item.get("ref") or item["id"]),
        Text(item["priority"], PRIORITY_COLOURS.get(item["priority"], "")),
        *row,
    ]


@queue.command()
def show(case: Case, config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Show one case: its conversation, texts and history."""
    found = _api(config, database).ask("GET", _path(case))
    if as_json:
        print_json(found)
        return
    print_json(found, indent=True)


def _path(case: str) -> str:
    """Whatever was typed is one piece of the path."""
    return f"/cases/{quote(case, safe='')}"


def _act(
    case: str, action: str, body: dict[str, Any], config: Path | None, database: str | None, as_json: bool
) -> None:
    answer = _api(config, database).ask("POST", f"{_path(case)}/{action}", body)
    if as_json:
        print_json(answer)
    else:
        out.print(f"{action}: {plain(case)}", markup=False)


@queue.command()
def claim(
    case: Case, config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Take a case, so that nobody else answers it."""
    _act(case, "claim", {}, config, database, as_json)


@queue.command()
def release(
    case: Case, config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Give a case back."""
    _act(case, "release", {}, config, database, as_json)


@queue.command()
def assign(
    case: Case, to: str, config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Hand a case to a colleague."""
    _act(case, "assign", {"to": to}, config, database, as_json)


@queue.command()
def snooze(
    case: Case, until: str, config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Put a case aside until a time (RFC 3339); its deadlines go on."""
    _act(case, "snooze", {"until": until}, config, database, as_json)


@queue.command()
def note(
    case: Case, text: str, config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Write a note that no customer sees."""
    _act(case, "note", {"text": text}, config, database, as_json)


@queue.command()
def answer(
    case: Case, text: str, config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Answer the customer in the case's channel."""
    _act(case, "answer", {"text": text}, config, database, as_json)


@queue.command()
def resolve(
    case: Case,
    reason: Annotated[
        str,
        typer.Option(
            help="answered, answered_elsewhere, no_answer_needed, not_for_us, spam, duplicate or customer_silent."
        ),
    ] = "answered",
    detail: Annotated[str | None, typer.Option(help="Such as the link of the answer given elsewhere.")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a case with a reason."""
    _act(case, "resolve", {"reason": reason, "detail": detail}, config, database, as_json)


@queue.command()
def reopen(
    case: Case, config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Open a resolved case again."""
    _act(case, "reopen", {}, config, database, as_json)


@acks.command("list")
def list_acknowledgements(
    state: Annotated[str | None, typer.Option(help="sent, pending, approve, suppressed, refused or unknown.")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List automatic texts: sent, previewed, doubtful or waiting for approval."""
    found = _api(config, database).ask("GET", "/acknowledgements", params={"state": state} if state else None)
    if as_json:
        print_json(found)
        return
    for item in found:
        words = f"{item['state']:<10} {plain(item['channel'])}  {plain(item['text'])}  "
        out.print(Text.assemble(words, (plain(item.get("reason") or ""), "dim")))
    if not found:
        out.print("No automatic texts yet.")


@users.command("add")
def add_user(
    name: str,
    admin: Annotated[bool, typer.Option("--admin", help="May add others and change everything.")] = False,
    lead: Annotated[bool, typer.Option("--lead", help="May approve, pause and release.")] = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Add a colleague; the password is asked for on the terminal."""
    password = typer.prompt("Password (12 characters or more)", hide_input=True, confirmation_prompt=True)
    role = "admin" if admin else "lead" if lead else "agent"
    _api(config, database).ask("POST", "/users", {"name": name, "role": role, "password": password})
    out.print(f"{role} {plain(name)} may sign in now.", markup=False)


@users.command("list")
def list_users(config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List the colleagues who may sign in."""
    found = _api(config, database).ask("GET", "/users")
    if as_json:
        print_json(found)
        return
    for item in found:
        out.print(f"{plain(item['name'])}  {item['role']}", markup=False)
    if not found:
        out.print("Nobody yet: heedful users add NAME --admin")


def pause(
    reason: Annotated[str, typer.Argument(help="Why; colleagues see it.")] = "",
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop all automatic texts at once."""
    state = _api(config, database).ask("POST", "/pause", {"reason": reason})
    print_json(state) if as_json else out.print("Automatic texts are stopped. `heedful resume` lets them go on.")


def resume(config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Let automatic texts go on."""
    state = _api(config, database).ask("POST", "/resume", {})
    print_json(state) if as_json else out.print("Automatic texts go on.")


def ledger(config: ConfigOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Print the books; exit 1 where they do not balance."""
    books = _api(config, database).ask("GET", "/ledger")
    if as_json:
        print_json(books)
    else:
        print_json(books, indent=True)
    if not books["balances"]:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    app.add_typer(queue, name="queue")
    app.add_typer(acks, name="acks")
    app.add_typer(users, name="users")
    for command in (pause, resume, ledger):
        app.command()(command)
