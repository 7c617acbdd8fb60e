"""Every command by the real executable, as staff and their scripts call it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from heedful.cli import app
from tests.counterparts.telegram import free_port
from tests.heedful.household import HEEDFUL, until
from tests.heedful.recording import CARE, Recording, recording

COMMANDS = {
    "init", "check", "score", "connectors", "doctor", "new-connector", "test", "explain", "run", "replay", "pause",
    "resume", "ledger",
    "queue list", "queue show", "queue claim", "queue release", "queue assign", "queue snooze", "queue note",
    "queue answer", "queue resolve", "queue reopen", "acks list", "users add", "users list",
    "marks list", "marks export",
}  # fmt: skip
UNBUILT = ("backtest", "retract", "report", "person", "backup", "restore", "--fix")
QUEUE_KEYS = {
    "id", "channel", "thread", "author", "text", "language", "priority", "team", "status", "assignee", "because",
    "opened_at", "acknowledged_at", "first_answer_due", "resolution_due",
}  # fmt: skip
SCORE_KEYS = {
    "text", "language", "compound", "label", "negative", "urgent", "needs_answer", "harm", "kind", "scorer", "vader",
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
HOSTILE = "\x1b[31mEvil\x1b]0;title\x07\x9b2J\u202egnp.exe [/red] \\[b]\r\n"
PASSWORD = "correct horse battery staple"


def environment(**more: str) -> dict[str, str]:
    base = {key: value for key, value in os.environ.items() if not key.startswith("HEEDFUL_")}
    return {**base, "NO_COLOR": "", **more}


def heedful(
    folder: Path, *arguments: str | bytes, given: bytes = b"", **more: str
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [HEEDFUL, *arguments],
        cwd=folder,
        env=environment(**more),
        input=given,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def asks(folder: Path, *arguments: str | bytes, given: bytes = b"", code: int = 0) -> Any:
    """The one JSON document that it prints, and nothing beside."""
    done = heedful(folder, *arguments, "--json", given=given)
    assert done.returncode == code, done.stderr.decode()
    assert done.stderr == b""
    return json.loads(done.stdout)


def terminal(folder: Path, *arguments: str, answers: dict[bytes, bytes] | None = None) -> tuple[int, bytes]:
    """The same at a terminal of its own; each answer is typed where its question appears."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    takes_it = "import fcntl,os,sys,termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", takes_it, str(HEEDFUL), *arguments],
        cwd=folder,
        env=environment(TERM="xterm-256color"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown, waiting = b"", dict(answers or {})
    try:
        while chunk := _read(master):
            shown += chunk
            for question in [one for one in waiting if one in shown]:
                os.write(master, waiting.pop(question) + b"\n")
        return process.wait(60), shown
    finally:
        os.close(master)
        process.kill()
        process.wait()


def _read(master: int) -> bytes:
    assert select.select([master], [], [], 60)[0], "it waits for something"
    try:
        return os.read(master, 65_536)
    except OSError:  # the other side is gone
        return b""


def named(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, inner in getattr(command, "commands", {}).items():
        if getattr(inner, "commands", None):
            yield from named(inner, (*path, name))
        else:
            yield " ".join((*path, name))


def test_these_commands_are_there_and_no_others() -> None:
    assert set(named(get_command(app))) == COMMANDS


@pytest.mark.parametrize("command", ["", *sorted(COMMANDS), "queue", "acks", "users", "marks"])
def test_each_has_help_that_promises_nothing_unbuilt(tmp_path: Path, command: str) -> None:
    done = heedful(tmp_path, *command.split(), "--help")
    text = done.stdout.decode()
    assert done.returncode == 0
    assert "Usage: heedful" in text
    assert [word for word in UNBUILT if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        "nonsense", "run --nonsense", "run --log-level LOUD", "replay", "replay x --rate 0", "replay x --rate fast",
        "explain", "queue", "queue nonsense", "queue show", "queue list --limit many", "queue answer 1", "users add",
        "check a b", "score --jsn", "connectors more", "connectors a b", "new-connector forum", "acks", "",
    ],
)  # fmt: skip
def test_wrong_use_exits_2(tmp_path: Path, arguments: str) -> None:
    done = heedful(tmp_path, *arguments.split())
    assert done.returncode == 2
    assert done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("check", "heedful.yaml cannot be read"),
        ("check nowhere/at-all.yaml", "cannot be read"),
        ("test", "cannot be read"),
        ("run", "heedful.yaml cannot be read"),
        ("run -c .", "cannot be read"),
        ("replay nowhere.jsonl", "nowhere.jsonl cannot be read"),
        ("replay .", "cannot be read"),
        ("replay - --db mysql://x", "is not supported"),
        ("ledger --db sqlite:///nowhere/at/all.db", "check its folder"),
        ("queue show NOPE", "does not exist"),
        ("queue claim 123456", "does not exist"),
    ],
)
def test_what_cannot_be_done_is_one_plain_line_and_exits_1(tmp_path: Path, arguments: str, says: str) -> None:
    done = heedful(tmp_path, *arguments.split())
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 1, text
    assert says in text
    assert text.count("\n") == 1


