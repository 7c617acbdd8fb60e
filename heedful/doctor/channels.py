"""The channels and who is told: settings, secrets, accounts, tokens, quotas, and where customers' words go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from yarl import URL

from config.schema import Care, Channel
from connectors.api import ConnectorError, Denied, Http, Reports, Vitals
from heedful.doctor.environment import drift
from heedful.doctor.verdict import Verdict, fail, ok, skip, warn
from heedful.fitting import Unfit, fitted
from heedful.notify import open_target
from heedful.standing import warnings

__all__ = ["compared", "flows", "observed", "opened", "settled", "told"]

AREA = "channels"
WITHIN = timedelta(seconds=15)
Resolver = Callable[[str], Awaitable[object]]


def _unfit(area: str, name: str, problem: Exception) -> Verdict:
    """What is not set is to be set; all else is to be corrected."""
    found, _, way = str(problem).partition("; set it")
    return fail(area, name, found, f"set it{way}" if way else "correct it in the file, then heedful check")


def settled(name: str, channel: Channel, variables: Mapping[str, str]) -> Verdict:
    """Without the network: the kind is installed, the secrets are set, the settings hold."""
    try:
        fitted(channel, variables)
    except Unfit as problem:
        return _unfit(AREA, name, problem)
    return skip(AREA, name, "its settings hold; not opened")


async def opened(name: str, channel: Channel, http: Http, variables: Mapping[str, str], now: datetime) -> list[Verdict]:
    """Open it, ask who it is, and close it again; nothing is read, sent or changed there."""
    try:
        plugin, settings = fitted(channel, variables)
        visit = plugin.visit or plugin.open
        async with asyncio.timeout(WITHIN.total_seconds()), visit(settings, http) as connector:
            who = connector.me.handle or connector.me.name or connector.me.id or "no account of its own"
            vitals = connector.vitals if isinstance(connector, Reports) else Vitals()
    except Unfit as problem:
        return [_unfit(AREA, name, problem)]
    except Denied as problem:
        return [fail(AREA, name, str(problem), "put a valid token with all its scopes into the environment or .env")]
    except TimeoutError:
        return [fail(AREA, name, f"no answer within {WITHIN.seconds} s", "look at the network and at the platform")]
    except ConnectorError as problem:
        return [fail(AREA, name, str(problem), "look at the network and at the platform")]
    except Exception as fault:  # noqa: BLE001  a connector may be anybody's: its fault is what is looked for
        return [fail(AREA, name, f"a fault in the connector: {type(fault).__name__}", "report it to its author")]
    return [ok(AREA, name, f"{channel.kind}, as {who}"), *_vital(name, vitals, now)]


def _vital(name: str, vitals: Vitals, now: datetime) -> Iterator[Verdict]:
    said = warnings(vitals, now)
    if vitals.token_expires is not None and "token" not in said:
        yield ok(AREA, f"{name}: token", f"{(vitals.token_expires - now).days} days left")
    for quota in vitals.quotas:
        if f"quota {quota.name}" not in said:
            yield ok(
                AREA, f"{name}: quota {quota.name}", f"{quota.left} left" + (f" of {quota.of}" if quota.of else "")
            )
    for about, what in said.items():
        found, _, way = what.partition(" → ")
        verdict = fail if vitals.token_expires and vitals.token_expires <= now and about == "token" else warn
        yield verdict(AREA, f"{name}: {about}", found, way)


def observed(status: Mapping[str, Any]) -> Iterator[Verdict]:
    """What the running daemon says of its channels, and what rings."""
    for channel in status["channels"]:
        name, state, why = channel["name"], channel["state"], channel["error"] or "no reason is known"
        if state == "failed":
            yield fail(AREA, name, f"stopped: {why}", "mend it, then reload (SIGHUP, or save the file)")
        elif state in {"waiting", "paused"}:
            yield warn(AREA, name, f"{state}: {why}", "it goes on by itself; if it does not, look at the platform")
        else:
            yield ok(AREA, name, f"{state}; last message {channel.get('last_event') or 'never'}")
        yield from _remembered(name, channel)
    for alarm in status["alarms"]:
        found, _, way = alarm["text"].partition(" → ")
        yield warn("alarms", alarm["name"], found, way or "look at the page, under Channels")


def _remembered(name: str, channel: Mapping[str, Any]) -> Iterator[Verdict]:
    if channel.get("token_expires"):
        yield ok(AREA, f"{name}: token", f"expires {channel['token_expires']}")
    for quota in channel.get("quotas", ()):
        yield ok(
            AREA, f"{name}: quota {quota['name']}", f"{quota['left']} left of {quota['of'] or 'an unknown number'}"
        )
    if channel.get("unknown"):
        way = "heedful acks list --state unknown, look in the channel, then settle them"
        yield warn(AREA, f"{name}: in doubt", f"{channel['unknown']} texts may or may not have gone out", way)


async def told(care: Care, http: Http, variables: Mapping[str, str], resolve: Resolver | None) -> list[Verdict]:
    """Each notify target: its settings hold, and its host has an address. `resolve` None asks no name server."""
    return [await _target(name, care, http, variables, resolve) for name in care.notify]


async def _target(name: str, care: Care, http: Http, variables: Mapping[str, str], resolve: Resolver | None) -> Verdict:
    try:
        target = open_target(care.notify[name], http, variables)
    except (ConnectorError, LookupError, ValueError) as problem:
        return _unfit("notify", name, problem)
    host = _host(target)
    if resolve is None or host is None:
        return skip("notify", name, "its settings hold; its host was not looked up")
    try:
        await resolve(host)
    except OSError:
        return fail("notify", name, f"{host} has no address", "correct its address, or look at the name server")
    return ok("notify", name, f"{care.notify[name].kind} at {host}")


def _host(target: object) -> str | None:
    settings = getattr(target, "settings", None)
    address = getattr(settings, "base_url", None) or getattr(settings, "url", None)
    return URL(address).host if isinstance(address, str) else None


def flows(care: Care) -> Iterator[Verdict]:
    """Which channel's text is told to whom; what would leave a region holds no word of the customer."""
    for target, teams in _tellers(care).items():
        for name, channel in care.channels.items():
            said = _flow(channel.region, care.notify[target].region)
            yield ok("personal data", f"{name} → {target}", f"{said} (for {', '.join(teams)})")


def _tellers(care: Care) -> dict[str, list[str]]:
    used = [(target, name) for name, team in care.teams.items() for target in team.notify]
    return {target: [team for one, team in used if one == target] for target in dict.fromkeys(one for one, _ in used)}


def _flow(home: str | None, region: str | None) -> str:
    if home is not None and home != region:
        return f"priority and link only: no words leave {home}"
    where = f" in {region}" if region else ", whose region the file does not name"
    return f"name and up to 280 characters of the text{where}"


async def compared(care: Care, http: Http, variables: Mapping[str, str], clock: Callable[[], datetime]) -> Verdict:
    """Our clock against the Date header of the first platform that answers."""
    for address in _addresses(care, variables):
        try:
            answer = await http.send("HEAD", address, deadline=timedelta(seconds=5))
            there = parsedate_to_datetime(answer.headers["date"])
        except (ConnectorError, KeyError, ValueError):
            continue
        return drift(clock(), there, URL(address).host or "a platform")
    return skip("clock", "against others", "no platform told its time")


def _addresses(care: Care, variables: Mapping[str, str]) -> Iterator[str]:
    for channel in care.channels.values():
        try:
            address = getattr(fitted(channel, variables)[1], "base_url", None)
        except Unfit:
            continue
        if isinstance(address, str):
            yield address
