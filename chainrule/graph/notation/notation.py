"""The gradient as a person would write it: in the user's names, as text and as LaTeX.

    2/N ((a3 - y) ⊙ σ'(z3)) a2ᵀ          Σ_k W[i,k] x[k,j]          [x > 0] ⊙ g

Conventions, the same everywhere: juxtaposition is the product of matrices, and a number in front
scales; ⊙, ⊘, ^⊙2 and functions go entry by entry; 𝟏 is a column of ones and 𝐈 the identity, of the
size that fits; an array with one axis is a column; ‖A‖ is the root of the sum of the squares of all
entries; [x > 0] is 1 where that holds, else 0; a number, and a named column (n×1) or row, is added
to every entry, column or row; (x[i,y[i]])_i is the array with these entries, and indices count from
0. Names are told apart by `graph.labels`. A formula ends at what has a name; long parts without a
name get one (t1, or ∂C/∂z2 where it is that), and are defined in lines of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from chainrule.graph.node import LEAVES, Node
from chainrule.graph.notation.former import Former
from chainrule.graph.notation.labels import Labels, function_text, latex_of
from chainrule.graph.notation.terms import Call, Entry, Family, Name, Term, entries
from chainrule.graph.notation.typography import Spelled, spelled
from chainrule.graph.sizes import show

Calls = Mapping[Node, tuple[str, tuple[Node, ...]]]
Slopes = Mapping[Node, tuple[str, int, tuple[Node, ...]]]
LONG = 40  # terms in a formula before a part of it gets a name
SHARED = 8  # the same for a part that stands in it more than once
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class FormulaLine:
    """left = right, as text and as LaTeX, with the shape of both ("" where it has none)."""

    left_text: str
    right_text: str
    left_latex: str
    right_latex: str
    shape: str = ""

    @property
    def text(self) -> str:
        """The line as it is read, with its shape behind it."""
        return f"{self.left_text} = {self.right_text}" + (f"   {self.shape}" if self.shape else "")

    @property
    def latex(self) -> str:
        """The equation, without its shape."""
        return f"{self.left_latex} = {self.right_latex}"


class Notation:
    """Writes nodes of one graph.

    inputs : place → node. names : node → the user's name, in the order of binding.
    functions : result → (function, arguments), for calls that are elementwise: a = σ(z).
    slopes : slope → (function, which argument, arguments): σ'(z), ∂₂f(x, y).
    adjoints : node → the adjoint of it. of : what the adjoints are derivatives of.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"m": 2, "n": 3, "N": 4})
    >>> m, n, N = (g.axis(a, k) for a, k in g.env.items())
    >>> W, x, b = g.input("W", (m, n)), g.input("x", (n, N)), g.input("b", (m, g.size(N) * 0 + 1))
    >>> z = g.add(g.einsum("ij,jk->ik", W, x), b)
    >>> notation = Notation({"W": W, "x": x, "b": b}, {z: "z"})
    >>> notation.text(z), notation.definition(z), notation.line(z).text
    ('z', 'z = W x + b', 'z = W x + b   (m×N)')
    """

    def __init__(
        self,
        inputs: Mapping[str, Node],
        names: Mapping[Node, str] | None = None,
        functions: Calls | None = None,
        slopes: Slopes | None = None,
        adjoints: Mapping[Node, Node] | None = None,
        *,
        of: str = "C",
    ) -> None:
        self.labels = Labels(inputs, names or {})
        self.functions = {n: c for n, c in (functions or {}).items() if _readable(n, *c)}
        self.slopes = {n: c for n, c in (slopes or {}).items() if _readable(n, c[0], c[2])}
        self.adjoints = adjoints if adjoints is not None else {}
        self.of = of
        self.parts: dict[Node, Name] = {}  # long parts that got a name
        self._taken = {*self.labels.words, *(w for n in inputs.values() for w in n.graph.env)}

    # -- what stands for a node ----------------------------------------------------------------

    def name(self, node: Node) -> Name | None:
        """A named node's name; None for what has none."""
        if node in self.labels.text:
            return Name(self.labels.text[node], self.labels.latex[node], entries(node.shape))
        if node.op == "input":
            text = str(node.params[0])
            return Name(text, latex_of(text), entries(node.shape))
        return None

    def _called(self, node: Node) -> tuple[str, str, tuple[Node, ...]] | None:
        """Text, LaTeX and arguments of a call or of a slope, σ(z) or σ'(z)."""
        if node in self.functions:
            name, arguments = self.functions[node]
            return (*head(name, len(arguments)), arguments)
        if node in self.slopes:
            name, slot, arguments = self.slopes[node]
            return (*head(name, len(arguments), slot), arguments)
        return None

    def below(self, node: Node) -> tuple[Node, ...]:
        """What a node is written with."""
        call = self._called(node)
        return node.inputs if call is None else call[2]

    def derivative(self, node: Node) -> Name:
        """∂C/∂z as a name, for a named node z."""
        text, latex = self.labels.text[node], self.labels.latex[node]
        return Name(
            f"∂{self.of}/∂{text}",
            rf"\frac{{\partial {latex_of(self.of)}}}{{\partial {latex}}}",
            entries(node.shape),
            "derivative",
        )

    # -- one formula ---------------------------------------------------------------------------

    def term(
        self,
        node: Node,
        extra: Mapping[Node, Name] | None = None,
        open_: bool = False,
        cut: set[Node] | None = None,
    ) -> tuple[Term, list[Node]]:
        """A node as a term, and the parts of it that got names, in the order of need.

        extra : more nodes to stop at. open_ : write the node out although it has a name. cut : the
        parts to name; None: as long as the formula asks for it.
        """
        known = dict(extra or {})

        def named(n: Node) -> Name | None:
            return self.name(n) or known.get(n)

        if not open_ and (found := named(node)) is not None:
            return found, []
        cut = self._cuts(node, extra) if cut is None else cut
        used: list[Node] = []

        def stop(n: Node) -> Term | None:
            found = named(n) if n is not node else None
            if found is None and n in cut and n is not node:
                if n not in used:
                    used.append(n)
                return self.parts[n]
            call = self._called(n) if found is None else None
            if call is not None:
                text, latex, arguments = call
                return Call(text, latex, tuple(map(former.form, arguments)), entries(n.shape))
            return found

        former = Former(stop, {*self._taken, *(p.text for p in self.parts.values())})
        return former.form(node), used

    def _cuts(self, root: Node, extra: Mapping[Node, Name] | None = None) -> set[Node]:
        """The nodes below root that need a name of their own: long ones, repeated ones."""
        known = extra or {}

        def named(n: Node) -> Name | None:
            return self.name(n) or known.get(n)

        below: dict[int, Node] = {root.number: root}
        users: dict[int, int] = {}
        todo = [root]
        while todo:
            for i in self.below(todo.pop()):
                users[i.number] = users.get(i.number, 0) + 1
                if i.number not in below:
                    below[i.number] = i
                    if named(i) is None:
                        todo.append(i)
        weight: dict[int, int] = {}
        cut: set[Node] = set()
        for k in sorted(below):
            node = below[k]
            if node is not root and (named(node) is not None or node.op in LEAVES):
                weight[k] = 1
                continue
            w = 1 + sum(weight[i.number] for i in self.below(node))
            limit = SHARED if users.get(k, 0) > 1 else LONG
            if w > limit and node is not root and node.kind != "b" and not _turns(node):
                cut.add(node)
                self._part(node)
                w = 1
            weight[k] = w
        return cut

    def _part(self, node: Node) -> None:
        if node in self.parts:
            return
        found = self._adjoint_names.get(node)
        if found is None:
            text, latex = self.labels.fresh(
                "t", (*self._taken, *(p.text for p in self.parts.values()))
            )
            found = Name(text, latex, entries(node.shape))
        self.parts[node] = found

    @cached_property
    def hidden(self) -> set[Node]:
        """What calls with a slope compute on the way, from their arguments to their result."""
        stepped = {(name, arguments) for name, _, arguments in self.slopes.values()}
        inner: set[Node] = set()
        for result, (name, arguments) in self.functions.items():
            todo = [result] if (name, arguments) in stepped else []
            while todo:
                for i in todo.pop().inputs:
                    if i not in arguments and i not in inner and i.inputs:
                        inner.add(i)
                        todo.append(i)
        return inner

    @cached_property
    def _adjoint_names(self) -> dict[Node, Name]:
        """Adjoints of named nodes; where two are the same, the one nearer to the output."""
        found: dict[Node, Name] = {}
        for node in sorted(self.labels.text, key=lambda n: n.number):
            if node in self.hidden or node not in self.adjoints:
                continue
            if self.adjoints[node].op not in LEAVES:
                found[self.adjoints[node]] = self.derivative(node)
        return found

    def spelled(self, node: Node) -> Spelled:
        """Text and LaTeX of a node; a name for what has one."""
        return spelled(self.term(node)[0])

    def text(self, node: Node) -> str:
        """A node in one line of text."""
        return self.spelled(node).text

    def latex(self, node: Node) -> str:
        """A node in LaTeX."""
        return self.spelled(node).latex

    # -- lines ---------------------------------------------------------------------------------

    def definition(self, node: Node) -> str:
        """``z3 = W3 a2 + b3``."""
        line = self.line(node)
        return f"{line.left_text} = {line.right_text}"

    def line(self, node: Node) -> FormulaLine:
        """A node's name and what it is, with its shape."""
        return self.lines(node)[0]

    def lines(
        self, node: Node, left: Name | None = None, extra: Mapping[Node, Name] | None = None
    ) -> tuple[FormulaLine, ...]:
        """What a node is, and below it the parts that got names of their own.

        left : what the node is called here; None: its own name. extra : as for `term`.
        """
        name = left if left is not None else self._left(node)
        cut = self._cuts(node, extra)
        right, used = self.term(node, extra, left is None and node.op != "input", cut)
        out = [equation(name, right, show(node.shape))]
        shown: set[Node] = set()
        while used:
            part = used.pop(0)
            if part in shown:
                continue
            shown.add(part)
            right, more = self.term(part, extra, True, cut)
            out.append(equation(self.parts[part], right, show(part.shape)))
            used += more
        return tuple(out)

    def _left(self, node: Node) -> Name:
        if node in self.labels.text:
            return Name(self.labels.text[node], self.labels.latex[node], entries(node.shape))
        found = self._adjoint_names.get(node) or self.parts.get(node)
        return found or Name(f"%{node.number}", rf"\%{node.number}", entries(node.shape))


