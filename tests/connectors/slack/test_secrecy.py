"""Two tokens, a secret and a socket's ticket: they must show nowhere, nor what customers wrote."""

from __future__ import annotations

import logging
import os
from unittest.mock import patch

import pytest

from connectors.api import ConnectorError, Reply, Unreachable
from connectors.slack.connector import HookedSlack, SocketSlack, connect
from connectors.slack.settings import Settings
from tests.connectors.slack.samples import envelope, only, post
from tests.connectors.slack.test_hook import hook
from tests.counterparts.slack_events import Failure, Workspace
from tests.counterparts.telegram import free_port


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in ("", "slack_sdk", "slack_sdk.web.async_base_client", "slack_bolt", "slack_bolt.AsyncApp", "slack"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    return caplog


def told(error: BaseException | None) -> str:
    """All that a traceback could show of an error and whatever it hangs on."""
    if error is None:
        return ""
    return f"{error!r} {error} {error.args} {vars(error)} {told(error.__cause__)} {told(error.__context__)}"


async def test_nothing_is_logged_nor_told(
    slack: Workspace,
    called: HookedSlack,
    everything_logged: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    errors: list[ConnectorError] = []
    failures = [
        Failure(breaks=True),
        Failure("invalid_auth"),
        Failure(status=500, body=b"xoxb-canary"),
        Failure(body=b"<html>canary"),
        Failure("ratelimited", status=429),
    ]
    reply = Reply(key="k", to=only(post("canary of a customer")), text="canary of ours")
    for failure in failures:
        slack.fail("chat.postMessage", failure)
        with pytest.raises(ConnectorError) as caught:
            await called.reply(reply)
        errors.append(caught.value)
    slack.say("canary of a customer", told=False)
    await called.poll(None)
    await called.hear(hook(envelope(post("canary of a customer"))))
    await called.hear(hook(b'{"type": "canary"}'))
    printed = capsys.readouterr()
    for place in (" ".join(map(told, errors)), repr(called), everything_logged.text, printed.out, printed.err):
        assert "canary" not in place
    assert all(error.__context__ is None for error in errors)


async def test_a_sockets_ticket_is_not_told(slack: Workspace, socket: SocketSlack) -> None:
    address = f'{{"ok": true, "url": "ws{slack.url[4:]}/nowhere?ticket=canary"}}'
    slack.fail("apps.connections.open", Failure(body=address.encode()))
    with pytest.raises(Unreachable) as caught:
        await anext(socket.stream(None))
    assert "canary" not in told(caught.value)
    assert caught.value.__context__ is None


async def test_where_nobody_listens(everything_logged: pytest.LogCaptureFixture) -> None:
    written = {"bot_token": "xoxb-canary", "signing_secret": "canary", "base_url": f"http://127.0.0.1:{free_port()}/"}
    with pytest.raises(Unreachable) as caught:
        async with connect(Settings.model_validate(written)):
            pass
    assert caught.value.unsent
    assert "canary" not in told(caught.value) + everything_logged.text


async def test_the_environment_is_not_asked(slack: Workspace) -> None:
    """slack_sdk takes proxies out of it, and bolt tokens and secrets."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    strange = {
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "SLACK_BOT_TOKEN": "xoxb-other",
        "SLACK_SIGNING_SECRET": "y",
    }
    strange |= {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "z"}
    with patch.dict(os.environ, strange):
        async with connect(Settings.model_validate(slack.events_settings())) as connector:
            assert isinstance(connector, HookedSlack)
            assert (await connector.hear(hook(envelope(post())))).page.messages
            slack.say("hello", told=False)
            assert (await connector.poll(None)).messages
