"""`heedful check`: what only the connectors can tell about a file."""

import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict

from config.load import example, load
from connectors.api import Ability, Connector, Http, Limits, Plugin, Policy
from heedful.check import check, check_file
from heedful.examples import run_examples

BASE = (
    "version: 1\nbrand: {name: Acme, languages: [en]}\nteams: {care: {}}\nroute: {team: care, acknowledge: default}\n"
)
TEXTS = 'styles: {default: {en: ["We have your message."]}}'
TODAY = date(2026, 11, 21)


def _not_short(value: str) -> str:
    if len(value) < 20:
        raise ValueError("a token of 20 characters or more; copy it again")
    return value


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    token: Annotated[str, AfterValidator(_not_short)]
    count: int = 1


class Nothing(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _open(settings: BaseModel, http: Http) -> AbstractAsyncContextManager[Connector]:
    raise AssertionError("a check opens nothing")


def _plugin(kind: str, settings: type[BaseModel], *abilities: Ability, **more: Any) -> Plugin[Any]:
    return Plugin(kind=kind, summary=kind, settings=settings, open=_open, abilities=frozenset(abilities), **more)


PLUGINS = {
    "mute": _plugin("mute", Nothing, "polls"),
    "chat": _plugin("chat", Settings, "polls", "replies"),
    "short": _plugin(
        "short",
        Nothing,
        "replies",
        "marks",
        limits=Limits(reply_length=5),
        policy=Policy(automatic_marks=False, reply_window=timedelta(hours=1)),
    ),
}


def _find(kind: str) -> Plugin[Any]:
    if kind not in PLUGINS:
        raise LookupError(f"no connector of kind `{kind}` → did you mean `chat`?")
    return PLUGINS[kind]


def found(text: str, **more: Any) -> list[str]:
    return [str(finding) for finding in check(BASE + text, "heedful.yaml", find=_find, today=TODAY, **more)]


def test_a_file_that_fits_has_no_findings() -> None:
    assert found(f'channels: {{c: {{kind: chat, token: "${{TOKEN}}"}}}}\nacknowledge: {{mode: send, {TEXTS}}}\n') == []


@pytest.mark.parametrize(
    ("channel", "finding"),
    [
        ("{kind: chatt}", "6:13 error unknown-kind: no connector of kind `chatt` → did you mean `chat`?"),
        (
            '{kind: chat, token: "${T}", cuont: 2}',
            "6:34 error unknown-key: unknown key `cuont` → did you mean `count`?",
        ),
        (
            '{kind: chat, token: "${T}", regoin: cn}',
            "6:34 error unknown-key: unknown key `regoin` → did you mean `region`?",
        ),
        (
            '{kind: chat, token: "${T}", count: many}',
            "6:41 error bad-value: `many` does not fit `count` → write a whole number",
        ),
        ("{kind: chat}", "6:3 error missing-key: `token` is missing → add `token:`"),
        ("{kind: chat, token: short}", "6:26 error bad-value: a token of 20 characters or more → copy it again"),
    ],
)
def test_settings_are_checked_where_they_stand(channel: str, finding: str) -> None:
    text = f"channels:\n  c: {channel}\nacknowledge: {{mode: off, {TEXTS}}}\n"
    assert found(text) == [finding]


def test_a_secret_is_never_shown() -> None:
    assert "hunter2" not in str(
        found(
            "channels: {c: {kind: chat, token: [hunter2]}, d: {kind: chat, token: hunter2}}\n"
            f"acknowledge: {{{TEXTS}}}\n"
        )
    )


@pytest.mark.parametrize(
    ("modes", "rules"),
    [("send", ["error policy"]), ("{private: approve}", ["error policy"]), ("dry_run", []), ("off", [])],
)
def test_a_channel_that_cannot_reply_is_not_acknowledged(modes: str, rules: list[str]) -> None:
    text = f"channels: {{c: {{kind: mute}}}}\nacknowledge: {{channels: {{c: {modes}}}, {TEXTS}}}\n"
    assert [line.split(": ")[0].split(" ", 1)[1] for line in found(text)] == rules


def test_acknowledging_where_no_channel_can_reply_is_a_warning() -> None:
    text = f"channels: {{c: {{kind: mute}}}}\nacknowledge: {{mode: send, {TEXTS}}}\n"
    assert found(text) == [
        (
            "6:1 warning policy: no channel of this file can reply → "
            "acknowledgements will stay away; add a channel that can reply"
        )
    ]


def test_another_account_may_speak_where_it_can() -> None:
    ways = {
        "d: {kind: chat, token: '${T}'}": "cannot answer on mute",
        "d: {kind: mute}": "mute cannot reply",
    }
    for other, says in ways.items():
        lines = found(f"channels: {{c: {{kind: mute, reply_as: d}}, {other}}}\nacknowledge: {{mode: off, {TEXTS}}}\n")
        assert len(lines) == 1
        assert "error policy" in lines[0]
        assert says in lines[0]
    chain = (
        "channels: {a: {kind: chat, token: '${T}', reply_as: b}, b: {kind: chat, token: '${T}', reply_as: c},"
        " c: {kind: chat, token: '${T}'}}\n"
    )
    assert "itself answers by another" in found(chain + f"acknowledge: {{{TEXTS}}}\n")[0]


def test_texts_and_marks_that_a_channel_cannot_carry_are_warnings() -> None:
    lines = found(f"channels: {{c: {{kind: short}}}}\nacknowledge: {{mode: send, mark: 👀, {TEXTS}}}\n")
    assert [line.split(": ")[0] for line in lines] == ["6:33 warning policy", "6:60 warning too-long"]


def test_conditions_name_kinds_that_exist() -> None:
    text = f"channels: {{c: {{kind: chat, token: '${{T}}'}}}}\nacknowledge: {{{TEXTS}}}\n"
    routes = BASE.replace(
        "acknowledge: default}", "acknowledge: default, routes: [{name: n, when: {connector: [chat, telegam]}}]}"
    )
    lines = [str(f) for f in check(routes + text, "heedful.yaml", find=_find)]
    assert lines == ["4:87 error unknown-kind: no connector of kind `telegam` → did you mean `telegram`?"]


def test_notify_targets_are_checked_too() -> None:
    text = (
        f"acknowledge: {{{TEXTS}}}\nnotify:\n  room: {{kind: chat, token: short}}\n  pager: {{kind: chatt}}\n"
        "  ok: {kind: chat, token: '${T}', region: cn}\n"
    )
    assert found(text, targets={"chat": Settings}) == [
        "7:29 error bad-value: a token of 20 characters or more → copy it again",
        "8:17 error unknown-kind: no notify kind `chatt` → did you mean `chat`?",
    ]


def test_what_lint_finds_is_found_as_well() -> None:
    lines = found(
        "channels: {c: {kind: chatt}}\nkeywords: {unused: {en: [x AND]}}\nacknowledge: {styles: {default: {}}}\n"
    )
    assert {line.split(": ")[0].split()[-1] for line in lines} == {
        "unknown-kind",
        "unused-keywords",
        "bad-expression",
        "no-wording",
    }


def test_the_shipped_example_has_no_findings(tmp_path: Path) -> None:
    path = tmp_path / "heedful.yaml"
    path.write_text(example(), "utf-8")
    assert check_file(path, today=TODAY) == ()


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    assert [finding.rule for finding in check_file(tmp_path / "missing.yaml")] == ["unreadable-file"]


def test_the_shipped_example_passes_its_own_tests(tmp_path: Path) -> None:
    path = tmp_path / "heedful.yaml"
    path.write_text(example(), "utf-8")
    results = run_examples(load(path), datetime(2026, 11, 23, 3, tzinfo=UTC))
    assert results
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize("arguments", [["explain", "hi", "--channel", "mentions"], ["replay", "a.jsonl"]])
def test_a_kind_that_is_not_installed_is_one_plain_line(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "heedful.yaml").write_text(
        "version: 1\nbrand: {name: A}\nchannels: {mentions: {kind: gopher}}\nroute: {team: care}\nteams: {care: {}}\n"
    )
    line = '{"id": "1", "channel": "mentions", "text": "hi", "author": {"id": "1", "name": "n"}, '
    (tmp_path / "a.jsonl").write_text(line + '"sent_at": "2026-01-01T00:00:00Z"}\n')
    heedful = Path(sys.executable).with_name("heedful")
    done = subprocess.run([heedful, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("heedful: no connector of kind `gopher`")
    assert "Traceback" not in done.stderr
