"""The shape of the database, and how an older one is brought to it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from routing.store.errors import Newer

__all__ = ["HEAD", "refuse_newer", "upgrade", "version"]

HEAD = "0003"
"""The newest revision: a start compares it with the database's and spares the migration tool's import."""


def version(connection: Connection) -> str | None:
    """The revision of a database, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(connection: Connection) -> None:
    """Bring the database to HEAD, inside the caller's transaction. Raises Newer."""
    refuse_newer(connection)
    from alembic import command  # 0.3 s that a start with nothing to do spares
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def refuse_newer(connection: Connection) -> None:
    """Raises Newer where the database has a revision that this heedful does not know."""
    at = version(connection)
    if at is not None and at > HEAD:
        raise Newer(f"a newer heedful wrote this database (it is at {at}, this one knows {HEAD}) → install a later one")
