"""Text to SymPy by a whitelist: what is not in the grammar below is refused, at its spot.

No text is ever executed: there is no eval, exec, sympify, parse_expr or lambdify here. A tokenizer
and a precedence-climbing parser give a `Tree` with offsets; `build` turns it into SymPy values with
the literal conditions under which the text, as written, is defined and differentiable.

    sum      product (("+" | "-") product)*
    product  unary (("*" | "/" | "@") unary)*
    unary    ("+" | "-") unary | power
    power    postfix (("**" | "^") unary)?
    postfix  atom ".T"? ("[" integers "]")? ("²" | "³")?
    atom     number | name | name "(" arguments ")" | "(" sum ")" | "[" entries "]"

Every size is bounded (the MAX_ constants), so that the worst text of 10,000 characters ends soon.
"""

from __future__ import annotations

import difflib
import itertools
import keyword
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, NoReturn, TypeAlias

import sympy as sp

from chainrule.errors import ChainruleError, ShapeError, TextError, UsageError

MAX_LENGTH = 10_000  # characters in a text
MAX_TOKENS = 2_000  # numbers, names, operators and brackets in a text
MAX_DEPTH = 64  # brackets, signs and powers inside each other
MAX_NAME = 40  # characters in a name
MAX_DIGITS = 60  # digits in a number as written
MAX_SCALE = 400  # decimal exponent of a number as written, either sign
MAX_BITS = 4_096  # bits of any exact number; powers of two of any constant, either sign
MAX_POWER = 1_000  # numeric exponent, either sign
MAX_ARGUMENTS = 16  # arguments of one function
MAX_SIZE = 20_000  # nodes of a value, all entries together
MAX_DECIDED = 150  # nodes of a condition that SymPy is asked to decide; larger ones stay
MAX_DECIDED_DEPTH = 16  # and how deep such a condition is nested
MAX_COMPARED = 20  # nodes of the arguments of max and min that SymPy is asked to compare
MAX_CONSTANT_DEPTH = 10  # how deep a constant such as sqrt(1 + exp(2)) is nested
MAX_CONSTANT = 10**6  # magnitude of a constant that a function is taken of (gamma: 400)

Value: TypeAlias = sp.Expr | sp.ImmutableDenseMatrix
Kind = Literal["number", "name", "call", "unary", "binary", "index", "list"]


@dataclass(frozen=True)
class Tree:
    """A syntax tree; `start` and `stop` are offsets into the text.

    text : the number, the name, the function called, or the sign (`.T` for a transpose).
    ops : of a chain a + b - c, which is one tree, each operator with its offset.
    """

    kind: Kind
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


@dataclass(frozen=True)
class Built:
    """The value of a text, and the conditions under which it is defined and differentiable."""

    value: Value
    conditions: tuple[sp.Basic, ...]


# ── the table of functions ────────────────────────────────────────────────────────────────────────


class _Refusal(Exception):
    """A reason, raised where the spot in the text is not known."""


class Need(NamedTuple):
    """A condition `relation(left, right)`.

    edge : where the function has a value at equality, but no derivative: how to say it.
    """

    relation: Any
    left: Any
    right: Any = 0
    edge: str = ""
    why: str = "is not a real number"


_EDGE = "its argument is always {}"


def _above(bound: int, edge: str = "") -> Callable[[Any], list[Need]]:
    return lambda a: [Need(sp.Gt, a, bound, edge)]


def _within(edge: str) -> Callable[[Any], list[Need]]:
    return lambda a: [Need(sp.Gt, a, -1, edge), Need(sp.Lt, a, 1, edge)]


def _kink(a: Any) -> list[Need]:
    return [Need(sp.Ne, a, 0, _EDGE)]


def _apart(*args: Any) -> list[Need]:
    pairs = itertools.combinations(args, 2)
    edge = "two of its arguments are always equal"
    return [Need(sp.Ne, sp.Add(a, sp.Mul(-1, b)), 0, edge) for a, b in pairs]


def _gamma_needs(a: Any) -> list[Need]:
    return [Need(sp.Gt, a, why="is read for arguments > 0 only")]


def _power_needs(a: Any, b: Any) -> list[Need]:
    if b.is_Integer:
        return [Need(sp.Ne, a)] if b < 0 else []
    return (
        [] if a == sp.E else [Need(sp.Gt, a, 0, "its base is always {}" if b.is_positive else "")]
    )


def _squares(v: Any) -> Any:
    return sp.Add(*[sp.Pow(a, 2) for a in v.flat()])


def _exp(a: Any) -> Any:
    # SymPy turns exp(c·log(b)) into b**c, and computes that if it can.
    _check_exponent(sp.E, a)
    return sp.exp(a)


def _pow(a: Any, b: Any) -> Any:
    _check_exponent(a, b)
    return sp.Pow(a, b)