def head(name: str, arity: int, slot: int | None = None) -> tuple[str, str]:
    """A function's name; with a slot that of its slope: σ', or ∂₂f for several arguments."""
    text, latex = function_text(name), latex_of(name)
    if slot is None:
        return text, latex
    if arity == 1:
        return text + "'", f"{{{latex}}}'" if "^" in latex else f"{latex}'"
    return f"∂{str(slot + 1).translate(_SUBSCRIPTS)}{text}", rf"\partial_{{{slot + 1}}} {latex}"


def equation(left: Name, right: Term, shape: str) -> FormulaLine:
    """left = right; a family of entries as left[i,j] = its entry."""
    lead: Term = left
    if isinstance(right, Family):
        lead, right = Entry(left, right.indices), right.entry
    a, b = spelled(lead), spelled(right)
    return FormulaLine(a.text, b.text, a.latex, b.latex, shape)


def _readable(node: Node, name: str, arguments: Iterable[Node]) -> bool:
    """Whether a call can stand for a node: not for a number, nor for its own argument."""
    return name.isidentifier() and node.op not in LEAVES and node not in set(arguments)


def _turns(node: Node) -> bool:
    """Whether it only turns its input, so that the input is the part to name."""
    return node.op in ("reshape", "broadcast", "neg") or (
        node.op == "contract"
        and len(node.inputs) == 1
        and len(node.params[1]) == node.ndim
        and node.inputs[0].ndim == node.ndim
    )


__all__ = ["FormulaLine", "Notation", "equation", "head"]
