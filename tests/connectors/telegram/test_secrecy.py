"""The token stands in every address: it must show nowhere."""

from __future__ import annotations

import logging

import pytest

from connectors.api import ConnectorError, Unreachable
from connectors.telegram.connector import PollingTelegram, connect
from connectors.telegram.settings import Settings
from tests.connectors.telegram.fake_api import TOKEN, Failure, FakeBotApi
from tests.counterparts.telegram import free_port

SECRET_PART = TOKEN.partition(":")[2]


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in ("", "httpx", "httpcore", "telegram", "telegram.Bot", "telegram.request.BaseRequest"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    return caplog


def told(error: BaseException | None) -> str:
    """All that a traceback could show of an error and whatever it hangs on."""
    if error is None:
        return ""
    return f"{error!r} {error} {error.args} {told(error.__cause__)} {told(error.__context__)}"


async def test_the_token_is_never_logged_nor_told(
    fake: FakeBotApi, everything_logged: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, errors = fake.settings(), []
    failures = [
        Failure(breaks=True),
        Failure(401, f"Unauthorized: {TOKEN}"),
        Failure(500, body=TOKEN.encode()),
        Failure(200, body=b"<html>"),
        Failure(409, "Conflict"),
        Failure(429, "Too Many Requests"),
        Failure(301, body=b""),
    ]
    fake.fail("getUpdates", *failures)
    async with connect(settings) as connector:
        assert isinstance(connector, PollingTelegram)
        for _ in failures:
            with pytest.raises(ConnectorError) as caught:
                await connector.poll(None)
            errors.append(caught.value)
        await connector.poll(None)
    told_all = " ".join(map(told, errors)) + repr(settings) + repr(connector) + str(vars(connector))
    printed = capsys.readouterr()
    for place in (told_all, everything_logged.text, printed.out, printed.err):
        assert SECRET_PART not in place
    assert all(error.__context__ is None for error in errors)


async def test_the_token_is_not_told_where_nobody_listens(everything_logged: pytest.LogCaptureFixture) -> None:
    settings = Settings.model_validate({"token": TOKEN, "base_url": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(Unreachable) as caught:
        async with connect(settings):
            pass
    assert SECRET_PART not in told(caught.value)
    assert SECRET_PART not in everything_logged.text


async def test_what_the_libraries_warn_of_is_logged_without_the_token(
    bot: PollingTelegram, everything_logged: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("httpx").warning("retrying %s", f"https://api.telegram.org/bot{TOKEN}/getMe")
    logging.getLogger("httpx").info("HTTP Request: %s", "a poll, every 25 seconds")
    assert [record.getMessage() for record in everything_logged.records if record.name == "httpx"] == [
        "retrying https://api.telegram.org/bot…/getMe"
    ]
