"""What this installation's own calm messages read like, for the budget of false alarms.

They are read again by the reader that runs now: numbers that an older one stored are on another scale.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from config.folding import fold
from heedful.guidance import Guidance
from routing.calm import ENOUGH, CalmMessage, calm_messages
from routing.store.database import Store
from sentiment.adjustment import BUDGETS, Quantiles, family, quantiles
from sentiment.api import Circumstances

__all__ = ["measure", "renewed"]

LOOK_BACK = timedelta(days=90)
AT_MOST = 2_000


async def renewed(store: Store, guidance: Guidance, now: datetime) -> Guidance | None:
    """The same file with what is measured now; None where that changes nothing, or no budget is set."""
    if not guidance.budgets:
        return None
    messages = await store.read(lambda connection: calm_messages(connection, now - LOOK_BACK, AT_MOST))
    found = await asyncio.to_thread(measure, messages, guidance)
    return None if found == guidance.calm else await asyncio.to_thread(Guidance.compile, guidance.care, found)


def measure(messages: Sequence[CalmMessage], guidance: Guidance) -> Mapping[str, Quantiles]:
    """By language family, where staff judged enough, as the reader alone reads them.

    Those with a harm are left out: the budget makes less of none.
    """
    read: dict[str, list[float]] = {}
    judged: Counter[str] = Counter()
    texts = [(fold(message.text), _circumstances(message)) for message in messages]
    for message, reading in zip(messages, guidance.reader.read_many(texts), strict=True):
        if reading.unread or reading.harm:
            continue
        name = family(reading.language)
        read.setdefault(name, []).append(reading.negative)
        judged[name] += message.judged
    budgets = {*BUDGETS, *guidance.budgets}
    return {name: quantiles(values, budgets) for name, values in read.items() if judged[name] >= ENOUGH}


def _circumstances(message: CalmMessage) -> Circumstances:
    body = message.body
    return Circumstances(
        mentions_us=bool(body.get("mentions_us")), private=message.private, language=body.get("language")
    )