def test_what_init_writes_passes_check_and_test_and_is_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert heedful(tmp_path, "init", str(folder)).returncode == 0
    assert {path.name for path in folder.iterdir()} == {"heedful.yaml", ".env.example"}
    for command in ("check", "test"):
        done = heedful(folder, command)
        assert (done.returncode, done.stderr) == (0, b"")
    assert b"0 failed" in done.stdout
    named = set(re.findall(r"\$\{([A-Z_]+)\}", _uncommented(folder / "heedful.yaml")))
    assert named <= set(re.findall(r"^([A-Z_]+)=", (folder / ".env.example").read_text("utf-8"), re.MULTILINE))
    before = (folder / "heedful.yaml").read_text("utf-8")
    (folder / ".env.example").unlink()
    again = heedful(folder, "init")
    assert (again.returncode, b"heedful.yaml exists already" in again.stderr) == (1, True)
    assert [path.name for path in folder.iterdir()] == ["heedful.yaml"], "all or nothing"
    assert (folder / "heedful.yaml").read_text("utf-8") == before


def _uncommented(path: Path) -> str:
    return "\n".join(line.partition("#")[0] for line in path.read_text("utf-8").splitlines())


def test_check_names_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "heedful.yaml").write_text(CARE.replace("priority: P1", "prioritty: P1"), "utf-8")
    done = heedful(tmp_path, "check")
    (line,) = [line for line in done.stdout.decode().splitlines() if " error " in line]
    where = CARE.splitlines().index(next(one for one in CARE.splitlines() if "priority: P1" in one)) + 1
    assert re.match(rf"{where}:\d+ error unknown-key: .*`prioritty`.* → did you mean `priority`\?", line)
    assert done.returncode == 1
    (tmp_path / "heedful.yaml").write_text(CARE, "utf-8")
    warned = heedful(tmp_path, "check")
    assert (warned.returncode, b" warning " in warned.stdout) == (0, True)


def test_a_failing_test_exits_1(tmp_path: Path) -> None:
    example = 'tests: [{say: "[/b] the sky is blue", expect: {routed: true}}]\n'
    (tmp_path / "heedful.yaml").write_text(CARE + example, "utf-8")
    done = heedful(tmp_path, "test")
    assert done.returncode == 1
    assert "routed: expected True, got False" in done.stdout.decode()


def test_explain_as_json(tmp_path: Path) -> None:
    (tmp_path / "heedful.yaml").write_text(CARE, "utf-8")
    text = "🔥 somebody used my stolen card [/b]"
    found = asks(tmp_path, "explain", text)
    assert set(found) == {"reading", "keywords", "route", "decision", "acknowledgement"}
    assert {"routed", "team", "priority", "style", "because"} <= set(found["decision"])
    assert {"send", "text", "locale", "reason"} <= set(found["acknowledgement"])
    ((start, end),) = found["keywords"][0]["spans"]
    assert (found["keywords"][0]["list"], text[start:end]) == ("fraud", "stolen card")
    assert found["route"] == ["root", "fraud"]
    assert (found["decision"]["routed"], found["decision"]["priority"]) == (True, "P1")
    assert found["acknowledgement"]["send"] is True
    assert SCORE_KEYS - {"text", "vader"} <= set(found["reading"])


