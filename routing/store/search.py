"""Finding messages by words: complete also for two Chinese characters, which trigram indexes miss.

Scripts that are written without spaces are indexed as overlapping pairs, the last character of a run
also alone; so any stretch of a run is a phrase of pairs, and one character the beginning of one.
Texts and queries are folded (`config.folding`): either Chinese script, any width or case finds the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import BigInteger, Connection, bindparam, column, desc, text
from sqlalchemy.sql.selectable import TextualSelect

from config.folding import fold

__all__ = ["forget", "index", "matching", "search"]

# Kana, Han, Hangul; Thai, Lao, Khmer and Myanmar with their marks.
_DENSE = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
)
_TOKEN = re.compile(rf"([{_DENSE}]+)|[^\W_{_DENSE}]+")
_PREFIX_FROM = 3
_LONGEST = 64
"""Characters of a word that are indexed; PostgreSQL takes no lexeme beyond 2 kB."""

_INDEX = {
    "sqlite": text("INSERT INTO message_search (rowid, words) VALUES (:id, :words)"),
    "postgresql": text(
        "INSERT INTO message_search (id, words) VALUES (:id, CAST(:words AS tsvector)) ON CONFLICT (id) DO NOTHING"
    ),
}
_FORGET = {
    "sqlite": text("INSERT INTO message_search (message_search, rowid, words) VALUES ('delete', :id, :words)"),
    "postgresql": text("DELETE FROM message_search WHERE id = :id"),
}
_SEARCH = {
    "sqlite": "SELECT rowid AS id FROM message_search WHERE message_search MATCH :query",
    "postgresql": "SELECT id FROM message_search WHERE words @@ CAST(:query AS tsquery)",
}


def index(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Index messages by id and folded text."""
    if rows:
        dialect = connection.dialect.name
        words = _document if dialect == "sqlite" else _vector
        connection.execute(_INDEX[dialect], [{"id": number, "words": words(folded)} for number, folded in rows])


def forget(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Take messages out of the index; `rows` as they were indexed."""
    if rows:
        words = [{"id": number, "words": _document(folded)} for number, folded in rows]
        connection.execute(_FORGET[connection.dialect.name], words)


def search(connection: Connection, query: str, limit: int = 50) -> list[int]:
    """Return the ids of the newest messages that hold every word of `query`, at most `limit`."""
    found = matching(connection, query)
    if found is None:
        return []
    return list(connection.execute(found.subquery().select().order_by(desc("id")).limit(limit)).scalars())


def matching(connection: Connection, query: str) -> TextualSelect | None:
    """A SELECT of the ids of all messages that hold every word of `query`; None where it holds no word."""
    dialect = connection.dialect.name
    terms = [term for word in fold(query).text.split() if (term := _term(word))]
    if not terms:
        return None
    asked = " AND ".join(map(_phrase, terms)) if dialect == "sqlite" else " & ".join(map(_query, terms))
    return text(_SEARCH[dialect]).bindparams(bindparam("query", asked)).columns(column("id", BigInteger))


def _tokens(folded: str) -> Iterator[str]:
    for match in _TOKEN.finditer(folded):
        run = match[1]
        if run is None:
            yield match[0][:_LONGEST]
        else:
            yield from _pairs(run)


def _pairs(run: str) -> Iterable[str]:
    return [*(run[place : place + 2] for place in range(len(run) - 1)), run[-1]]


def _document(folded: str) -> str:
    """FTS5's own tokenizer splits at the same places as ours, so plain text goes as it is."""
    return folded if folded.isascii() else " ".join(_tokens(folded))


def _vector(folded: str) -> str:
    return " ".join(f"{_quoted(token)}:{place}" for place, token in enumerate(_tokens(folded), 1) if place < 16384)


def _term(word: str) -> tuple[list[str], bool] | None:
    """The tokens that must stand side by side, and whether the last is only a beginning."""
    tokens = list(_tokens(word))
    if not tokens:
        return None
    last = list(_TOKEN.finditer(word))[-1]
    if last[1] is None:
        return tokens, len(tokens[-1]) >= _PREFIX_FROM
    return (tokens, True) if len(last[1]) == 1 else (tokens[:-1], False)


def _phrase(term: tuple[list[str], bool]) -> str:
    tokens, beginning = term
    return f'"{" ".join(tokens)}"' + ("*" if beginning else "")


def _query(term: tuple[list[str], bool]) -> str:
    tokens, beginning = term
    return "(" + " <-> ".join(map(_quoted, tokens)) + (":*" if beginning else "") + ")"


def _quoted(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"
