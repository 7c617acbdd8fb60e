"""The plain script that heedful is measured against: a loop, vaderSentiment, `in`, a row and a commit each.

Run as `python -m benchmarks.plain MESSAGES KEYWORDS DATABASE`; prints {"messages", "seconds"}.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlmodel import Field, Session, SQLModel, create_engine
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


class Mention(SQLModel, table=True):
    """Eleven columns, three indexes: what one would write in an afternoon."""

    id: int | None = Field(default=None, primary_key=True)
    external_id: str = Field(index=True)
    channel: str
    author_id: str = Field(index=True)
    author_name: str
    thread: str
    text: str
    sent_at: datetime
    compound: float
    keywords: str
    urgent: bool = Field(index=True)


def run(messages: Path, keywords: list[str], database: Path) -> dict[str, Any]:
    engine = create_engine(f"sqlite:///{database}")
    event.listen(engine, "connect", _durable)
    SQLModel.metadata.create_all(engine)
    analyzer = SentimentIntensityAnalyzer()
    count = 0
    started = time.perf_counter()
    with Session(engine) as session, messages.open("rb") as lines:
        for line in lines:
            session.add(_mention(json.loads(line), keywords, analyzer))
            session.commit()
            count += 1
    return {"messages": count, "seconds": time.perf_counter() - started}


def _mention(message: dict[str, Any], keywords: list[str], analyzer: Any) -> Mention:
    text = message["text"]
    lower = text.lower()
    found = [keyword for keyword in keywords if keyword in lower]
    compound = analyzer.polarity_scores(text)["compound"]
    return Mention(
        external_id=message["id"],
        channel=message["channel"],
        author_id=message["author"]["id"],
        author_name=message["author"]["name"],
        thread=message["thread"],
        text=text,
        sent_at=datetime.fromisoformat(message["sent_at"]),
        compound=compound,
        keywords=",".join(found),
        urgent=bool(found) or compound < -0.5,
    )


def _durable(connection: Any, _record: Any) -> None:
    """The same durability as heedful's: WAL, every commit synced."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


if __name__ == "__main__":
    given, words, target = sys.argv[1:]
    print(json.dumps(run(Path(given), Path(words).read_text("utf-8").splitlines(), Path(target))))