def test_explain_takes_a_recorded_message_by_file_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "heedful.yaml").write_text(CARE, "utf-8")
    raw = json.dumps(hostile(1)).encode()
    (tmp_path / "one.json").write_bytes(raw)
    by_file = asks(tmp_path, "explain", "--message", "one.json")
    assert by_file["decision"] == asks(tmp_path, "explain", "--message", "-", given=raw)["decision"]
    assert heedful(tmp_path, "explain", "--message", "-", given=b"[]").returncode == 1
    assert heedful(tmp_path, "explain", "--message", "nowhere").returncode == 1


def test_score_as_json_and_from_standard_input(tmp_path: Path) -> None:
    texts = ["my card was stolen", "我的卡被盗刷了", "", "a\u2028b"]
    given = heedful(tmp_path, "score", "--json", *texts)
    read = heedful(tmp_path, "score", "--json", given="\n".join(texts).encode())
    assert given.stdout == read.stdout
    found = [json.loads(line) for line in given.stdout.splitlines()]
    assert [one["text"] for one in found] == texts
    assert all(set(one) == SCORE_KEYS for one in found)
    assert (found[0]["label"], found[1]["language"]) == ("negative", "zh-Hans")


def test_score_takes_any_bytes(tmp_path: Path) -> None:
    raw = b"stolen \xff card \xed\xa0\x80 \x9b \x00"
    done = heedful(tmp_path, "score", "--json", b"stolen \xff card")
    assert json.loads(done.stdout)["text"] == "stolen � card"
    for locale in ("C", "C.UTF-8"):
        read = heedful(tmp_path, "score", "--json", given=raw + b"\n" + raw, LC_ALL=locale, PYTHONIOENCODING="ascii")
        assert read.returncode == 0
        assert len(read.stdout.splitlines()) == 2
    assert heedful(tmp_path, "score", given=raw).returncode == 0


def test_connectors_as_json(tmp_path: Path) -> None:
    found = {one["kind"]: one for one in asks(tmp_path, "connectors")}
    assert {"replay", "telegram", "webhook"} <= set(found)
    for one in found.values():
        assert {"kind", "abilities", "idempotency", "recovers", "limits", "policy", "settings"} <= set(one)
    assert heedful(tmp_path, "connectors").returncode == 0


def hostile(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"h{number}",
        "channel": f"chat{HOSTILE}",
        "text": f"somebody used my stolen card {HOSTILE}",
        "author": {"id": f"a{number}", "name": HOSTILE},
        "sent_at": "2026-05-01T08:00:00Z",
        **more,
    }


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recording, dict[str, Any]]:
    """A folder in which 20,000 lines were played into a database."""
    folder = tmp_path_factory.mktemp("played")
    (folder / "heedful.yaml").write_text(CARE, "utf-8")
    found = recording(20_000)
    (folder / "all.jsonl").write_bytes(b"\r\n".join(found.lines) + b"\r\n\r\n")
    return folder, found, asks(folder, "replay", "all.jsonl", "--db", "sqlite:///heedful.db")


def test_a_replay_counts_exactly_what_was_put_into_it(played: tuple[Path, Recording, dict[str, Any]]) -> None:
    folder, made, figures = played
    assert set(figures) == {*made.expected(), "seconds", "messages_per_second"}
    assert {name: figures[name] for name in made.expected()} == made.expected()
    books = asks(folder, "ledger")
    assert {name: books[name] for name in made.expected()} == made.expected()
    assert (books["balances"], books["problems"]) == (True, [])
    stored = {name: found["stored"] for name, found in books["channels"].items() if found["stored"]}
    assert stored == made.channels
    assert sum(made.books[name] > 500 for name in ("duplicates", "quarantined", "routed", "kept", "sent")) == 5