def _check_exponent(base: Any, exponent: Any) -> None:
    digits = int(MAX_BITS * 0.30103)
    if base.is_Rational and exponent.is_Rational and abs(base) not in (0, 1):
        bits = max(abs(base.p).bit_length(), base.q.bit_length()) - 1
        if bits * abs(exponent) > MAX_BITS:
            raise _Refusal(f"has more than {digits:,} digits, the limit for a number")
    for term in sp.Add.make_args(exponent):
        factor = term if term.is_Rational else term.as_coeff_Mul()[0]
        risky = base != sp.E if term.is_Rational else term.has(sp.log)
        if risky and abs(factor) > MAX_POWER:
            shown = factor if factor.is_Integer and abs(factor) < 10**15 else f"{float_of(factor)}"
            raise _Refusal(f"has the exponent {shown}; the limit is {MAX_POWER:,}")


def float_of(number: Any) -> str:
    """A short decimal form of a SymPy number, for messages."""
    return str(sp.Float(number, 3))


def _abs(a: Any) -> Any:
    # Where SymPy does not know that a is real (log(x)), it would write conjugates.
    return sp.Abs(a) if a.is_extended_real else sp.Abs(a, evaluate=False)


def _extreme(kind: Any) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        nodes = itertools.chain(*map(sp.preorder_traversal, args))
        few = len(list(itertools.islice(nodes, MAX_COMPARED + 1))) <= MAX_COMPARED
        return kind(*args, evaluate=few)

    return make


def _cbrt(a: Any) -> Any:
    return sp.Mul(sp.sign(a), sp.Pow(_abs(a), sp.Rational(1, 3)))


def _atan2(y: Any, x: Any) -> Any:
    value = sp.atan2(y, x)
    return sp.atan2(y, x, evaluate=False) if value.has(sp.I) else value


@dataclass(frozen=True)
class Function:
    """A row of the table: how many arguments, the value, the conditions.

    limit : magnitude of a constant argument, where SymPy's own evaluation would not end.
    whole : takes vectors and matrices whole; other functions take them entry by entry.
    """

    least: int
    most: int
    make: Callable[..., Any]
    needs: Callable[..., list[Need]] = lambda *args: []
    limit: int | None = MAX_CONSTANT
    whole: bool = False


_LOG = Function(1, 1, sp.log, _above(0), None)
_ASIN = Function(1, 1, sp.asin, _within(_EDGE))
_ACOS = Function(1, 1, sp.acos, _within(_EDGE))
_ATAN = Function(1, 1, sp.atan)
_ATAN2 = Function(
    2, 2, _atan2, lambda y, x: [Need(sp.Gt, sp.Add(sp.Pow(x, 2), sp.Pow(y, 2)))], None
)
_MAX = Function(2, MAX_ARGUMENTS, _extreme(sp.Max), _apart, None)
_MIN = Function(2, MAX_ARGUMENTS, _extreme(sp.Min), _apart, None)
_STEP = Function(1, 1, sp.Heaviside, _kink, None)
_SIGMOID = Function(1, 1, lambda a: sp.Pow(sp.Add(1, _exp(sp.Mul(-1, a))), -1))
_LGAMMA = Function(1, 1, sp.loggamma, _gamma_needs, 400)

FUNCTIONS: Mapping[str, Function] = {
    "sin": Function(1, 1, sp.sin),
    "cos": Function(1, 1, sp.cos),
    "tan": Function(1, 1, sp.tan, lambda a: [Need(sp.Ne, sp.cos(a))]),
    "cot": Function(1, 1, sp.cot, lambda a: [Need(sp.Ne, sp.sin(a))]),
    "sec": Function(1, 1, sp.sec, lambda a: [Need(sp.Ne, sp.cos(a))]),
    "csc": Function(1, 1, sp.csc, lambda a: [Need(sp.Ne, sp.sin(a))]),
    "asin": _ASIN,
    "arcsin": _ASIN,
    "acos": _ACOS,
    "arccos": _ACOS,
    "atan": _ATAN,
    "arctan": _ATAN,
    "atan2": _ATAN2,
    "arctan2": _ATAN2,
    "sinh": Function(1, 1, sp.sinh),
    "cosh": Function(1, 1, sp.cosh),
    "tanh": Function(1, 1, sp.tanh),
    "asinh": Function(1, 1, sp.asinh),
    "acosh": Function(1, 1, sp.acosh, _above(1, _EDGE)),
    "atanh": Function(1, 1, sp.atanh, _within("")),
    "exp": Function(1, 1, _exp),
    "expm1": Function(1, 1, lambda a: sp.Add(_exp(a), -1)),
    "log": _LOG,
    "ln": _LOG,
    "log1p": Function(1, 1, lambda a: sp.log(sp.Add(1, a)), _above(-1), None),
    "log2": Function(1, 1, lambda a: sp.log(a, 2), _above(0), None),
    "log10": Function(1, 1, lambda a: sp.log(a, 10), _above(0), None),
    "sqrt": Function(1, 1, lambda a: sp.Pow(a, sp.S.Half), _above(0, _EDGE), None),
    "cbrt": Function(1, 1, _cbrt, _kink, None),
    "pow": Function(2, 2, _pow, _power_needs, None),
    "abs": Function(1, 1, _abs, _kink, None),
    "sign": Function(1, 1, sp.sign, _kink, None),
    "heaviside": _STEP,
    "step": _STEP,
    "relu": Function(1, 1, lambda a: _extreme(sp.Max)(a, sp.S.Zero), _kink, None),
    "max": _MAX,
    "maximum": _MAX,
    "min": _MIN,
    "minimum": _MIN,
    "sigmoid": _SIGMOID,
    "sigma": _SIGMOID,
    "logistic": _SIGMOID,
    "softplus": Function(1, 1, lambda a: sp.log(sp.Add(1, _exp(a)))),
    "erf": Function(1, 1, sp.erf),
    "erfc": Function(1, 1, sp.erfc),
    "gamma": Function(1, 1, sp.gamma, _gamma_needs, 400),
    "lgamma": _LGAMMA,
    "loggamma": _LGAMMA,
    "digamma": Function(1, 1, sp.digamma, _gamma_needs, 400),
    "sum": Function(1, 1, lambda v: sp.Add(*v.flat()), whole=True),
    "mean": Function(1, 1, lambda v: sp.Mul(sp.Rational(1, len(v)), sp.Add(*v.flat())), whole=True),
    "norm": Function(
        1,
        1,
        lambda v: sp.Pow(_squares(v), sp.S.Half),
        lambda v: [Need(sp.Gt, _squares(v), 0, "its vector is always {}")],
        whole=True,
    ),
    "dot": Function(
        2,
        2,
        lambda u, v: sp.Add(*map(sp.Mul, u.flat(), v.flat())),
        whole=True,
    ),
    "transpose": Function(1, 1, lambda m: m.T, whole=True),
}

