"""Three languages, one set of keys, and every key used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import feed
from feed.catalogue import LANGUAGES, catalogue, negotiate
from feed.views import language_name
from responders.guard import REASONS
from routing.cases import REASONS_TO_RESOLVE
from routing.marks import FIELDS, MARKS
from sentiment.api import ADDRESSED, HARMS, KINDS, LABELS

FOLDER = Path(feed.__file__).parent
SLOT = re.compile(r"\{([a-z_]+)\}")
GROUPS = (
    "label",
    "ack",
    "ack_short",
    "resolution",
    "resolution_hint",
    "role",
    "status",
    "kind",
    "harm",
    "part",
    "state",
    "reason",
    "kept",
    "channel_state",
    "lang",
    "priority",
    "event",
    "because",
    "refusal",
    "problem",
    "clock",
    "reading",
    "view",
    "stream",
    "ack_view",
    "ack_empty",
    "theme",
    "help",
    "nav",
    "filter",
    "snooze",
    "ledger",
    "js",
    "mark",
    "addressed",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_keys_and_slots(language: str) -> None:
    english, other = catalogue("en").texts, catalogue(language).texts
    assert set(english) == set(other)
    for key, text in other.items():
        assert text.strip(), key
        assert set(SLOT.findall(text)) == set(SLOT.findall(english[key])), key


def test_no_key_twice() -> None:
    for language in LANGUAGES:
        pairs = json.loads((FOLDER / f"catalogue/{language}.json").read_text("utf-8"), object_pairs_hook=list)
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys))


def test_every_key_is_asked_for_and_every_question_has_a_key() -> None:
    sources = [
        path.read_text("utf-8")
        for pattern in ("*.py", "templates/*.html", "static/feed.js")
        for path in FOLDER.glob(pattern)
    ]
    text = "\n".join(sources)
    keys = set(catalogue("en").texts)
    asked = set(re.findall(r"""\b(?:t|text|count)\(\s*["']([a-z_.A-Z0-9]+)["'][),]""", text)) - {"q"}
    plural = {key.rpartition(".")[0] for key in keys if key.endswith((".one", ".other"))}
    assert {key for key in asked if "." in key} <= keys | plural
    said = {f"js.{key}" for key in re.findall(r"""say\("([a-z0-9_]+)"[,)]""", text)}
    assert said <= keys
    unused = {
        key for key in keys - asked if key.partition(".")[0] not in GROUPS and key.rpartition(".")[0] not in asked
    }
    assert not {key for key in unused if f'"{key}"' not in text}


def test_every_value_has_a_word() -> None:
    texts = catalogue("en").texts
    for group, values in (
        ("label", LABELS),
        ("harm", HARMS),
        ("kind", KINDS),
        ("reason", REASONS),
        ("resolution", REASONS_TO_RESOLVE),
        ("mark", MARKS),
        ("reading", FIELDS),
        ("addressed", ADDRESSED),
    ):
        assert not [value for value in values if f"{group}.{value}" not in texts], group


@pytest.mark.parametrize("language", LANGUAGES)
def test_regions_are_regions_and_languages_have_names(language: str) -> None:
    for text in catalogue(language).texts.values():
        assert not re.search("[\U0001f1e6-\U0001f1ff]", text)
        assert not re.search(r"countr(y|ies)|国家|國家", text, re.IGNORECASE)


def test_each_chinese_is_its_own() -> None:
    simplified = "".join(catalogue("zh-Hans").texts.values())
    traditional = "".join(catalogue("zh-Hant").texts.values())
    assert not set("訊頻團隊語關鍵請這個處開啟檔") & set(simplified) - set("开")
    assert not set("讯频团队语关键请这个处开启档数据库") - set("據") & set(traditional) - set("庫")
    for word in ("信息", "软件", "网络", "視頻", "默認", "鏈接"):
        assert word not in traditional


@pytest.mark.parametrize(
    ("chosen", "accept", "language"),
    [
        (None, "", "en"),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant"),
        (None, "zh-HK", "zh-Hant"),
        (None, "zh-MO", "zh-Hant"),
        (None, "zh-CN,zh;q=0.9", "zh-Hans"),
        (None, "zh-SG", "zh-Hans"),
        (None, "zh-Hant-HK", "zh-Hant"),
        (None, "zh", "zh-Hans"),
        (None, "es-ES,es;q=0.9,zh-TW;q=0.5,en;q=0.3", "zh-Hant"),
        (None, "en;q=0.1, zh-CN;q=0.9", "zh-Hans"),
        ("zh-Hant", "en", "zh-Hant"),
        ("xx", "zh-CN", "zh-Hans"),
        (None, "zh-CN;q=x,,;;q=,en", "en"),
        (None, "*", "en"),
    ],
)
def test_the_viewers_language(chosen: str | None, accept: str, language: str) -> None:
    assert negotiate(chosen, accept) == language


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("zh-Hant-HK", "Traditional Chinese"),
        ("zh", "Chinese"),
        ("es-419", "Spanish"),
        ("xx-Latn", "xx-Latn"),
        ("und", "unknown"),
    ],
)
def test_languages_by_name(tag: str, name: str) -> None:
    assert language_name(tag, catalogue("en")) == name