def test_the_same_recording_again_is_all_duplicates(
    played: tuple[Path, Recording, dict[str, Any]], tmp_path: Path
) -> None:
    folder, made, _ = played
    shutil.copyfile(folder / "heedful.db", tmp_path / "heedful.db")
    (tmp_path / "heedful.yaml").write_text(CARE, "utf-8")
    figures = asks(tmp_path, "replay", "-", "--db", "sqlite:///heedful.db", given=b"\n".join(made.lines[:2_000]))
    assert (figures["received"], figures["duplicates"], figures["acknowledgements"]["sent"]) == (2_000, 2_000, 0)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM message WHERE id = (SELECT min(id) FROM message)",
        "UPDATE message SET outcome = 'kept' WHERE id = (SELECT min(id) FROM message WHERE outcome = 'routed')",
        "UPDATE message SET acknowledgement = 'sent' WHERE id = (SELECT min(id) FROM message WHERE kept = 'calm')",
        "UPDATE tally SET received = received + 1 WHERE rowid = (SELECT min(rowid) FROM tally)",
        "DELETE FROM quarantine WHERE rowid = (SELECT min(rowid) FROM quarantine)",
        "DELETE FROM outbox WHERE id = (SELECT min(id) FROM outbox WHERE kind = 'acknowledgement')",
    ],
)
def test_one_row_that_was_tampered_with_is_found(
    played: tuple[Path, Recording, dict[str, Any]], tmp_path: Path, damage: str
) -> None:
    shutil.copyfile(played[0] / "heedful.db", tmp_path / "heedful.db")
    connection = sqlite3.connect(tmp_path / "heedful.db")
    assert connection.execute(damage).rowcount == 1
    connection.commit()
    connection.close()
    books = asks(tmp_path, "ledger", code=1)
    assert books["balances"] is False
    assert books["problems"]
    assert heedful(tmp_path, "ledger").returncode == 1


def test_a_replay_without_a_database_leaves_none_and_keeps_its_pace(tmp_path: Path) -> None:
    made = recording(60, seed=7)
    (tmp_path / "heedful.yaml").write_text(CARE, "utf-8")
    figures = asks(tmp_path, "replay", "-", "--rate", "60", given=b"\n".join(made.lines))
    assert {name: figures[name] for name in made.expected()} == made.expected()
    assert figures["messages_per_second"] <= 80
    assert [path.name for path in tmp_path.iterdir()] == ["heedful.yaml"]
    empty = asks(tmp_path, "replay", "-")
    assert (empty["received"], empty["messages_per_second"]) == (0, 0.0)


def test_a_packed_recording_and_the_sample(tmp_path: Path) -> None:
    import gzip

    raw = files("heedful").joinpath("sample/messages.jsonl").read_bytes()
    (tmp_path / "sample.jsonl.gz").write_bytes(gzip.compress(raw))
    figures = asks(tmp_path, "replay", "sample.jsonl.gz")
    assert figures["received"] == len(raw.splitlines())
    (tmp_path / "broken.jsonl.gz").write_bytes(gzip.compress(raw)[:900])
    assert heedful(tmp_path, "replay", "broken.jsonl.gz").returncode == 1


def test_one_absurd_date_does_not_end_a_replay(tmp_path: Path) -> None:
    made = recording(60, seed=7)
    absurd = {"id": "x", "channel": "c", "text": "hi", "author": {"id": "1", "name": "A"}}
    lines = [*made.lines[:9], json.dumps(absurd | {"sent_at": "9998-01-01T00:00:00Z"}).encode(), *made.lines[9:]]
    figures = asks(tmp_path, "replay", "-", given=b"\n".join(lines))
    assert figures["received"] == len(made.lines) + 1


