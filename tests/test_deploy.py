"""What runs heedful elsewhere names what exists: the unit, the container, and the page that explains both."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from config.schema import Web
from feed.status import Status
from heedful.cli import app
from heedful.daemon import FINISH_WITHIN
from heedful.metrics import Metrics
from tests.counterparts.telegram import free_port

ROOT = Path(__file__).parent.parent
UNIT = ROOT / "deploy" / "heedful.service"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
PAGE = ROOT / "docs" / "operations.md"
CONFIGURATION = """
version: 1
brand: {{name: Acme Air}}
web: {{listen: "127.0.0.1:{port}"}}
route: {{team: care}}
teams: {{care: {{}}}}
"""
COMMAND: Any = get_command(app)
SYSTEMD_KNOWS_STEPS = 254
"""Of https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#RestartSteps=."""


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names keep their case
    parser.read_string(UNIT.read_text("utf-8"))
    return parser


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, with continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", DOCKERFILE.read_text("utf-8"))
    lines = (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def values(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


def spoken(text: str) -> Iterator[list[str]]:
    """Every command line of ours that a page shows, without the program's own name."""
    fenced = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [
        *"".join(fenced).splitlines(),
        *re.findall(r"`([^`\n]+)`", re.sub(r"(?s)^```.*?^```", "", text, flags=re.MULTILINE)),
    ]
    for line in lines:
        found = re.search(r"(?:^|/bin/|exec heedful )heedful ([a-z-].*)$", line)
        if found:
            yield shlex.split(found[1], comments=True)


def understood(words: list[str]) -> list[str]:
    """What of a command line does not exist."""
    here, missing = COMMAND, []
    for word in words:
        names = {name for parameter in here.params for name in parameter.opts}
        if word.startswith("-"):
            missing += [] if word in names else [word]
        elif hasattr(here, "commands") and word.isidentifier() | ("-" in word):
            if word not in here.commands:
                return [*missing, word]
            here = here.commands[word]
    return missing


def test_the_unit_starts_what_exists() -> None:
    service = unit()["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert program.endswith("/.venv/bin/heedful")
    assert understood(words) == []
    assert (service["Type"], service["ExecReload"]) == ("notify", "/bin/kill -HUP $MAINPID")
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert re.search(
        r"^Environment=HEEDFUL_DATABASE_URL=sqlite:////var/lib/heedful/heedful.db$", UNIT.read_text(), re.MULTILINE
    )


def test_the_unit_is_watched_and_comes_back() -> None:
    service, start = unit()["Service"], unit()["Unit"]
    assert (start["StartLimitIntervalSec"], "StartLimitBurst" in start) == ("0", False), "it never gives up"
    assert (service["RestartSec"], service["RestartSteps"], service["RestartMaxDelaySec"]) == ("5", "6", "2min")
    assert int(service["WatchdogSec"]) >= 30, "three signs of life of ten seconds each"
    assert service["Restart"] == "on-failure"
    assert int(service["TimeoutStopSec"]) > 2 * FINISH_WITHIN, "texts drain, then requests"
    assert (FINISH_WITHIN, "**Stop** takes ten seconds at most: five for" in PAGE.read_text("utf-8")) == (5, True)


def test_the_unit_gives_nothing_away() -> None:
    service = unit()["Service"]
    assert service["NoNewPrivileges"] == service["PrivateTmp"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    filters = re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)
    assert filters[0] == "@system-service"
    assert "@resources" not in " ".join(filters), "a feed is read in a process that bounds itself by setrlimit"


def analyzer() -> str:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("systemd-analyze is not installed: apt install systemd")
    return analyze


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    analyze = analyzer()
    # Neither heedful nor, in a bare container, kill is installed where it will be.
    text = re.sub(r"^(Exec\w+)=\S+", r"\1=/bin/true", UNIT.read_text("utf-8"), flags=re.MULTILINE)
    text = re.sub(r"^(User|Group)=heedful$", r"\1=root", text, flags=re.MULTILINE)
    copy = tmp_path / "heedful.service"
    copy.write_text(text)
    done = subprocess.run((analyze, "verify", copy), capture_output=True, text=True, check=False, timeout=60)
    said = [line for line in done.stderr.splitlines() if "heedful.service" in line]
    told = subprocess.run((analyze, "--version"), capture_output=True, text=True, check=True, timeout=60).stdout
    if int(told.split()[1]) < SYSTEMD_KNOWS_STEPS:
        said = [
            line for line in said if not re.search(r"Unknown key (name )?'(RestartSteps|RestartMaxDelaySec)'", line)
        ]
    assert said == []


def test_the_container_copies_what_exists() -> None:
    copied = [rest.split()[:-1] for rest in values("COPY") if not rest.startswith("--from")]
    paths = [path for group in copied for path in group]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) <= set(paths), "a package that the container lacks"
    named = {pyproject["project"]["readme"], *pyproject["project"]["license-files"], "uv.lock"}
    assert named <= set(paths)
    assert any("uv sync" in rest and "--frozen" in rest for rest in values("RUN"))


def test_the_source_distribution_holds_all_that_its_tests_need() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = pyproject["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {"/deploy", "/examples", "/docs", "/tests", "/.ci"} <= set(included)
    assert [path for path in included if not (ROOT / path.lstrip("/")).exists()] == []


def test_the_container_is_nobody_and_writes_to_one_volume_only() -> None:
    (user,), (volume,), (entry,) = values("USER"), values("VOLUME"), values("ENTRYPOINT")
    assert int(user.partition(":")[0]) > 1000
    environment = " ".join(values("ENV"))
    assert f"HEEDFUL_DATABASE_URL=sqlite:///{volume}/heedful.db" in environment
    assert f"HOME={volume}" in environment
    assert "PYTHONDONTWRITEBYTECODE=1" in environment, "its root is read-only"
    assert entry == '["heedful"]'
    (command,) = values("CMD")
    assert understood(re.findall(r'"([^"]+)"', command)) == []
    (health,) = values("HEALTHCHECK")
    assert "http://127.0.0.1:8080/livez" in health


def test_compose_agrees_with_the_dockerfile() -> None:
    service = YAML(typ="safe").load(COMPOSE)["services"]["heedful"]
    assert (COMPOSE.parent / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DOCKERFILE
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["ports"] == ["127.0.0.1:8080:8080"], "never to the world unasked"
    assert f"state:{values('VOLUME')[0]}" in service["volumes"]


def test_the_page_names_what_exists() -> None:
    text = PAGE.read_text("utf-8").partition("## What there is not")[0]
    wrong = {" ".join(words): missing for words in spoken(text) if (missing := understood(words))}
    assert wrong == {}
    assert len(list(spoken(text))) >= 15
    absent = [path for path in re.findall(r"\]\((\.\./[^)#]+)", text) if not (PAGE.parent / path).exists()]
    assert absent == []
    assert set(re.findall(r"`web: \{(\w+)", text)) <= set(Web.model_fields)


def test_what_the_page_calls_missing_is_missing() -> None:
    text = PAGE.read_text("utf-8").partition("## What there is not")[2]
    assert all(understood(words) for words in spoken(text))


def test_the_page_names_metrics_that_exist() -> None:
    metrics = Metrics(lambda: Status(channels=(), alarms=(), paused=False, version=""), lambda: None)  # type: ignore[arg-type,return-value]
    exposed = metrics.render().decode()
    named = set(re.findall(r"heedful_[a-z_]+", PAGE.read_text("utf-8")))
    assert len(named) >= 6
    assert {name for name in named if f"# TYPE {name.removesuffix('_sum')} " not in exposed} == set()


def test_every_alarm_of_the_program_stands_in_the_page() -> None:
    """What rings names its subject by a text of its own; the page has a row for each."""
    table = PAGE.read_text("utf-8").partition("## Alarms")[2].partition("\n## ")[0]
    subjects = set()
    for path in (ROOT / "heedful").rglob("*.py"):
        subjects |= set(re.findall(r'\.ring\(\s*f?"([a-z]+)', path.read_text("utf-8")))
        subjects |= set(re.findall(r'f"\{(?:self|runner)\.name\}: ([a-z]+)"', path.read_text("utf-8")))
    assert {"store", "loop", "notify", "file", "gap"} <= subjects
    assert {subject for subject in subjects if subject not in table} == set()


@pytest.fixture
def near() -> Iterator[Path]:
    """A folder with a short name: a Unix socket's may have 107 bytes, unix(7), and the daemon makes one too."""
    with tempfile.TemporaryDirectory(prefix="hf", dir="/tmp" if Path("/tmp").is_dir() else None) as folder:  # noqa: S108 — private: made with mode 0700
        yield Path(folder)


def test_the_daemon_tells_systemd_that_it_is_ready_alive_and_stops(near: Path) -> None:
    """As the unit starts it."""
    (near / "heedful.yaml").write_text(CONFIGURATION.format(port=free_port()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(near / "notify"))
        manager.settimeout(60)
        environ = {**os.environ, "NOTIFY_SOCKET": str(near / "notify"), "WATCHDOG_USEC": "3000000"}
        program = Path(sys.executable).with_name("heedful")
        daemon = subprocess.Popen((program, "run"), cwd=near, env=environ, stderr=subprocess.DEVNULL)
        try:
            told = {manager.recv(4096).decode().partition("\n")[0] for _ in range(2)}
            assert told == {"READY=1", "WATCHDOG=1"}
            daemon.send_signal(signal.SIGTERM)
            while (last := manager.recv(4096).decode().partition("\n")[0]) == "WATCHDOG=1":
                continue
            assert last == "STOPPING=1"
            assert daemon.wait(60) == 0
        finally:
            daemon.kill()
            daemon.wait()
