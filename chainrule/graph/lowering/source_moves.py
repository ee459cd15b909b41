"""Readable NumPy for what moves entries (shapes, slices, writing), and for linear algebra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chainrule.graph.lowering.numpy_text import ATOM, wrapped
from chainrule.graph.lowering.source_sums import Sums
from chainrule.graph.lowering.source_terms import Piece
from chainrule.graph.node import Node
from chainrule.graph.sizes import Shape, Size


class Moves(Sums):
    """The code of the structural operations."""

    def op_reshape(self, node: Node) -> Piece:
        (x,) = node.inputs
        piece = self.pieces[x]
        if x.shape == node.shape:
            return piece
        if piece.held == ():
            return piece if node.ndim or not x.ndim else replace(piece)
        if self.keepdims(node):
            (of,), out = x.params
            return Piece(self.summed(x, x.inputs[0], of, out, keep=True), ATOM, node.shape)
        text = self.whole(x, ATOM)
        cuts = _inserted(x.shape, node.shape)
        if cuts is not None:
            return Piece(f"{text}[{', '.join(cuts)}]", ATOM, node.shape, fresh=False)
        if node.ndim == 1:
            return Piece(f"{text}.ravel()", ATOM, node.shape, fresh=False)
        shape = self.shapes.get(node.shape) or ", ".join(map(self.sizes.plain, node.shape))
        return Piece(f"{text}.reshape({shape})", ATOM, node.shape, fresh=False)

    def op_broadcast(self, node: Node) -> Piece:
        return self.pieces[node.inputs[0]]

    def op_index(self, node: Node) -> Piece:
        (x,), spec = node.inputs, node.params[0]
        piece = self.pieces[x]
        spec = tuple(_settled(x, part) for part in spec)
        if piece.held == ():
            return piece
        cuts = self.sizes.index(spec, x.shape)
        if set(cuts) <= set(":, "):
            return piece
        fresh = not node.ndim
        return Piece(f"{self.whole(x, ATOM)}[{cuts}]", ATOM, node.shape, fresh=fresh)

    def op_gather(self, node: Node) -> Piece:
        x, *indices = node.inputs
        text = f"{self.whole(x, ATOM)}[{self.places(indices)}]"
        return Piece(text, ATOM, node.shape, fresh=bool(indices[0].ndim))

    def places(self, indices: Sequence[Node]) -> str:
        return ", ".join(
            self.whole(i) if _integers(i) else f"{self.whole(i, ATOM)}.astype(int)" for i in indices
        )

    def written(self, node: Node, base: Node, value: Node, cuts: str) -> Piece:
        """`t = base.copy(); t[…] = value`, or into base itself where nobody else needs it."""
        piece = self.pieces[base]
        user = self.buffer_name(node)
        mine = base in self.assigned and piece.fresh and not piece.negative
        alike = self.wanted.get(base) in (None, user) and base.kind == node.kind
        if mine and self.uses[base] == 1 and alike and piece.held == base.shape:
            name = piece.text
        else:
            name = self.names.pick(user) if user else self.names.temporary()
            full = self.full(base)
            text = self.signed(full, 0)
            if base.kind != node.kind:
                to = "float" if node.kind == "f" else "int"
                text = f"{self.signed(full, ATOM)}.astype({to})"
            elif not full.negative and (full.simple or not full.fresh):
                text = f"{self.signed(full, ATOM)}.copy()"
            self.lines.append(wrapped(f"{name} = {text}", 4))
        self.lines.append(wrapped(f"{name}[{cuts}] = {self.arg(value)}", 4))
        self.assigned[node] = name
        return Piece(name, ATOM, node.shape)

    def buffer_name(self, node: Node) -> str | None:
        """The user's name of a buffer, from the last write that has one."""
        while node not in self.wanted and self.uses[node] == 1 and node in self.written_to:
            node = self.written_to[node]
        return self.wanted.get(node)

    def op_put(self, node: Node) -> Piece:
        base, value = node.inputs
        spec = tuple(_settled(base, part) for part in node.params[0])
        cuts = self.sizes.index(spec, base.shape) or "()"
        return self.written(node, base, value, cuts)

    def op_put_at(self, node: Node) -> Piece:
        base, value, *indices = node.inputs
        return self.written(node, base, value, self.places(indices))

    def op_scatter_add(self, node: Node) -> Piece:
        g, *indices = node.inputs
        user = self.wanted.get(node)
        name = self.names.pick(user) if user else self.names.temporary()
        shape = self.shapes.get(node.shape) or self.sizes.of_shape(node.shape)
        kind = {"f": "", "i": ", dtype=int", "b": ", dtype=bool"}[node.kind]
        self.lines.append(wrapped(f"{name} = np.zeros({shape}{kind})", 4))
        places = self.places(indices)
        where = f"({places})" if len(indices) > 1 else places
        self.lines.append(wrapped(f"np.add.at({name}, {where}, {self.whole(g)})", 4))
        self.assigned[node] = name
        return Piece(name, ATOM, node.shape)

    def op_concat(self, node: Node) -> Piece:
        parts = ", ".join(self.whole(x) for x in node.inputs)
        axis = f", axis={node.params[0]}" if node.params[0] else ""
        return Piece(f"np.concatenate([{parts}]{axis})", ATOM, node.shape)

    # -- linear algebra ------------------------------------------------------------------------

    def op_solve(self, node: Node) -> Piece:
        a, b = node.inputs
        return Piece(f"np.linalg.solve({self.whole(a)}, {self.whole(b)})", ATOM, node.shape)

    def op_det(self, node: Node) -> Piece:
        return Piece(f"np.linalg.det({self.whole(node.inputs[0])})", ATOM, node.shape)

    def op_logdet(self, node: Node) -> Piece:
        return Piece(f"np.linalg.slogdet({self.whole(node.inputs[0])})[1]", ATOM, node.shape)


def _settled(node: Node, part: Any) -> Any:
    """A part of a spec in the axes that are left."""
    return tuple(node.graph.size(p) if isinstance(p, Size) else p for p in part)


def _inserted(before: Shape, after: Shape) -> list[str] | None:
    """`:`, `None` and `0` that only add or take axes of size 1; None if that is not all."""
    cuts: list[str] = []
    k = 0
    for n in after:
        while k < len(before) and before[k] == 1 and n != 1:
            cuts.append("0")
            k += 1
        if k < len(before) and before[k] == n:
            cuts.append(":")
            k += 1
        elif n == 1:
            cuts.append("None")
        else:
            return None
    for n in before[k:]:
        if n != 1:
            return None
        cuts.append("0")
    return cuts


def _integers(node: Node) -> bool:
    """Whether NumPy computes whole numbers as such: np.floor gives floats."""
    todo = [node]
    for x in todo:  # grows
        if x.kind != "i" or x.op == "floor":
            return False
        if x.op not in ("index", "gather", "reshape"):
            todo += [i for i in x.inputs if i not in todo]
        else:
            todo.append(x.inputs[0])
    return True
