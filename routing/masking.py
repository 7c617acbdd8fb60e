"""Repairs a text, and takes out of it what nobody should have posted: numbers of cards, people and phones, secrets.

What is read, stored and shown is the masked text. Masking is idempotent, and leaves order numbers, dates,
prices, times and flight numbers readable.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

__all__ = ["mask", "repair"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_TELLING = "@0123456789"
_TELLING_WIDE = re.compile(r"[\d@＠]|密码|密碼|口令")
_LONG = re.compile(r"\d(?:[^\d\n]{0,4}\d){5}")
_STATED = (
    "passw", "passc", "pass ph", "passph", "pwd", "secret", "token", "api", "pin", "otp", "cvv", "cvc", "verification",
    "密码", "密碼", "口令", "验证码", "驗證碼", "安全码", "安全碼",
)  # fmt: skip
_PAPERS = (
    "passp", "passep", "pasap", "hkid", "id card", "national id", "travel doc",
    "护照", "護照", "行证", "行證", "乡证", "鄉證", "胞证", "胞證", "身份证", "身份證", "身分證", "居留",
)  # fmt: skip
_KEYED = re.compile(r"PRIVATE KEY|[A-Za-z0-9_-]{14}|(?i:bearer )")
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]{1,64}[@＠](?:[A-Za-z0-9\-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9\-])"
)
_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<![A-Za-z0-9])\d{8,11}:[A-Za-z0-9_-]{33,40}(?![A-Za-z0-9_-])"
    r"|(?<![A-Za-z0-9])(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)?[-_]?[A-Za-z0-9_-]{16,}"
    r"|(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|xox[abeprs]-[\w-]{10,}|xapp-[\w-]{10,}"
    r"|A(?:KIA|SIA)[A-Z0-9]{16}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|npm_[A-Za-z0-9]{30,}"
    r"|hf_[A-Za-z0-9]{20,}|SG\.[\w-]{16,}\.[\w-]{16,})"
    r"|(?<![A-Za-z0-9])eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?"
    r"|(?i:(?<=bearer )[A-Za-z0-9._~+/-]{16,}=*)"
)
_HARMLESS = frozenset(
    (
        "incorrect", "expired", "invalid", "required", "wrong", "failed", "missing", "error", "denied", "please",
        "cannot", "working", "forgotten", "reset",
    )
)  # fmt: skip
_PASSWORD = re.compile(
    r"(?i)((?:\b(?:password|passwd|passcode|pwd|pass phrase|passphrase|api[_ -]?key"
    r"|secret(?:[_ -]?key)?|access[_ -]?token|token|pin(?: code)?|otp|cvv|cvc|verification code)"
    r"|密码|密碼|口令|验证码|驗證碼|支付密码|登录密码|登入密碼|安全码|安全碼)"
    r"(?:\s*(?:是|为|為|:|：|=)\s*|\s+(?:is|was)\s*[:：]?\s*))"
    r"([\"'“「]?)([A-Za-z0-9!-/:-@\\^_`{|}~]{4,})"
)
_SEPARATOR = r"[ \u00a0\u2000-\u200d\u2060\ufeff\u202f\u3000\-\u2010-\u2015\u2212._/·*]"
_DIGIT_RUN = re.compile(
    r"(?<![A-Za-z0-9])(?:[+＋]\s?)?[(（]?"
    rf"\d(?:(?:{_SEPARATOR}|[()（）]){{0,3}}\d){{6,39}}[Xxｘ]?(?![A-Za-z0-9])"
)
_GLUED = re.compile(r"\d{13,}")
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \u00a0\-]?[A-Za-z0-9]{2,4}){3,8}"
    r"(?:[ \u00a0\-]?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
)
_PASSPORT = re.compile(
    r"(?i)((?:passport|passeport|pasaporte|护照|護照|通行证|通行證|回乡证|回鄉證|台胞证"
    r"|台胞證|hkid|身份证|身份證|身分證|id card|national id|居留证|居留證|travel document)"
    r"[^\n]{0,16}?)(?<![A-Za-z0-9])([A-Za-z]{1,2}[ -]?\d{6,8}(?:\([0-9A-Za-z]\))?|\d{8,9}"
    r"|\d{2}[A-Za-z]{2}\d{5})(?![A-Za-z0-9])"
)
_HKID = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,2}\d{6}\([0-9A]\)")
_TAIWAN_ID = re.compile(r"(?<![A-Za-z0-9])[A-Z][12]\d{8}(?![A-Za-z0-9])")
_PHONE_WORDS = re.compile(
    r"(?i)(?:phone|mobile|cell|tel|telephone|call me|call|text me|ring me|whatsapp"
    r"|reach me|电话|電話|手机|手機|手提|致电|致電|打给|打給"
    r"|联系我|聯繫我|聯絡我|联络我|联系方式|聯絡方式|号码|號碼|微信)[^\d\n]{0,14}$"
)
_NUMBERED = re.compile(
    r"(?i)(?:order|ref|reference|booking|ticket|case|tracking|invoice|订单|訂單|单号"
    r"|單號|编号|編號|运单|運單|案号|發票|发票)"
    r"[^\d\n手机手機电话電話phonemobiletel]{0,3}(?:no\.?|number|id|num)?[^\d\n]{0,3}$"
)
_HOTLINE = ("400", "800", "95", "123", "121", "119", "110", "120")
_DATE = re.compile(
    r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<!\d)(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|1[0-2])[-./](?:19|20)\d\d(?!\d)"
)
_CARD_LENGTHS = (16, 15, 14, 13, 19, 18, 17)
_CARD_STARTS = "23456"
_ROUNDS = 8

Group = tuple[str, int, int]
"""Digits that stand together, as ASCII, and where they stand in the text."""


def repair(text: str) -> str:
    """NUL becomes U+FFFD; a pair of surrogates its character; a lone surrogate U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def mask(text: str) -> str:
    """The text with [card], [id], [phone], [iban], [passport], [email] and [secret] in place of what it gave away."""
    if not _may_tell(text):
        return text
    for _ in range(_ROUNDS):
        masked = _once(text)
        if masked == text:
            break
        text = masked
    return text


