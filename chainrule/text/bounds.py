"""The limits, and the guards that hold SymPy to them. Knows no text, no tree and no function.

What would make SymPy compute without end is refused before SymPy is asked: numbers of many digits,
large powers, deep constants, expressions that double. A guard raises `Refusal` with a reason that
continues "x**1001 …"; who knows the spot in the text says the rest. Rough floats here judge
magnitudes, never what is true.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp

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

_UNREAL = (sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I)
_TOO_LONG = f"has more than {int(MAX_BITS * 0.30103):,} digits, the limit for a number"


class Refusal(Exception):
    """A reason, raised where the spot in the text is not known."""


def check_exponent(base: Any, exponent: Any) -> None:
    """Refuses a power before SymPy computes it."""
    if base.is_Rational and exponent.is_Rational and abs(base) not in (0, 1):
        bits = max(abs(base.p).bit_length(), base.q.bit_length()) - 1
        if bits * abs(exponent) > MAX_BITS:
            raise Refusal(_TOO_LONG)
    for term in sp.Add.make_args(exponent):
        factor = term if term.is_Rational else term.as_coeff_Mul()[0]
        # SymPy turns exp(c*log(b)) into b**c, and computes that if it can.
        risky = base != sp.E if term.is_Rational else term.has(sp.log)
        if risky and abs(factor) > MAX_POWER:
            short = factor.is_Integer and abs(factor) < 10**15
            raise _too_high(factor if short else _short(factor))


def _too_high(exponent: Any) -> Refusal:
    return Refusal(f"has the exponent {exponent}; the limit is {MAX_POWER:,}")


def _short(number: Any) -> str:
    return str(sp.Float(number, 3))


class Bounds:
    """What is known of each node that was audited: its size, its depth, its magnitude."""

    def __init__(self) -> None:
        self.sizes: dict[Any, int] = {}
        self.depths: dict[Any, int] = {}
        self.floats: dict[Any, Any] = {}  # of constants only, roughly; None for the others

    def audit(self, entries: Iterable[Any]) -> None:
        """Holds the entries of a value to the limits, each of their nodes once."""
        stack = list(entries)
        roots = tuple(stack)
        while stack:
            node = stack[-1]
            todo = [arg for arg in node.args if arg not in self.sizes]
            if node in self.sizes or not todo:
                stack.pop()
                if node not in self.sizes:
                    self._inspect(node)
                    self.sizes[node] = 1 + sum(self.sizes[arg] for arg in node.args)
            else:
                stack.extend(todo)
        size = sum(self.sizes[entry] for entry in roots)
        if size > MAX_SIZE:
            shown = f"{size:,}" if size < 10**15 else "more than 10**15"
            raise Refusal(f"grows to {shown} symbols; the limit is {MAX_SIZE:,}")

    def decides(self, node: Any) -> bool:
        """Whether SymPy is asked to decide a condition on an audited node."""
        return self.sizes[node] <= MAX_DECIDED and self.depths[node] <= MAX_DECIDED_DEPTH

    def check_constant(self, node: Any, limit: int | None, word: str) -> None:
        """Refuses to take the function `word` of a constant above its limit."""
        rough = self.floats.get(node)
        if limit is not None and rough is not None and abs(rough) > limit:
            shown = f"about {_short(rough)}; the limit is {limit:,}"
            raise Refusal(f"takes {word} of a constant of {shown}")

    def _inspect(self, node: Any) -> None:
        if node in _UNREAL:
            raise Refusal("is not a real number")
        if node.is_Rational and max(abs(node.p).bit_length(), node.q.bit_length()) > MAX_BITS:
            raise Refusal(_TOO_LONG)
        if node.is_Pow and node.exp.is_Rational and abs(node.exp) > MAX_POWER and node.base != sp.E:
            raise _too_high(_short(node.exp))
        self.depths[node] = depth = 1 + max((self.depths[arg] for arg in node.args), default=0)
        self.floats[node] = rough = self._rough(node)
        if rough is None:
            return
        if depth > MAX_CONSTANT_DEPTH:  # SymPy evaluates such without end
            limit = f"the limit is {MAX_CONSTANT_DEPTH}; name a part of it"
            raise Refusal(f"is a constant nested {depth} deep; {limit}")
        magnitude = rough._mpf_[2] + rough._mpf_[3]  # 0 for 0
        if abs(magnitude) > MAX_BITS:
            limit = f"the limit for a constant is 2**±{MAX_BITS:,}"
            raise Refusal(f"is about 2**{magnitude}; {limit}")

    def _rough(self, node: Any) -> Any:
        if node.is_Rational or isinstance(node, sp.NumberSymbol):
            return sp.Float(node, 20)
        floats = [self.floats[arg] for arg in node.args]
        if not floats or any(number is None for number in floats):
            return None
        value = node.func(*floats)
        if value.is_Rational:
            value = sp.Float(value, 20)
        return value if value.is_Float and value.is_finite else None
