"""What staff may write, and what they are told when it makes no sense."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from connectors.x.settings import KEYS, Settings

FOUR = dict.fromkeys(KEYS, "a-secret-that-nobody-may-see")
BEARER = {"bearer_token": "a-secret-that-nobody-may-see"}


def made(**values: Any) -> Settings:
    return Settings.model_validate({"account": "acmeair", **values})


def told(**values: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        made(**values)
    words = str(raised.value)
    assert "nobody-may-see" not in words
    return words


def test_what_is_left_out_has_a_sane_value() -> None:
    settings = made(**BEARER)
    assert (settings.mode, settings.base_url, settings.daily_budget) == ("mentions", "https://api.x.com", 5.0)
    assert (settings.poll_every, settings.look_back) == (timedelta(minutes=1), timedelta(days=1))
    assert not settings.speaks
    assert made(**FOUR).speaks
    assert made(account="@AcmeAir", user_token="t").account == "AcmeAir"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "X answers nobody without a key"),
        ({**BEARER, "consumer_key": "k"}, "missing: consumer_secret, access_token, access_token_secret"),
        ({**FOUR, "access_token_secret": None}, "missing: access_token_secret"),
        ({**FOUR, "user_token": "t"}, "not both"),
        ({**BEARER, "mode": "search"}, "`mode: search` needs a `query`"),
        ({**BEARER, "mode": "search", "query": "  "}, "needs a `query`"),
        ({**BEARER, "mode": "search", "query": "a" * 513}, "longer than the 512"),
        ({**BEARER, "mode": "stream", "query": "a" * 1025}, "longer than the 1024"),
        ({**BEARER, "mode": "mentions", "query": "acme"}, "takes no `query`"),
        ({**FOUR, "mode": "search", "query": "acme"}, "`mode: search` needs `bearer_token`"),
        ({"user_token": "t", "mode": "stream", "query": "acme"}, "X opens its stream to an app only"),
        ({**FOUR, "mode": "stream", "query": "acme"}, "`mode: stream` needs `bearer_token`"),
        ({**BEARER, "account": "acme air"}, "not a handle of X"),
        ({**BEARER, "account": "a" * 16}, "not a handle of X"),
        ({**BEARER, "daily_budget": 0}, "greater than 0"),
        ({**BEARER, "daily_budget": float("nan")}, "finite"),
        ({**BEARER, "daily_budget": 0.3}, "`mode: mentions` needs a `daily_budget` of at least 0.51"),
        ({**BEARER, "daily_budget": 0.5, "mode": "stream", "query": "a"}, "100 posts at $0.005"),
        ({**FOUR, "daily_budget": 0.1, "own_app": True}, "at least 0.11"),
        ({**BEARER, "daily_budget": 0.2, "own_app": True}, "at least 0.51"),
        ({**BEARER, "look_back": "8d"}, "less than or equal"),
        ({**BEARER, "poll_every": "1s"}, "greater than or equal"),
        ({**BEARER, "mode": "dms"}, "mentions"),
    ],
)
def test_what_makes_no_sense_is_said(values: dict[str, Any], words: str) -> None:
    assert words in told(**values)


def test_the_least_budget_is_taken() -> None:
    assert made(**FOUR, daily_budget=0.11, own_app=True).own_price == 1_000
    assert made(**BEARER, daily_budget=0.51).own_price == 5_000


def test_the_example_of_the_page_can_answer() -> None:
    (example,) = Settings.model_json_schema()["examples"]
    assert Settings.model_validate(example).speaks


def test_a_file_is_checked_before_its_secrets_are_at_hand() -> None:
    settings = made(account="${X_ACCOUNT}", **dict.fromkeys(KEYS, "${X}"))
    assert settings.signs


@given(st.text())
def test_any_handle_is_taken_or_refused_and_never_kept_with_its_sign(text: str) -> None:
    try:
        account = made(account=text, **BEARER).account
    except ValidationError:
        return
    assert "${" in account or account.replace("_", "a").isalnum()


def test_secrets_are_secret() -> None:
    settings = made(**FOUR, **BEARER)
    assert "nobody-may-see" not in repr(settings)
    for key in (*KEYS, "bearer_token"):
        assert isinstance(getattr(settings, key), SecretStr)
