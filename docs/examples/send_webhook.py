"""Sends one message to a heedful channel of kind `webhook`, signed by Standard Webhooks. Standard library only."""

import base64
import hashlib
import hmac
import json
import os
import time
import urllib.request
import uuid


def signed(secret: str, body: bytes, message_id: str, timestamp: int) -> dict[str, str]:
    """The three headers of https://www.standardwebhooks.com for `body`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(signature).decode(),
    }


def main() -> None:
    url = os.environ.get("HEEDFUL_HOOK", "http://127.0.0.1:8080/hooks/shop-reviews")
    message = {
        "id": "review-4711",
        "text": "The zip of my new bag broke on day one. 拉鍊第一天就壞了。",
        "author": {"id": "customer-17", "name": "Mei"},
        "sent_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    body = json.dumps(message, ensure_ascii=False).encode()
    headers = signed(os.environ["SHOP_SECRET"], body, f"msg_{uuid.uuid4().hex}", int(time.time()))
    request = urllib.request.Request(url, body, {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request) as answer:
        print(answer.status)


if __name__ == "__main__":
    main()