def test_a_pipe_with_a_name_is_read_once_and_whole(tmp_path: Path) -> None:
    made = recording(60, seed=7)
    os.mkfifo(tmp_path / "pipe.jsonl")
    with ThreadPoolExecutor(1) as writer:
        writer.submit((tmp_path / "pipe.jsonl").write_bytes, b"\n".join(made.lines))
        figures = asks(tmp_path, "replay", "pipe.jsonl")
    assert figures["received"] == len(made.lines)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 130), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
async def test_a_replay_that_is_ended_leaves_nobody_behind(tmp_path: Path, how: signal.Signals, code: int) -> None:
    """Neither the process that reads aside, nor customers' words in a temporary folder."""
    (tmp_path / "many.jsonl").write_bytes(b"\n".join(recording(12_000).lines))
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    process = await asyncio.create_subprocess_exec(
        HEEDFUL, "replay", "many.jsonl", cwd=tmp_path, env=environment(TMPDIR=str(scratch)),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    await until(lambda: any(found.stat().st_size > 500_000 for found in scratch.rglob("replay.db*")))
    process.send_signal(how)
    _, said = await process.communicate()
    assert process.returncode == code
    assert how is signal.SIGKILL or said.strip() in {b"", b"Aborted."}
    await until(lambda: not _alive(process.pid))
    assert how is signal.SIGKILL or not list(scratch.glob("heedful-replay-*"))


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with three cases in its database, all by strangers of the worst kind."""
    (tmp_path / "heedful.yaml").write_text(CARE, "utf-8")
    lines = [json.dumps(hostile(number)).encode() for number in range(3)]
    asks(tmp_path, "replay", "-", "--db", "sqlite:///heedful.db", given=b"\n".join(lines))
    return tmp_path


def test_the_queue_as_json(desk: Path) -> None:
    cases = asks(desk, "queue", "list")
    assert len(cases) == 3
    for case in cases:
        assert set(case) >= QUEUE_KEYS
        assert isinstance(case["id"], str)
        assert (case["status"], case["assignee"], case["priority"], case["team"]) == ("open", None, "P1", "payments")
        for name in ("opened_at", "acknowledged_at", "first_answer_due", "resolution_due"):
            assert TIME.fullmatch(case[name]), name
        assert datetime.fromisoformat(case["opened_at"]) <= datetime.fromisoformat(case["first_answer_due"])
    assert [case["id"] for case in asks(desk, "queue", "list", "--limit", "1")] == [cases[0]["id"]]
    assert asks(desk, "queue", "list", "--team", "nobody") == []
    assert len(asks(desk, "queue", "list", "-q", "stolen card")) == 3


def test_a_case_from_claim_to_close(desk: Path) -> None:
    case = asks(desk, "queue", "list")[0]["id"]
    assert asks(desk, "queue", "claim", case)["status"] == "claimed"
    assert asks(desk, "queue", "note", case, "called the bank")
    assert asks(desk, "queue", "snooze", case, "2099-01-01T00:00:00Z")
    assert heedful(desk, "queue", "snooze", case, "tomorrow").returncode == 1
    assert asks(desk, "queue", "release", case)["assignee"] is None
    assert heedful(desk, "queue", "resolve", case, "--reason", "nonsense").returncode == 1
    assert asks(desk, "queue", "resolve", case, "--reason", "spam")["status"] == "resolved"
    assert len(asks(desk, "queue", "list")) == 2
    assert len(asks(desk, "queue", "list", "--status", "all")) == 3
    assert asks(desk, "queue", "reopen", case)["status"] == "open"
    assert asks(desk, "queue", "assign", case, "mei")["assignee"] == "mei"
    assert "called the bank" in json.dumps(asks(desk, "queue", "show", case))


def test_pause_and_resume(desk: Path) -> None:
    assert asks(desk, "pause", "wrong words")["paused"] is True
    assert asks(desk, "resume")["paused"] is False
    for command in ("pause", "resume"):
        assert heedful(desk, command).returncode == 0


def test_a_password_is_asked_for_at_the_terminal_and_never_shown(desk: Path) -> None:
    answers = {b"more): ": PASSWORD.encode(), b"confirmation: ": PASSWORD.encode()}
    code, shown = terminal(desk, "users", "add", "mei", "--admin", answers=answers)
    assert code == 0, shown
    assert b"admin mei may sign in now" in shown
    assert b"horse" not in shown
    assert [(one["name"], one["role"]) for one in asks(desk, "users", "list")] == [("mei", "admin")]
    assert PASSWORD.encode() not in (desk / "heedful.db").read_bytes()
    short = {b"more): ": b"short", b"confirmation: ": b"short"}
    code, shown = terminal(desk, "users", "add", "li", answers=short)
    assert code == 1
    assert b"Traceback" not in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["queue", "list"], ["queue", "list", "--json"], ["acks", "list"], ["acks", "list", "--json"], ["ledger"],
        ["ledger", "--json"], ["queue", "show", "CASE"], ["queue", "show", "CASE", "--json"],
        ["explain", "--message", "one.json"], ["explain", "--message", "one.json", "--json"],
        ["explain", HOSTILE + "stolen card"], ["score", HOSTILE], ["score", "--json", HOSTILE], ["test"],
        ["queue", "show", HOSTILE], ["queue", "claim", HOSTILE], ["check", HOSTILE],
    ],
    ids=lambda arguments: " ".join(arguments[:3]).encode("ascii", "ignore").decode(),
)  # fmt: skip
def test_strangers_do_not_write_on_the_terminal(desk: Path, arguments: list[str]) -> None:
    case = asks(desk, "queue", "list")[0]["id"]
    (desk / "one.json").write_text(json.dumps(hostile(9)), "utf-8")
    _, raw = terminal(desk, *(case if argument == "CASE" else argument for argument in arguments))
    shown = raw.decode("utf-8")
    assert "Traceback" not in shown
    assert "MarkupError" not in shown
    rest = re.sub(r"\x1b\[[0-9;?]*[mhlKJ]", "", shown)  # our own colours
    assert "\x1b[31mEvil" not in shown
    assert [character for character in rest if not character.isprintable() and character not in "\r\n"] == []


def test_an_address_in_use_is_said_plainly(desk: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        listens = CARE + f'web: {{listen: "{address}"}}\n'
        (desk / "heedful.yaml").write_text(listens, "utf-8")
        done = heedful(desk, "run")
        assert done.returncode == 1
        assert f"heedful: cannot listen on {address}" in done.stderr.decode()
        assert "Address already in use" in done.stderr.decode()
        hooks = CARE + f'web: {{listen: "127.0.0.1:{free_port()}", hooks: "{address}"}}\n'
        (desk / "heedful.yaml").write_text(hooks, "utf-8")
        again = heedful(desk, "run")
        assert (again.returncode, b"RuntimeWarning" in again.stderr) == (1, False)


@pytest.mark.parametrize(
    ("platform", "variables", "seen", "opened"),
    [
        ("linux", {"DISPLAY": ":0"}, True, 1),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True, 1),
        ("darwin", {}, True, 1),
        ("linux", {}, True, 0),
        ("linux", {"DISPLAY": ":0"}, False, 0),
    ],
)
def test_the_sample_opens_the_page_only_where_somebody_sits(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], seen: bool, opened: int
) -> None:
    import webbrowser

    from heedful.commands import run

    addresses: list[str] = []

    def breaks(address: str) -> bool:
        addresses.append(address)
        raise webbrowser.Error("no browser after all")

    class Now:
        """A thread that has run when it was started."""

        def __init__(self, *, target: Any, args: tuple[str, ...], **_: object) -> None:
            self.start = lambda: target(*args)

    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(webbrowser, "open", breaks)
    monkeypatch.setattr(run, "Thread", Now)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: seen, raising=False)
    run._show("http://127.0.0.1:8080")
    assert addresses == ["http://127.0.0.1:8080"] * opened


def test_the_version(tmp_path: Path) -> None:
    assert re.fullmatch(rb"heedful \d+\.\d+\.\d+\n", heedful(tmp_path, "--version").stdout)
    assert isinstance(app, typer.Typer)
