"""Which connectors are installed: lazily, and never at the mercy of one that is broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint
from os import PathLike
from pathlib import Path

import pytest

from connectors import registry
from connectors.api import Plugin


class Dist(Distribution):
    """A distribution that is nowhere but here."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read_text(self, filename: str) -> str | None:
        return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: 1\n" if filename == "METADATA" else None

    def locate_file(self, path: str | PathLike[str]) -> Path:
        return Path(path)


def entry(name: str, value: str, distribution: str = "other") -> EntryPoint:
    point = EntryPoint(name=name, value=value, group=registry.GROUP)
    vars(point)["dist"] = Dist(distribution)
    return point


FORUM = entry("forum", "tests.connectors.forum:plugin", "heedful-forum")
REPLAY = entry("replay", "connectors.replay:plugin", "heedful")


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "broken_at_import.py").write_text("raise RuntimeError('no\\nsuch thing')")
    (tmp_path / "broken_text.py").write_text("def (")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("broken_at_import", "broken_text"):
        sys.modules.pop(name, None)


def test_what_is_shipped_is_installed() -> None:
    assert {"replay", "telegram", "webhook"} <= set(registry.kinds())
    assert isinstance(registry.load("webhook"), Plugin)


def test_installed_is_sorted_and_whole() -> None:
    assert list(registry.installed([REPLAY, FORUM])) == ["forum", "replay"]
    assert registry.broken([REPLAY, FORUM]) == {}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("broken_at_import:plugin", "RuntimeError: no"),
        ("broken_text:plugin", "SyntaxError"),
        ("no_such_module_at_all:plugin", "ModuleNotFoundError"),
        ("connectors.replay:no_such_name", "AttributeError"),
        ("connectors.replay:parse_line", "is a function, not a Plugin"),
        ("connectors.replay:plugin", "says that its kind is `replay`"),
    ],
)
def test_a_broken_one_is_reported_and_the_rest_goes_on(value: str, says: str) -> None:
    entries = [entry("bad", value), REPLAY]
    assert list(registry.installed(entries)) == ["replay"]
    assert says in registry.broken(entries)["bad"]
    assert "\n" not in registry.broken(entries)["bad"]
    with pytest.raises(LookupError, match="`bad` is installed but cannot be used"):
        registry.load("bad", entries)
    assert registry.load("replay", entries).kind == "replay"


def test_a_kind_that_nobody_knows_has_near_misses() -> None:
    with pytest.raises(LookupError) as caught:
        registry.load("repaly", [REPLAY, FORUM])
    assert str(caught.value) == "no connector of kind `repaly` → did you mean `replay`?"
    with pytest.raises(LookupError, match="installed: forum, replay"):
        registry.load("zzz", [REPLAY, FORUM])


def test_our_own_kinds_cannot_be_taken_over() -> None:
    thief = entry("replay", "tests.connectors.forum:plugin", "a-thief")
    for entries in ([thief, REPLAY], [REPLAY, thief]):
        assert registry.load("replay", entries).kind == "replay"
        assert registry.broken(entries) == {"replay (a-thief)": "the kind `replay` is already taken by heedful"}


def test_only_the_named_kind_is_imported() -> None:
    code = (
        "import sys; from connectors import registry; registry.load('replay');"
        "others = ('connectors.telegram', 'connectors.webhook', 'telegram');"
        "print([name for name in sys.modules if name.startswith(others)])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
