"""Which addresses may be called: trusted ones out of settings, and guarded ones out of messages. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Annotated

from pydantic import AfterValidator
from yarl import URL

__all__ = ["BaseUrl", "Hop", "Ip", "Unsafe", "hop", "is_loopback", "public", "trusted"]

Ip = IPv4Address | IPv6Address

PORTS = frozenset({80, 443})
# What `IPv4Address.is_global` of some Python versions lets through: relays of 6to4 and the like.
_NEVER4 = tuple(
    IPv4Network(f"{network}/24")
    for network in ("192.0.0.0", "192.31.196.0", "192.52.193.0", "192.88.99.0", "192.175.48.0")
)
# IPv6 by what is allowed, since new special ranges keep coming: global unicast, without tunnels and documentation.
_GLOBAL6 = IPv6Network("2000::/3")
_NEVER6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# The last label of a name is never a number; `0x7f.1`, `2130706433` and `127.1` are addresses in disguise.
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})")
_DISGUISED = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?")


class Unsafe(ValueError):
    """An address that heedful does not call. The text names no more of it than its host."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One guarded address, its form checked: where to connect is still to be resolved, unless `ip` is given."""

    url: URL
    host: str
    port: int
    ip: Ip | None


def public(ip: Ip, port: int) -> bool:
    """Whether an address that a stranger wrote may be called: a global unicast address, port 80 or 443."""
    if port not in PORTS or ip.is_multicast or ip.is_reserved:
        return False
    if isinstance(ip, IPv4Address):
        return ip.is_global and not any(ip in network for network in _NEVER4)
    # ISATAP carries an IPv4 address in the lower half, after 0000:5efe or 0200:5efe.
    disguised = (int(ip) >> 32) & 0xFDFFFFFF == 0x00005EFE
    return ip.scope_id is None and ip in _GLOBAL6 and not disguised and not any(ip in network for network in _NEVER6)


def hop(address: str | URL) -> Hop:
    """Check the form of an address out of a message, a feed or a redirect. Raises `Unsafe`."""
    url = _parsed(address)
    if url is None:
        raise Unsafe("this is not an address")
    host, port = url.raw_host, url.port  # the host as it is looked up: in ASCII, xn--…
    if url.scheme not in {"http", "https"} or not host or port is None:
        raise Unsafe("only http and https addresses are fetched")
    if url.user is not None or url.password is not None:
        raise Unsafe("an address with a name or password inside is not fetched")
    return Hop(url, host, port, _literal(host))


def _parsed(address: str | URL) -> URL | None:
    """None where it cannot be parsed: the parser's own error repeats the address, secrets and all."""
    try:
        url = URL(address)
        return url if url.port is None or url.raw_host else None
    except (ValueError, IndexError):  # the latter: `http://[]@`
        return None


def _literal(host: str) -> Ip | None:
    if "%" in host:
        raise Unsafe("an address with a zone is not fetched")
    try:
        return ip_address(host)
    except ValueError:
        if _DISGUISED.fullmatch(host):
            raise Unsafe(f"{host} is a number in disguise, not a name") from None
    if not _NAME.fullmatch(host):
        raise Unsafe("the host of this address is not a name")
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine, without asking a resolver."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def trusted(address: str) -> URL:
    """Check an address out of the settings: https, or plain http to this machine. Raises `Unsafe`."""
    url = _parsed(address)
    if url is None:
        raise Unsafe("the address in the settings is not a URL")
    host, port = url.host, url.port
    if url.scheme not in {"http", "https"} or not host or port is None:
        raise Unsafe("the address in the settings must begin with https://")
    if url.user is not None or url.password is not None:
        raise Unsafe(f"the address of {host} holds a name or password; give it under its own key")
    if url.scheme == "http" and not is_loopback(host):
        raise Unsafe(f"plain http to {host} would show the token to everybody on the way; write https://")
    return url


def _checked(address: str) -> str:
    trusted(address)
    return address


BaseUrl = Annotated[str, AfterValidator(_checked)]
"""A base URL in a settings model: what `trusted` refuses is a finding of `heedful check`."""
