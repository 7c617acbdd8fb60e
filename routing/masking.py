"""Repairs a text, and takes out of it what nobody should have posted: numbers of cards, people and phones, secrets.

What is read, stored and shown is the masked text. Masking is idempotent, and leaves order numbers, dates,
prices, times and flight numbers readable. Its work grows with the length of the text and no faster: patterns
are bounded or never taken back, and a run of digits is looked into only where it could hold a number of interest.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

from routing.phones import DATE, PHONE_LIKE, international, local

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
    r"|(?<![A-Za-z0-9])eyJ[\w-]{8,512}\.eyJ[\w-]{8,}(?:\.[\w-]*)?"
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
    r"(?:\s*+(?:是|为|為|:|：|=)\s*+|\s++(?:is|was)\s*+[:：]?\s*+))"
    r"([\"'“「]?)([A-Za-z0-9!-/:-@\\^_`{|}~]{4,})"
)
_SEPARATOR = r"[ \u00a0\u2000-\u200d\u2060\ufeff\u202f\u3000\-\u2010-\u2015\u2212._/·*]"
_BETWEEN = rf"(?:{_SEPARATOR}|[()（）]){{0,3}}"
_DIGIT_RUN = re.compile(rf"(?<![A-Za-z0-9])(?:[+＋]\s?)?[(（]?(\d(?:{_BETWEEN}\d){{6,119}}[Xxｘ]?)(?![A-Za-z0-9])")
"""As many digits as are looked at together; longer runs in stretches that overlap by the length of a number."""
_ONWARD = re.compile(rf"{_BETWEEN}(?=\d)")
_APART = re.compile(r"[^\dXxｘ]+")
_GROUP = re.compile(r"\d+[Xxｘ]?")
_DIGITS = re.compile(r"\d+")
_LETTER = re.compile(r"[^\W\d_]")
_OPENING = re.compile(r"[+＋]\s?[(（]?$|[(（]$")
_ID_LIKE = re.compile(r"[1-68]\d{5}(?:19|20)\d\d[01]\d[0-3]\d")
_CARD_LIKE = re.compile(r"[2-6]")
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
_CARD_LENGTHS = (16, 15, 14, 13, 19, 18, 17)
_CARD_STARTS = "23456"
_RUN_AT_LEAST, _CARD_AT_LEAST, _LONGEST = 7, 13, 19
_DOUBLED = bytes(d * 2 - 9 * (d > 4) for d in range(10)).ljust(256, b"\0")
_IBAN_DIGITS = {
    **{ord(letter): str(int(letter, 36)) for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    **dict.fromkeys(map(ord, " \u00a0-")),
}
_ROUNDS = 8

Hit = tuple[int, str]
"""The last group of a number, and what it is."""
Try = Callable[[int], Hit | None]


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
        text = _numbers(text)
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
        if int((text[4:end] + text[:4]).translate(_IBAN_DIGITS)) % 97 != 1:
            continue
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


def _numbers(text: str) -> str:
    """Mask the numbers in every run of digits and separators, and keep the rest."""
    masked: list[str] = []
    done = at = 0
    onward = -1
    while run := _DIGIT_RUN.search(text, at):
        opened = run.start()
        before = text[max(done, opened - 24) : opened]
        stretch = _Stretch(text, run, None if opened <= onward else (masked[-1] + before if masked else before)[-24:])
        for start, end, kind in stretch.found():
            masked += (text[done:start], kind)
            done = end
        at = max(done, stretch.next)
        following = _ONWARD.match(text, at) if at > done else None
        onward = following.end() if following else -1
    return "".join((*masked, text[done:])) if masked else text


class _Stretch:
    """One run of digits and separators, or as much of it as is looked at together.

    `before` is what stands before the run, None where it is digits of the same run; `next` is where the following
    stretch begins, unless a number goes beyond it.
    """

    def __init__(self, text: str, run: re.Match[str], before: str | None) -> None:
        self._text = text
        self._begin = self._first = 0 if before is not None else -1
        self._floor = run.start() if before is not None else 0
        self._opened, self._closed = run.span(1)
        shape = _APART.sub("-", run[1])
        self._shape = shape if shape.isascii() else "-".join(map(_ascii, shape.split("-")))
        self._digits = self._shape.replace("-", "")
        sign = text[run.start() : self._opened]
        self._plus = sign != "" and sign.rstrip(" (（").endswith(("+", "＋"))
        words = _DIGITS.split((before or "") + sign)[-1]
        worded = _LETTER.search(words) is not None
        self._asked = worded and _PHONE_WORDS.search(words) is not None
        self._numbered = worded and not self._asked and _NUMBERED.search(words) is not None
        self._sums: list[list[int]] = []
        self.next = self._closed
        if len(self._digits) > _LONGEST and _ONWARD.match(text, self._closed):
            self.next = self._late()

    def _late(self) -> int:
        """Behind the last group in which a number can begin and still end within this stretch, however long it is."""
        at, left = self._closed, _LONGEST
        while left:
            at -= 1
            left -= self._text[at].isdecimal()
        group = _GROUP.match(self._text, at)
        following = _ONWARD.match(self._text, group.end() if group else at)
        return min(following.end() if following else self._closed, self._closed)

    def found(self) -> list[tuple[int, int, str]]:
        """Where the numbers stand, and what they are."""
        found: list[tuple[int, int, str]] = []
        tries = self._tries()
        if not tries:
            return found
        self._groups = [match.span() for match in _GROUP.finditer(self._text, self._opened, self._closed)]
        self._offsets = [0, *accumulate([end - start for start, end in self._groups])]
        self._ends = {offset: last for last, offset in enumerate(self._offsets, -1)}
        at = 0
        while tries and at < len(self._groups) and (self._groups[at][0] < self.next or at == self._first):
            for attempt in tries:
                if hit := attempt(at):
                    break
            else:
                at += 1
                continue
            last, kind = hit
            start = self._groups[at][0]
            opening = _OPENING.search(self._text, max(self._floor, start - 3), start) if kind == "[phone]" else None
            found.append((opening.start() if opening else start, self._groups[last][1], kind))
            at = last + 1
            tries = self._again(at, kind)
        return found

    def _again(self, at: int, kind: str) -> list[Try]:
        """The rest is read as it will be once what was found is masked."""
        rest = self._offsets[at]
        self._first, self._plus, self._asked, self._numbered = at, False, kind == "[phone]", False
        return self._tries(rest, rest + at) if len(self._digits) - rest >= _RUN_AT_LEAST else []

    def _tries(self, rest: int = 0, shaped: int = 0) -> list[Try]:
        """What may be found from there on; nearly always nothing, which a few searches tell."""
        tries: list[Try] = []
        length = len(self._digits) - rest
        if length >= 18 and _ID_LIKE.search(self._digits, rest):
            tries.append(self._identity)
        if self._plus:
            tries.append(self._abroad)
        if length >= _CARD_AT_LEAST and (
            length <= _LONGEST or _CARD_LIKE.search(self._digits, rest) or _GLUED.search(self._shape, shaped)
        ):
            tries.append(self._card)
        if self._asked or PHONE_LIKE.search(self._shape, shaped):
            tries.append(self._phone)
        return tries

    def _identity(self, first: int) -> Hit | None:
        start = self._offsets[first]
        last = self._ends.get(start + 18)
        return (last, "[id]") if last is not None and _is_chinese_id(self._digits[start : start + 18]) else None

    def _card(self, first: int) -> Hit | None:
        """13 to 19 digits that pass Luhn's check; where they are only a part of the run, with a card's first digit."""
        start = self._offsets[first]
        likely = self._digits[start] in _CARD_STARTS
        if not (likely or first == 0 or self._offsets[first + 1] - start >= _CARD_AT_LEAST):
            return None
        for length in _CARD_LENGTHS:
            last = self._ends.get(start + length)
            if last is None:
                continue
            whole = first == last or (first == 0 == self._begin and last == len(self._groups) - 1)
            if (likely or whole) and self._passes(start, start + length):
                return last, "[card]"
        return None

    def _passes(self, start: int, end: int) -> bool:
        """Luhn's check, by sums up to each digit: those at even places doubled, and those at odd places."""
        if not self._sums:
            plain = bytes(ord(digit) & 15 for digit in self._digits)
            for odd in (0, 1):
                doubled = bytearray(plain)
                doubled[odd::2] = doubled[odd::2].translate(_DOUBLED)
                self._sums.append([0, *accumulate(doubled)])
        sums = self._sums[end % 2]
        return (sums[end] - sums[start]) % 10 == 0 and self._digits[start:end].isdigit()

    def _abroad(self, first: int) -> Hit | None:
        """A number that begins with + and a country's code."""
        if first != 0 or not self._plus:
            return None
        for last, digits in reversed(self._joined(first)):
            if international(digits):
                return last, "[phone]"
        return None

    def _phone(self, first: int) -> Hit | None:
        asked = first == self._first and self._asked
        if not asked and not PHONE_LIKE.match(self._shape, self._offsets[first] + first):
            return None
        if DATE.match(self._text, self._groups[first][0]) or (first == 0 and self._numbered):
            return None
        parts = self._shape.split("-")
        for last, digits in reversed(self._joined(first)):
            if local(digits, parts[first : last + 1], asked=asked):
                return last, "[phone]"
        return None

    def _joined(self, first: int) -> list[tuple[int, str]]:
        """The numbers of at most 15 digits that begin with group `first`: index of the last group, and all digits."""
        start = self._offsets[first]
        beyond = bisect_right(self._offsets, start + 15)
        return [(at - 1, self._digits[start : self._offsets[at]]) for at in range(first + 1, beyond)]


def _ascii(digits: str) -> str:
    return digits if digits.isascii() else "".join(_digit(letter) for letter in digits)


def _digit(letter: str) -> str:
    value = unicodedata.digit(letter, None)
    return "X" if value is None else str(value)


def _is_chinese_id(digits: str) -> bool:
    """Eighteen places: a region, a day of birth and a check digit, which may be X."""
    if not digits[:17].isdigit() or digits[0] not in "1234568":
        return False
    if not ("1900" <= digits[6:10] <= "2099" and "01" <= digits[10:12] <= "12" and "01" <= digits[12:14] <= "31"):
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(digits[:17]))
    return "10X98765432"[total % 11] == digits[17].upper()