def _may_tell(text: str) -> bool:
    """Quick and never wrongly no: nearly every message ends here."""
    if not text.isascii():
        return _TELLING_WIDE.search(text) is not None or "assw" in text
    for letter in _TELLING:
        if letter in text:
            return True
    return "assw" in text or "ASSW" in text


def _holds(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


def _once(text: str) -> str:
    if _KEYED.search(text):
        text = _SECRETS.sub("[secret]", text)
    lower = text.lower()
    if _holds(lower, _STATED):
        text = _PASSWORD.sub(_password, text)
    if "@" in text or "＠" in text:
        text = _EMAIL.sub("[email]", text)
    if _LONG.search(text):
        text = _IBAN.sub(_iban, text)
        text = _HKID.sub("[id]", text)
        text = _TAIWAN_ID.sub(_taiwan_id, text)
        text = _DIGIT_RUN.sub(_run, text)
        if _holds(lower, _PAPERS):
            text = _PASSPORT.sub(_passport, text)
        text = _GLUED.sub(_glued, text)
    return text


def _password(match: re.Match[str]) -> str:
    """Words such as "incorrect" say something about a password; they are none."""
    value = match[3]
    plain = value.rstrip(".,!?;:)").lower()
    stated = match[1].rstrip()[-1:] in (":", "：", "=")
    if plain in _HARMLESS or (not stated and not any(letter.isdigit() for letter in value)):
        return match[0]
    return f"{match[1]}[secret]"


def _passport(match: re.Match[str]) -> str:
    return f"{match[1]}[passport]" if "i" not in match[1][:1].lower() and "身" not in match[1] else f"{match[1]}[id]"


def _taiwan_id(match: re.Match[str]) -> str:
    """A Taiwanese identity number by its check digit; an order number seldom passes."""
    number = match[0]
    city = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0]) + 10
    total = city // 10 + (city % 10) * 9 + sum(int(d) * (8 - i) for i, d in enumerate(number[1:9])) + int(number[9])
    return "[id]" if total % 10 == 0 else number


def _iban(match: re.Match[str]) -> str:
    """The longest beginning of the match that is an IBAN by its check digits."""
    text = match[0]
    ends = [len(text), *(m.start() for m in re.finditer(r"[ \u00a0-]", text))]
    for end in sorted(ends, reverse=True):
        try:
            if iban.validate(text[:end]):
                return "[iban]" + text[end:]
        except ValidationError:
            continue
    return text


def _glued(match: re.Match[str]) -> str:
    """A card number that hangs on letters."""
    digits = _ascii(match[0])
    return "[card]" if len(digits) <= 19 and digits[0] in _CARD_STARTS and luhn.is_valid(digits) else match[0]


def _run(match: re.Match[str]) -> str:
    """One stretch of digits and separators: mask the numbers in it, keep the rest."""
    text = match[0]
    groups = _groups(text)
    before = match.string[max(0, match.start() - 24) : match.start()]
    found: list[tuple[int, int, str]] = []
    at = 0
    while at < len(groups):
        hit = _identity(groups, at) or _abroad(text, groups, at) or _card(groups, at)
        hit = hit or _phone(text, groups, at, before)
        if hit is None:
            at += 1
            continue
        last, kind = hit
        found.append((groups[at][1], groups[last][2], kind))
        at = last + 1
    return _replaced(text, found)


