"""The exam that every connector sits, and the platform in memory that it is sat against.

    from connectors.testing import ConnectorContract, FakeChannel, Item

A subclass of `FakeChannel` says in a few lines how the platform speaks (`JsonChannel` already speaks
plain JSON); a subclass of `ConnectorContract` names the plugin, the channel and the settings. Nothing
else is needed.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    *(f"connectors.testing.{part}" for part in ("answering", "declaring", "failing", "hearing", "listening", "sitting"))
)

from connectors.testing.channel import FakeChannel, Item, Said  # noqa: E402 — assertions first
from connectors.testing.contract import ConnectorContract  # noqa: E402
from connectors.testing.plain import JsonChannel  # noqa: E402

__all__ = ["ConnectorContract", "FakeChannel", "Item", "JsonChannel", "Said"]
