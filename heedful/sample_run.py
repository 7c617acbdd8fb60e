"""The sample run: bundled messages, re-dated to now and flowing at a lively pace; nothing leaves this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.resources import files

import structlog

from config.lint import parse
from config.schema import Care
from connectors import registry
from connectors.api import Author, BadPayload, Message, Page
from connectors.replay import parse_line
from heedful.channels import Environment, Runner
from heedful.outbox import Sender
from heedful.source import Source

__all__ = ["SampleRun", "sample_care", "sample_lines"]

log = structlog.get_logger("heedful.sample")

OPENING, PAUSE = 12, 0.9
OPENING_PAUSE = 0.4
"""The first dozen come faster: a newcomer should see something happen before the page has been read."""
BOT = Author(id="acme-care-bot", name="Acme Care", bot=True)


def sample_care() -> Care:
    """The bundled configuration; it lints, or the package is broken."""
    care, findings = parse(files("heedful").joinpath("sample/heedful.yaml").read_bytes(), "sample/heedful.yaml")
    assert care is not None, findings
    return care


def sample_lines() -> Iterator[bytes]:
    yield from files("heedful").joinpath("sample/messages.jsonl").read_bytes().splitlines()


class SampleRun:
    """Feeds the pipeline as listeners would; acknowledgements go to a recording sink."""

    async def play(self, environment: Environment, runners: MutableMapping[str, Runner]) -> None:
        """All messages once, then rest; the page stays."""
        sources = {name: self._source(name, environment) for name in environment.guidance().care.channels}
        async with AsyncExitStack() as stack:
            senders = {name: await self._sender(source, environment, stack) for name, source in sources.items()}
            for name, channel in environment.guidance().care.channels.items():
                runners[name] = Runner(name, channel, environment)
                runners[name].health.succeed()
            async with asyncio.TaskGroup() as group:
                for sender in senders.values():
                    group.create_task(_keep_sending(sender))
                await self._feed(environment, sources, runners)

    async def _feed(
        self, environment: Environment, sources: Mapping[str, Source], runners: Mapping[str, Runner]
    ) -> None:
        for number, line in enumerate(sample_lines()):
            await asyncio.sleep(OPENING_PAUSE if number < OPENING else PAUSE)
            try:
                name, message = parse_line(line)
            except BadPayload as error:
                log.warning("sample line", number=number, reason=str(error))
                continue
            await environment.pipeline.take(sources[name], Page(messages=(self._now(message, environment),)))
            runners[name].health.succeed()
        log.info("all sample messages have been played")

    def _now(self, message: Message, environment: Environment) -> Message:
        return replace(message, sent_at=environment.clock())

    def _source(self, name: str, environment: Environment) -> Source:
        channel = environment.guidance().care.channels[name]
        source = Source.of(name, channel, registry.load("replay"), Author(id="", name=name))
        return replace(source, selves=source.selves | {BOT.id}, machine=BOT.id, idempotency="A")

    async def _sender(self, source: Source, environment: Environment, stack: AsyncExitStack) -> Sender:
        plugin = registry.load("replay")
        connector = await stack.enter_async_context(plugin.open(plugin.settings(), environment.http))
        return Sender(
            environment.store, source, connector, environment.guidance, environment.clock, environment.monotonic
        )


async def _keep_sending(sender: Sender) -> None:
    while True:
        await sender.drain()
        await asyncio.sleep(0.3)