_UNDEFINED = Function(1, MAX_ARGUMENTS, sp.Function)
CONSTANTS: Mapping[str, Any] = {"pi": sp.pi, "E": sp.E}

# λ is `lamda`, as in SymPy: the other spelling is a word of Python.
GREEK: Mapping[str, str] = dict(
    zip(
        "αβγδεζηθικλμνξοπρστυφχψω" + "ΓΔΘΛΞΠΣΦΨΩ" + "ςϑϕϵϱµ",
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lamda mu nu xi omicron pi rho"
            " sigma tau upsilon phi chi psi omega Gamma Delta Theta Lamda Xi Pi Sigma Phi Psi Omega"
            " sigma theta phi epsilon rho mu"
        ).split(),
        strict=True,
    )
)

# ── reading ───────────────────────────────────────────────────────────────────────────────────────

_LETTER = "A-Za-z_" + "".join(GREEK)
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>[{_LETTER}][0-9{_LETTER}]*)"
    r"|(?P<bad>//|:=|<=|>=|!=|->|<<|>>|&&|\|\|)"
    r"|(?P<op>\*\*|==|[-+*/@^(),.=\[\]·×−²³])"
)
_SAME = {"·": "*", "×": "*", "−": "-", "^": "**"}
_SUPERSCRIPTS = {"²": "2", "³": "3"}
_LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 4}
_SIGN = 3  # binds tighter than a product, looser than a power
_TOO_DEEP = "this is nested too deep; name a part of it and use the name"
_CLOSER = {"(": ")", "[": "]"}


class _Token(NamedTuple):
    kind: str  # number, name, op or end
    text: str
    start: int
    stop: int


