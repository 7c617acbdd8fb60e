"""Lint: each bad file has its findings, at their lines; the rest is accepted, and nothing makes it fall over."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config
from config.findings import Finding, did_you_mean
from config.lint import parse
from config.names import ADDRESSED, HARMS, KINDS, LABELS
from sentiment import api as sentiment

BAD = Path(__file__).parent / "bad"
TODAY = date(2026, 11, 21)
BASE = "version: 1\nbrand: {name: Acme}\nroute: {team: care}\nteams: {care: {}}\n"


def findings(text: str | bytes) -> list[str]:
    return [str(finding) for finding in parse(text, "heedful.yaml", today=TODAY)[1]]


def expected() -> dict[str, list[str]]:
    """`findings.txt`: the name of a file, and under it, indented, `line:column level rule` of each finding."""
    files: dict[str, list[str]] = {}
    for line in (BAD / "findings.txt").read_text("utf-8").splitlines():
        if line.startswith(" "):
            files[list(files)[-1]].append(line.strip())
        else:
            files[line] = []
    return files


@pytest.mark.parametrize("name", sorted(path.name for path in BAD.glob("*.yaml")))
def test_a_bad_file_has_its_findings(name: str) -> None:
    care, found = parse((BAD / name).read_bytes(), name, today=TODAY)
    assert [f"{f.line}:{f.column} {f.level} {f.rule}" for f in found] == expected()[name]
    assert found
    assert (care is None) == any(f.level == "error" for f in found)


def test_findings_are_in_our_own_words() -> None:
    raw = (
        "Input should",
        "Field required",
        "validation error",
        "pydantic",
        "valid string",
        "Extra inputs",
        "ruamel",
        "NoneType",
    )
    for path in BAD.glob("*.yaml"):
        for finding in parse(path.read_bytes(), path.name, today=TODAY)[1]:
            assert finding.what
            assert finding.way_out
            assert not any(sign in str(finding) for sign in raw), finding


def test_every_rule_has_a_bad_file() -> None:
    sources = [path.read_text("utf-8") for path in Path(config.__file__).parent.glob("*.py")]
    shown = {line.split()[-1] for lines in expected().values() for line in lines}
    for rule in shown:
        assert any(f'"{rule}"' in source for source in sources), rule
    assert {"too-large", "unreadable-file"}.isdisjoint(shown)  # these have tests of their own
    assert len(shown) >= 45


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (BASE + "timezon: UTC\n", "5:1 error unknown-key: unknown key `timezon` → did you mean `timezone`?"),
        (
            BASE + "database: no\n",
            (
                "5:11 error bad-value: `database` is neither SQLite nor PostgreSQL → "
                "write sqlite:///heedful.db or postgresql://…"
            ),
        ),
        (
            BASE.replace("team: care}", "team: car}"),
            "3:15 error unknown-name: no team is named `car` → did you mean `care`?",
        ),
    ],
)
def test_a_finding_reads(text: str, finding: str) -> None:
    assert findings(text) == [finding]


def test_a_file_that_is_right_has_no_findings_and_a_version() -> None:
    care, found = parse(BASE, "heedful.yaml", today=TODAY)
    assert not found
    assert care is not None
    assert care.digest == parse(BASE.encode(), "other", today=TODAY)[0].digest  # type: ignore[union-attr]
    assert care.digest != parse(BASE + "# more\n", "heedful.yaml")[0].digest  # type: ignore[union-attr]
    assert len(care.digest) == 12


def test_a_mark_at_the_beginning_is_no_matter() -> None:
    assert parse("\ufeff".encode() + BASE.encode(), "heedful.yaml")[0] is not None


def test_words_are_read_as_they_are_written() -> None:
    text = BASE.replace("route: {team: care}", "route: {team: care, routes: [{name: n, when: {keywords: [n]}}]}") + (
        "keywords: {n: {any: [012, 1e3, 2026-11-21, no, off, true, 12315, 0x1F, 1_000, 3.10]}}\n"
        "people: {press: [12345, 007]}\nacknowledge: {mode: off, disclose: false}\n"
    )
    care, found = parse(text, "heedful.yaml")
    assert care is not None, found
    assert care.keywords["n"].any == ("012", "1e3", "2026-11-21", "no", "off", "true", "12315", "0x1F", "1_000", "3.10")
    assert care.people["press"] == ("12345", "007")
    assert care.acknowledge.mode.public == "off"
    assert care.acknowledge.disclose is False


def test_settings_of_channels_are_typed_as_yaml_says() -> None:
    text = (
        BASE
        + 'channels: {c: {kind: x, a: 1, b: "1", c: no, d: true, e: ~, f: [1.5, 0x10], g: 012, h: 1e3, i: {j: null}}}\n'
    )
    care, _ = parse(text, "heedful.yaml")
    assert care is not None
    assert care.channels["c"].settings == {
        "a": 1,
        "b": "1",
        "c": "no",
        "d": True,
        "e": None,
        "f": [1.5, 16],
        "g": 12,
        "h": 1000.0,
        "i": {"j": None},
    }


def test_expired_lists_are_found_only_where_the_day_is_known() -> None:
    source = (BAD / "expired.yaml").read_bytes()
    assert not parse(source, "expired.yaml")[1]


def test_a_file_of_more_than_a_megabyte_is_not_read() -> None:
    assert "too-large" in findings("#" * 1_000_001)[0]
    assert "too-large" not in str(findings(BASE + "#" * 900_000))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (BASE.encode("utf-16"), "UTF-16"),
        (BASE.encode("utf-16-le"), "UTF-16"),
        (BASE.encode("utf-32"), "UTF-32"),
        (("# 我的设置\n" + BASE).encode("gbk"), "GBK"),
        (("# 我們的設置說明\n" + BASE).encode("big5"), "Big5"),
        (b"\x89PNG\r\n\x1a\n\x00\x01\x02" + b"x" * 50, "not a text file"),
        (b"version: \xff\xfe\xfa", "damaged"),
    ],
)
def test_an_encoding_is_named(source: bytes, says: str) -> None:
    found = findings(source)
    assert len(found) == 1
    assert "not-utf8" in found[0]
    assert says in found[0]


def test_the_names_of_readings_are_those_that_the_readers_use() -> None:
    assert set(LABELS) == set(sentiment.LABELS)
    assert set(HARMS) == set(sentiment.HARMS)
    assert set(KINDS) == set(sentiment.KINDS)
    assert set(ADDRESSED) == set(sentiment.ADDRESSED)


def test_near_names_are_offered() -> None:
    assert did_you_mean("Prioritty", ["priority", "team"]) == "did you mean `priority`?"
    assert did_you_mean("x", ["b", "a"]) == "known are `a`, `b`"
    assert did_you_mean("x", []) == "none is defined in this file"
    assert str(Finding(1, 2, "error", "r", "what", "way")) == "1:2 error r: what → way"


PIECES = st.lists(
    st.sampled_from(
        [
            "version: 1\n",
            "brand:",
            " {name: Acme}\n",
            "route:",
            "\n  team: care\n",
            "teams: {care: {}}\n",
            "keywords:",
            "\n",
            "  ",
            "- ",
            ": ",
            "{",
            "}",
            "[",
            "]",
            "&a ",
            "*a ",
            "!!str ",
            "|\n",
            ">\n",
            '"',
            "'",
            "#",
            "---\n",
            "...\n",
            "%YAML 1.1\n",
            "? ",
            "<<: ",
            "\\U",
            "\t",
            "${X}",
            "退款",
            "：",
            "，",
            "\ufeff",
            "\x00",
            "null",
            "012",
            "list: {en: [a, b AND]}\n",
            "re:(",
            "when: {text: ",
            "acknowledge: {styles: {default: {en: [x]}}}\n",
            "deadlines: {P1: ",
            "\u2028",
            "\x85",
            "\ud800",
        ]
    ),
    max_size=30,
).map("".join)


@given(PIECES | st.text(max_size=80))
def test_no_text_makes_it_raise(text: str) -> None:
    care, found = parse(text, "heedful.yaml", today=TODAY)
    assert care is not None or found


@given(PIECES)
def test_no_end_of_a_good_file_makes_it_raise(text: str) -> None:
    care, found = parse(BASE + text, "heedful.yaml", today=TODAY)
    assert care is not None or found


@given(st.binary(max_size=80))
def test_no_bytes_make_it_raise(source: bytes) -> None:
    care, found = parse(source, "heedful.yaml", today=TODAY)
    assert care is not None or found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "brand",
        "timezone",
        "database",
        "engine",
        "retention",
        "web",
        "channels",
        "keywords",
        "people",
        "route",
        "acknowledge",
        "calendars",
        "deadlines",
        "teams",
        "notify",
        "tests",
    ]
)


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_no_value_of_any_key_makes_it_raise(values: dict[str, object]) -> None:
    import json

    text = json.dumps({"version": 1, "brand": {"name": "x"}, "route": {"team": "t"}, "teams": {"t": {}}, **values})
    care, found = parse(text, "heedful.yaml", today=TODAY)
    assert care is not None or found
