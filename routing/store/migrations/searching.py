"""The search index, which no table class can describe: its kind differs by database."""

from __future__ import annotations

from sqlalchemy import Connection

__all__ = ["create"]

_SQLITE = """
CREATE VIRTUAL TABLE message_search USING fts5(
    words, content='', columnsize=0, tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M*'"
)
"""
_POSTGRES = (
    "CREATE TABLE message_search (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)",
    "CREATE INDEX message_search_words ON message_search USING gin (words)",
)


def create(connection: Connection) -> None:
    """Create the index that `routing.store.search` fills: FTS5 without content, or a tsvector."""
    statements = (_SQLITE,) if connection.dialect.name == "sqlite" else _POSTGRES
    for statement in statements:
        connection.exec_driver_sql(statement)
