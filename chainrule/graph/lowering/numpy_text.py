"""How names, numbers, sizes and slices are written in the NumPy code that we make.

All text that is ever compiled comes from here: identifiers that were checked, numbers, our own
operators. What a user wrote (a name, a key of a dictionary) enters as an identifier made from it,
or as a string literal by `repr`.
"""

from __future__ import annotations

import builtins
import itertools
import keyword
import linecache
import math
import re
import unicodedata
import weakref
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from types import CodeType, FunctionType
from typing import Any

from chainrule.errors import UsageError
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Node
from chainrule.graph.sizes import Shape, Size, product

#: How tightly text binds; a name, a call, a subscript most tightly.
ATOM, POWER, UNARY, PRODUCT, SUM, AND, COMPARE = 9, 8, 7, 6, 5, 4, 2

#: Functions that NumPy lacks, as a person would write them above their own.
HELPERS: Mapping[str, str] = {
    "expit": '''\
def expit(x):
    """1/(1 + exp(-x)), without overflow."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
''',
    "erf": '''\
def erf(x):
    """The error function, entry by entry."""
    return np.vectorize(math.erf, otypes=[float])(x)
''',
    "erfc": '''\
def erfc(x):
    """1 - erf(x), entry by entry."""
    return np.vectorize(math.erfc, otypes=[float])(x)
''',
    "lgamma": '''\
def lgamma(x):
    """log |gamma(x)|, entry by entry; infinite at the poles."""

    def entry(v):
        return math.inf if v <= 0 and v == math.floor(v) else math.lgamma(v)

    return np.vectorize(entry, otypes=[float])(x)
''',
    "polygamma": '''\
def polygamma(order, x):
    """That derivative of digamma: shifted upward, then the asymptotic series."""
    x = np.asarray(x, dtype=float)
    sign, factor = (-1) ** order, math.factorial(order)
    y = np.where(x > 0, x, 1 - x)
    total = np.zeros(x.shape)
    for _ in range(20 + order):
        total = total - sign * factor / y ** (order + 1)
        y = y + 1
    if order == 0:
        total = total + np.log(y) - 0.5 / y
    else:
        before = math.factorial(order - 1)
        total = total - sign * before * (1 + 0.5 * order / y) / y**order
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    for n, b in zip(range(2, 16, 2), bernoulli):
        factor = math.factorial(n + order - 1) / math.factorial(n)
        total = total - sign * b * factor / y ** (n + order)
    cot = 1 / np.tan(np.pi * (x - np.round(x)))  # reflection, for x <= 0
    p = np.polynomial.Polynomial([0, 1])
    for _ in range(order):
        p = p.deriv() * np.polynomial.Polynomial([-np.pi, 0, -np.pi])
    return np.where(x > 0, total, sign * total - np.pi * p(cot))
''',
}

_RESERVED = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "math"})


def helper(op: str) -> bool:
    """Whether an elementwise function needs one of the `HELPERS`."""
    return op in FUNCTIONS and op in HELPERS


class Names:
    """Identifiers, no two alike, none a word of Python, a builtin, or `np`.

    >>> names = Names()
    >>> [names.pick(n) for n in ("net.W1", 'net["W1"]', "sum", "np", "σ", "2x")]
    ['net_W1', 'net_W1_2', 'sum_', 'np_', 'σ', 'v2x']
    """

    def __init__(self) -> None:
        self._taken = {*_RESERVED, *HELPERS}
        self._next: dict[str, int] = {}

    def pick(self, wanted: str, fallback: str = "v") -> str:
        """An identifier like what is wanted, now taken."""
        text = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", wanted)).strip("_") or fallback
        if not text[0].isidentifier():
            text = fallback + text
        if not text.isidentifier():
            text = fallback + re.sub(r"[^0-9A-Za-z_]", "", text)
        if text in self._taken:
            text += "_" if text in _RESERVED or text in HELPERS else ""
            count, stem = self._next.get(text, 2), text
            while text in self._taken:
                text, count = f"{stem}_{count}", count + 1
            self._next[stem] = count
        self._taken.add(text)
        return text

    def temporary(self) -> str:
        """t1, t2, …"""
        count = self._next.get("", 1)
        while f"t{count}" in self._taken:
            count += 1
        self._next[""] = count + 1
        self._taken.add(f"t{count}")
        return f"t{count}"


