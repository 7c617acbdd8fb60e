"""Which addresses may be called."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.addresses import Unsafe, hop, public, trusted


@pytest.mark.parametrize("written", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::8b"])
def test_public_addresses(written: str) -> None:
    assert public(ip_address(written), 443)
    assert public(ip_address(written), 80)
    assert not public(ip_address(written), 8080)


NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 — refused, not bound
    "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1", "192.0.0.8",
    "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:1.1.1.1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1",
    "2001::1", "2001:db8::1", "2002:7f00:1::1", "2002:0101:0101::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1",
    "fe80::1", "fec0::1", "ff02::1", "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:a00:1",
]  # fmt: skip


@pytest.mark.parametrize("written", NOT_PUBLIC)
def test_addresses_that_are_not_public(written: str) -> None:
    assert not public(ip_address(written), 443)


@given(st.ip_addresses())
def test_nothing_private_is_ever_public(ip: IPv4Address | IPv6Address) -> None:
    if public(ip, 443):
        assert ip.is_global
        assert not ip.is_private
        assert not ip.is_multicast
        assert not ip.is_loopback
        assert ip.version == 4 or (ip.ipv4_mapped, ip.sixtofour, ip.teredo) == (None, None, None)


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_never_public(inner: IPv4Address) -> None:
    number = int(inner)
    disguises = [0xFFFF << 32 | number, number, 0x0064_FF9B << 96 | number, 0x2002 << 112 | number << 80 | 1]
    assert not any(public(IPv6Address(disguise), 443) for disguise in disguises)


@pytest.mark.parametrize(
    "written",
    [
        "", "example.org", "//example.org", "ftp://example.org", "file:///etc/passwd", "javascript:alert(1)", "http://",
        "http://user:pw@example.org", "http://user@example.org", "http://[::1", "http://example.org:99999",
        "http://0x7f.1", "http://0x7f000001", "http://2130706433", "http://127.1", "http://017700000001",
        "http://0177.0.0.1", "http://127.0.0.0x1", "http://1.1.1.1.", "http://example.0x1", "http://[fe80::1%25eth0]/",
        "http://exa mple.org", "http://\x00", "http://[]@",
    ],
)  # fmt: skip
def test_forms_that_are_refused(written: str) -> None:
    assert not callable_form(written)


def callable_form(written: str) -> bool:
    try:
        found = hop(written)
    except Unsafe:
        return False
    return found.ip is None or public(found.ip, found.port)


@pytest.mark.parametrize(
    "written", ["http://127.0.0.1/", "http://[::1]/", "http://[::ffff:7f00:1]/", "http://①②⑦.⓪.⓪.①/"]
)
def test_literals_are_known_as_addresses(written: str) -> None:
    found = hop(written)
    assert found.ip is not None
    assert not public(found.ip, found.port)


@given(
    st.text()
    | st.builds(
        "http{}://{}{}/{}".format, st.sampled_from(["", "s"]), st.text(), st.sampled_from(["", ":1", "@"]), st.text()
    )
)
def test_any_text_is_checked_without_a_crash(written: str) -> None:
    try:
        found = hop(written)
    except Unsafe:
        return
    assert found.host
    assert found.url.scheme in {"http", "https"}
    assert found.url.user is None
    assert found.url.password is None


def disguised(number: int) -> list[str]:
    a, b, c, d = number.to_bytes(4)
    return [
        f"{number}", f"{number:#x}", f"0{number:o}", f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{number & 0xFFFF}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.{b}.{c}.{d}", f"{a}.{b}.{c}.{d:#X}",
    ]  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.sampled_from(["", "."]))
def test_odd_forms_of_an_address_are_never_a_name(number: int, dot: str) -> None:
    for written in disguised(number):
        try:
            found = hop(f"http://{written}{dot}/")
        except Unsafe:
            continue
        assert found.ip == IPv4Address(number), "read as an address or not at all"


@pytest.mark.parametrize(
    "written", ["https://api.example.org", "http://localhost:8081/x", "http://127.0.0.1:1", "http://[::1]:8"]
)
def test_base_urls(written: str) -> None:
    assert str(trusted(written)).startswith(written)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("http://api.example.org/bot123:SECRET", "write https://"),
        ("http://10.0.0.1", "write https://"),
        ("http://localhost.example.org", "write https://"),
        ("ftp://example.org", "must begin with https://"),
        ("example.org", "must begin with https://"),
        ("https://name:SECRET@example.org", "give it under its own key"),
        ("https://[::1", "is not a URL"),
    ],
)
def test_base_urls_that_are_refused(written: str, says: str) -> None:
    with pytest.raises(Unsafe, match=says) as caught:
        trusted(written)
    assert "SECRET" not in str(caught.value)
