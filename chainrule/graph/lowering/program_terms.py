"""Graphs as instructions, one NumPy call each: numbers, elementwise operations and functions.

Arrays are no larger than their stretching demands, signs are kept aside where that is exact, equal
instructions are one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.errors import UsageError
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.lowering.numpy_text import Sizes, helper
from chainrule.graph.node import Node, constant
from chainrule.graph.sizes import Shape, Size

ONE = Size.of(1)
DTYPES = {"f": np.dtype(np.float64), "i": np.dtype(np.int64), "b": np.dtype(np.bool_)}
DTYPE_TEXT = {"f": "np.float64", "i": "np.int64", "b": "np.bool_"}

_UFUNC = {"less": "np.less", "equal": "np.equal", "not": "np.logical_not", "and": "np.logical_and"}


@dataclass(frozen=True)
class Value:
    """What holds a node's value, up to its sign.

    at : the number of the instruction that made it, or the text of a number. held : its own shape,
    which stretches to the node's. kind : its own; "b" may stand for the real numbers 0 and 1.
    """

    at: int | str
    held: Shape
    kind: str
    negative: bool = False


@dataclass
class Instruction:
    """One call. form : with {0}, {1} for operands, {out} where `out=` may stand.

    then : a second line, which changes the result {t}. keeps : the operand (by number) that may
    become the result as it is. owned : "" a new array; "view" of the first operand; "fixed": a view
    that must not be written to; "foreign": not ours.
    """

    form: str
    operands: tuple[int | str, ...]
    held: Shape
    kind: str
    then: str = ""
    keeps: int | None = None
    owned: str = ""
    whole: bool = True  # a view that shows all of what it views


_EXACT = ("np.multiply", "np.add", "np.subtract", "np.square", "np.maximum", "np.minimum")


class Lowering:
    """The first pass."""

    def __init__(self, inputs: Mapping[Node, str], sizes: Sizes) -> None:
        self.code: list[Instruction] = []
        self.known: dict[tuple[Any, ...], int] = {}
        self.values: dict[Node, Value] = {}
        self.scope: dict[str, Any] = {"np": np}
        self.helpers: dict[str, None] = {}
        self.sizes = sizes
        for node, name in inputs.items():
            self.values[node] = self.emit(name, (), node.shape, node.kind, owned="foreign")

    def emit(
        self,
        form: str,
        operands: Sequence[int | str],
        held: Shape,
        kind: str,
        *,
        commutes: bool = False,
        **more: Any,
    ) -> Value:
        """An instruction's value; an equal one is not written twice."""
        ordered = sorted(operands, key=str) if commutes else operands
        key = (form, *ordered, kind, *more.items())
        at = self.known.get(key)
        if at is None:
            at = self.known[key] = len(self.code)
            self.code.append(Instruction(form, tuple(operands), held, kind, **more))
        return Value(at, held, kind)

    # -- operands ------------------------------------------------------------------------------

    def plain(self, x: Value) -> Value:
        """With its sign."""
        if not x.negative:
            return x
        if isinstance(x.at, str):
            return replace(x, at=f"-{x.at}", negative=False)
        return self.emit("np.negative({0}{out})", (x.at,), x.held, x.kind)

    def as_kind(self, x: Value, kind: str) -> Value:
        """As numbers of a kind."""
        x = self.plain(x)
        if x.kind == kind:
            return x
        text = f"np.asarray({{0}}).astype({DTYPE_TEXT[kind]})"
        return self.emit(text, (x.at,), x.held, kind)

    def number(self, node: Node) -> Value:
        """A node's value with its sign, in its kind."""
        return self.as_kind(self.values[node], node.kind)

    def full(self, node: Node, kind: str | None = None) -> Value:
        """A node's value with its whole shape."""
        x = self.as_kind(self.values[node], kind or node.kind)
        if x.held == node.shape and not isinstance(x.at, str):
            return x
        if not node.ndim:
            form = f"np.asarray({{0}}, {DTYPE_TEXT[x.kind]})"
            return self.emit(form, (x.at,), (), x.kind, owned="fixed")
        form = f"np.broadcast_to({{0}}, {self.sizes.of_shape(node.shape)})"
        return self.emit(form, (x.at,), node.shape, x.kind, owned="fixed")

    def stretched(self, shape: Shape, parts: Sequence[Value]) -> Shape:
        """The shape of an elementwise result, which stretches to `shape`."""
        length = max((len(p.held) for p in parts), default=0)
        full = shape[len(shape) - length :]
        return tuple(
            full[k]
            if any(len(p.held) >= length - k and p.held[k - length] != 1 for p in parts)
            else ONE
            for k in range(length)
        )

    # -- elementwise ---------------------------------------------------------------------------

    def ufunc(self, node: Node, name: str, *parts: Value, commutes: bool = False) -> Value:
        """A call of a ufunc; truth values become numbers where the result is one."""
        kinds = {p.kind for p in parts}
        cast = node.kind != "b" and node.kind not in kinds and (kinds != {"i"} or name in _EXACT)
        dtype = f", dtype={DTYPE_TEXT[node.kind]}" if cast else ""
        places = ", ".join(f"{{{k}}}" for k in range(len(parts)))
        return self.emit(
            f"{name}({places}{{out}}{dtype})",
            [p.at for p in parts],
            self.stretched(node.shape, parts),
            node.kind,
            commutes=commutes,
        )

    def lower(self, node: Node) -> Value:
        """The value of one operation."""
        if node.op in FUNCTIONS:
            return self.function(node)
        if node.op in _UFUNC:
            parts = [self.number(i) for i in node.inputs]
            return self.ufunc(node, _UFUNC[node.op], *parts, commutes=node.op in ("equal", "and"))
        found = getattr(self, f"op_{node.op}", None)
        if found is None:
            raise UsageError(f"there is no NumPy code for {node.op}")
        value: Value = found(node)
        return value

    def op_input(self, node: Node) -> Value:
        raise UsageError(f"the input {node.params[0]} is needed; give it in `inputs`")

    def op_const(self, node: Node) -> Value:
        value = constant(node)
        if node.params[0] == "array":
            name = f"c{node.number}"
            value.flags.writeable = False
            self.scope[name] = value
            return self.emit(name, (), node.shape, node.kind, owned="foreign")
        if node.kind == "i":
            return Value(str(abs(int(value))), (), "i", int(value) < 0)
        try:
            number = float(value)
        except OverflowError:
            number = np.inf if value > 0 else -np.inf
        text = repr(abs(number)) if np.isfinite(number) else f"np.{abs(number)!r}"
        return Value(text, (), "f", bool(np.signbit(number)))

    def op_size(self, node: Node) -> Value:
        text, _ = self.sizes.text(node.graph.size(node.params[0]))
        return self.emit(text, (), (), "i")

    def op_iota(self, node: Node) -> Value:
        return self.emit(f"np.arange({self.sizes.plain(node.shape[0])})", (), node.shape, "i")

    def op_delta(self, node: Node) -> Value:
        rows, columns = map(self.sizes.plain, node.shape)
        return self.emit(f"np.eye({rows}, {columns}, {node.params[2]})", (), node.shape, "f")

    def op_neg(self, node: Node) -> Value:
        x = self.as_kind(self.values[node.inputs[0]], node.kind)
        old = self.values[node.inputs[0]]
        if old.kind == node.kind:
            x = old
        return replace(x, negative=not x.negative)

    def op_add(self, node: Node) -> Value:
        a, b = (self.values[i] for i in node.inputs)
        if a.negative and not b.negative:
            a, b = b, a
        if b.negative and "b" not in (a.kind, b.kind):
            right = replace(b, negative=False)
            return self.ufunc(node, "np.subtract", self.plain(a), right)
        return self.ufunc(node, "np.add", self.plain(a), self.plain(b), commutes=True)

    def op_mul(self, node: Node) -> Value:
        a, b = (self.values[i] for i in node.inputs)
        for x, y in ((a, b), (b, a)):
            if x.at in ("1.0", "1") and y.kind == node.kind:
                return replace(y, negative=x.negative != y.negative)
        return self.signed(node, "np.multiply", a, b, commutes=True)

    def op_div(self, node: Node) -> Value:
        a, b = (self.values[i] for i in node.inputs)
        if b.at in ("1.0", "1") and a.kind == "f":
            return replace(a, negative=a.negative != b.negative)
        return self.signed(node, "np.divide", a, b)

    def signed(self, node: Node, name: str, a: Value, b: Value, commutes: bool = False) -> Value:
        """A product or quotient: the sign is that of both."""
        negative = a.negative != b.negative
        if a.kind == "b" and b.kind == "b":  # never in place: these are bytes
            a = self.as_kind(a, node.kind)
        if "b" in (a.kind, b.kind) and isinstance(a.at if b.kind == "b" else b.at, str):
            a, b = (self.as_kind(replace(x, negative=False), node.kind) for x in (a, b))
        parts = [replace(x, negative=False) for x in (a, b)]
        value = self.ufunc(node, name, *parts, commutes=commutes)
        return replace(value, negative=negative)

    def op_power(self, node: Node) -> Value:
        exponent: Fraction = node.params[0]
        x = self.values[node.inputs[0]]
        if exponent == 1 and x.kind == node.kind:
            return x
        if x.kind != node.kind:
            x = self.as_kind(x, node.kind)
        size, negative = abs(exponent), False
        if size in (1, 2, 3, 4):
            negative = x.negative and size % 2 == 1
            base = replace(x, negative=False)
            square = base if size == 1 else self.ufunc(node, "np.square", base)
            out = square
            if size == 3:
                out = self.ufunc(node, "np.multiply", square, base)
            if size == 4:
                out = self.ufunc(node, "np.square", square)
        elif size == Fraction(1, 2):
            out = self.ufunc(node, "np.sqrt", self.plain(x))
        else:
            number = str(size) if node.kind == "i" else repr(float(exponent))
            power = Value(number, (), node.kind)
            return self.ufunc(node, "np.power", self.plain(x), power)
        if exponent < 0:
            out = self.ufunc(node, "np.divide", Value("1.0", (), "f"), out)
        return replace(out, negative=negative)

    def op_select(self, node: Node) -> Value:
        c, a, b = (self.values[i] for i in node.inputs)
        if node.kind == "f" and (a.at, b.at) == ("1.0", "0.0") and not a.negative:
            return replace(self.plain(c), kind="b")  # truth values are these numbers
        parts = [self.plain(c), self.number(node.inputs[1]), self.number(node.inputs[2])]
        texts = [p.at for p in parts]
        form = "np.where({0}, {1}, {2})"
        return self.emit(form, texts, self.stretched(node.shape, parts), node.kind)

    def op_floor(self, node: Node) -> Value:
        x = self.as_kind(self.values[node.inputs[0]], "f")
        found = self.emit("np.floor({0}{out})", [x.at], self.stretched(node.shape, [x]), "f")
        return self.as_kind(found, node.kind)

    def function(self, node: Node) -> Value:
        op, parts = node.op, [self.number(i) for i in node.inputs]
        if op == "sign" and node.kind == "b":
            return parts[0]
        if not helper(op):
            if op == "pow":
                parts = [self.as_kind(p, "f") for p in parts]
            elif node.kind != "b" and all(p.kind == "b" for p in parts):
                parts = [self.as_kind(p, node.kind) for p in parts]
            name = "np.power" if op == "pow" else FUNCTIONS[op].source.split("(")[0]
            return self.ufunc(node, name, *parts)
        self.helpers.setdefault(op)
        order = f"{node.params[0]}, " if node.params else ""
        x = self.as_kind(parts[0], "f")
        return self.emit(f"{op}({order}{{0}})", (x.at,), x.held, "f")
