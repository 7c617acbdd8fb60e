"""What would become of one message, and why: the whole path without a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from config.schema import Care, Channel
from connectors import registry
from connectors.api import Author, Message
from heedful.docket import Docket
from heedful.guidance import Guidance
from heedful.preparation import Prepared, prepare
from heedful.recall import Traffic
from heedful.rows import because_json, message_row
from heedful.source import Source
from heedful.speech import Speech
from routing.decide import Decision, History, decide
from routing.store.ids import new_id, ref
from sentiment.api import Circumstances

__all__ = ["Explanation", "explain", "plain_message"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`as_json` is what `heedful explain --json` prints."""

    prepared: Prepared
    decision: Decision
    acknowledgement: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        reading, decision = self.prepared.reading, self.decision
        return {
            "reading": asdict(reading) if reading else None,
            "keywords": [
                {"list": name, "spans": [list(span) for span in spans]}
                for name, spans in self.prepared.hits.lists.items()
            ],
            "route": list(decision.route),
            "decision": {
                "routed": decision.routed,
                "kept": decision.kept,
                "team": decision.team,
                "priority": decision.priority,
                "style": decision.style,
                "kind": decision.kind,
                "because": [because_json(one) for one in decision.because],
            },
            "acknowledgement": dict(self.acknowledgement),
        }


def plain_message(text: str, now: datetime) -> Message:
    """A text as a customer would write it to us in private."""
    author = Author(id="somebody", name="Anna")
    return Message(id="explained", author=author, text=text, sent_at=now, thread="explained", mentions_us=True)


def explain(message: Message, channel: str, care: Care, now: datetime, guidance: Guidance | None = None) -> Explanation:
    """Read, decide and word it as the pipeline would for somebody who never wrote before."""
    guidance = guidance or Guidance.compile(care)
    configured = care.channels.get(channel) or Channel(kind="replay")
    source = Source.of(channel, configured, registry.load(configured.kind), Author(id="", name=channel))
    prepared = prepare(message, source, guidance, now)
    if prepared.reading is None:
        [(reading, views)] = guidance.read_many([(prepared.folded, Circumstances())])
        prepared = replace(prepared, reading=reading, views=views)
    assert prepared.reading is not None
    decision = decide(
        prepared.message,
        prepared.reading,
        prepared.hits,
        guidance.rules,
        History(open_case=None, resolved_case=None, repeats=1),
        channel=source.name,
        connector=source.kind,
        now=now,
        views=prepared.views,
    )
    prepared = prepared.seen_by(decision.view)
    row = message_row(prepared, source, new_id(now), "", now, decision.version)
    docket = Docket(source, guidance, ((number, ref(number)) for number in [new_id(now)]), ())
    case = docket.route(prepared, row, decision)[0] if decision.routed else None
    verdict, words = Speech(source, guidance).consider(prepared, decision, case, lambda: Traffic(paused=False))
    acknowledgement = {
        "send": verdict.outcome == "send",
        "outcome": verdict.outcome,
        "text": words.text if words else None,
        "locale": words.locale if words else None,
        "reason": verdict.reason,
        "detail": verdict.detail,
    }
    return Explanation(prepared, decision, acknowledgement)
