"""The keyword language: text -> expression, and back.

Words side by side are a phrase; inner quotes protect operator words; `prefix*`; NOT, NEAR/n, AND and OR
(capitals only, binding in this order), parentheses. `re:` makes the whole entry a pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["And", "Expression", "ExpressionError", "Near", "Node", "Not", "Or", "Pattern", "Phrase", "parse", "show"]

LONGEST = 2000
DEEPEST = 20
FARTHEST = 100

FULL_WIDTH = "（）［］｛｝“”「」『』，、；｜＊"
_SEPARATORS = "，、；｜"
_PLAIN_AGAIN = str.maketrans(FULL_WIDTH, '()[]{}"""""",,;|*')
_SPECIAL = re.compile(rf'[()"*{FULL_WIDTH}]|\s\s|[^\S ]|^\s|\s$|^re:|AND|OR|NOT|NEAR')
_TOKEN = re.compile(r'\s*(?:([()])|"([^"]*)("?)|([^\s()"]+))')
_NEAR = re.compile(r"NEAR(?:/([0-9]{1,3}))?")
_NEAR_LIKE = re.compile(r"NEAR(?:/.*|[0-9]+)?")


class ExpressionError(ValueError):
    """What is wrong with an expression, and where; `way_out` says what to write instead."""

    def __init__(self, what: str, way_out: str, position: int = 0) -> None:
        super().__init__(f"{what} → {way_out}")
        self.what = what
        self.way_out = way_out
        self.position = position


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words side by side, as written. With `prefix` the last word may go on."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    of: Node


@dataclass(frozen=True, slots=True)
class Near:
    """At most `within` tokens between the two, in either order."""

    left: Node
    right: Node
    within: int


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression in RE2's dialect, applied to folded text."""

    source: str


Node = Phrase | Not | Near | And | Or
Expression = Node | Pattern


def parse(text: str) -> Expression:
    """Read one entry. Raises ExpressionError, which says what is wrong, where, and the way out."""
    if text and not _SPECIAL.search(text):
        return Phrase(text)
    if len(text) > LONGEST:
        raise ExpressionError(f"this entry has {len(text)} characters", f"keep an entry below {LONGEST} characters")
    stripped = text.strip()
    if stripped.startswith("re:"):
        return _pattern(stripped.removeprefix("re:").strip())
    return _Parser(text).parse()


def show(expression: Expression) -> str:
    """The expression as text that parses to the same expression."""
    match expression:
        case Pattern(source):
            return f"re:{source}"
        case Phrase(text, prefix):
            return " ".join(map(_quoted, text.split(" "))) + "*" * prefix
        case Not(of):
            return f"NOT {_inside(of, (Phrase, Not))}"
        case Near(left, right, within):
            return f"{_inside(left, (Phrase, Near))} NEAR/{within} {_inside(right, (Phrase,))}"
        case And(parts):
            return " AND ".join(_inside(part, (Phrase, Near, Not)) for part in parts)
        case Or(parts):
            return " OR ".join(_inside(part, (Phrase, Near, Not, And)) for part in parts)


def _inside(node: Node, bare: tuple[type, ...]) -> str:
    return show(node) if isinstance(node, bare) else f"({show(node)})"


def _quoted(word: str) -> str:
    return f'"{word}"' if _is_operator(word) or re.search(rf"[()*{FULL_WIDTH}]|^re:", word) else word


def _is_operator(word: str) -> bool:
    return word in ("AND", "OR", "NOT") or _NEAR_LIKE.fullmatch(word) is not None


def _pattern(source: str) -> Pattern:
    if not source:
        raise ExpressionError("`re:` without a pattern", "write the pattern behind it, or remove the entry")
    return Pattern(source)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    position: int
    kind: str  # "(", ")", "word", "quoted", "operator" or "" at the end


