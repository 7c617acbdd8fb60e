from connectors.testing import ConnectorContract, Item, JsonChannel
from heedful_mastodon import plugin


class Instance(JsonChannel):  # speaks as https://docs.joinmastodon.org/entities/Status describes
    after_key, text_key, newest_first, edits, deletes = "min_id", "content", True, False, False

    def row(self, item: Item) -> dict[str, object]:
        account = {"id": item.author.id, "acct": "ming", "display_name": item.author.name, "bot": False}
        at, content = f"{item.sent_at:%Y-%m-%dT%H:%M:%S.000Z}", self.html(item.text)
        return {"id": str(item.number), "created_at": at, "account": account, "content": content}


class TestMastodon(ConnectorContract):
    plugin, channel = plugin, Instance

    def settings(self, base_url: str) -> dict[str, object]:
        return {"base_url": base_url, "hashtag": "acmeair"}