def _groups(text: str) -> list[Group]:
    return [(_ascii(m[0]), m.start(), m.end()) for m in re.finditer(r"\d+[Xxｘ]?", text)]


def _ascii(digits: str) -> str:
    return digits if digits.isascii() else "".join(_digit(letter) for letter in digits)


def _digit(letter: str) -> str:
    value = unicodedata.digit(letter, None)
    return "X" if value is None else str(value)


def _joined(groups: list[Group], first: int, at_most: int) -> list[tuple[int, str]]:
    """The numbers that begin with group `first`: index of the last group, and all digits."""
    joined: list[tuple[int, str]] = []
    digits = ""
    for last in range(first, len(groups)):
        digits += groups[last][0]
        if len(digits) > at_most:
            break
        joined.append((last, digits))
    return joined


def _identity(groups: list[Group], first: int) -> tuple[int, str] | None:
    for last, digits in _joined(groups, first, 18):
        if len(digits) == 18 and _is_chinese_id(digits):
            return last, "[id]"
    return None


def _is_chinese_id(digits: str) -> bool:
    """Eighteen places: a region, a day of birth and a check digit, which may be X."""
    if not digits[:17].isdigit() or digits[0] not in "1234568":
        return False
    if not ("1900" <= digits[6:10] <= "2099" and "01" <= digits[10:12] <= "12" and "01" <= digits[12:14] <= "31"):
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(digits[:17]))
    return "10X98765432"[total % 11] == digits[17].upper()


def _card(groups: list[Group], first: int) -> tuple[int, str] | None:
    """Any 13 to 19 digits that pass Luhn's check; where only a part of the run does, only with a card's first digit."""
    numbers = {len(digits): (last, digits) for last, digits in _joined(groups, first, 19)}
    for length in _CARD_LENGTHS:
        if length not in numbers:
            continue
        last, digits = numbers[length]
        whole = first == last or (first == 0 and last == len(groups) - 1)
        if (whole or digits[0] in _CARD_STARTS) and digits.isdigit() and luhn.is_valid(digits):
            return last, "[card]"
    return None


def _abroad(text: str, groups: list[Group], first: int) -> tuple[int, str] | None:
    """A number that begins with + and a country's code."""
    if not text[: groups[first][1]].rstrip(" (（").endswith(("+", "＋")):
        return None
    for last, digits in reversed(_joined(groups, first, 15)):
        if _international(digits):
            return last, "[phone]"
    return None


def _phone(text: str, groups: list[Group], first: int, before: str) -> tuple[int, str] | None:
    opened = groups[first][1]
    if _DATE.match(text, opened):
        return None
    before = before + text[:opened]
    asked = _PHONE_WORDS.search(before) is not None
    if not asked and _NUMBERED.search(before):
        return None
    for last, digits in reversed(_joined(groups, first, 15)):
        if _local(digits, [group[0] for group in groups[first : last + 1]], asked=asked):
            return last, "[phone]"
    return None


_MOBILE = re.compile(r"(?:00)?(?:86)?1[3-9]\d{9}|09\d{8}|(?:00)?8869\d{8}|(?:00)?852[2-9]\d{7}|(?:00)?853[268]\d{7}")
_LANDLINE = re.compile(r"0\d{2,3}-\d{7,8}|0\d-\d{3,4}-\d{4}|0\d-\d{7,8}")
_FOREIGN = re.compile(
    r"1?-?[2-9]\d{2}-[2-9]\d{2}-\d{4}|07\d{3}-\d{6}|07\d{3}-\d{3}-\d{3}|07\d{9}|0[1-9]\d{2,3}-\d{3}-\d{3,4}"
)


def _local(digits: str, groups: list[str], *, asked: bool) -> bool:
    """A number written as people write it at home: Mainland, Taiwan, Hong Kong, Macao, North America, Britain."""
    if digits.startswith(_HOTLINE) and len(digits) <= 10:
        return False
    shape = "-".join(groups)
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(shape) or _FOREIGN.fullmatch(shape):
        return True
    return asked and 7 <= len(digits) <= 13 and not _DATE.fullmatch(shape)


def _international(digits: str) -> bool:
    if not 7 <= len(digits) <= 15:
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(f"+{digits}", None))
    except phonenumbers.NumberParseException:
        return False


def _replaced(text: str, found: list[tuple[int, int, str]]) -> str:
    for start, end, kind in reversed(found):
        head = text[:start]
        if kind == "[phone]":
            head = re.sub(r"[+＋]\s?[(（]?$|[(（]$", "", head)
        text = head + kind + text[end:]
    return text
