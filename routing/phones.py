"""Telephone numbers as people write them; pure. What counts as one is masked before it is stored."""

from __future__ import annotations

import re

import phonenumbers

__all__ = ["DATE", "PHONE_LIKE", "international", "local"]

_HOTLINE = ("400", "800", "95", "123", "121", "119", "110", "120")
DATE = re.compile(
    r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<!\d)(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|1[0-2])[-./](?:19|20)\d\d(?!\d)"
)
_MOBILE = re.compile(r"(?:00)?(?:86)?1[3-9]\d{9}|09\d{8}|(?:00)?8869\d{8}|(?:00)?852[2-9]\d{7}|(?:00)?853[268]\d{7}")
_LANDLINE = re.compile(r"0\d{2,3}-\d{7,8}|0\d-\d{3,4}-\d{4}|0\d-\d{7,8}")
_FOREIGN = re.compile(
    r"1?-?[2-9]\d{2}-[2-9]\d{2}-\d{4}|07\d{3}-\d{6}|07\d{3}-\d{3}-\d{3}|07\d{9}|0[1-9]\d{2,3}-\d{3}-\d{3,4}"
)


PHONE_LIKE = re.compile(
    r"(?<!\d)(?:(?:0-?0-?)?(?:8-?6-?)?1-?[3-9](?:-?\d){9}|0-?9(?:-?\d){8}|(?:0-?0-?)?8-?8-?6-?9(?:-?\d){8}"
    r"|(?:0-?0-?)?8-?5-?(?:2-?[2-9]|3-?[268])(?:-?\d){7}"
    rf"|{_LANDLINE.pattern}|{_FOREIGN.pattern})(?!\d)"
)
"""Where any of these could begin in groups joined by -: nothing else is looked at one by one."""


def local(digits: str, groups: list[str], *, asked: bool) -> bool:
    """A number written as people write it at home: Mainland, Taiwan, Hong Kong, Macao, North America, Britain."""
    if digits.startswith(_HOTLINE) and len(digits) <= 10:
        return False
    shape = "-".join(groups)
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(shape) or _FOREIGN.fullmatch(shape):
        return True
    return asked and 7 <= len(digits) <= 13 and not DATE.fullmatch(shape)


def international(digits: str) -> bool:
    if not 7 <= len(digits) <= 15:
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(f"+{digits}", None))
    except phonenumbers.NumberParseException:
        return False
