"""init, check, test, explain and score: what needs a file at most, and never a database."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from heedful.commands.output import (
    ConfigOption,
    JsonOption,
    config_path,
    fail,
    failures,
    out,
    plain,
    print_json,
    read_care,
)

if TYPE_CHECKING:
    from config.schema import Care
    from connectors.api import Message
    from heedful.explain import Explanation
    from sentiment.api import Reading

__all__ = ["register"]

ENV_EXAMPLE = """# Secrets that heedful.yaml names as ${NAME}. Copy to .env beside heedful.yaml; it is read by itself:
#   cp .env.example .env && chmod 600 .env
# Keep it out of version control. What the real environment says goes before what stands here.
# NAME=value, one a line; quote a value with spaces or a # in it: NAME="a value"
TELEGRAM_TOKEN=
# At least 24 bytes; make one: echo "whsec_$(openssl rand -base64 32)"
SHOP_SECRET=
# An address of Apprise, such as mailto://user:password@example.org
PAGER_URL=
# What a monitor needs to read /metrics from another machine:
# HEEDFUL_METRICS_TOKEN=
"""
FileArgument = Annotated[Path | None, typer.Argument(help="The configuration file.", show_default=False)]


def init(folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path()) -> None:
    """Write a commented heedful.yaml and .env.example."""
    from config.load import example

    texts = {"heedful.yaml": example(), ".env.example": ENV_EXAMPLE}
    for name in texts:
        if (folder / name).exists():
            fail(f"{folder / name} exists already → move it away, or choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
            out.print(f"wrote {folder / name}", markup=False)
    except OSError as error:
        fail(f"{error.filename} cannot be written ({error.strerror}) → choose another folder")
    out.print("Next: heedful check, then heedful run.")


def check(file: FileArgument = None, config: ConfigOption = None) -> None:
    """Lint the file: `line:column level rule: what → way out`. Errors exit 1, warnings do not."""
    from heedful.check import check_file

    path = file or config_path(config)
    findings = check_file(path, today=datetime.now(UTC).date())
    for finding in findings:
        out.print(plain(finding), markup=False)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)
    if not findings:
        out.print(f"{path}: no findings", markup=False)


def run_tests(file: FileArgument = None, config: ConfigOption = None) -> None:
    """Run the file's own tests."""
    from heedful.examples import run_examples

    with failures():
        care = read_care(file or config)
    assert care is not None
    results = run_examples(care, datetime.now(UTC))
    for result in results:
        mark = ("✓", "green") if result.passed else ("✗", "red")
        out.print(Text.assemble(mark, plain(f" {result.say[:70]!r}  {result.why}").rstrip()))
    failed = sum(not result.passed for result in results)
    out.print(f"{len(results) - failed} passed, {failed} failed")
    if failed:
        raise typer.Exit(1)


def explain_command(
    text: Annotated[str, typer.Argument(help="What a customer might write.")] = "",
    channel: Annotated[str, typer.Option(help="As if it came from this channel.")] = "replay",
    message: Annotated[
        str | None, typer.Option(help="A replayed message (JSON) from this file; - for standard input.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the reading, the matches, the decision and the acknowledgement of one text."""
    from heedful.explain import explain, plain_message

    if not text and message is None:
        fail("give a text or --message FILE", code=2)
    with failures():
        care = read_care(config)
    assert care is not None
    now = datetime.now(UTC)
    subject = _recorded(message) if message else (channel, plain_message(_whole(text), now))
    with failures():
        explanation = explain(subject[1], subject[0], care, now if message is None else subject[1].sent_at)
    if as_json:
        print_json(explanation.as_json())
    else:
        _print_explanation(explanation, care)


def _recorded(source: str) -> tuple[str, Message]:
    from connectors.api import BadPayload
    from connectors.replay import parse_line

    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        channel, message = parse_line(raw, channel=None)
    except OSError as error:
        fail(f"{source} cannot be read: {error.strerror}")
    except BadPayload as error:
        fail(f"{source}: {error}")
    return channel, message


def _print_explanation(explanation: Explanation, care: Care) -> None:
    found = explanation.as_json()
    reading, decision, acknowledgement = found["reading"], found["decision"], found["acknowledgement"]
    out.print(
        f"[b]reading[/]   {reading['language']} · {reading['label']} · {reading['kind']} · {reading['addressed']}"
    )
    numbers = "  ".join(
        f"{name.replace('_', ' ')} {reading[name]:.2f}" for name in ("negative", "urgent", "needs_answer")
    )
    out.print(f"          {numbers}  harm {', '.join(reading['harm']) or 'none'}")
    for hit in found["keywords"]:
        words = ", ".join(explanation.prepared.message.text[start:end] for start, end in hit["spans"])
        out.print(Text.assemble(("keywords", "b"), plain(f"  {hit['list']}: {words}")))
    if decision["routed"]:
        out.print(f"[b]decision[/]  {' → '.join(found['route'])}: {decision['priority']}, team {decision['team']}")
    else:
        out.print(f"[b]decision[/]  kept: {decision['kept']}")
    for because in decision["because"]:
        out.print(plain(f"          because {because['rule']} {because['detail']}"), markup=False)
    out.print(
        f"[b]answer[/]    {acknowledgement['outcome']} {acknowledgement['reason'] or ''} {acknowledgement['detail']}"
    )
    if acknowledgement["text"]:
        out.print(plain(f"          {acknowledgement['text']}"), markup=False)
    out.print(f"[dim]file {care.digest}[/]")


def score(
    texts: Annotated[list[str] | None, typer.Argument(help="Texts; else standard input, one a line.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print one reading a line."""
    from sentiment.vader import Vader

    vader = Vader()
    for text, reading in _readings(map(_whole, texts) if texts else _lines_of_standard_input()):
        found: dict[str, Any] = {"text": text}
        names = ("language", "compound", "label", "negative", "urgent", "needs_answer", "harm", "kind", "scorer")
        found |= {name: getattr(reading, name) for name in names}
        if as_json:
            print_json(found | {"vader": vader.compound(text)})
        else:
            out.print(plain(f"{reading.label:<8} {reading.compound:+.2f}  {reading.kind:<9} {text}"), markup=False)


def _readings(texts: Iterable[str]) -> Iterator[tuple[str, Reading]]:
    """Many at once cost less; who types them sees each answer at once."""
    from config.folding import fold
    from config.schema import Brand
    from sentiment.api import Circumstances
    from sentiment.reader import FastReader

    reader, circumstances, lines = FastReader(Brand(name="heedful")), Circumstances(), iter(texts)
    together = 1 if sys.stdin.isatty() else 64
    while batch := list(islice(lines, together)):
        yield from zip(batch, reader.read_many([(fold(text), circumstances) for text in batch]), strict=True)


def _whole(text: str) -> str:
    """An argument whose bytes are no UTF-8 arrives with halves of surrogate pairs in it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _lines_of_standard_input() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def register(app: typer.Typer) -> None:
    for command in (init, check, score):
        app.command()(command)
    app.command("test")(run_tests)
    app.command("explain")(explain_command)