class _Parser:
    """Recursive descent, one method a level of binding."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self._end = _Token("", len(text), "")

    def parse(self) -> Node:
        if not self._tokens:
            raise ExpressionError("an empty entry", "write a keyword, or remove the entry")
        node = self._or()
        token = self._peek()
        if token.kind == ")":
            raise ExpressionError("`)` without its `(`", "remove it, or open a parenthesis before", token.position)
        if token.kind:
            raise _no_operator(token)
        if not _holds_something(node):
            raise ExpressionError(
                "NOT alone would match nearly every message", "say what must be there: refund AND NOT policy"
            )
        return node

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else self._end

    def _take(self, operator: str) -> bool:
        token = self._peek()
        if token.kind == "operator" and token.text == operator:
            self._at += 1
            return True
        return False

    def _or(self) -> Node:
        parts = [self._and()]
        while self._take("OR"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Node:
        parts = [self._near()]
        while self._take("AND"):
            parts.append(self._near())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _near(self) -> Node:
        left = self._not()
        while (near := self._distance()) is not None:
            position = self._peek().position
            right = self._not()
            for side in (left, right):
                if not _has_place(side):
                    raise ExpressionError(
                        "NEAR joins words, phrases and groups of OR only",
                        "write (card OR account) NEAR/4 hacked",
                        position,
                    )
            left = Near(left, right, near)
        return left

    def _distance(self) -> int | None:
        token = self._peek()
        match = _NEAR.fullmatch(token.text) if token.kind == "operator" else None
        if match is None:
            return None
        if match[1] is None or int(match[1]) > FARTHEST:
            raise ExpressionError(
                f"`{token.text}` does not say how near",
                f"write NEAR/4: at most 4 words between (up to {FARTHEST})",
                token.position,
            )
        self._at += 1
        return int(match[1])

    def _not(self) -> Node:
        if not self._take("NOT"):
            return self._operand()
        self._go_down()
        node = Not(self._not())
        self._depth -= 1
        return node

    def _operand(self) -> Node:
        token = self._peek()
        if token.kind == "(":
            return self._group(token)
        words: list[str] = []
        prefix = False
        while (word := self._peek()).kind in ("word", "quoted"):
            if prefix:
                raise ExpressionError(
                    "`*` stands in the middle of a phrase", "put it at the end of the last word", word.position
                )
            prefix = word.kind == "word" and word.text.endswith("*")
            words += _words(word)
            self._at += 1
        if not words:
            raise _no_operand(token)
        if self._peek().kind == "(":
            raise _no_operator(self._peek())
        return Phrase(" ".join(words), prefix)

    def _group(self, opening: _Token) -> Node:
        self._at += 1
        self._go_down()
        node = self._or()
        self._depth -= 1
        token = self._peek()
        if token.kind == "":
            raise ExpressionError("`(` is never closed", "add the `)`", opening.position)
        if token.kind != ")":
            raise _no_operator(token)
        self._at += 1
        return node

    def _go_down(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(
                "parentheses or NOT nested too deeply", "split it into several entries", self._peek().position
            )


def _tokens(text: str) -> list[_Token]:
    return [_token(match) for match in _TOKEN.finditer(text)]  # every character but a blank begins a token


def _token(match: re.Match[str]) -> _Token:
    parenthesis, quoted, closing, word = match.groups()
    if parenthesis:
        return _Token(parenthesis, match.start(1), parenthesis)
    if quoted is not None:
        if not closing:
            raise ExpressionError('`"` is never closed', 'add the closing `"`', match.start(2) - 1)
        return _Token(quoted, match.start(2), "quoted")
    odd = next((c for c in word if c in FULL_WIDTH), None)
    if odd is not None:
        raise _full_width(odd, match.string, match.start(4) + word.index(odd))
    if _NEAR_LIKE.fullmatch(word) and not _NEAR.fullmatch(word):
        raise ExpressionError(
            f"`{word}` does not say how near", "write NEAR/4: at most 4 words between", match.start(4)
        )
    return _Token(word, match.start(4), "operator" if _is_operator(word) else "word")


def _full_width(sign: str, entry: str, position: int) -> ExpressionError:
    if sign in _SEPARATORS:
        parts = [part.strip() for part in re.split(f"[{_SEPARATORS}]", entry)]
        meant = f"write each keyword as an item of its own: [{', '.join(filter(None, parts))}]"
    else:
        meant = f"write {entry.translate(_PLAIN_AGAIN)}"
    return ExpressionError(
        f"full-width `{sign}`", f"{meant}; where the sign belongs to the keyword, write '\"{entry}\"'", position
    )


def _words(token: _Token) -> list[str]:
    text = token.text if token.kind == "quoted" else token.text.removesuffix("*")
    words = text.split()
    if not words:
        raise ExpressionError(
            "nothing to look for", "write a word in front of `*` or between the quotes", token.position
        )
    if token.kind == "word" and "*" in text:
        raise ExpressionError(
            f"`*` in the middle of `{token.text}`", "put it at the end, as in charge*, or quote it", token.position
        )
    return words


def _no_operand(token: _Token) -> ExpressionError:
    if token.kind == "operator":
        return ExpressionError(
            f"`{token.text}` needs words on both sides",
            f'add them, or quote it where it is a word: "{token.text}"',
            token.position,
        )
    what = "empty parentheses" if token.kind == ")" else "the entry ends where words should follow"
    return ExpressionError(what, "add the missing words", token.position)


def _no_operator(token: _Token) -> ExpressionError:
    return ExpressionError(
        f"nothing joins `{token.text}` to what stands before it", "write AND, OR or NEAR/4 between", token.position
    )


def _holds_something(node: Node) -> bool:
    """Whether the expression demands some text to be there."""
    match node:
        case Not():
            return False
        case And(parts):
            return any(map(_holds_something, parts))
        case Or(parts):
            return all(map(_holds_something, parts))
        case _:
            return True


def _has_place(node: Node) -> bool:
    """Whether a match of it has one place in the text, from which a distance can be told."""
    if isinstance(node, Or):
        return all(map(_has_place, node.parts))
    return isinstance(node, (Phrase, Near))
