"""Text to a tree: a precedence-climbing parser over tokens. Computes nothing, calls no SymPy.

    sum      product (("+" | "-") product)*
    product  unary (("*" | "/" | "@") unary)*
    unary    ("+" | "-") unary | power
    power    postfix (("**" | "^") unary)?
    postfix  atom ".T"? ("[" integers "]")? ("²" | … | "⁹")?
    atom     number | "½" | name | name power? "(" arguments ")" | "(" sum ")" | "[" entries "]"
             | "|" sum "|" | "√" atom

A power between a name and its bracket is a whole number above 1, of sin, cos and their like.

What is not in this grammar is refused at its spot, with what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

from chainrule.errors import TextError
from chainrule.text.bounds import MAX_DEPTH
from chainrule.text.functions import FUNCTIONS
from chainrule.text.tokens import Token, tokens_of

TOO_DEEP = "this is nested too deep; name a part of it and use the name"
_LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 4}
_SIGN = 3  # binds tighter than a product, looser than a power
_SUPERSCRIPTS = dict(zip("²³⁴⁵⁶⁷⁸⁹", "23456789", strict=True))
_FRACTIONS = {"½": "12", "⅓": "13", "⅔": "23", "¼": "14", "¾": "34"}
# sin²(x) is (sin x)² in every book; of other functions it may be f(f(x)).
_POWERED = frozenset("sin cos tan cot sec csc sinh cosh tanh coth sech csch ln log".split())
_CLOSER = {"(": ")", "[": "]"}


@dataclass(frozen=True)
class Tree:
    """A syntax tree; `start` and `stop` are offsets into the text.

    text : the number, the name, the function called, or the sign (`.T` for a transpose).
    ops : of a chain a + b - c, which is one tree, each operator with its offset.
    """

    kind: Literal["number", "name", "call", "unary", "binary", "index", "list"]
    text: str
    start: int
    stop: int
    parts: tuple[Tree, ...] = ()
    ops: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Source:
    """A text that was read; `names` are those not called (pi, E too: a scope may define them)."""

    text: str
    tree: Tree
    names: tuple[str, ...]
    calls: tuple[str, ...]


class _Parser:
    def __init__(self, text: str, name: str | None) -> None:
        self.text, self.name, self.tokens = text, name, tokens_of(text, name)
        self.at = self.depth = self.bars = 0
        self.names: dict[str, None] = {}
        self.calls: dict[str, None] = {}

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def fail(self, message: str, spot: Token | Tree) -> NoReturn:
        raise TextError(message, self.text, spot.start, spot.stop - spot.start, self.name)

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    @contextmanager
    def inside(self, token: Token) -> Iterator[None]:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = f"nested {self.depth} deep here; the limit is {MAX_DEPTH}; name a part of it"
            self.fail(message, token)
        yield
        self.depth -= 1

    def formula(self) -> Source:
        if self.token.kind == "end":
            self.fail("the text is empty; write a formula, such as sin(x)*exp(y)", self.token)
        try:
            tree = self.expression(1)
        except RecursionError:  # only where the caller has used up most of the stack
            self.fail(TOO_DEEP, self.token)
        token = self.token
        if token.text in (")", "]"):
            self.fail(f"'{token.text}' closes nothing; take it out, or open it before", token)
        if token.text == ",":
            self.fail("',' stands only between arguments, indices and entries", token)
        if token.kind != "end":
            self.fail(f"'{token.text}' is not part of a formula", token)
        return Source(self.text, tree, tuple(self.names), tuple(self.calls))

    def expression(self, least: int) -> Tree:
        left = self.prefix()
        while (level := _LEVEL.get(self.token.text, 0)) >= least:
            parts, ops = [left], []
            while _LEVEL.get(self.token.text) == level:
                op = self.take()
                ops.append((op.text, op.start))
                with self.inside(op) if op.text == "**" else nullcontext():
                    parts.append(self.expression(_SIGN if op.text == "**" else level + 1))
            left = Tree("binary", "", left.start, parts[-1].stop, tuple(parts), tuple(ops))
        text = self.token.text
        opens = text in _CLOSER or text in _FRACTIONS or text == "√"
        if self.token.kind in ("number", "name") or opens or (text == "|" and not self.bars):
            self.side_by_side(left)
        return left

    def side_by_side(self, left: Tree) -> NoReturn:
        token = self.token
        first, second, third = ["", "", "", *(t.text for t in self.tokens[: self.at])][-3:]
        if third in FUNCTIONS:
            self.fail(f"{third} needs parentheses; write {third}({token.text})", token)
        if token.text == "|":
            self.fail("this '|' opens nothing here; |x| needs a sign before it, as in 2*|x|", token)
        if first in FUNCTIONS and second == "**":
            self.fail(f"write {first}(…)**{third} for a power of {first}", token)
        if second in FUNCTIONS and third in _SUPERSCRIPTS:
            self.fail(f"write {second}(…){third} for a power of {second}", token)
        shown = self.text[left.start : left.stop] if left.stop - left.start <= 20 else "…"
        right = f"{token.text}…{_CLOSER[token.text]}" if token.text in _CLOSER else token.text
        self.fail(f"a product needs its sign; write {shown}*{right}", token)

    def prefix(self) -> Tree:
        token = self.token
        if token.text in ("+", "-"):
            self.at += 1
            with self.inside(token):
                part = self.expression(_SIGN)
            return Tree("unary", token.text, token.start, part.stop, (part,))
        return self.postfix(self.atom())

    def atom(self) -> Tree:
        token = self.take()
        if token.kind == "number":
            return Tree("number", token.text, token.start, token.stop)
        if token.text in _FRACTIONS:
            top, bottom = (
                Tree("number", digit, token.start, token.stop) for digit in _FRACTIONS[token.text]
            )
            ops = (("/", token.start),)
            return Tree("binary", "", token.start, token.stop, (top, bottom), ops)
        if token.text == "|":
            return self.between_bars(token)
        if token.text == "√":
            return self.root(token)
        if token.kind == "name":
            if token.text in FUNCTIONS and self.token.text in ("**", *_SUPERSCRIPTS):
                power = self.power_of_function(token)
                if power is not None:
                    return power
            if self.token.text == "(":
                self.calls.setdefault(token.text)
                parts, stop = self.several(token.text)
                return Tree("call", token.text, token.start, stop, parts)
            self.names.setdefault(token.text)
            return Tree("name", token.text, token.start, token.stop)
        if token.text in _CLOSER:
            self.at -= 1
            parts, stop = self.several("a list" if token.text == "[" else "")
            if token.text == "[":
                return Tree("list", "", token.start, stop, parts)
            if len(parts) > 1:
                comma = next(t for t in self.tokens if t.text == "," and t.start >= parts[0].stop)
                self.fail("a comma in parentheses; write [a, b] for a vector", comma)
            return replace(parts[0], start=token.start, stop=stop)
        if token.kind == "end":
            last = self.tokens[self.at - 2].text if self.at > 1 else ""
            self.fail(f"the formula ends here, after '{last}'; something is missing", token)
        if token.text in ("=", "=="):
            self.fail(f"'{token.text}' is not part of a formula", token)
        if token.text in (")", "]"):
            self.fail(f"something is missing before '{token.text}'", token)
        self.fail(f"'{token.text}' needs something on its left", token)

    def between_bars(self, opened: Token) -> Tree:
        """|x|: a bar where something must begin opens, a bar where something has ended closes."""
        self.bars += 1
        with self.inside(opened):
            part = self.expression(1)
        if self.token.text != "|":
            self.fail("this '|' is never closed; write '|', or abs(…)", opened)
        self.bars -= 1
        self.calls.setdefault("abs")
        stop = self.take().stop
        return Tree("call", "abs", opened.start, stop, (part,), (("|", opened.start),))

    def root(self, sign: Token) -> Tree:
        """√ of the one thing behind it."""
        with self.inside(sign):
            if self.token.text in ("+", "-"):
                self.fail("√ takes what stands behind it; write √(…)", self.token)
            part = self.atom()
        if self.token.text in ("**", ".", "[", *_SUPERSCRIPTS):
            self.fail("what √ takes is not clear here; write √(…) or (√…) in parentheses", sign)
        self.calls.setdefault("sqrt")
        return Tree("call", "sqrt", sign.start, part.stop, (part,))

    def power_of_function(self, name: Token) -> Tree | None:
        """sin^2(x), sin²(x): the square of sin(x). The parser stands behind the name."""
        sign, then = self.token, self.tokens[self.at + 1 :]
        if sign.text in _SUPERSCRIPTS:
            number, width = sign._replace(kind="number", text=_SUPERSCRIPTS[sign.text]), 1
        elif then[0].text == "-":
            known = f"a{name.text}" if f"a{name.text}" in FUNCTIONS else "the inverse function"
            self.fail(
                f"{name.text}^-1 may be the inverse or the reciprocal; "
                f"write {known}(…) or 1/{name.text}(…)",
                sign,
            )
        else:
            number, width = then[0], 2
        follows = self.tokens[self.at + width].text if self.at + width < len(self.tokens) else ""
        whole = number.kind == "number" and number.text.isdigit() and int(number.text) > 1
        if name.text not in _POWERED or not whole or follows != "(":
            return None
        self.at += width
        self.calls.setdefault(name.text)
        parts, stop = self.several(name.text)
        call = Tree("call", name.text, name.start, stop, parts)
        exponent = Tree("number", number.text, number.start, number.stop)
        if self.token.text in ("**", *_SUPERSCRIPTS):
            self.fail("a power of a power; write (…) in parentheses", self.token)
        return Tree("binary", "", name.start, stop, (call, exponent), (("**", sign.start),))

    def several(self, what: str) -> tuple[tuple[Tree, ...], int]:
        """What stands between brackets, separated by commas; and where the bracket closes."""
        opened = self.take()
        closer = _CLOSER[opened.text]
        parts: list[Tree] = []
        bars, self.bars = self.bars, 0
        with self.inside(opened):
            if self.token.text == closer:
                inside = f"{what} has nothing in it" if what else "nothing stands in parentheses"
                self.fail(f"{inside}; write something inside", opened)
            more = True
            while more and self.token.kind != "end":
                parts.append(self.expression(1))
                more = self.token.text == ","
                self.at += more
        if self.token.kind == "end":
            self.fail(f"this '{opened.text}' is never closed; write '{closer}'", opened)
        if self.token.text in (")", "]") and self.token.text != closer:
            self.fail(f"this '{opened.text}' meets a '{self.token.text}'; write '{closer}'", opened)
        if self.token.text != closer:
            self.fail(f"'{self.token.text}' is not part of a formula", self.token)
        self.bars = bars
        return tuple(parts), self.take().stop

    def postfix(self, tree: Tree) -> Tree:
        if self.token.text == ".":
            dot, word = self.take(), self.take()
            if word.text != "T" or word.start != dot.stop:
                message = f"'.{word.text}' is not part of a formula; the only one is .T"
                self.fail(message, dot._replace(stop=word.stop))
            tree = Tree("unary", ".T", tree.start, word.stop, (tree,))
        if self.token.text == "[":
            opened = self.token
            parts, stop = self.several("an index")
            for part in parts:
                if part.kind != "number" or not part.text.isdigit():
                    self.fail("an index is a whole number, counted from 0", part)
            if len(parts) > 2:
                self.fail(f"{len(parts)} indices; there are one or two", opened)
            tree = Tree("index", "", tree.start, stop, (tree, *parts))
        if self.token.text in _SUPERSCRIPTS:
            sign = self.take()
            two = Tree("number", _SUPERSCRIPTS[sign.text], sign.start, sign.stop)
            tree = Tree("binary", "", tree.start, sign.stop, (tree, two), (("**", sign.start),))
            if self.token.text in ("**", *_SUPERSCRIPTS):
                self.fail(f"a power of a power; write (…{sign.text}) in parentheses", self.token)
        if self.token.text == ".":
            self.fail("'.T' stands once, before an index or a power; use parentheses", self.token)
        return tree


def read(text: str, *, name: str | None = None) -> Source:
    """Reads a formula; nothing is computed.

    text : a formula in the grammar of this file.
    name : what the formula defines, for messages.
    returns : a `Source`. raises : `TextError`, which shows the spot.

    >>> read("sin(x)*exp(y*z**2)").names
    ('x', 'y', 'z')
    >>> read("sin(x)*exp(y*z**2)").calls
    ('sin', 'exp')
    >>> print(read("2*(x + 1", name="f"))
    Traceback (most recent call last):
    chainrule.errors.TextError: f: this '(' is never closed; write ')'
      2*(x + 1
        ^
    """
    return _Parser(text, name).formula()


def read_definition(text: str) -> tuple[str, Source]:
    """Reads `f = …` or `f(x, y) = …`: the name, and the right side, offsets into the whole text.

    Arguments that are listed must be names used on the right side.
    returns : the name and a `Source`. raises : `TextError`, which shows the spot.

    >>> name, source = read_definition("f(x, y) = x*sin(y)")
    >>> name, source.names
    ('f', ('x', 'y'))
    """
    parser = _Parser(text, None)
    tokens, fail = parser.tokens, parser.fail
    first = tokens[0]
    if first.kind == "name":
        parser.name = first.text
    signs = [k for k, token in enumerate(tokens) if token.text in ("=", "==")]
    for k in signs:
        if tokens[k].text == "==":
            fail("'==' compares; a definition is written with one '='", tokens[k])
    if first.kind == "end":
        fail("the text is empty; write a definition, such as f = sin(x)", first)
    if not signs:
        fail("a definition needs '='; write f = …", tokens[-1])
    if len(signs) > 1:
        fail("a second '='; one text is one definition", tokens[signs[1]])
    if first.kind != "name":
        fail("a definition begins with its name, as in f = … or f(x, y) = …", first)
    left = tokens[: signs[0]]
    listed = left[2:-1:2]
    form = "".join("n" if t.kind == "name" else t.text for t in left)
    if not re.fullmatch(r"n(\(n(,n)*\))?", form):
        fail("on the left of '=' stands f or f(x, y), plain names only", left[1])
    parser.at = signs[0] + 1
    source = parser.formula()
    for k, token in enumerate(listed):
        if token.text in {t.text for t in listed[:k]}:
            fail(f"the argument {token.text} is listed twice", token)
        if token.text not in source.names:
            fail(f"the argument {token.text} is not used on the right side; take it out", token)
    return first.text, source
