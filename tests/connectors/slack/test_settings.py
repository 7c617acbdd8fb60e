from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.slack import plugin
from connectors.slack.settings import Settings

BOT = {"bot_token": "xoxb-canary"}
EVENTS = {**BOT, "signing_secret": "canary-secret"}
SOCKET = {**BOT, "mode": "socket", "app_token": "xapp-canary"}


def test_what_is_not_written_has_a_default() -> None:
    settings = Settings.model_validate(EVENTS)
    assert (settings.mode, settings.base_url, settings.channels) == ("events", "https://slack.com/api/", None)
    assert (settings.poll_every, settings.backfill, settings.reaction) == (
        timedelta(minutes=5),
        timedelta(days=1),
        "eyes",
    )
    assert Settings.model_validate(SOCKET).mode == "socket"


def test_names_not_yet_replaced_are_taken() -> None:
    Settings.model_validate({"bot_token": "${SLACK_BOT}", "signing_secret": "${SLACK_SECRET}"})
    Settings.model_validate({"bot_token": "${SLACK_BOT}", "app_token": "${SLACK_APP}", "mode": "socket"})


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8300/slack/api/", "https://slack-gov.com/api/"])
def test_another_address(base_url: str) -> None:
    assert Settings.model_validate({**EVENTS, "base_url": base_url}).base_url == base_url


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({}, "bot_token"),
        (BOT, "needs `signing_secret`"),
        ({**BOT, "mode": "socket"}, "needs `app_token`"),
        ({**EVENTS, "app_token": "xapp-canary"}, "belongs to `mode: socket`"),
        ({**SOCKET, "signing_secret": "canary"}, "belongs to `mode: events`"),
        ({**EVENTS, "bot_token": "xapp-canary"}, "xoxb-"),
        ({**SOCKET, "app_token": "xoxb-canary"}, "xapp-"),
        ({**EVENTS, "bot_token": ""}, "copy it again"),
        ({**EVENTS, "bot_token": "xoxb-canary\n"}, "copy it again"),
        ({**EVENTS, "signing_secret": "canary 密"}, "copy it again"),
        ({**EVENTS, "mode": "poll"}, "events"),
        ({**EVENTS, "base_url": "http://slack.com/api/"}, "https"),
        ({**EVENTS, "channels": []}, "channels"),
        ({**EVENTS, "channels": ["#general"]}, "channels"),
        ({**EVENTS, "poll_every": "1s"}, "poll_every"),
        ({**EVENTS, "reaction": ":eyes:"}, "reaction"),
        ({**EVENTS, "token": "canary"}, "token"),
    ],
)
def test_what_cannot_work_is_found_before_it_runs_and_no_secret_is_shown(written: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(written)
    assert says in str(caught.value)
    assert "canary" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    for written in (EVENTS, SOCKET):
        settings = Settings.model_validate(written)
        assert "canary" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_configuration_is_checked_without_slacks_libraries() -> None:
    asked = "import sys, connectors.slack; sys.exit('slack_bolt' in sys.modules or 'slack_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_what_the_plugin_declares() -> None:
    assert (plugin.kind, plugin.idempotency, plugin.recovers) == ("slack", "B1", None)
    assert plugin.limits.spacing == timedelta(seconds=1)
    assert plugin.place("C1/1790000000.000100") == plugin.place("C1") == "C1"
    assert "chat:write" in plugin.token
    assert "deleted" in plugin.cannot
