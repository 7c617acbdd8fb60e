"""What this installation's own calm messages read like, for the budget of false alarms.

They are read again by the reader that runs now: numbers that an older one stored are on another scale.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from config.folding import fold
from heedful.guidance import Guidance
from routing.calm import ENOUGH, CalmMessage, calm_messages
from routing.store.database import Store
from sentiment.adjustment import BUDGETS, Quantiles, family, quantiles
from sentiment.api import Circumstances

__all__ = ["Calm", "OwnCalm", "measure"]

Calm = Mapping[str, Quantiles]
LOOK_BACK = timedelta(days=90)
AT_MOST = 2_000


class OwnCalm:
    """Remembers what was measured last; `known` goes into the next version of the file, too."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self.known: Calm = {}

    async def renew(self, guidance: Guidance) -> Guidance | None:
        """The same file with what is measured now; None where that changes nothing, or no budget is set."""
        if not guidance.budgets:
            return None
        since = self._clock() - LOOK_BACK
        messages = await self._store.read(lambda connection: calm_messages(connection, since, AT_MOST))
        found = await asyncio.to_thread(measure, messages, guidance)
        if found == self.known:
            return None
        self.known = found
        return await asyncio.to_thread(Guidance.compile, guidance.care, found)


def measure(messages: Sequence[CalmMessage], guidance: Guidance) -> Calm:
    """By language family, where staff judged enough, as the reader alone reads them.

    Those with a harm are left out: the budget makes less of none.
    """
    read: dict[str, list[float]] = {}
    judged: Counter[str] = Counter()
    for message in messages:
        body = message.body
        circumstances = Circumstances(
            mentions_us=bool(body.get("mentions_us")), private=message.private, language=body.get("language")
        )
        reading = guidance.reader.read(fold(message.text), circumstances)
        if reading.unread or reading.harm:
            continue
        name = family(reading.language)
        read.setdefault(name, []).append(reading.negative)
        judged[name] += message.judged
    budgets = {*BUDGETS, *guidance.budgets}
    return {name: quantiles(values, budgets) for name, values in read.items() if judged[name] >= ENOUGH}
