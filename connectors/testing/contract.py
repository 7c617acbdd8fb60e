"""ConnectorContract: what every connector must do, asked of it over a real socket.

    class TestForum(ConnectorContract):
        plugin = plugin
        channel = ForumChannel

        def settings(self, base_url: str) -> dict[str, object]:
            return {"base_url": base_url, "token": "a-token-that-nobody-may-see"}

A question about an ability that the plugin does not declare is skipped, and says so; so is one about
what the channel states that its platform does not tell. Each question is a plain function: it needs
neither pytest-asyncio nor any fixture.
"""

from __future__ import annotations

from connectors.testing.answering import Answering
from connectors.testing.declaring import Declaring
from connectors.testing.failing import Failing
from connectors.testing.hearing import Hearing
from connectors.testing.listening import Listening

__all__ = ["ConnectorContract"]


class ConnectorContract(Declaring, Hearing, Listening, Failing, Answering):
    """Subclass it, name `plugin` and `channel`, and write `settings`."""
