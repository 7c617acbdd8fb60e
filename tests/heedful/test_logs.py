"""What goes to the log: never a word of a customer, never a secret, on a terminal as little as elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest

FAULT = """
import logging, structlog
from heedful.logs import configure
configure()
def fault():
    customer = "canary".upper() + "-of-the-customer"
    raise KeyError("https://canary-user:canary-secret@example.net/ 123456789:" + "canary-" * 5)
try:
    fault()
except KeyError:
    structlog.get_logger().exception("fault", loop="watch xoxb-canary-123456")
    logging.getLogger("other").exception("fault")
"""


def on_terminal() -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", FAULT], stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65_536):
                shown += chunk
        except OSError:  # Linux ends a pseudo-terminal like this
            pass
        assert process.wait(60) == 0
    os.close(ours)
    return shown.decode()


def into_a_file() -> str:
    return subprocess.run([sys.executable, "-c", FAULT], capture_output=True, check=True).stderr.decode()


@pytest.mark.parametrize("shown", [on_terminal, into_a_file])
def test_a_traceback_shows_where_and_nobody_elses_words(shown: Callable[[], str]) -> None:
    text = shown()
    assert "KeyError" in text
    assert "in fault" in text
    assert "of-the-customer" not in text
    assert "canary-secret" not in text
    assert "canary-canary" not in text
    assert "xoxb-canary" not in text
