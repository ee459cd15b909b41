"""Entries, methods and attributes of arrays; operators; what conditions and texts look at."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np

from chainrule.code.instrument import BINARY as OPERATORS
from chainrule.code.table import indexing
from chainrule.code.table.arguments import counted
from chainrule.code.table.row import ATTRIBUTES, METHODS, Unsupported
from chainrule.code.trace.nodes import total
from chainrule.code.trace.record import Guard
from chainrule.code.trace.rows import Rows
from chainrule.code.trace.traced import (
    Array,
    Int,
    Text,
    Traced,
    Truth,
    holds_traced,
    raw,
)
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph
from chainrule.graph.sizes import Size

UFUNCS: dict[str, Any] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "@": np.matmul,
    "/": np.true_divide,
    "//": np.floor_divide,
    "%": np.remainder,
    "**": np.power,
    "&": np.bitwise_and,
    "|": np.bitwise_or,
    "^": np.bitwise_xor,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
UNARY: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "-": (np.negative, operator.neg),
    "+": (np.positive, operator.pos),
    "~": (np.invert, operator.invert),
    "abs": (np.absolute, abs),
}
IN_PLACE = frozenset("fill itemset partition put resize sort".split())


class Arrays(Rows):
    """Answers what is done with arrays and scalars."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.said: list[Any] = []  # values that were turned into text since we last looked

    def _index(self, index: Any, masks: bool) -> tuple[Any, Any]:
        """An index for the table, and a plain one for NumPy."""
        if isinstance(index, tuple):
            pairs = [self._index(i, masks) for i in index]
            return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
        if isinstance(index, slice):
            parts = [self._edge(p) for p in (index.start, index.stop, index.step)]
            return slice(*(p[0] for p in parts)), slice(*(p[1] for p in parts))
        if isinstance(index, list):
            index = np.array(raw(index)) if not holds_traced(index) else self.stacked(index)
        if isinstance(index, np.ndarray):
            index = self.met(index)
            node, plain = self.node_of(index), raw(index)
            if plain.dtype.kind == "b":
                if masks:
                    return node, plain
                self.keep(node, plain, "a mask")
                return plain, plain
            return node, plain
        if isinstance(index, Truth):
            raise self.fail("an index that is a truth value is not followed")
        if isinstance(index, Traced | int | np.integer) and not isinstance(index, bool):
            return self._edge(index)
        return index, index

    def _edge(self, value: Any) -> tuple[Any, Any]:
        if isinstance(value, Int):
            plain = int.__int__(value)
            return (value.size if value.size is not None else self.whole(value)), plain
        if isinstance(value, Traced | np.integer):
            return operator.index(raw(value)), operator.index(raw(value))
        return value, value

    def stacked(self, values: Any) -> Any:
        """A nested list with traced entries as an array."""
        return self.apply(np.array, (values,), {})

    def read(self, array: Any, index: Any) -> Any:
        """`array[index]`."""
        if not isinstance(array, Array):
            array = self._array(np.asarray(raw(array)), self.node_of(array), None)
        ours, plain = self._index(index, masks=False)
        value = raw(array)[plain]
        try:
            node = indexing.read(self.graph, self.current(array), ours)
        except (Unsupported, ShapeError) as why:
            raise self.fail(str(why)) from None
        if not isinstance(value, np.ndarray):
            node = self._read_through(node)
        return self.traced(value, node, array)

    def write(self, array: Array, index: Any, value: Any) -> None:
        """`array[index] = value`."""
        ours, plain = self._index(index, masks=True)
        value = self.met(value)
        new = self.node_of(value)
        raw(array)[plain] = raw(value)
        old = self.current(array)
        try:
            try:
                node = indexing.write(self.graph, old, ours, new)
            except Unsupported:
                ours, _ = self._index(index, masks=False)
                node = indexing.write(self.graph, old, ours, new)
        except (Unsupported, ShapeError) as why:
            raise self.fail(str(why)) from None
        self._store(array, node)

    def elements(self, array: Array) -> list[Any]:
        """The entries along the first axis, which is fixed by this."""
        if array.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        self.pin(self.node_of(array).shape[0], "a loop over it")
        return [self.read(array, k) for k in range(array.shape[0])]

    def method(self, array: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A method of an array."""
        from chainrule.code.trace.special import ARRAY_METHODS

        if name in IN_PLACE and not isinstance(array, Array):
            return getattr(raw(array), name)(*raw(args), **raw(kwargs))  # a scalar does not change
        special = ARRAY_METHODS.get(name)
        if special is not None:
            return special(self, array, *args, **kwargs)
        row = METHODS.get(name)
        if row is None:
            raise self.fail(
                f"the method .{name} of an array{{at}} has no rule; it can still be checked "
                "as a black box"
            )

        def native(first: Any, *rest: Any, **options: Any) -> Any:
            return getattr(first, name)(*rest, **options)

        args = tuple(self.met(a) for a in args)
        if name in ("reshape", "transpose") and len(args) != 1:
            args = (tuple(args),) if args or name == "reshape" else ()
        return self.by_row(row, native, (array, *args), dict(kwargs))

    def array_attribute(self, array: Any, name: str) -> Any:
        """An attribute of an array."""
        node = self.node_of(array)
        if name == "shape":
            return tuple(self.sized(s) for s in node.shape)
        if name == "size":
            return self.sized(total(node))
        if name in ("real", "flat"):
            return self.method(array, "ravel", (), {}) if name == "flat" else array
        row = ATTRIBUTES.get(name)
        if row is not None:
            return self.by_row(row, lambda a: getattr(a, name), (array,), {})
        if name in ("nbytes", "strides"):
            self.fix(node, f"its {name} are plain numbers")
        if name in ("dtype", "ndim", "itemsize", "nbytes", "flags", "strides", "base"):
            return getattr(raw(array), name)
        if callable(getattr(np.ndarray, name, None)):
            return MethodType(_named(name), array)
        if hasattr(raw(array), name):
            raise self.fail(f"the attribute .{name} of an array{{at}} has no rule")
        raise AttributeError(f"'numpy.ndarray' object has no attribute '{name}'")

    def binary_value(self, op: str, left: Any, right: Any) -> Any:
        """`left op right` where one side is traced."""
        if op not in "&|^":
            left, right = self._counted(left), self._counted(right)
        if isinstance(left, Int | int) and isinstance(right, Int | int):
            done = self._sizes(op, left, right)
            if done is not None:
                return done
        if not is_number(left) or not is_number(right):
            if isinstance(left, list | tuple | str) or isinstance(right, list | tuple | str):
                if not isinstance(left, np.ndarray) and not isinstance(right, np.ndarray):
                    return self._repeated(op, left, right)
            else:
                return NotImplemented
        if op not in UFUNCS:
            raise self.fail(f"the operator {op}{{at}} has no rule")
        return self.apply(UFUNCS[op], (left, right), {}, native=OPERATORS[op][0])

    def _counted(self, value: Any) -> Any:
        """Python's True as the 1 that it is in arithmetic."""
        if isinstance(value, Truth) and isinstance(value.value, bool):
            return self.traced(int(value.value), counted(self.graph, value.node))
        return value

    def _repeated(self, op: str, left: Any, right: Any) -> Any:
        """`[0] * n`, `"%d" % n`: Python's own."""
        if isinstance(left, str):
            return self._filled(left, right)
        counts = [self.whole(v) if isinstance(v, Int) else v for v in (left, right)]
        return OPERATORS[op][0](*counts)

    def _filled(self, left: str, right: Any, op: str = "%") -> Any:
        """`"%d" % n`, and the sum of texts."""
        values = right if isinstance(right, tuple) else (right,)
        self.said = [s for v in (left, *values) if isinstance(v, Text) for s in v.sources]
        self.said += [v for v in values if isinstance(v, Traced | Array)]
        return self.worded(OPERATORS[op][0](left, right))

    def _sizes(self, op: str, left: int, right: int) -> Any:
        """Arithmetic of integers in which sizes remember their axes; None where it is no such."""
        sizes = [v.size if isinstance(v, Int) else Size.of(v) for v in (left, right)]
        a, b = sizes
        if a is None or b is None:
            return None
        if op in "+-*":
            return self.sized({"+": a + b, "-": a - b, "*": a * b}[op])
        if op == "**" and isinstance(b.const, int) and b.const >= 0:
            total = Size.of(1)
            for _ in range(b.const):
                total = total * a
            return self.sized(total)
        if op in ("//", "%"):
            exact = a.exact_div(b) if b.terms else None
            if exact is not None:
                return self.sized(exact) if op == "//" else 0
            why = f"a size in {op} that leaves a remainder"
            return OPERATORS[op][0](
                *(self.whole(v, why) if isinstance(v, Int) else v for v in (left, right))
            )
        return None

    def unary_value(self, op: str, operand: Any) -> Any:
        """`op operand` where it is traced."""
        if isinstance(operand, Int) and operand.size is not None:
            if op == "-":
                return self.sized(-operand.size)
            if op in ("+", "abs"):
                return operand
        function, native = UNARY[op]
        operand = self._counted(operand) if op != "~" else operand
        return self.apply(function, (operand,), {}, native=native)

    def compared(self, op: str, left: Any, right: Any) -> Any:
        """`left op right` where one side is traced."""
        if isinstance(left, Int | int) and isinstance(right, Int | int):
            sizes = [v.size if isinstance(v, Int) else Size.of(v) for v in (left, right)]
            if sizes[0] is not None and sizes[1] is not None:
                return self._size_guard(op, sizes[0], sizes[1])
        if not is_number(left) or not is_number(right):
            if not isinstance(left, np.ndarray | list) and not isinstance(right, np.ndarray | list):
                return NotImplemented
        return self.apply(UFUNCS[op], (left, right), {}, native=COMPARE[op])

    def _size_guard(self, op: str, a: Size, b: Size) -> bool:
        a, b = self.graph.size(a), self.graph.size(b)
        holds = bool(COMPARE[op](a.at(self.graph.env), b.at(self.graph.env)))
        if (a - b).const is not None:
            return holds
        if (op == "==" and holds) or (op == "!=" and not holds):
            self.reason = "the code compares them"
            self.graph.same(a, b)
            self.reason = ""
        else:
            text = f"{a} {op} {b} is {str(holds).lower()}"
            kept = op if holds else {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}.get(op, "!=")
            self.guards.append(Guard(text, self.site, size=(a, kept, b)))
        return holds

    def truth(self, value: Any) -> bool:
        """What a condition comes out as; a guard of the path."""
        if isinstance(value, Int) and value.size is not None:
            return self._size_guard("!=", value.size, Size.of(0))
        node = self.node_of(value)
        plain = raw(value)
        holds = bool(plain)  # NumPy's own message for more than one entry
        if self.looked_at(node):
            shown = "" if self.site is None else self.site.text.strip().splitlines()[0]
            text = f"{shown or 'a condition'} is {str(holds).lower()}"
            self.guards.append(Guard(text, self.site, node, np.asarray(plain)))
        return holds

    def worded(self, value: Any) -> Any:
        """Text that a call or an f-string gave, with the values that were said in it."""
        said, self.said = self.said, []
        return sourced(value, tuple(said)) if said else value


def are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(type(v) is str for v in value)


def sourced(value: Any, sources: tuple[Any, ...]) -> Any:
    """Text, or a list of texts, with the values that stand in it."""
    if are_texts(value):
        return type(value)(sourced(v, sources) for v in value)
    if type(value) is not str:
        return value
    made = Text(value)
    made.sources = sources
    return made


def _named(name: str) -> Callable[..., Any]:
    def method(array: Any, *args: Any, **kwargs: Any) -> Any:
        return array.tracer.method(array, name, args, kwargs)

    return method


def is_number(value: Any) -> bool:
    return isinstance(value, np.ndarray | Traced | int | float | np.number | np.bool_)
