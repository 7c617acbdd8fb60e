"""The file's own `tests:`, run through the same path as `heedful explain`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from config.schema import Care, Example, Expectation
from connectors.api import BadPayload, Message
from connectors.replay import parse_object
from heedful.explain import Explanation, explain
from heedful.guidance import Guidance

__all__ = ["Result", "run_examples"]


@dataclass(frozen=True, slots=True)
class Result:
    """`why` says what was expected and what came instead; empty where it passed."""

    say: str
    why: str

    @property
    def passed(self) -> bool:
        return not self.why


def run_examples(care: Care, now: datetime) -> list[Result]:
    """Run every example of the file against the file itself."""
    guidance = Guidance.compile(care)
    return [Result(example.say, _run(example, care, guidance, now)) for example in care.tests]


def _run(example: Example, care: Care, guidance: Guidance, now: datetime) -> str:
    at = (
        (example.at or now).astimezone(UTC)
        if example.at is None or example.at.tzinfo
        else example.at.replace(tzinfo=care.zone())
    )
    try:
        channel, message = _message(example, at)
    except BadPayload as error:
        return str(error)
    return "; ".join(_differences(example.expect, explain(message, channel, care, at, guidance)))


def _message(example: Example, at: datetime) -> tuple[str, Message]:
    given = dict(example.model_extra or {})
    recorded = {
        "id": "example",
        "channel": "replay",
        "author": {"id": "somebody", "name": "Anna"},
        "thread": "example",
        "sent_at": at.isoformat(),
        "mentions_us": True,
        **given,
        "text": example.say,
    }
    channel, message = parse_object(recorded)
    return channel, message


def _differences(expect: Expectation, found: Explanation) -> Iterator[str]:
    decision, reading = found.decision, found.prepared.reading
    pairs = (
        ("routed", expect.routed, decision.routed),
        ("team", expect.team, decision.team if decision.routed else None),
        ("priority", expect.priority, decision.priority if decision.routed else None),
        ("acknowledge", expect.acknowledge, decision.style),
        ("label", expect.label, reading.label if reading else None),
        ("kind", expect.kind, decision.kind),
    )
    for name, wanted, got in pairs:
        if wanted is not None and wanted != got:
            yield f"{name}: expected {wanted}, got {got}"
    missing = set(expect.harm) - set(reading.harm if reading else ())
    if missing:
        yield f"harm: {', '.join(sorted(missing))} not found"
