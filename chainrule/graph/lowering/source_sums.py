"""Readable NumPy for sums of products: @, np.sum, np.outer, .T, and np.einsum for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chainrule.graph.lowering.numpy_text import ATOM, PRODUCT, UNARY, letters
from chainrule.graph.lowering.source_terms import MATMUL, ONE, Piece, Terms
from chainrule.graph.node import Node


class Sums(Terms):
    """The code of contractions and reductions."""

    def op_contract(self, node: Node) -> Piece:
        labels, out = node.params
        if not labels:
            return Piece("1", ATOM, (), weak=True, whole=node.kind == "f")
        if len(labels) == 1:
            return self.single(node, labels[0], out)
        if len(labels) == 2:
            piece = self.pair(node, labels, out)
            if piece is not None:
                return piece
        args = ", ".join(self.numbers(x, node) for x in node.inputs)
        text = f'np.einsum("{letters(labels, out)}", {args})'
        return Piece(text, ATOM, node.shape)

    def numbers(self, x: Node, node: Node, need: float = 0) -> str:
        """An operand of a sum of products; truth values are numbers there."""
        if x.kind == "b" and node.kind != "b":
            if not x.ndim:
                return self.cast(x, node.kind, need)
            text = self.signed(self.full(x), ATOM)
            return f"{text}.astype({'float' if node.kind == 'f' else 'int'})"
        piece = self.full(x)
        if piece.level == MATMUL and need == MATMUL:  # A @ B @ C is (A @ B) @ C
            return self.signed(piece, MATMUL)
        return self.signed(piece, need)

    def single(self, node: Node, of: tuple[int, ...], out: tuple[int, ...]) -> Piece:
        (x,) = node.inputs
        piece = self.pieces[x]
        if of == out:
            return replace(piece) if x.kind == node.kind else self.numbers_piece(x, node)
        distinct = len(set(of)) == len(of)
        if piece.held == () and distinct and len(out) == len(of):
            return piece  # all entries are the same
        text = self.numbers(x, node, ATOM)
        if distinct and len(out) == len(of):
            if out == of[::-1]:
                return Piece(f"{text}.T", ATOM, node.shape, fresh=False)
            order = ", ".join(str(of.index(label)) for label in out)
            return Piece(f"{text}.transpose({order})", ATOM, node.shape, fresh=False)
        if distinct and list(out) == [label for label in of if label in out]:
            return Piece(self.summed(node, x, of, out), ATOM, node.shape)
        plain = self.numbers(x, node)
        if len(of) == 2 and not distinct:
            name = "np.diagonal" if out else "np.trace"
            return Piece(f"{name}({plain})", ATOM, node.shape, fresh=not out)
        text = f'np.einsum("{letters((of,), out)}", {plain})'
        return Piece(text, ATOM, node.shape, fresh=False)

    def numbers_piece(self, x: Node, node: Node) -> Piece:
        return Piece(self.numbers(x, node), ATOM, node.shape)

    def summed(
        self, node: Node, x: Node, of: Sequence[int], out: Sequence[int], keep: bool = False
    ) -> str:
        gone = [k for k, label in enumerate(of) if label not in out]
        axis = "" if len(gone) == len(of) else f"axis={gone[0] if len(gone) == 1 else tuple(gone)}"
        options = ", ".join(filter(None, (axis, "keepdims=True" if keep else "")))
        full = self.full(x)
        if full.simple and not full.negative and not options:
            return f"{full.text}.sum()"
        return f"np.sum({self.signed(full, 0)}{', ' if options else ''}{options})"

    def pair(
        self, node: Node, labels: Sequence[tuple[int, ...]], out: tuple[int, ...]
    ) -> Piece | None:
        """Two factors as @, an outer product, or an elementwise product that is summed."""
        (a, b), (p, q) = node.inputs, labels
        if len(set(p)) < len(p) or len(set(q)) < len(q):
            return None
        shared = [x for x in p if x in q]
        gone = [x for x in shared if x not in out]
        if set(p) | set(q) == set(out) | set(gone) and len(gone) == 1 and len(shared) == 1:
            return self.product(node, a, b, p, q, out, gone[0])
        if len(p) > 2 and p[:-2] == q[:-2] == out[:-2] and len(out) == len(p):
            if p[-1] == q[-2] and out[-2:] == (p[-2], q[-1]) and p[-2] != q[-1]:
                return self.at(node, self.numbers(a, node, MATMUL), b)
        if not shared and len(p) == len(q) == 1 and out in ((*p, *q), (*q, *p)):
            first, second = (a, b) if out == (*p, *q) else (b, a)
            text = f"np.outer({self.numbers(first, node)}, {self.numbers(second, node)})"
            return Piece(text, ATOM, node.shape)
        return self.pointwise(node, a, b, p, q, out)

    def at(self, node: Node, left: str, right: Node) -> Piece:
        return Piece(f"{left} @ {self.numbers(right, node, UNARY)}", MATMUL, node.shape)

    def product(
        self, node: Node, a: Node, b: Node, p: Any, q: Any, out: Any, over: int
    ) -> Piece | None:
        """`A @ B` with what must be transposed."""
        if max(len(p), len(q)) > 2:
            return None
        if len(out) == 2 and out[0] in q:
            a, b, p, q = b, a, q, p
        if len(p) + len(q) == 3 and len(q) == 2 and q[0] != over:  # W v rather than v W.T
            a, b, p, q = b, a, q, p
        left = self.numbers(a, node, MATMUL)
        if len(p) == 2 and p[1] != over:
            left = f"{self.numbers(a, node, ATOM)}.T"
        if len(q) == 2 and q[0] != over:
            text = f"{left} @ {self.numbers(b, node, ATOM)}.T"
            return Piece(text, MATMUL, node.shape)
        return self.at(node, left, b)

    def pointwise(self, node: Node, a: Node, b: Node, p: Any, q: Any, out: Any) -> Piece | None:
        """`A * B`, summed over axes; None where the axes would have to be moved."""
        if len(p) < len(q) or (len(p) == len(q) and list(p) != list(q)):
            a, b, p, q = b, a, q, p
        if not set(q) <= set(p) or [x for x in p if x in q] != list(q):
            return None
        if [x for x in p if x in out] != list(out):
            return None
        if node.kind == "b" or "b" in (a.kind, b.kind):
            return None
        lone = self.full(b)
        if not q or p[-len(q) :] == q:
            right = self.signed(lone, UNARY)
        else:
            first = next(k for k, x in enumerate(p) if x in q)
            cuts = ", ".join(":" if x in q else "None" for x in p[first:])
            right = f"{self.signed(lone, ATOM)}[{cuts}]"
        left = self.signed(self.full(a), PRODUCT)
        if self.full(a).level == MATMUL:
            left = f"({left})"
        if not q:
            left, right = self.signed(lone, PRODUCT), self.signed(self.full(a), UNARY)
        text = f"{left} * {right}"
        if len(out) == len(p):
            return Piece(text, PRODUCT, node.shape)
        gone = [k for k, label in enumerate(p) if label not in out]
        axis = "" if len(gone) == len(p) else f", axis={gone[0] if len(gone) == 1 else tuple(gone)}"
        return Piece(f"np.sum({text}{axis})", ATOM, node.shape)

    def op_reduce_mul(self, node: Node) -> Piece:
        return self.reduction("np.all" if node.kind == "b" else "np.prod", node)

    def op_reduce_max(self, node: Node) -> Piece:
        return self.reduction("np.max", node)

    def reduction(self, name: str, node: Node) -> Piece:
        (x,), axes = node.inputs, node.params[0]
        axis = "" if len(axes) == x.ndim else f", axis={axes[0] if len(axes) == 1 else tuple(axes)}"
        if not axes:
            return self.pieces[x]
        return Piece(f"{name}({self.whole(x)}{axis})", ATOM, node.shape)

    def keepdims(self, node: Node) -> bool:
        """Whether a reshape only puts the axes of a sum back, as 1."""
        x = node.inputs[0]
        if x.op != "contract" or len(x.inputs) != 1 or x in self.assigned:
            return False
        (of,), out = x.params
        before = x.inputs[0].shape
        if len(set(of)) < len(of) or list(out) != [label for label in of if label in out]:
            return False
        if len(out) == len(of) or x.kind != x.inputs[0].kind:
            return False
        kept = [n if label in out else ONE for label, n in zip(of, before, strict=True)]
        return tuple(kept) == node.shape
