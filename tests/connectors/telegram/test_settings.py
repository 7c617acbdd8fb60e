from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.telegram import plugin
from connectors.telegram.settings import Settings

CANARY = "4242:canary-never-seen"


def test_what_is_not_written_has_a_default() -> None:
    settings = Settings.model_validate({"token": CANARY})
    assert (settings.mode, settings.base_url) == ("poll", "https://api.telegram.org")
    assert (settings.reaction, settings.long_poll) == ("👀", timedelta(seconds=25))


def test_names_not_yet_replaced_are_taken() -> None:
    Settings.model_validate({"token": "${TELEGRAM_TOKEN}", "mode": "webhook", "secret": "${TELEGRAM_SECRET}"})


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:9100", "http://localhost:8081", "http://[::1]:1", "https://bots.acme.example"]
)
def test_a_server_of_our_own(base_url: str) -> None:
    assert Settings.model_validate({"token": CANARY, "base_url": base_url}).base_url == base_url


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"token": ""},
        {"token": f"{CANARY}/../x"},
        {"token": f"{CANARY} "},
        {"token": CANARY, "mode": "webhook"},
        {"token": CANARY, "mode": "webhook", "secret": "canary secret!"},
        {"token": CANARY, "mode": "webhook", "secret": "canary" * 50},
        {"token": CANARY, "mode": "stream"},
        {"token": CANARY, "base_url": "http://api.telegram.org"},
        {"token": CANARY, "base_url": "ftp://127.0.0.1"},
        {"token": CANARY, "webhook_url": "http://care.acme.example/hooks/x"},
        {"token": CANARY, "long_poll": "51s"},
        {"token": CANARY, "long_poll": "soon"},
        {"token": CANARY, "reaction": ""},
        {"token": CANARY, "tokn": "x"},
    ],
)
def test_what_cannot_work_is_found_before_it_runs_and_no_secret_is_shown(written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(written)
    assert "canary" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    settings = Settings.model_validate({"token": CANARY, "mode": "webhook", "secret": "canary-secret"})
    assert "canary" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_configuration_is_checked_without_the_bot_api_library() -> None:
    asked = "import sys, connectors.telegram; sys.exit('telegram' in sys.modules or 'httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_an_open_channel_has_not_imported_what_it_does_not_use() -> None:
    asked = """
import asyncio, sys
from connectors.errors import Unreachable
from connectors.telegram import plugin
async def run():
    try:
        async with plugin.open(plugin.settings(token="1:x", base_url="http://127.0.0.1:1"), None):
            pass
    except Unreachable:
        sys.exit("pygments" in sys.modules or "telegram" not in sys.modules)
asyncio.run(run())
"""
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_what_the_plugin_declares() -> None:
    assert plugin.kind == "telegram"
    assert plugin.idempotency == "C"
    assert plugin.recovers == timedelta(hours=24)
    assert plugin.limits.reply_length == 4096
    assert plugin.limits.replies_per_minute_thread == 20
    assert plugin.limits.poll_every < timedelta(seconds=1)  # the long poll itself waits
    assert plugin.policy.unsolicited
    assert not plugin.policy.private_first
    assert plugin.length("📦") == 2
