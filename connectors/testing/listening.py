"""Webhooks: turned away unless genuine, and unbreakable."""

# ruff: noqa: S101, PT018 — an exam asserts, and what belongs together is asserted together

from __future__ import annotations

from dataclasses import replace
from typing import cast

from connectors.api import BadPayload, Hook, HookAnswer, Listens
from connectors.testing.asking import Exam, asks
from connectors.testing.sitting import Sitting, items

__all__ = ["HOSTILE", "Listening"]

HOSTILE: tuple[bytes, ...] = (
    b"",
    b"null",
    b"0",
    b"[]",
    b"{}",
    b"[{}]",
    b'{"half of',
    b"\xff\xfe\x00",
    b'{"id": NaN}',
    b'{"id": ' + b"9" * 5_000 + b"}",
    b"[" * 100_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b'{"text": "\\ud83d"}',
    b'"' + b'\\"' * 100_000,
    b"payload=%7B%7D",
)
"""What a signed body may hold where the sender is broken."""


class Listening(Exam):
    """`hear` takes bytes, calls nobody, and believes nothing unsigned."""

    @asks(of=("listens",))
    async def test_hearing_calls_nobody(self, s: Sitting) -> None:
        s.channel.post("hello")
        before = len(s.channel.requests)
        await s.heard()
        assert len(s.channel.requests) == before, "`hear` must do no network"

    @asks(of=("listens",))
    async def test_a_genuine_call_is_taken(self, s: Sitting) -> None:
        answer = await _hear(s, _genuine(s))
        assert 200 <= answer.status < 300 and items(answer.page) == 1

    @asks(of=("listens",))
    async def test_a_forged_call_is_turned_away(self, s: Sitting) -> None:
        """Without its headers, with another body, or too old: 401 or 403, and nothing to store."""
        genuine = _genuine(s)
        forged = [replace(genuine, headers={})]
        if s.channel.signs_body:
            forged += [replace(genuine, body=genuine.body + b" "), replace(genuine, body=b"")]
        if (stale := s.channel.stale(genuine.body)) is not None:
            forged.append(stale)
        for hook in forged:
            assert _turned_away(await _hear(s, hook))

    @asks(of=("listens",))
    async def test_mangled_headers_are_turned_away(self, s: Sitting) -> None:
        """Whatever stands in them; at least one header is what makes a call genuine."""
        genuine = _genuine(s)
        away = 0
        for name in genuine.headers:
            for value in ("", " ", "x", "v1,", "v1,=,= v1", "é\ud83d", "9" * 400, "-1", "\u0661"):
                answer = await _hear(s, replace(genuine, headers={**genuine.headers, name: value}))
                assert answer.status < 500
                away += _turned_away(answer)
        assert away, "no header makes a difference"

    @asks(of=("listens",))
    async def test_a_hostile_body_breaks_nothing(self, s: Sitting) -> None:
        for body in HOSTILE:
            try:
                answer = await _hear(s, s.channel.signed(body))
            except BadPayload:
                continue  # the host keeps the whole body aside
            assert answer.status < 500 and not answer.page.messages


def _genuine(s: Sitting) -> Hook:
    s.channel.post("hello")
    return s.channel.signed(s.channel.body(s.channel.items))


async def _hear(s: Sitting, hook: Hook) -> HookAnswer:
    return await s.within(cast("Listens", s.connector).hear(hook))


def _turned_away(answer: HookAnswer) -> bool:
    return answer.status in {401, 403} and items(answer.page) == 0
