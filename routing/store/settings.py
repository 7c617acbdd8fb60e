"""What the installation itself remembers: JSON values by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, select

from routing.store.rows import SETTING, insert_new, upsert
from routing.store.wire import rfc3339

__all__ = ["Pause", "forget", "get", "install_id", "pause", "paused", "put", "remember_install_id"]

INSTALL = "install"
PAUSE = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Whether automatic texts are stopped, and who stopped them, when and why."""

    paused: bool = False
    by: str | None = None
    at: datetime | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"paused": self.paused, "by": self.by, "at": rfc3339(self.at), "reason": self.reason}


def get(connection: Connection, name: str, default: Any = None) -> Any:
    """Return what is kept under `name`, or `default`."""
    row = connection.execute(select(SETTING.c.value).where(SETTING.c.name == name)).first()
    return default if row is None else row.value


def put(connection: Connection, name: str, value: Any) -> None:
    """Keep a JSON value under `name`, in the place of what was there."""
    statement = upsert(connection, SETTING, lambda new: {"value": new.value})
    connection.execute(statement, {"name": name, "value": value})


def forget(connection: Connection, name: str) -> None:
    connection.execute(delete(SETTING).where(SETTING.c.name == name))


def remember_install_id(connection: Connection) -> None:
    """Draw the id of this installation, once in the life of the database."""
    connection.execute(insert_new(connection, SETTING), {"name": INSTALL, "value": str(uuid4())})


def install_id(connection: Connection) -> UUID:
    """The namespace of the keys of everything that this installation sends."""
    return UUID(get(connection, INSTALL))


def pause(connection: Connection, state: Pause) -> None:
    put(connection, PAUSE, state.as_json())


def paused(connection: Connection) -> Pause:
    """Whether automatic texts are stopped."""
    kept = get(connection, PAUSE)
    if kept is None:
        return Pause()
    return Pause(**{**kept, "at": datetime.fromisoformat(kept["at"]) if kept["at"] else None})