def quoted(text: str) -> str:
    """A string literal, in double quotes where that needs no escape."""
    plain = repr(text)
    if plain[0] == "'" and '"' not in plain and "\\" not in plain:
        return f'"{plain[1:-1]}"'
    return plain


def printable(text: str) -> str:
    """Text of a user's for a docstring: nothing in it can end the docstring."""
    safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return safe.replace("\\", "\\\\").replace('"""', '""\\"')


def exact_number(value: Fraction) -> tuple[str, int]:
    """A number ≥ 0 as a person writes it, and how tightly that binds.

    >>> [exact_number(Fraction(*f))[0] for f in ((2, 1), (1, 2), (1, 3), (44715, 1000000))]
    ['2', '0.5', '1 / 3', '0.044715']
    """
    if value.denominator == 1 and value.numerator < 10**16:
        return str(value.numerator), ATOM
    try:
        decimal = repr(float(value))
    except OverflowError:
        return "np.inf", ATOM
    small = max(value.numerator, value.denominator) < 2**53  # then Python's quotient is exact
    if Fraction(decimal) == value or not small:
        return decimal, ATOM
    return f"{value.numerator} / {value.denominator}", PRODUCT


def rounded_number(value: float) -> str:
    """A float ≥ 0 (or nan) as code."""
    return repr(value) if math.isfinite(value) else f"np.{value!r}"


class Sizes:
    """Sizes as code. axes : what an axis is called; whole : what a product of axes is called."""

    def __init__(self, axes: Mapping[str, str], whole: Mapping[Size, str] | None = None) -> None:
        self.axes, self.whole = axes, dict(whole or {})

    @staticmethod
    def of_inputs(inputs: Mapping[str, Node]) -> Sizes:
        """`x.shape[1]` and `x.size`, by the identifiers of the inputs."""
        axes: dict[str, str] = {}
        whole: dict[Size, str] = {}
        for name, node in inputs.items():
            for k, size in enumerate(node.shape):
                if size.name is not None:
                    text = f"{name}.size" if node.ndim == 1 else f"{name}.shape[{k}]"
                    axes.setdefault(size.name, text)
            total = product(node.shape)
            if len(total.names) > 1:
                whole.setdefault(total, f"{name}.size")
        return Sizes(axes, whole)

    def text(self, size: Size) -> tuple[str, int]:
        """A size, and how tightly its text binds. Raises UsageError if no input tells an axis."""
        if size.const is not None:
            return str(size.const), ATOM if size.const >= 0 else UNARY
        for whole, name in self.whole.items():
            rest = size.exact_div(whole)
            if rest == 1:
                return name, ATOM
            if rest is not None:
                text, level = self.text(rest)
                return f"{text if level >= PRODUCT else f'({text})'} * {name}", PRODUCT
        out, level = "", SUM
        terms = sorted(size.terms, key=lambda t: (t[1] < 0, -len(t[0]), t[0]))
        for monomial, c in terms:
            factors = [] if abs(c) == 1 and monomial else [str(abs(c))]
            factors += [self._axis(name, size) for name in monomial]
            out += (" - " if c < 0 else " + ") if out else ("-" if c < 0 else "")
            out += " * ".join(factors)
            if len(terms) == 1:
                level = PRODUCT if len(factors) > 1 else UNARY if c < 0 else ATOM
        return out, level

    def _axis(self, name: str, size: Size) -> str:
        if name not in self.axes:
            raise UsageError(f"the size {size} needs the axis {name}, which no input has by itself")
        return self.axes[name]

    def plain(self, size: Size) -> str:
        """The text alone, for a place where nothing binds."""
        return self.text(size)[0]

    def of_shape(self, shape: Shape) -> str:
        """A shape as a tuple: `(n, 1)`, `(n,)`."""
        parts = [self.plain(s) for s in shape]
        return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"

    def index(self, spec: Sequence[tuple[Any, ...]], shape: Shape) -> str:
        """A spec as what stands in the brackets: `0, 1:, ::-1`."""
        parts = [self._part(part, n) for part, n in zip(spec, shape, strict=True)]
        while len(parts) > 1 and parts[-1] == ":":
            parts.pop()
        return ", ".join(parts)

    def _place(self, at: Size, length: Size) -> str:
        back = (at - length).const  # n − 1 is −1
        return str(back) if at.const is None and back is not None and back < 0 else self.plain(at)

    def _part(self, part: Any, n: Size) -> str:
        first = part[1]
        if part[0] == "at":
            return self._place(first, n)
        step, length = part[2], part[3]
        stop = first + step * length
        if step > 0:
            low = "" if first == 0 else self._place(first, n)
            past = (stop - n).const
            high = "" if past is not None and past >= 0 else self._place(stop, n)
            if length.const in (0, 1) and first.const is not None and first.const >= 0:
                high = str(first.const + length.const)
            return f"{low}:{high}" + (f":{step}" if step > 1 else "")
        low = "" if (first - n).const == -1 else self.plain(first)
        if length.const == 0:
            return ":0"
        if stop.const is not None:
            return f"{low}:{stop.const if stop.const >= 0 else ''}:{step}"
        # where it reaches the front, what is before that would count from the end
        text = self.plain(stop)
        return f"{low}:{text} if {text} >= 0 else None:{step}"