def _near(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _snippet(text: str, start: int, stop: int) -> str:
    return text[start:stop] if stop - start <= 40 else f"{text[start : start + 39]}…"


def _tokens(text: str, name: str | None) -> list[_Token]:
    """The tokens of a text, ending with one of the kind `end`."""
    if not isinstance(text, str):
        raise UsageError(f"a formula is a text, not {type(text).__name__}; write it as a str")
    if len(text) > MAX_LENGTH:
        message = f"the text has {len(text):,} characters; the limit is {MAX_LENGTH:,}"
        raise TextError(message, text, MAX_LENGTH, name=name)
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        kind = match.lastgroup if match else "bad"
        word = match.group() if match else text[at]
        stop = at + len(word)
        trouble = ""
        if kind == "bad":
            after = tokens and tokens[-1].stop == at and (tokens[-1].kind == "name")
            if word in ("'", "′", "’") and after:
                shown = tokens[-1].text
                trouble = f"{shown}{word} is not read; give a derivative a name, such as d{shown}"
            else:
                trouble = f"{_shown(word)} is not part of a formula"
        elif kind == "number":
            trouble = _number_trouble(word)
        elif kind == "name":
            if keyword.iskeyword(word):
                trouble = f"'{word}' is not part of a formula"
            elif word.startswith("_"):
                trouble = f"'{_snippet(word, 0, len(word))}' begins with an underscore; no name may"
            word = "".join(GREEK.get(c, c) for c in word)
            if len(word) > MAX_NAME:
                trouble = f"a name of {len(word):,} characters; the limit is {MAX_NAME}"
        if trouble:
            raise TextError(trouble, text, at, stop - at, name)
        if kind and kind != "space":
            tokens.append(_Token(kind, _SAME.get(word, word), at, stop))
        at = stop
    if len(tokens) > MAX_TOKENS:
        message = f"the text has {len(tokens):,} symbols; the limit is {MAX_TOKENS:,}"
        raise TextError(message, text, tokens[MAX_TOKENS].start, name=name)
    return [*tokens, _Token("end", "", len(text), len(text))]


def _shown(word: str) -> str:
    if word.isascii() and word.isprintable():
        return f"'{word}'"
    return f"U+{ord(word):04X} {unicodedata.name(word, '')}".rstrip()


def _number_trouble(word: str) -> str:
    mantissa, _, exponent = word.lower().partition("e")
    digits = len(mantissa.replace(".", ""))
    scale = exponent.lstrip("+-0")
    if digits > MAX_DIGITS:
        return f"a number of {digits:,} digits; the limit is {MAX_DIGITS}"
    if len(scale) > 3 or int(scale or 0) > MAX_SCALE:
        shown = _snippet(exponent, 0, len(exponent))
        return f"the decimal exponent {shown}; the limit is ±{MAX_SCALE}"
    return ""


class _Parser:
    def __init__(self, text: str, tokens: Sequence[_Token], at: int, name: str | None) -> None:
        self.text, self.tokens, self.at, self.name = text, tokens, at, name
        self.depth = 0
        self.names: dict[str, None] = {}
        self.calls: dict[str, None] = {}

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def fail(self, message: str, token: _Token) -> NoReturn:
        raise TextError(message, self.text, token.start, token.stop - token.start, self.name)

    def take(self) -> _Token:
        token = self.token
        self.at += 1
        return token

    @contextmanager
    def inside(self, token: _Token) -> Iterator[None]:
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
            self.fail(_TOO_DEEP, self.token)
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
            if level == 4:
                op = self.take()
                ops.append((op.text, op.start))
                with self.inside(op):
                    parts.append(self.expression(_SIGN))
            else:
                while _LEVEL.get(self.token.text) == level:
                    op = self.take()
                    ops.append((op.text, op.start))
                    parts.append(self.expression(level + 1))
            start, stop = left.start, parts[-1].stop
            left = Tree("binary", "", start, stop, tuple(parts), tuple(ops))
        if self.token.kind in ("number", "name") or self.token.text in ("(", "["):
            self.side_by_side(left)
        return left

    def side_by_side(self, left: Tree) -> NoReturn:
        token = self.token
        before = ["", "", "", *(t.text for t in self.tokens[: self.at])][-3:]
        if before[2] in FUNCTIONS:
            self.fail(f"{before[2]} needs parentheses; write {before[2]}({token.text})", token)
        if before[0] in FUNCTIONS and before[1] == "**":
            self.fail(f"write {before[0]}(…)**{before[2]} for a power of {before[0]}", token)
        if before[1] in FUNCTIONS and before[2] in _SUPERSCRIPTS:
            self.fail(f"write {before[1]}(…){before[2]} for a power of {before[1]}", token)
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
        if token.kind == "name":
            if self.token.text == "(":
                self.calls.setdefault(token.text)
                parts, stop = self.several(self.take(), token.text)
                return Tree("call", token.text, token.start, stop, parts)
            self.names.setdefault(token.text)
            return Tree("name", token.text, token.start, token.stop)
        if token.text == "[":
            parts, stop = self.several(token, "a list")
            return Tree("list", "", token.start, stop, parts)
        if token.text == "(":
            parts, stop = self.several(token, "")
            if len(parts) > 1:
                comma = next(t for t in self.tokens if t.text == "," and t.start >= parts[0].stop)
                self.fail("a comma in parentheses; write [a, b] for a vector", comma)
            inner = parts[0]
            return Tree(inner.kind, inner.text, token.start, stop, inner.parts, inner.ops)
        if token.kind == "end":
            last = self.tokens[self.at - 2].text if self.at > 1 else ""
            self.fail(f"the formula ends here, after '{last}'; something is missing", token)
        if token.text in ("=", "=="):
            self.fail(f"'{token.text}' is not part of a formula", token)
        if token.text in (")", "]"):
            self.fail(f"something is missing before '{token.text}'", token)
        self.fail(f"'{token.text}' needs something on its left", token)

    def several(self, opened: _Token, what: str) -> tuple[tuple[Tree, ...], int]:
        """What stands between brackets, separated by commas; and where the bracket closes."""
        closer = _CLOSER[opened.text]
        parts: list[Tree] = []
        with self.inside(opened):
            if self.token.text == closer:
                inside = f"{what} has nothing in it" if what else "nothing stands in parentheses"
                self.fail(f"{inside}; write something inside", opened)
            while True:
                if self.token.kind == "end":
                    self.fail(f"this '{opened.text}' is never closed; write '{closer}'", opened)
                parts.append(self.expression(1))
                if self.token.text != ",":
                    break
                self.at += 1
        if self.token.kind == "end":
            self.fail(f"this '{opened.text}' is never closed; write '{closer}'", opened)
        if self.token.text in (")", "]") and self.token.text != closer:
            self.fail(f"this '{opened.text}' meets a '{self.token.text}'; write '{closer}'", opened)
        if self.token.text != closer:
            self.fail(f"'{self.token.text}' is not part of a formula", self.token)
        return tuple(parts), self.take().stop

    def postfix(self, tree: Tree) -> Tree:
        if self.token.text == ".":
            dot, word = self.take(), self.take()
            if word.text != "T" or word.start != dot.stop:
                spot = _Token("op", "", dot.start, max(word.stop, dot.stop))
                shown = f".{word.text}"
                self.fail(f"'{shown}' is not part of a formula; the only one is .T", spot)
            tree = Tree("unary", ".T", tree.start, word.stop, (tree,))
        if self.token.text == "[":
            opened = self.token
            parts, stop = self.several(self.take(), "an index")
            for part in parts:
                if part.kind != "number" or not part.text.isdigit():
                    spot = _Token("op", "", part.start, part.stop)
                    self.fail("an index is a whole number, counted from 0", spot)
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

    text : a formula in the grammar of this room.
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
    return _Parser(text, _tokens(text, name), 0, name).formula()


def read_definition(text: str) -> tuple[str, Source]:
    """Reads `f = …` or `f(x, y) = …`: the name, and the right side, offsets into the whole text.

    Arguments that are listed must be names used on the right side.
    returns : the name and a `Source`. raises : `TextError`, which shows the spot.

    >>> name, source = read_definition("f(x, y) = x*sin(y)")
    >>> name, source.names
    ('f', ('x', 'y'))
    """
    tokens = _tokens(text, None)
    name = tokens[0].text if tokens[0].kind == "name" else None

    def fail(message: str, token: _Token) -> NoReturn:
        raise TextError(message, text, token.start, token.stop - token.start, name)

    signs = [k for k, token in enumerate(tokens) if token.text in ("=", "==")]
    for k in signs:
        if tokens[k].text == "==":
            fail("'==' compares; a definition is written with one '='", tokens[k])
    if tokens[0].kind == "end":
        fail("the text is empty; write a definition, such as f = sin(x)", tokens[0])
    if not signs:
        fail("a definition needs '='; write f = …", tokens[-1])
    if len(signs) > 1:
        fail("a second '='; one text is one definition", tokens[signs[1]])
    left = tokens[: signs[0]]
    if name is None:
        fail("a definition begins with its name, as in f = … or f(x, y) = …", tokens[0])
    listed = left[2:-1:2]
    commas = [t.text for t in left[3:-1:2]]
    shape = len(left) == 1 or (
        len(left) >= 4
        and len(left) % 2 == 0
        and (left[1].text, left[-1].text) == ("(", ")")
        and all(t.kind == "name" for t in listed)
        and all(c == "," for c in commas)
    )
    if not shape:
        fail("on the left of '=' stands f or f(x, y), plain names only", left[1])
    source = _Parser(text, tokens, signs[0] + 1, name).formula()
    for k, token in enumerate(listed):
        if token.text in {t.text for t in listed[:k]}:
            fail(f"the argument {token.text} is listed twice", token)
        if token.text not in source.names:
            fail(f"the argument {token.text} is not used on the right side; take it out", token)
    return name, source


# ── building ──────────────────────────────────────────────────────────────────────────────────────

_UNREAL = (sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I)


def _is_matrix(value: Any) -> bool:
    return isinstance(value, sp.MatrixBase)


def _entries(value: Any) -> list[Any]:
    return list(value.flat()) if _is_matrix(value) else [value]


def _matrix(shape: tuple[int, int], entries: Sequence[Any]) -> Value:
    return sp.ImmutableDenseMatrix(*shape, list(entries))


def _size(shape: tuple[int, int]) -> str:
    return f"({shape[0]}×{shape[1]})"


class _Builder:
    def __init__(
        self,
        source: Source,
        scope: Mapping[str, Value],
        undefined: Collection[str],
        name: str | None,
        free: bool,
    ) -> None:
        self.source, self.scope, self.undefined = source, scope, undefined
        self.name, self.free = name, free
        self.conditions: dict[Any, None] = {}
        self.sizes: dict[Any, int] = {}
        self.depths: dict[Any, int] = {}
        self.floats: dict[Any, Any] = {}  # of constants, roughly: for magnitudes, never for truth

    def error(self, message: str, start: int, stop: int) -> TextError:
        return TextError(message, self.source.text, start, stop - start, self.name)

    def fail(self, message: str, tree: Tree) -> NoReturn:
        raise self.error(message, tree.start, tree.stop)

    def shapes(self, message: str, spot: int, length: int = 1) -> NoReturn:
        raise ShapeError(str(self.error(message, spot, spot + length)))

    def shown(self, tree: Tree) -> str:
        return _snippet(self.source.text, tree.start, tree.stop)

    def value(self, tree: Tree) -> Any:
        try:
            value = getattr(self, f"of_{tree.kind}")(tree)
            self.audit(value)
            return value
        except _Refusal as refusal:
            self.fail(f"{self.shown(tree)} {refusal}", tree)
        except (TypeError, ValueError, ArithmeticError, NotImplementedError) as error:
            if isinstance(error, ChainruleError):
                raise
            self.fail(f"{self.shown(tree)} cannot be built by SymPy ({error})", tree)

    def audit(self, value: Any) -> None:
        """Holds a value to the limits, each of its nodes once."""
        stack = _entries(value)
        while stack:
            node = stack[-1]
            todo = [arg for arg in node.args if arg not in self.sizes]
            if node in self.sizes or not todo:
                stack.pop()
                if node not in self.sizes:
                    self.inspect(node)
                    self.sizes[node] = 1 + sum(self.sizes[arg] for arg in node.args)
            else:
                stack.extend(todo)
        size = sum(self.sizes[entry] for entry in _entries(value))
        if size > MAX_SIZE:
            shown = f"{size:,}" if size < 10**15 else "more than 10**15"
            raise _Refusal(f"grows to {shown} symbols; the limit is {MAX_SIZE:,}")

    def inspect(self, node: Any) -> None:
        if node in _UNREAL:
            raise _Refusal("is not a real number")
        if node.is_Rational and max(abs(node.p).bit_length(), node.q.bit_length()) > MAX_BITS:
            digits = int(MAX_BITS * 0.30103)
            raise _Refusal(f"has more than {digits:,} digits, the limit for a number")
        if node.is_Pow and node.exp.is_Rational and abs(node.exp) > MAX_POWER and node.base != sp.E:
            shown = float_of(node.exp)
            raise _Refusal(f"has the exponent {shown}; the limit is {MAX_POWER:,}")
        self.depths[node] = depth = 1 + max((self.depths[arg] for arg in node.args), default=0)
        self.floats[node] = rough = self.rough(node)
        if rough is not None and depth > MAX_CONSTANT_DEPTH:  # SymPy evaluates such without end
            limit = f"the limit is {MAX_CONSTANT_DEPTH}; name a part of it"
            raise _Refusal(f"is a constant nested {depth} deep; {limit}")
        if rough is not None and rough != 0:
            magnitude = rough._mpf_[2] + rough._mpf_[3]
            if abs(magnitude) > MAX_BITS:
                limit = f"the limit for a constant is 2**±{MAX_BITS:,}"
                raise _Refusal(f"is about 2**{magnitude}; {limit}")

    def rough(self, node: Any) -> Any:
        if node.is_Rational or isinstance(node, sp.NumberSymbol):
            return sp.Float(node, 20)
        floats = [self.floats[arg] for arg in node.args]
        if not floats or any(number is None for number in floats):
            return None
        value = node.func(*floats)
        if value.is_Rational:
            value = sp.Float(value, 20)
        return value if value.is_Float and value.is_finite else None

    def varies(self, tree: Tree) -> bool:
        if tree.kind == "name":
            return tree.text in self.scope or tree.text not in CONSTANTS
        if tree.kind == "call" and tree.text in self.undefined:
            return True
        return any(self.varies(part) for part in tree.parts)

    def require(self, need: Need, tree: Tree) -> None:
        """Records a condition, unless SymPy knows it to hold; refuses one that never holds."""
        left, right = need.left, sp.Integer(need.right)
        self.audit(left)
        decide = self.sizes[left] <= MAX_DECIDED and self.depths[left] <= MAX_DECIDED_DEPTH
        condition = need.relation(left, right, evaluate=decide)
        if condition == sp.true:
            return
        if condition != sp.false:
            self.conditions.setdefault(condition)
            return
        met = sp.Add(left, -right).is_zero is True or need.relation is sp.Ne
        if not met:
            raise _Refusal(need.why)
        if not need.edge:
            self.fail(f"division by zero: {self.shown(tree)}", tree)
        if self.varies(tree):
            raise _Refusal(f"has no derivative: {need.edge.format(right)}")

    def spread(
        self, values: Sequence[Any], ops: Sequence[tuple[str, int]]
    ) -> tuple[tuple[int, int] | None, list[tuple[Any, ...]]]:
        """The common shape, and for each entry its operands; scalars go with every entry."""
        shape: tuple[int, int] | None = None
        for k, value in enumerate(values):
            if not _is_matrix(value) or value.shape == shape:
                continue
            if shape is not None:
                op, spot = ops[k - 1]
                message = (
                    f"{_size(shape)} {op} {_size(value.shape)}: entry by entry needs equal shapes"
                )
                if op == "*" and shape[1] == value.shape[0]:
                    message += "; write @ for the matrix product"
                self.shapes(message, spot, len(op))
            shape = value.shape
        if shape is None:
            return None, [tuple(values)]
        count = shape[0] * shape[1]
        columns = [_entries(v) if _is_matrix(v) else [v] * count for v in values]
        return shape, list(zip(*columns, strict=True))

    def apply(self, function: Function, values: Sequence[Any], tree: Tree, word: str) -> Any:
        """A row of the table, entry by entry: the conditions first, then the value."""
        spots = [(word, part.start) for part in tree.parts[1:]]
        if tree.ops:
            spots = list(tree.ops)
        shape, rows = self.spread(values, spots)
        results = []
        for row in rows:
            self.constants(function, row, word)
            for need in function.needs(*row):
                self.require(need, tree)
            results.append(function.make(*row))
        return results[0] if shape is None else _matrix(shape, results)

    def constants(self, function: Function, row: Sequence[Any], word: str) -> None:
        for argument in row:
            rough = self.floats.get(argument)
            if function.limit is not None and rough is not None and abs(rough) > function.limit:
                shown = f"about {float_of(rough)}; the limit is {function.limit:,}"
                raise _Refusal(f"takes {word} of a constant of {shown}")

    def of_number(self, tree: Tree) -> Any:
        mantissa, _, exponent = tree.text.lower().partition("e")
        whole, _, part = mantissa.partition(".")
        scale = int(exponent or 0) - len(part)
        digits = int(whole + part)
        return sp.Integer(digits * 10**scale) if scale >= 0 else sp.Rational(digits, 10**-scale)

    def of_name(self, tree: Tree) -> Any:
        name = tree.text
        if name in self.scope:
            value = self.scope[name]
            if _is_matrix(value):
                return sp.ImmutableDenseMatrix(value)
            if not isinstance(value, sp.Expr):
                raise UsageError(f"{name} is {type(value).__name__}; give a SymPy value")
            return value
        if name in self.undefined:
            self.fail(f"{name} is a function; write {name}(…)", tree)
        if name in CONSTANTS:
            return CONSTANTS[name]
        if self.free:
            return sp.Symbol(name, real=True)
        if name in FUNCTIONS:
            self.fail(f"{name} is a function; write {name}(…)", tree)
        if name == "e":
            self.fail("unknown name 'e'; Euler's number is written E or exp(1)", tree)
        if name in ("i", "j", "I"):
            self.fail(f"unknown name '{name}'; formulas are real, without an imaginary unit", tree)
        raw = self.source.text[tree.start : tree.stop].strip("() \t\r\n")
        shown = f"'{name}'" if raw == name else f"'{raw}' ({name})"
        known = sorted(self.scope)
        listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        near = _near(name, known)
        tail = f"{near or ';'} known names: {listed}" if known else "; there are no names here"
        self.fail(f"unknown name {shown}{tail}", tree)

    def of_unary(self, tree: Tree) -> Any:
        value = self.value(tree.parts[0])
        if tree.text == ".T":
            if not _is_matrix(value):
                self.fail(f"{self.shown(tree.parts[0])} is a scalar; .T is for matrices", tree)
            return value.T
        if tree.text == "+":
            return value
        shape, rows = self.spread([value], [])
        results = [sp.Mul(-1, entry) for (entry,) in rows]
        return results[0] if shape is None else _matrix(shape, results)

    def of_binary(self, tree: Tree) -> Any:
        values = [self.value(tree.parts[0])]
        if tree.ops[0][0] == "**":
            values.append(self.value(tree.parts[1]))
            return self.apply(FUNCTIONS["pow"], values, tree, "**")
        ops: list[tuple[str, int]] = []
        for (op, spot), part in zip(tree.ops, tree.parts[1:], strict=True):
            value = self.value(part)
            if op == "@":
                values = [self.product(self.chain(values, ops), value, spot)]
                ops = []
                continue
            if op == "/":
                for entry in _entries(value):
                    self.divisor(entry, part)
            values.append(value)
            ops.append((op, spot))
        return self.chain(values, ops)

    def divisor(self, entry: Any, part: Tree) -> None:
        try:
            self.require(Need(sp.Ne, entry), part)
        except _Refusal as refusal:
            self.fail(f"{self.shown(part)} {refusal}", part)

    def chain(self, values: Sequence[Any], ops: Sequence[tuple[str, int]]) -> Any:
        """a + b - c, or a * b / c, as one sum or product."""
        if not ops:
            return values[0]
        shape, rows = self.spread(values, ops)
        signs = ["", *(op for op, _ in ops)]
        results = []
        for row in rows:
            if signs[1] in "+-":
                terms = [sp.Mul(-1, v) if s == "-" else v for s, v in zip(signs, row, strict=True)]
                results.append(sp.Add(*terms))
            else:
                terms = [sp.Pow(v, -1) if s == "/" else v for s, v in zip(signs, row, strict=True)]
                results.append(sp.Mul(*terms))
        return results[0] if shape is None else _matrix(shape, results)

    def product(self, left: Any, right: Any, spot: int) -> Any:
        if not (_is_matrix(left) and _is_matrix(right)):
            raise self.error("@ is for two matrices; write * with a scalar", spot, spot + 1)
        (m, k), (other, n) = left.shape, right.shape
        if k != other and k == n == 1 and m == other:
            left, m, k = left.T, 1, m  # vector @ vector, as in NumPy
        if k != other:
            message = (
                f"{_size((m, k))} @ {_size((other, n))}: the inner sizes {k} and {other} differ"
            )
            self.shapes(message, spot)
        if m * k * n > MAX_SIZE:
            raise _Refusal(f"takes {m * k * n:,} products; the limit is {MAX_SIZE:,}")
        a, b = left.flat(), right.flat()
        entries = [
            sp.Add(*[sp.Mul(a[i * k + q], b[q * n + j]) for q in range(k)])
            for i in range(m)
            for j in range(n)
        ]
        value = entries[0] if m == n == 1 else _matrix((m, n), entries)
        self.audit(value)
        return value

    def of_index(self, tree: Tree) -> Any:
        value = self.value(tree.parts[0])
        indices = [int(part.text) for part in tree.parts[1:]]
        shown = self.shown(tree.parts[0])
        if not _is_matrix(value):
            self.fail(f"{shown} is a scalar, it has no entries", tree)
        rows, columns = value.shape
        if len(indices) == 1 and columns != 1:
            self.fail(f"{shown} is {_size(value.shape)}; write two indices, row and column", tree)
        row, column = indices[0], indices[1] if len(indices) == 2 else 0
        if row >= rows or column >= columns:
            message = "the index is out of it; the first is 0"
            self.fail(f"{shown} is {_size(value.shape)}; {message}", tree)
        return value[row, column]

    def of_list(self, tree: Tree) -> Any:
        nested = [part.kind == "list" for part in tree.parts]
        if any(nested) and not all(nested):
            self.fail("a list holds scalars, or rows that are all lists", tree)
        lines = [part.parts for part in tree.parts] if all(nested) else [(p,) for p in tree.parts]
        for part, line in zip(tree.parts, lines, strict=True):
            if len(line) != len(lines[0]):
                self.fail(f"a row of {len(line)} entries below one of {len(lines[0])}", part)
        entries = []
        for part in itertools.chain(*lines):
            value = self.value(part)
            if _is_matrix(value):
                self.fail(f"an entry of {_size(value.shape)}; entries are scalars", part)
            entries.append(value)
        return _matrix((len(lines), len(lines[0])), entries)

    def of_call(self, tree: Tree) -> Any:
        word = tree.text
        if word not in self.undefined:
            if word in self.scope:
                self.fail(f"{word} is a name, not a function; write {word}*(…)", tree)
            if word not in FUNCTIONS:
                near = _near(word, {*FUNCTIONS, *self.undefined})
                self.fail(f"unknown function '{word}'{near}", tree)
        function = _UNDEFINED if word in self.undefined else FUNCTIONS[word]
        count, least, most = len(tree.parts), function.least, function.most
        if not least <= count <= most:
            takes = f"{least} to {most} arguments" if least < most else f"{least} argument"
            plural = "s" if least == most > 1 else ""
            self.fail(f"{word} takes {takes}{plural}, not {count}", tree)
        values = [self.value(part) for part in tree.parts]
        for value, part in zip(values, tree.parts, strict=True):
            if word in self.undefined and _is_matrix(value):
                self.fail(f"{word} takes scalars; this is {_size(value.shape)}", part)
            if word not in self.undefined and function.whole and not _is_matrix(value):
                self.fail(f"{word} takes a vector or a matrix; this is a scalar", part)
        if word in self.undefined:
            return sp.Function(word, real=True)(*values)
        if not function.whole:
            return self.apply(function, values, tree, word)
        if count == 2 and values[0].shape != values[1].shape:
            sizes = f"{_size(values[0].shape)}, {_size(values[1].shape)}"
            self.shapes(f"{word} of {sizes}: it needs equal shapes", tree.start, len(word))
        for need in function.needs(*values):
            self.require(need, tree)
        return function.make(*values)


def build(
    source: Source,
    scope: Mapping[str, Value],
    *,
    undefined: Collection[str] = (),
    name: str | None = None,
    free: bool = False,
) -> Built:
    """The SymPy value of a text, and the conditions under which it is differentiable as written.

    scope : each known name with its value, a scalar or a matrix; a vector is n×1.
    undefined : names of undefined functions; they go before the table of functions.
    name : what the formula defines, for messages.
    free : whether an unknown name is a real symbol, and not an error.
    returns : a `Built`; a condition stays although what it guards cancels.
    raises : `TextError`, `ShapeError`, which show the spot.

    >>> built = build(read("x*y/x + sqrt(y)"), {}, free=True)
    >>> built.value
    sqrt(y) + y
    >>> built.conditions
    (Ne(x, 0), y > 0)
    """
    builder = _Builder(source, scope, undefined, name, free)
    try:
        value = builder.value(source.tree)
    except RecursionError:
        raise TextError(_TOO_DEEP, source.text, 0, name=name) from None
    return Built(value, tuple(builder.conditions))
