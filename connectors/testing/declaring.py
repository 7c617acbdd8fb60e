"""What a connector says about itself."""

# ruff: noqa: S101, PT018 — an exam asserts, and what belongs together is asserted together

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import pytest
from pydantic import SecretStr, ValidationError

from connectors import api
from connectors.api import Ability, Author
from connectors.testing.asking import EARS, Exam, asks
from connectors.testing.sitting import Sitting

__all__ = ["Declaring"]

PROTOCOLS: dict[Ability, type] = {ability: getattr(api, ability.title()) for ability in get_args(Ability)}


class Declaring(Exam):
    """Its plugin and its settings."""

    @asks(offline=True)
    async def test_it_is_what_it_declares(self, s: Sitting) -> None:
        """Declared abilities are there, and what is there is declared."""
        declared = self.plugin.abilities
        there = {ability for ability, protocol in PROTOCOLS.items() if isinstance(s.connector, protocol)}
        assert there <= declared, f"not declared: {sorted(there - declared)}"
        closed = set(EARS) - set(self.ears)
        assert declared - closed <= there, f"declared and not there: {sorted(declared - closed - there)}"
        assert isinstance(s.connector.me, Author)

    @asks(offline=True)
    async def test_its_declarations_agree(self, s: Sitting) -> None:
        """Kind, limits, policy and class of idempotency fit the abilities."""
        p, limits, policy = s.plugin, s.plugin.limits, s.plugin.policy
        assert re.fullmatch("[a-z][a-z0-9_-]{0,31}", p.kind), "the kind is a short word in lower case"
        assert p.summary.strip() and "\n" not in p.summary, "the summary is one line"
        replies = "replies" in p.abilities
        for ability in ("finds", "retracts"):
            assert replies or ability not in p.abilities, f"`{ability}` without `replies`"
        assert p.idempotency != "B1" or "finds" in p.abilities, "class B1 reads its replies back: it needs `finds`"
        assert limits.poll_every > timedelta(0)
        assert not replies or (limits.reply_length > 0 and limits.replies_per_minute > 0)
        assert p.recovers is None or p.recovers >= timedelta(0)
        assert policy.reply_window is None or policy.reply_window > timedelta(0)
        assert policy.messages_per_window is None or policy.reply_window is not None, "messages per which window?"
        assert policy.reopens is None or policy.reply_window is not None, "what is reopened without a window?"
        assert policy.per_interaction is None or policy.per_interaction > 0
        assert p.length("") == 0 and 0 < p.length("a") <= p.length("a好") <= p.length("a好👩‍👩‍👧")

    @asks(offline=True)
    async def test_its_settings_are_strict_and_keep_secrets(self, s: Sitting) -> None:
        """Unknown keys are refused, settings do not change, and what is secret is a SecretStr."""
        written = self.settings("https://platform.example")
        with pytest.raises(ValidationError):
            self.plugin.settings.model_validate({**written, "no_such_key": 1})
        assert s.settings.model_config.get("frozen"), "settings are values: frozen=True"
        for name, field in type(s.settings).model_fields.items():
            secret = re.search("token|secret|password|api_?key", name) and isinstance(written.get(name), str)
            assert not secret or "SecretStr" in str(field.annotation), f"`{name}` must be a SecretStr"
            assert not secret or isinstance(getattr(s.settings, name), SecretStr)
