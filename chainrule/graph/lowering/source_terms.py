"""Readable NumPy for single operations: numbers, elementwise operations and functions.

A `Piece` is code with what one must know to put it into other code: how tightly it binds, its sign,
its own shape. Signs move where that is exact: −(−x) is x, a + (−b) is a − b.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from chainrule.errors import UsageError
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.lowering.numpy_text import (
    AND,
    ATOM,
    COMPARE,
    POWER,
    PRODUCT,
    SUM,
    UNARY,
    Names,
    Sizes,
    exact_number,
    helper,
    rounded_number,
    wrapped,
)
from chainrule.graph.node import Node, constant, reached
from chainrule.graph.sizes import Shape, Size

INLINE = 66  # an expression longer than this is taken apart
MATMUL = PRODUCT + 0.5  # binds like *, and is read apart from it
ONE = Size.of(1)


@dataclass(frozen=True)
class Piece:
    """The code of a value, up to its sign.

    held : the shape that the code has; it stretches to the node's. weak : a number of Python's.
    whole : the code looks like an integer and the value is real. fresh : a new array of its own.
    """

    text: str
    level: float
    held: Shape
    negative: bool = False
    weak: bool = False
    whole: bool = False
    fresh: bool = True

    @property
    def simple(self) -> bool:
        """A name, a number, or an attribute of a name: used twice, it is not given another."""
        return self.level == ATOM and not set(self.text) & set("([ ")


class Terms:
    """The state of a text that is being written, and the code of elementwise operations."""

    def __init__(
        self,
        outputs: Mapping[str, Node],
        inputs: Mapping[str, Node],
        names: Mapping[Node, str],
        name: str,
    ) -> None:
        self.outputs, self.inputs, self.wanted = outputs, inputs, names
        self.names = Names()
        self.name = self.names.pick(name, "gradients")
        self.parameters = {place: self.names.pick(place) for place in inputs}
        self.sizes = Sizes.of_inputs({self.parameters[p]: n for p, n in inputs.items()})
        self.pieces: dict[Node, Piece] = {}
        self.assigned: dict[Node, str] = {}
        self.lines: list[str] = []
        self.above: list[str] = []  # constants that are too long for a line
        self.helpers: dict[str, None] = {}
        self.shapes: dict[Shape, str] = {}
        for place, node in inputs.items():
            self.pieces[node] = Piece(self.parameters[place], ATOM, node.shape, fresh=False)
            if node.ndim:
                self.shapes.setdefault(node.shape, f"{self.parameters[place]}.shape")
        self.nodes = list(reached(outputs.values()))
        self.written_to: dict[Node, Node] = {}
        self.uses: dict[Node, int] = dict.fromkeys(self.nodes, 0)
        for node in self.nodes:
            for i in node.inputs:
                self.uses[i] += 1
            if node.op in ("put", "put_at"):
                self.written_to[node.inputs[0]] = node
        for node in outputs.values():
            self.uses[node] += 1

    # -- text of a value -----------------------------------------------------------------------

    def tight(self, text: str, level: float, need: float) -> str:
        return text if level >= need else f"({text})"

    def signed(self, piece: Piece, need: float) -> str:
        """The value with its sign, in parentheses if it binds less than `need`."""
        level = piece.level
        if not piece.negative:
            return self.tight(piece.text, level, need)
        inner = self.tight(piece.text, level, PRODUCT if level != MATMUL else ATOM)
        return self.tight(f"-{inner}", PRODUCT if level == PRODUCT else UNARY, need)

    def arg(self, node: Node, need: float = 0) -> str:
        """A node's code where it may still be stretched by NumPy."""
        return self.signed(self.pieces[node], need)

    def full(self, node: Node) -> Piece:
        """A node's code with its whole shape."""
        piece = self.pieces[node]
        if piece.held == node.shape:
            return piece
        shape = self.shapes.get(node.shape) or self.sizes.of_shape(node.shape)
        if piece.held == () and piece.weak:
            text = self.signed(piece, 0)
            kind = {"f": "", "i": ", dtype=int", "b": ", dtype=bool"}[node.kind]
            if text in ("0", "1"):
                text = f"np.{'zeros' if text == '0' else 'ones'}({shape}{kind})"
            elif piece.whole or node.kind != "f" or re.match(r"-?(\d+\.|np)", text):
                text = f"np.full({shape}, {text}{'.0' if piece.whole else ''}{kind})"
            else:
                text = f"np.full({shape}, {text}, dtype=float)"
            return Piece(text, ATOM, node.shape)
        text = f"np.broadcast_to({self.signed(piece, 0)}, {shape})"
        return Piece(text, ATOM, node.shape, fresh=False)

    def whole(self, node: Node, need: float = 0) -> str:
        return self.signed(self.full(node), need)

    def held(self, node: Node, parts: Sequence[Node]) -> Shape:
        """The shape that code has whose parts NumPy stretches."""
        shapes = [self.pieces[p].held for p in parts]
        length = max((len(s) for s in shapes), default=0)
        full = node.shape[node.ndim - length :]
        return tuple(
            full[k] if any(len(s) >= length - k and s[k - length] != 1 for s in shapes) else ONE
            for k in range(length)
        )

    def real(self, node: Node, others: Sequence[Node], need: float = 0) -> str:
        """An operand where the result is real and NumPy would give an integer."""
        piece = self.pieces[node]
        if piece.whole and all(o.kind != "f" or self.pieces[o].whole for o in others):
            return self.signed(replace(piece, text=f"{piece.text}.0"), need)
        return self.signed(piece, need)

    def cast(self, node: Node, kind: str, need: float = 0) -> str:
        """An operand as numbers of a kind, where NumPy would take it otherwise."""
        if node.kind == kind or (node.kind == "i" and kind == "f" and self.pieces[node].weak):
            return self.arg(node, need)
        to = "float" if kind == "f" else "int"
        if self.pieces[node].weak or self.pieces[node].held == ():  # perhaps no array
            return f"{to}({self.arg(node)})"
        return f"{self.arg(node, ATOM)}.astype({to})"

    # -- operations ----------------------------------------------------------------------------

    def compose(self, node: Node) -> Piece:
        """The code of one operation from that of its inputs."""
        if node.op in FUNCTIONS:
            return self.function(node)
        found = getattr(self, f"op_{node.op}", None)
        if found is None:
            raise UsageError(f"there is no NumPy code for {node.op}")
        piece: Piece = found(node)
        return piece

    def op_input(self, node: Node) -> Piece:
        raise UsageError(f"the input {node.params[0]} is needed; give it in `inputs`")

    def op_const(self, node: Node) -> Piece:
        how, value = node.params[0], constant(node)
        if how == "number":
            text, level = exact_number(abs(value))
            if node.kind == "i":
                text, level = str(abs(int(value))), ATOM
            whole = node.kind == "f" and text.isdigit()
            return Piece(text, level, (), value < 0, weak=True, whole=whole)
        if how == "named":
            return Piece(f"np.{node.params[1]}", ATOM, (), weak=True)
        if how in ("near", "infinite"):
            text = rounded_number(abs(value))
            return Piece(text, ATOM, (), bool(np.signbit(value)), weak=True)
        return self.constant_array(node, value)

    def constant_array(self, node: Node, value: np.ndarray) -> Piece:
        first = value.ravel()[:1].tolist()
        alike = node.kind != "b" and value.ndim and first and np.isfinite(first[0])
        if alike and (value == first[0]).all() and not np.signbit(value).any():
            text = f"{first[0]:.0f}" if first[0] == int(first[0]) else repr(first[0])
            whole = node.kind == "f" and first[0] == int(first[0])
            if len(text) < 20:
                return Piece(text, ATOM, (), weak=True, whole=whole)
        kind = {"f": "float", "i": "int", "b": "bool"}[node.kind]
        listed = repr(value.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
        shape = f".reshape({value.shape})" if value.size == 0 else ""
        text = f"np.array({listed}, dtype={kind}){shape}"
        if len(text) <= INLINE // 2:
            return Piece(text, ATOM, node.shape)
        name = self.names.pick("constant")
        self.above.append(wrapped(f"{name} = {text}", 0))
        return Piece(name, ATOM, node.shape, fresh=False)

    def op_size(self, node: Node) -> Piece:
        text, level = self.sizes.text(node.graph.size(node.params[0]))
        return Piece(text, level, (), weak=True)

    def op_iota(self, node: Node) -> Piece:
        return Piece(f"np.arange({self.sizes.plain(node.shape[0])})", ATOM, node.shape)

    def op_delta(self, node: Node) -> Piece:
        rows, columns = node.shape
        k = node.params[2]
        parts = [self.sizes.plain(rows)]
        if columns != rows:
            parts.append(self.sizes.plain(columns))
        if k:
            parts.append(f"k={k}")
        return Piece(f"np.eye({', '.join(parts)})", ATOM, node.shape)

    def elementwise(self, node: Node, text: str, level: float, negative: bool = False) -> Piece:
        weak = all(self.pieces[i].weak for i in node.inputs)
        return Piece(text, level, self.held(node, node.inputs), negative, weak=weak)

    def op_neg(self, node: Node) -> Piece:
        (x,) = node.inputs
        piece = self.pieces[x]
        if x.kind == "b":
            return self.elementwise(node, self.cast(x, "i", PRODUCT), ATOM, True)
        return replace(piece, negative=not piece.negative)

    def one(self, node: Node) -> bool:
        """Whether a node is the number 1."""
        return node.op == "const" and node.params[:2] == ("number", 1) and not self.wanted.get(node)

    def op_add(self, node: Node) -> Piece:
        a, b = node.inputs
        p, q = self.pieces[a], self.pieces[b]
        if p.negative and not q.negative:
            a, b, p, q = b, a, q, p
        left = self.term(node, a, b, signed=True)
        right = self.term(node, b, a, signed=False)
        return self.elementwise(node, f"{left} {'-' if q.negative else '+'} {right}", SUM)

    def term(self, node: Node, x: Node, other: Node, signed: bool) -> str:
        piece = self.pieces[x]
        if x.kind == "b" and (node.kind == "i" or self.pieces[other].weak):
            return self.cast(x, node.kind, SUM if signed else PRODUCT)
        if piece.whole and other.kind != "f" and not self.pieces[other].weak:
            piece = replace(piece, text=f"{piece.text}.0")
        if signed:
            return self.signed(piece, SUM)
        return self.tight(piece.text, piece.level, PRODUCT)

    def op_mul(self, node: Node) -> Piece:
        a, b = node.inputs
        for x, y in ((a, b), (b, a)):
            if self.one(x) and y.kind == node.kind:
                return self.pieces[y]
        p, q = self.pieces[a], self.pieces[b]
        if (q.weak and not p.weak) or (a.kind == "b" and b.kind != "b" and not p.weak):
            a, b, p, q = b, a, q, p  # −c is no number where c is a condition
        over = self.reciprocal(b) if p.weak and q.weak else None
        if over is not None:
            below = self.pieces[over]  # 2·(1/N) is 2/N, but for a rounding
            text = f"{self.tight(p.text, p.level, PRODUCT)} / "
            text += self.tight(below.text, below.level, UNARY)
            return self.elementwise(node, text, PRODUCT, p.negative != q.negative)
        texts = []
        for x, y, piece, need in ((a, b, p, PRODUCT), (b, a, q, UNARY)):
            if x.kind == "b" and (y.kind == "b" or self.pieces[y].weak):
                texts.append(self.cast(x, node.kind, need))
                continue
            if piece.whole and y.kind != "f" and not self.pieces[y].weak:
                piece = replace(piece, text=f"{piece.text}.0")
            level = UNARY - 1.5 if piece.level == MATMUL else piece.level
            texts.append(self.tight(piece.text, level, need))
        return self.elementwise(node, f"{texts[0]} * {texts[1]}", PRODUCT, p.negative != q.negative)

    def reciprocal(self, x: Node) -> Node | None:
        """What a number is 1 over, if it is written so."""
        while x.op in ("broadcast", "reshape") and x not in self.assigned:
            x = x.inputs[0]
        written = x.op == "div" and x not in self.assigned and self.one(x.inputs[0])
        return x.inputs[1] if written else None

    def op_div(self, node: Node) -> Piece:
        a, b = node.inputs
        if self.one(b) and a.kind == "f":
            return self.pieces[a]
        p, q = self.pieces[a], self.pieces[b]
        level = UNARY - 1.5 if p.level == MATMUL else p.level
        left = self.tight(p.text, level, PRODUCT)
        if a.kind == "b" and not p.weak:
            left = self.cast(a, "f", PRODUCT)
        right = self.tight(q.text, q.level, UNARY)
        return self.elementwise(node, f"{left} / {right}", PRODUCT, p.negative != q.negative)

    def op_power(self, node: Node) -> Piece:
        (x,), exponent = node.inputs, node.params[0]
        piece = self.pieces[x]
        if exponent == 1 and x.kind == node.kind:
            return piece
        size = abs(exponent)
        if size == Fraction(1, 2):
            text, level, negative = f"np.sqrt({self.arg(x)})", float(ATOM), False
        elif size.denominator == 1:
            negative = piece.negative and size % 2 == 1
            if x.kind != "f" and (x.kind == "b" or exponent < 0) and not piece.weak:
                base, simple, negative = self.cast(x, node.kind, ATOM), False, False
            else:
                base, simple = self.tight(piece.text, piece.level, ATOM), piece.simple
            if size == 1:
                text, level = base, float(ATOM)
            else:
                text, level = f"{base}{'**' if simple else ' ** '}{size}", float(POWER)
        else:
            negative = False
            number, tight = exact_number(size)
            if piece.weak:
                text, level = f"np.power({self.arg(x)}, {number})", float(ATOM)
            else:
                text = f"{self.arg(x, ATOM)} ** {self.tight(number, tight, UNARY)}"
                level = POWER
        if exponent < 0:
            text, level = f"1 / {self.tight(text, level, UNARY)}", PRODUCT
        return self.elementwise(node, text, level, negative)

    def comparison(self, node: Node, symbol: str, turned: str) -> Piece:
        a, b = node.inputs
        if self.pieces[a].weak and not self.pieces[b].weak:
            a, b, symbol = b, a, turned
        text = f"{self.arg(a, COMPARE + 1)} {symbol} {self.arg(b, COMPARE + 1)}"
        return self.elementwise(node, text, COMPARE)

    def op_less(self, node: Node) -> Piece:
        return self.comparison(node, "<", ">")

    def op_equal(self, node: Node) -> Piece:
        return self.comparison(node, "==", "==")

    def op_not(self, node: Node) -> Piece:
        (x,) = node.inputs
        if x not in self.assigned and x.op in ("less", "equal"):
            symbols = (">=", "<=") if x.op == "less" else ("!=", "!=")
            return replace(self.comparison(x, *symbols), held=self.held(node, [x]))
        if x not in self.assigned and x.op == "and":
            if all(i.op == "not" and i not in self.assigned for i in x.inputs):
                a, b = (i.inputs[0] for i in x.inputs)
                if a not in self.assigned or b not in self.assigned:
                    return self.both(node, a, b, "|", "np.logical_or")
        if self.pieces[x].weak:
            return self.elementwise(node, f"np.logical_not({self.arg(x)})", ATOM)
        return self.elementwise(node, f"~{self.arg(x, UNARY)}", UNARY)

    def op_and(self, node: Node) -> Piece:
        a, b = node.inputs
        return self.both(node, a, b, "&", "np.logical_and")

    def both(self, node: Node, a: Node, b: Node, symbol: str, function: str) -> Piece:
        if self.pieces[a].weak or self.pieces[b].weak:
            return self.elementwise(node, f"{function}({self.arg(a)}, {self.arg(b)})", ATOM)
        text = f"{self.arg(a, AND + 1)} {symbol} {self.arg(b, AND + 1)}"
        return self.elementwise(node, text, AND)

    def op_select(self, node: Node) -> Piece:
        c, a, b = node.inputs
        texts = [self.real(x, [y]) for x, y in ((a, b), (b, a))]
        return replace(
            self.elementwise(node, f"np.where({self.arg(c)}, {texts[0]}, {texts[1]})", ATOM),
            weak=False,
        )

    def op_floor(self, node: Node) -> Piece:
        (below,) = node.inputs
        x = self.real(below, []) if below.kind == "f" else self.cast(below, "f")
        if below.kind == "i" and self.pieces[below].weak:  # NumPy's floor of an int is one
            x = f"float({x})"
        return replace(self.elementwise(node, f"np.floor({x})", ATOM), weak=False)

    def function(self, node: Node) -> Piece:
        op = node.op
        if op == "sign" and node.kind == "b":
            return self.pieces[node.inputs[0]]
        if helper(op):
            self.helpers.setdefault(op)
        if op == "polygamma":
            text = f"polygamma({node.params[0]}, {self.arg(node.inputs[0])})"
        elif op == "pow":
            a, b = node.inputs
            if self.pieces[a].weak and self.pieces[b].weak:
                text = f"np.power({self.cast(a, 'f')} * 1.0, {self.arg(b)})"
            else:
                left = self.arg(a, ATOM) if b.kind == "f" else self.cast(a, "f", ATOM)
                right = self.arg(b, UNARY) if a.kind == "f" else self.cast(b, "f", UNARY)
                piece = self.elementwise(node, f"{left} ** {right}", POWER)
                return replace(piece, weak=False)
        else:
            kinds = {x.kind for x in node.inputs}
            exact = node.kind == "f" and (FUNCTIONS[op].keeps_kind or len(node.inputs) == 2)
            args = [
                self.cast(x, node.kind)
                if kinds == {"b"}
                else self.real(x, [y for y in node.inputs if y is not x])
                if exact
                else self.arg(x)
                for x in node.inputs
            ]
            text = FUNCTIONS[op].source.format(*args)
        return replace(self.elementwise(node, text, ATOM), weak=False)
