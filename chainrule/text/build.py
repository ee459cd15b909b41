"""Tree to SymPy: the value, and the literal conditions of the text as written.

Scalar functions and operators act entry by entry; only @, .T and the `whole` functions know
matrices. A condition is recorded before the value is made, and stays although what it guards
cancels; one that never holds is refused. Each value is audited before it is used, and every refusal
shows its spot.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import sympy as sp

from chainrule.errors import ChainruleError, ShapeError, TextError, UsageError
from chainrule.text.bounds import MAX_ARGUMENTS, MAX_SIZE, Bounds, Refusal
from chainrule.text.functions import CONSTANTS, FUNCTIONS, Function, Need
from chainrule.text.read import TOO_DEEP, Source, Tree
from chainrule.text.tokens import snippet

Value: TypeAlias = sp.Expr | sp.ImmutableDenseMatrix


@dataclass(frozen=True)
class Built:
    """The value of a text, and the conditions under which it is defined and differentiable.

    defined : those conditions at whose edge, where both sides are equal, it has no value: x ≠ 0 of
        1/x, and not of abs(x).
    """

    value: Value
    conditions: tuple[sp.Basic, ...]
    defined: tuple[sp.Basic, ...] = ()


def _is_matrix(value: Any) -> bool:
    return isinstance(value, sp.MatrixBase)


def _entries(value: Any) -> list[Any]:
    return list(value.flat()) if _is_matrix(value) else [value]


def _size(value: Any) -> str:
    rows, columns = value.shape
    return f"({rows}×{columns})"


def _near(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


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
        self.conditions: dict[Any, bool] = {}  # whether the text is undefined at its edge
        self.bounds = Bounds()

    def error(self, message: str, start: int, stop: int) -> TextError:
        return TextError(message, self.source.text, start, stop - start, self.name)

    def fail(self, message: str, tree: Tree) -> NoReturn:
        raise self.error(message, tree.start, tree.stop)

    def refuse(self, reason: object, tree: Tree) -> NoReturn:
        self.fail(f"{self.shown(tree)} {reason}", tree)

    def shapes(self, message: str, spot: int, length: int = 1) -> NoReturn:
        raise ShapeError(str(self.error(message, spot, spot + length)))

    def shown(self, tree: Tree) -> str:
        return snippet(self.source.text[tree.start : tree.stop])

    def value(self, tree: Tree) -> Any:
        try:
            value = getattr(self, f"of_{tree.kind}")(tree)
            self.bounds.audit(_entries(value))
            return value
        except Refusal as refusal:
            self.refuse(refusal, tree)
        except ChainruleError:
            raise
        except (TypeError, ValueError, ArithmeticError, NotImplementedError) as error:
            self.refuse(f"cannot be built by SymPy ({error})", tree)

    def require(self, need: Need, tree: Tree) -> None:
        """Records a condition, unless SymPy knows it to hold; refuses one that never holds."""
        left, right = need.left, sp.Integer(need.right)
        try:
            self.bounds.audit([left])
        except Refusal as refusal:
            self.refuse(refusal, tree)
        condition = need.relation(left, right, evaluate=self.bounds.decides(left))
        if condition == sp.true:
            return
        if condition != sp.false:
            self.conditions[condition] = self.conditions.get(condition, False) or not need.edge
            return
        if need.relation is not sp.Ne and not sp.Add(left, -right).is_zero:
            self.refuse(need.why, tree)
        if not need.edge:
            self.fail(f"division by zero: {self.shown(tree)}", tree)
        if self.varies(tree):
            self.refuse(f"has no derivative: {need.edge.format(right)}", tree)

    def varies(self, tree: Tree) -> bool:
        if tree.kind == "name":
            return tree.text in self.scope or tree.text not in CONSTANTS
        if tree.kind == "call" and tree.text in self.undefined:
            return True
        return any(self.varies(part) for part in tree.parts)

    def each(
        self,
        make: Callable[..., Any],
        values: Sequence[Any],
        ops: Sequence[tuple[str, int]] = (),
    ) -> Any:
        """What `make` makes of each entry of the values; a scalar goes with every entry."""
        first = None
        for k, value in enumerate(values):
            if not _is_matrix(value):
                continue
            if first is None:
                first = value
            elif value.shape != first.shape:
                op, spot = ops[k - 1]
                sizes = f"{_size(first)} {op} {_size(value)}"
                hint = "; write @ for the matrix product"
                tail = hint if op == "*" and first.cols == value.rows else ""
                self.shapes(f"{sizes}: entry by entry needs equal shapes{tail}", spot, len(op))
        if first is None:
            return make(*values)
        columns = [_entries(v) if _is_matrix(v) else [v] * len(first) for v in values]
        return sp.ImmutableDenseMatrix(*first.shape, list(map(make, *columns)))

    def apply(self, function: Function, values: Sequence[Any], tree: Tree, word: str) -> Any:
        """A row of the table, entry by entry: the conditions first, then the value."""

        def make(*row: Any) -> Any:
            for argument in row:
                self.bounds.check_constant(argument, function.limit, word)
            for need in function.needs(*row):
                self.require(need, tree)
            return function.make(*row)

        return self.each(make, values, tree.ops or [(word, part.start) for part in tree.parts[1:]])

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
        if name in CONSTANTS and name not in self.undefined:
            return CONSTANTS[name]
        if name in self.undefined or (name in FUNCTIONS and not self.free):
            self.fail(f"{name} is a function; write {name}(…)", tree)
        if self.free:
            return sp.Symbol(name, real=True)
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
        if tree.text == "-":
            return self.each(lambda a: sp.Mul(-1, a), [value])
        if tree.text == "+":
            return value
        if not _is_matrix(value):
            self.fail(f"{self.shown(tree.parts[0])} is a scalar; .T is for matrices", tree)
        return value.T

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
                    self.require(Need(sp.Ne, entry), part)
            values.append(value)
            ops.append((op, spot))
        return self.chain(values, ops)

    def chain(self, values: Sequence[Any], ops: Sequence[tuple[str, int]]) -> Any:
        """a + b - c, or a * b / c, as one sum or product."""
        if not ops:
            return values[0]
        signs = ["", *(op for op, _ in ops)]

        def make(*row: Any) -> Any:
            pairs = zip(signs, row, strict=True)
            if signs[1] in "+-":
                return sp.Add(*[sp.Mul(-1, v) if sign == "-" else v for sign, v in pairs])
            return sp.Mul(*[sp.Pow(v, -1) if sign == "/" else v for sign, v in pairs])

        return self.each(make, values, ops)

    def product(self, left: Any, right: Any, spot: int) -> Any:
        if not (_is_matrix(left) and _is_matrix(right)):
            raise self.error("@ is for two matrices; write * with a scalar", spot, spot + 1)
        if left.cols != right.rows and left.cols == right.cols == 1 and left.rows == right.rows:
            left = left.T  # vector @ vector, as in NumPy
        (m, k), n = left.shape, right.cols
        if k != right.rows:
            sizes = f"{_size(left)} @ {_size(right)}"
            self.shapes(f"{sizes}: the inner sizes {k} and {right.rows} differ", spot)
        if m * k * n > MAX_SIZE:
            raise Refusal(f"takes {m * k * n:,} products; the limit is {MAX_SIZE:,}")
        a, b = left.flat(), right.flat()
        entries = [
            sp.Add(*[sp.Mul(a[i * k + q], b[q * n + j]) for q in range(k)])
            for i in range(m)
            for j in range(n)
        ]
        self.bounds.audit(entries)
        return entries[0] if m == n == 1 else sp.ImmutableDenseMatrix(m, n, entries)

    def of_index(self, tree: Tree) -> Any:
        value = self.value(tree.parts[0])
        shown = self.shown(tree.parts[0])
        if not _is_matrix(value):
            self.fail(f"{shown} is a scalar, it has no entries", tree)
        row, *rest = [int(part.text) for part in tree.parts[1:]]
        if not rest and value.cols != 1:
            self.fail(f"{shown} is {_size(value)}; write two indices, row and column", tree)
        column = rest[0] if rest else 0
        if row >= value.rows or column >= value.cols:
            message = "the index is out of it; the first is 0"
            self.fail(f"{shown} is {_size(value)}; {message}", tree)
        return value[row, column]

    def of_list(self, tree: Tree) -> Any:
        nested = [part.kind == "list" for part in tree.parts]
        if any(nested) and not all(nested):
            self.fail("a list holds scalars, or rows that are all lists", tree)
        lines = [part.parts if all(nested) else (part,) for part in tree.parts]
        for part, line in zip(tree.parts, lines, strict=True):
            if len(line) != len(lines[0]):
                self.fail(f"a row of {len(line)} entries below one of {len(lines[0])}", part)
        entries = []
        for part in itertools.chain(*lines):
            value = self.value(part)
            if _is_matrix(value):
                self.fail(f"an entry of {_size(value)}; entries are scalars", part)
            entries.append(value)
        return sp.ImmutableDenseMatrix(len(lines), len(lines[0]), entries)

    def of_call(self, tree: Tree) -> Any:
        word, count = tree.text, len(tree.parts)
        if word in self.undefined:
            function = Function(sp.Function(word, real=True), limit=None, most=MAX_ARGUMENTS)
        elif word in self.scope:
            self.fail(f"{word} is a name, not a function; write {word}*(…)", tree)
        elif word in FUNCTIONS:
            function = FUNCTIONS[word]
        else:
            near = _near(word, {*FUNCTIONS, *self.undefined})
            self.fail(f"unknown function '{word}'{near}", tree)
        least, most = function.least, function.most
        if not least <= count <= most:
            takes = f"{least} to {most} arguments" if least < most else f"{least} argument"
            plural = "s" if least == most > 1 else ""
            self.fail(f"{word} takes {takes}{plural}, not {count}", tree)
        values = [self.value(part) for part in tree.parts]
        for value, part in zip(values, tree.parts, strict=True):
            if word in self.undefined and count > 1 and _is_matrix(value):
                self.fail(f"{word} takes scalars; this is {_size(value)}", part)
        if tree.ops and _is_matrix(values[0]):
            self.fail("|…| of a matrix is not clear; write norm(…), or abs(…) for each entry", tree)
        if not function.whole:
            return self.apply(function, values, tree, word)
        # A scalar is a vector of one entry: W @ a is one where W has one row.
        values = [v if _is_matrix(v) else sp.ImmutableDenseMatrix([v]) for v in values]
        if count == 2 and values[0].shape != values[1].shape:
            sizes = f"{_size(values[0])}, {_size(values[1])}"
            self.shapes(f"{word} of {sizes}: it needs equal shapes", tree.start, len(word))
        for need in function.needs(*values):
            self.require(need, tree)
        made = function.make(*values)
        return made[0, 0] if _is_matrix(made) and made.shape == (1, 1) else made


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
    undefined : names of undefined functions; they go before the table of functions. One of a single
        argument acts entry by entry.
    name : what the formula defines, for messages.
    free : whether an unknown name is a real symbol, and not an error.
    returns : a `Built`; a condition stays although what it guards cancels.
    raises : `TextError`, `ShapeError`, which show the spot.

    >>> from chainrule.text import read
    >>> built = build(read("x*y/x + abs(y)"), {}, free=True)
    >>> built.value
    y + Abs(y)
    >>> built.conditions
    (Ne(x, 0), Ne(y, 0))
    >>> built.defined
    (Ne(x, 0),)
    """
    builder = _Builder(source, scope, undefined, name, free)
    try:
        value = builder.value(source.tree)
    except RecursionError:
        raise TextError(TOO_DEEP, source.text, 0, name=name) from None
    defined = [condition for condition, edge in builder.conditions.items() if edge]
    return Built(value, tuple(builder.conditions), tuple(defined))