def letters(labels: Sequence[Sequence[int]], out: Sequence[int]) -> str:
    """The subscripts of an einsum. Raises UsageError beyond 52 labels."""
    alphabet = "ijklmnpqrstuvwxyzabcdefghoABCDEFGHIJKLMNOPQRSTUVWXYZ"
    used = max((x for names in labels for x in names), default=-1) + 1
    if used > len(alphabet):
        raise UsageError(f"a sum of products over {used} axes; NumPy's einsum has 52 letters")
    left = ",".join("".join(alphabet[x] for x in names) for names in labels)
    return f"{left}->{''.join(alphabet[x] for x in out)}"


WIDTH = 88


def wrapped(line: str, indent: int) -> str:
    """A line, the brackets with the longest list opened over several lines if it is too long."""
    if len(line) + indent <= WIDTH:
        return line
    opened: list[list[int]] = []
    best: tuple[tuple[int, int], list[int]] | None = None
    quote = ""
    for k, c in enumerate(line):
        if quote:
            quote = "" if c == quote and line[k - 1] != "\\" else quote
        elif c in "\"'":
            quote = c
        elif c in "([{":
            opened.append([k])
        elif c == "," and opened:
            opened[-1].append(k)
        elif c in ")]}":
            cuts = [*opened.pop(), k]
            rank = (len(opened), -len(cuts))  # the outermost, then the longest
            if len(cuts) > 2 and (best is None or rank < best[0]):
                best = rank, cuts
    if best is None:
        return line
    cuts = best[1]
    pad, row = " " * (indent + 4), ""
    rows: list[str] = []
    for a, b in pairwise(cuts):
        part = wrapped(line[a + 1 : b].strip() + ",", indent + 4)
        if row and len(pad) + len(row) + 1 + len(part) > WIDTH:
            rows.append(pad + row)
            row = part
        else:
            row = f"{row} {part}" if row else part
    rows.append(pad + row)
    return "\n".join([line[: cuts[0] + 1], *rows, " " * indent + line[cuts[-1] :]])


_count = itertools.count(1)


def built(text: str, name: str, scope: dict[str, Any]) -> FunctionType:
    """The function of that name that a text of ours defines; tracebacks show its lines.

    Its helpers are put into `scope`, the globals of all of them.
    """
    file = f"<chainrule {name} {next(_count)}>"
    module = compile(text, file, "exec", dont_inherit=True)
    for code in module.co_consts:
        if isinstance(code, CodeType):
            scope[code.co_name] = FunctionType(code, scope)
    function: FunctionType = scope.pop(name)
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    weakref.finalize(function, linecache.cache.pop, file, None)
    return function
