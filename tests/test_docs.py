"""Documentation is tested: what exists is described, what is described exists, and what is shown runs."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from standardwebhooks import Webhook
from typer.main import get_command

from config.lint import parse
from config.schema import Care
from connectors import registry
from connectors.replay import parse_line
from feed.status import Status
from heedful.cli import app
from heedful.metrics import Metrics

ROOT = Path(__file__).parent.parent
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
EITHER = pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)

SECTIONS = {
    "Care": 0, "Brand": 1, "Web": 2, "Channel": 3, "KeywordList": 4, "ReadingSettings": 5, "ReadingWords": 5,
    "RootRoute": 6, "Route": 6, "Keep": 6, "Condition": 6, "Acknowledge": 7, "Modes": 7, "Caps": 7, "Style": 7,
    "Calendar": 8, "Deadline": 9, "Team": 10, "NotifyTarget": 11, "Example": 12, "Expectation": 12,
}  # fmt: skip
UNSEEN = {("Care", "digest"), ("Cap", "count"), ("Cap", "window")}
"""Set by the loader; written as one text (`1 per 24h`)."""


def fenced(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def headings(path: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^(#+) ", text, re.MULTILINE)


def configuration(path: Path) -> list[str]:
    """The sub-sections of the only section that has any: that of the configuration."""
    return re.split(r"^### .*$", path.read_text("utf-8"), flags=re.MULTILINE)[1:]


def models(annotation: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen.add(annotation)
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation, seen)
    for part in get_args(annotation):
        yield from models(part, seen)


def settings() -> list[tuple[str, str]]:
    keys = [
        (model.__name__, field.alias or name)
        for model in models(Care, set())
        for name, field in model.model_fields.items()
    ]
    return [key for key in keys if key not in UNSEEN]


def commands() -> set[str]:
    return set(get_command(app).commands)  # type: ignore[attr-defined]


def described_commands(path: Path) -> set[str]:
    rows = [line.split("|")[1] for line in path.read_text("utf-8").splitlines() if line.startswith("| `heedful ")]
    return set(re.findall(r"`heedful ([a-z-]+)", " ".join(rows)))


def runnable() -> list[str]:
    """The lines of the blocks marked `<!-- runs -->`."""
    blocks = [
        block
        for path in READMES
        for block in re.findall(r"<!-- runs -->\n```sh\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    ]
    return list(dict.fromkeys(line for block in blocks for line in block.splitlines() if line))


@EITHER
def test_the_table_of_commands_is_that_of_the_program(path: Path) -> None:
    assert described_commands(path) == commands()


@EITHER
@pytest.mark.parametrize(("model", "key"), settings())
def test_every_setting_is_described(path: Path, model: str, key: str) -> None:
    assert f"`{key}`" in configuration(path)[SECTIONS[model]]


@EITHER
@pytest.mark.parametrize("kind", registry.installed())
def test_every_connector_is_described(path: Path, kind: str) -> None:
    assert f"| `{kind}` |" in path.read_text("utf-8")


@EITHER
@pytest.mark.parametrize("kind", ["telegram", "webhook"])
def test_every_setting_of_a_shipped_connector_is_described(path: Path, kind: str) -> None:
    section = configuration(path)[SECTIONS["Channel"]]
    assert [name for name in registry.load(kind).settings.model_fields if f"`{name}`" not in section] == []


@EITHER
def test_every_metric_is_described(path: Path) -> None:
    quiet = Status(channels=(), alarms=(), paused=False, version="")
    metrics = Metrics(lambda: quiet, lambda: datetime.now(UTC))
    text = path.read_text("utf-8")
    assert [family.name for family in metrics.registry.collect() if f"`{family.name}" not in text] == []


@EITHER
def test_yaml_examples_lint(path: Path) -> None:
    examples = fenced(path, "yaml")
    assert examples
    for example in examples:
        care, findings = parse(example, path.name)
        assert care is not None
        assert [str(finding) for finding in findings if finding.level == "error"] == []


def test_both_languages_have_the_same_structure() -> None:
    assert headings(READMES[0]) == headings(READMES[1])


@EITHER
def test_links_lead_to_files_that_exist(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("line", runnable())
def test_what_is_shown_runs(line: str, tmp_path: Path) -> None:
    (tmp_path / "heedful").symlink_to(ROOT / "heedful")
    program, *arguments = shlex.split(line)
    assert program == "heedful"
    done = subprocess.run(
        [Path(sys.executable).with_name("heedful"), *arguments], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.strip()


@EITHER
def test_the_webhook_example_is_the_file(path: Path) -> None:
    assert fenced(path, "python") == [(ROOT / "docs/examples/send_webhook.py").read_text("utf-8")]


def test_the_webhook_example_signs_as_the_standard_says() -> None:
    example = runpy.run_path(str(ROOT / "docs/examples/send_webhook.py"))
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"text": "hello"}'
    signed = example["signed"]
    headers = signed(secret, body, "msg_1", int(time.time()))
    assert Webhook(secret).verify(body, headers) == {"text": "hello"}


def test_a_message_of_the_example_is_one() -> None:
    source = (ROOT / "docs/examples/send_webhook.py").read_text("utf-8")
    keys = set(re.findall(r'^        "([a-z_]+)":', source, re.MULTILINE))
    line = '{"id": "1", "text": "x", "author": {"id": "1", "name": "x"}, "sent_at": "2026-01-01T00:00:00Z"}'
    assert keys == {"id", "text", "author", "sent_at"}
    assert parse_line(line, channel="shop-reviews").message.id == "1"


def test_the_architecture_names_what_exists() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    folders = "config|connectors|sentiment|responders|routing|feed|heedful|deploy|tests"
    paths = set(re.findall(rf"`((?:{folders})/[\w/.]+)`", text))
    parts = set(
        re.findall(r"^\| `(\w+)` \|", text.partition("## A channel, from")[2].partition("\n## ")[0], re.MULTILINE)
    )
    assert len(paths) >= 25
    assert len(parts) >= 8
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [part for part in parts if not (ROOT / f"heedful/{part}.py").exists()] == []
    channels = set(
        re.findall(r"^\| `(\w+)` \|", text.partition("| channel | hears by")[2].partition("\n\n")[0], re.MULTILINE)
    )
    assert channels | {"replay"} == set(registry.installed()) & {path.stem for path in (ROOT / "connectors").iterdir()}
