"""Every connector has a page made from what it declares, and docs/connectors.md describes the whole interface."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import timedelta
from enum import Enum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from ruamel.yaml import YAML
from typer.testing import CliRunner

from connectors import errors, registry
from connectors.api import Ability, Author, Http, Idempotency, Limits, Plugin, Policy
from connectors.settings import BaseUrl, Duration
from heedful.check import check
from heedful.cli import app
from heedful.connector_page import page, snippet

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs/connectors"
GUIDE = ROOT / "docs/connectors.md"
OURS = sorted(
    entry.name
    for entry in entry_points(group=registry.GROUP)
    if entry.dist is not None and entry.dist.name == "heedful"
)
EACH = pytest.mark.parametrize("kind", OURS)


@EACH
def test_the_page_is_what_the_connector_declares(kind: str) -> None:
    path = PAGES / f"{kind}.md"
    assert path.exists(), "no page → heedful connectors --docs docs/connectors"
    made = page(registry.load(kind))
    assert path.read_text("utf-8") == made, "the page is old → heedful connectors --docs docs/connectors"


def test_no_page_is_of_a_kind_that_is_gone() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} <= set(OURS)


@EACH
def test_a_page_says_all_that_people_need(kind: str) -> None:
    plugin = registry.load(kind)
    assert plugin.token.strip(), "`token`: how to get what the settings ask for"
    assert plugin.cannot.strip(), "`cannot`: what such a channel cannot do"


@EACH
def test_the_example_of_a_page_lints(kind: str) -> None:
    assert lint(registry.load(kind)) == []


@EACH
def test_links_of_a_page_lead_to_files_that_exist(kind: str) -> None:
    assert broken_links(PAGES / f"{kind}.md") == []


def test_the_guide_describes_the_whole_interface() -> None:
    text = GUIDE.read_text("utf-8")
    words = [*get_args(Ability), *(field.name for field in fields(Plugin)), *errors.__all__, *get_args(Idempotency)]
    assert [word for word in words if f"`{word}" not in text and word != "ConnectorError"] == []
    assert broken_links(GUIDE) == []


def test_pages_are_written_over_old_ones(tmp_path: Path) -> None:
    (tmp_path / "webhook.md").write_text("old")
    result = CliRunner().invoke(app, ["connectors", "webhook", "--docs", str(tmp_path)])
    assert result.exit_code == 0
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {
        "webhook.md": page(registry.load("webhook"))
    }


def test_a_page_can_be_read_on_the_terminal() -> None:
    assert CliRunner().invoke(app, ["connectors", "webhook"]).output == page(registry.load("webhook"))
    unknown = CliRunner().invoke(app, ["connectors", "webhok"])
    assert (unknown.exit_code, "did you mean `webhook`?" in unknown.output) == (2, True)


# A plugin with everything that the shipped ones do not have.


class Colour(Enum):
    RED = "red"


class Nested(BaseModel):
    deep: int = 1


class Odd(BaseModel):
    """Nothing is described, and one key is needed only because another says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    count: int = Field(ge=1)
    home: BaseUrl
    wait: Duration
    mode: str = Field("a|b", description="one | or\nthe other")
    also: BaseUrl | None = None
    colour: Colour = Colour.RED
    nested: Nested = Nested()
    extra: list[str] = Field(default_factory=list)
    secret: SecretStr | None = None
    flag: bool = False

    @model_validator(mode="after")
    def _signed(self) -> Odd:
        if self.secret is None:
            raise ValueError("needs `secret`")
        return self


@asynccontextmanager
async def _open(_settings: BaseModel, _http: Http) -> AsyncIterator[Any]:
    yield type("Nobody", (), {"me": Author(id="", name="")})()


ODD: Plugin[Any] = Plugin(
    kind="odd_one",
    summary="an odd one",
    settings=Odd,
    open=_open,
    abilities=frozenset(get_args(Ability)),
    idempotency="B1",
    recovers=timedelta(days=7),
    limits=Limits(spacing=timedelta(seconds=1), replies_per_minute_thread=3, poll_every=timedelta(minutes=5)),
    policy=Policy(
        unsolicited=False,
        private_first=False,
        automatic_marks=False,
        per_interaction=1,
        reply_window=timedelta(hours=24),
        messages_per_window=5,
        reopens="any message of the customer",
        cost="a cent",
        delete_within=timedelta(hours=24),
    ),
)


def test_a_page_copes_with_what_is_not_described() -> None:
    text = page(ODD)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(Odd.model_fields)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {5}, "every row has four cells"
    assert "| `home` |  | an address | required |" in table
    assert "| `also` |  | an address | none |" in table
    assert r'| `mode` | one \| or the other | a text | `"a\|b"` |' in table
    assert "one key is needed only because another says so.\n\n| key |" in text, "the rules between keys"
    for heading in ("How to get", "What it cannot do"):
        assert heading not in text, "an empty section is left out"


@pytest.mark.parametrize(
    "words",
    [
        "only where it mentions or quotes us",
        "did not write first",
        "may not set reactions",
        "at most 1.",
        "for 24 hours after the customer's last message, at most 5 messages; any message of the customer opens",
        "erased here within 24 hours",
        "What it costs: a cent.",
        "At least 1 second between two replies",
        "3 in one thread",
        "the last 7 days",
        "5 minutes after each answer",
        "looks for its own reply first",
    ],
)
def test_a_page_says_in_words_what_is_declared(words: str) -> None:
    assert words in page(ODD)


def test_an_example_says_what_has_to_be_said() -> None:
    assert lint(ODD) == []
    assert "${ODD_ONE_SECRET}" in snippet(ODD), "a secret that only the model's own rule asks for"


def test_a_model_may_give_its_own_example() -> None:
    class Own(BaseModel):
        model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "stream", "query": "to:acmeair"}]})

        mode: str
        query: str

    plugin: Plugin[Any] = Plugin(kind="own", summary="own", settings=Own, open=_open, abilities=frozenset({"polls"}))
    assert snippet(plugin) == 'my-own: {kind: own, mode: stream, query: "to:acmeair"}'


def lint(plugin: Plugin[Any]) -> list[str]:
    """The findings of `heedful check` about a file with the page's example in it."""
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page(plugin), re.DOTALL | re.MULTILINE)
    assert plugin.kind in str(YAML(typ="safe").load(example))
    file = f"version: 1\nbrand: {{name: Acme}}\nroute: {{team: care}}\nteams: {{care: {{}}}}\n{example}"
    return [str(finding) for finding in check(file, "heedful.yaml", find=lambda _kind: plugin)]


def broken_links(path: Path) -> list[str]:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8"))
    return [link for link in links if not (path.parent / link).exists()]
