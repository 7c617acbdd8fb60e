"""Encrypts what could not be read before it is kept: who steals the database alone cannot read it.

The key is `$HEEDFUL_KEY` (any text of 32 characters or more), else a file of mode 0600 beside an SQLite
database. Where neither is possible the bytes are not kept at all, only their hash and the reason.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

__all__ = ["Vault"]

KEY_AT_LEAST = 32


class Vault:
    """`seal` gives None where there is no key."""

    def __init__(self, key: bytes | None) -> None:
        self._fernet = Fernet(key) if key else None

    @classmethod
    def beside(cls, url: str, environ: Mapping[str, str] = os.environ) -> Vault:
        given = environ.get("HEEDFUL_KEY", "")
        if len(given) >= KEY_AT_LEAST:
            return cls(base64.urlsafe_b64encode(hashlib.sha256(given.encode()).digest()))
        parsed = make_url(url)
        if not parsed.drivername.startswith("sqlite") or not parsed.database or parsed.database == ":memory:":
            return cls(None)
        return cls(_key_file(Path(parsed.database + ".key")))

    def seal(self, raw: bytes) -> bytes | None:
        return self._fernet.encrypt(raw) if self._fernet else None

    def open(self, sealed: bytes) -> bytes | None:
        return self._fernet.decrypt(sealed) if self._fernet else None


def _key_file(path: Path) -> bytes:
    """Read the key, or make it: created exclusively, so that two starts never use two keys."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    key = Fernet.generate_key()
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key
