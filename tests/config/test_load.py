"""Loading a file, its secrets, and the shipped example."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel

from config.lint import parse
from config.load import ConfigurationError, MissingSecret, example, load, resolve
from config.reading import ReadingSettings, ReadingWords
from config.schema import (
    Acknowledge,
    Brand,
    Calendar,
    Care,
    Channel,
    Condition,
    Deadline,
    Expectation,
    Keep,
    KeywordList,
    RootRoute,
    Route,
    Team,
    Web,
)

GOOD = "version: 1\nbrand: {name: Acme}\nroute: {team: care}\nteams: {care: {}}\n"


def test_a_good_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "heedful.yaml"
    path.write_text(GOOD, "utf-8")
    assert load(path).brand.name == "Acme"


def test_a_bad_file_is_refused_with_its_errors_only(tmp_path: Path) -> None:
    path = tmp_path / "heedful.yaml"
    path.write_text(GOOD + "timezon: UTC\nkeywords: {unused: {en: [x]}}\n", "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert [finding.rule for finding in caught.value.findings] == ["unknown-key"]
    assert str(caught.value).startswith(f"{path}:5:1 error unknown-key")


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / name)
    assert caught.value.findings[0].rule == "unreadable-file"


def test_secrets_are_put_where_they_are_named() -> None:
    settings = {
        "token": "${A}",
        "url": "https://${A}:${B_2}@x",
        "deep": {"list": ["${A}", 1, None]},
        "n": 5,
        "price": "$5",
    }
    assert resolve(settings, {"A": "one", "B_2": "${A}"}) == {
        "token": "one",
        "url": "https://one:${A}@x",
        "deep": {"list": ["one", 1, None]},
        "n": 5,
        "price": "$5",
    }


@pytest.mark.parametrize("environ", [{}, {"A": ""}])
def test_a_missing_secret_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(MissingSecret) as caught:
        resolve({"deep": ["${A}"]}, environ)
    assert caught.value.name == "A"


def test_the_shipped_example_has_no_findings() -> None:
    care, findings = parse(example(), "heedful.yaml", today=date(2026, 11, 21))
    assert not findings
    assert care is not None


def test_the_shipped_example_shows_every_key() -> None:
    text = example()
    models: tuple[type[BaseModel], ...] = (
        Care,
        Brand,
        Web,
        Channel,
        KeywordList,
        Condition,
        Keep,
        RootRoute,
        Route,
        Acknowledge,
        Calendar,
        Deadline,
        Team,
        Expectation,
        ReadingSettings,
        ReadingWords,
    )
    for model in models:
        for name, field in model.model_fields.items():
            key = field.alias or name
            assert key == "digest" or f"{key}:" in text, f"{model.__name__}.{key}"
    shown = parse(text, "heedful.yaml")[0]
    assert shown is not None
    assert shown.model_fields_set >= {name for name in Care.model_fields if name != "engine"}


def test_the_shipped_example_speaks_every_language_that_it_declares() -> None:
    care, _ = parse(example(), "heedful.yaml")
    assert care is not None
    for style in care.acknowledge.styles.values():
        assert set(style.wordings) >= set(care.brand.languages)
