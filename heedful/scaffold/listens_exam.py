"""The exam of the channel `sample`: pytest runs it."""

from connectors.testing import ConnectorContract, JsonChannel
from heedful.scaffold.listens import plugin


class Platform(JsonChannel):
    """The platform, acted: as you change the connector, override `row` or `serve` to speak as it does."""


class TestSample(ConnectorContract):
    plugin = plugin
    channel = Platform

    def settings(self, base_url: str) -> dict[str, object]:
        settings: dict[str, object] = {"secret": Platform.secret}
        # <replies>
        settings |= {"base_url": base_url, "token": "a-token-that-nobody-may-see"}
        # </replies>
        return settings
