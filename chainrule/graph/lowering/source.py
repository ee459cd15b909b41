"""Graphs as NumPy source that a person could paste into their file.

What has a name of the user's is assigned to that name, what is used twice gets a short one, the
rest stands in expressions. The order of the operations is the graph's, so that the code gives what
the graph gives up to rounding; only signs move, where that is exact. Multiplications by 1 and
stretching that NumPy does by itself are not written. For speed see `graph.program`.
"""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.graph.lowering.numpy_text import ATOM, HELPERS, WIDTH, printable, quoted, wrapped
from chainrule.graph.lowering.program import program
from chainrule.graph.lowering.source_moves import Moves
from chainrule.graph.lowering.source_terms import INLINE, Piece
from chainrule.graph.node import Node
from chainrule.graph.sizes import show

__all__ = ["program", "source"]


def source(
    outputs: Mapping[str, Node],
    inputs: Mapping[str, Node],
    names: Mapping[Node, str],
    name: str = "gradients",
) -> str:
    """A module text: helpers that NumPy lacks, and a function of the inputs.

    outputs : key → node. One output is returned as it is, several in a dictionary by their keys.
    inputs : place → input node; their order is that of the parameters. A place that is no
        identifier (`net.W1`) gets one (`net_W1`), which the docstring explains.
    names : names of the user's for nodes in between.

    Where an axis is empty, Python divides numbers by it (2/N) and raises ZeroDivisionError.
    Raises UsageError for an output that needs an input that is not given, or a size no input tells.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph()
    >>> n, m = g.axis("n", 3), g.axis("m", 2)
    >>> W, x = g.input("net.W", (n, m)), g.input("x", (m,))
    >>> z = g.einsum("ij,j->i", W, x)
    >>> print(source({"y": g.call("exp", g.neg(z))}, {"net.W": W, "x": x}, {z: "z"}, "y"))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def y(net_W, x):
        \"\"\"y; derived by chainrule.
    <BLANKLINE>
        net_W : net.W, (n×m)
        x : (m)
        \"\"\"
        z = net_W @ x
        return np.exp(-z)
    <BLANKLINE>
    """
    return _Writer(outputs, inputs, names, name).text()


class _Writer(Moves):
    # -- the whole -----------------------------------------------------------------------------

    def text(self) -> str:
        for node in self.nodes:
            if node not in self.pieces:
                self.place(node)
        self.give()
        head = ["import math", ""] if any("math." in HELPERS[h] for h in self.helpers) else []
        parts = ["\n".join([*head, "import numpy as np"]) + "\n"]
        parts += [HELPERS[h] for h in self.helpers]
        if self.above:
            parts.append("\n".join(self.above) + "\n")
        body = "\n".join(f"    {line}" if line else "" for line in self.lines)
        head_line = wrapped(f"def {self.name}({', '.join(self.parameters.values())}):", 0)
        parts.append(f"{head_line}\n{self.docstring()}\n{body}\n")
        return "\n\n".join(parts)

    def docstring(self) -> str:
        keys = ", ".join(printable(k) for k in self.outputs if k)
        whole = f"{keys}; derived by chainrule."
        short = bool(keys) and len(whole) < WIDTH - 8
        lines = [f'    """{whole if short else "Derived by chainrule."}', ""]
        for place, name in self.parameters.items():
            shape = show(self.inputs[place].shape)
            known = "" if name == place else f"{printable(place)}, "
            lines.append(f"    {name} : {known}{shape}")
        return "\n".join([*lines, '    """'])

    def give(self) -> None:
        done: set[str] = set()
        items: list[tuple[str, str]] = []
        for key, node in self.outputs.items():
            piece = self.full(node)
            text = self.signed(piece, 0)
            if node.ndim and not piece.negative and (not piece.fresh or text in done):
                text = f"{self.tight(text, piece.level, ATOM)}.copy()"
            if piece.simple:
                done.add(text)
            items.append((key, text))
        if len(items) == 1:
            self.lines.append(wrapped(f"return {items[0][1]}", 4))
            return
        self.lines.append("return {")
        self.lines += [wrapped(f"    {quoted(key)}: {text},", 4) for key, text in items]
        self.lines.append("}")

    # -- statements ----------------------------------------------------------------------------

    def place(self, node: Node) -> None:
        """Write a node: into expressions, or as an assignment."""
        piece = self.composed(node)
        user = self.wanted.get(node)
        if node in self.assigned:
            self.pieces[node] = piece
        elif user is not None and not (node.op == "const" and piece.weak):
            self.assign(node, piece, self.names.pick(user), whole=True)
        elif self.uses[node] > 1 and not self.cheap(node, piece):
            self.assign(node, piece)
        else:
            self.pieces[node] = piece

    def cheap(self, node: Node, piece: Piece) -> bool:
        return piece.simple or (node.op == "size" and len(piece.text) < 20)

    def assign(
        self, node: Node, piece: Piece, name: str | None = None, whole: bool = False
    ) -> None:
        """`name = …`; a temporary keeps its sign outside."""
        text = self.signed(piece, 0) if whole else piece.text
        text += ".0" if piece.whole else ""
        name = name or self.names.temporary()
        self.lines.append(wrapped(f"{name} = {text}", 4))
        copied = (piece.fresh and not piece.simple) or (whole and piece.negative)
        self.pieces[node] = Piece(
            name,
            ATOM,
            piece.held,
            negative=piece.negative and not whole,
            weak=piece.weak,
            fresh=copied,
        )
        self.assigned[node] = name
        if copied and piece.held == node.shape and node.ndim:
            self.shapes.setdefault(node.shape, f"{name}.shape")

    def composed(self, node: Node) -> Piece:
        """A node's code, its longest parts assigned first if it is too long."""
        piece = self.compose(node)
        while len(piece.text) > INLINE:
            parts = [i for i in self.operands(node) if self.pieces[i].level < ATOM or self.deep(i)]
            if not parts:
                break
            longest = max(parts, key=lambda i: len(self.pieces[i].text))
            self.assign(longest, self.pieces[longest])
            piece = self.compose(node)
        return piece

    def deep(self, node: Node) -> bool:
        return len(self.pieces[node].text) > 12 and not self.pieces[node].simple

    def operands(self, node: Node) -> list[Node]:
        """The nodes whose code stands in a node's."""
        out: list[Node] = []
        for i in node.inputs:
            seen_through = i not in self.assigned and (
                (node.op == "reshape" and self.keepdims(node))
                or node.op == "not"
                or (node.op == "mul" and self.pieces[i].weak)
            )
            out += i.inputs if seen_through and i.inputs else [i]
        return out
