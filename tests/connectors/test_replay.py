"""The channel of recorded messages."""

from __future__ import annotations

from connectors.replay import plugin as replay
from connectors.testing import ConnectorContract


class TestReplay(ConnectorContract):
    plugin = replay

    def settings(self, base_url: str) -> dict[str, object]:
        return {}


def test_it_may_always_be_answered() -> None:
    policy = replay.policy
    assert policy.unsolicited
    assert policy.private_first
    assert (policy.per_interaction, policy.reply_window) == (None, None)
