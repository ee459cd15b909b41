"""Forward mode, and what is composed of both modes: Hessian-vector products.

Tangents go through the graph in its own order, node by node; what is zero is no node but None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chainrule.errors import ShapeError
from chainrule.graph.derivative.adjoint import hessian, jacobian, reverse
from chainrule.graph.derivative.rules import PUSHFORWARDS
from chainrule.graph.derivative.simplify import Lean
from chainrule.graph.derivative.slopes import CONSTANT, power_rule, shortcut
from chainrule.graph.node import Node, reached
from chainrule.graph.sizes import show

__all__ = ["forward", "hessian", "hvp", "jacobian"]


def forward(outputs: Sequence[Node], tangents: Mapping[Node, Node]) -> list[Node | None]:
    """The tangent of each output, of its shape; None where it is zero.

    tangents : node → its tangent, of the same shape. A node in between may have one as well: it
    takes the place of what the chain rule gives there.
    Raises ShapeError for a tangent of another shape.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph()
    >>> x, v = g.input("x", ()), g.input("v", ())
    >>> slope, none = forward([g.call("sin", x), v], {x: v})
    >>> slope.op, [i.op for i in slope.inputs], none
    ('mul', ['input', 'cos'], None)
    """
    if not outputs:
        return []
    lean = Lean(outputs[0].graph)
    dots: dict[int, Node] = {}
    for node, dot in tangents.items():
        if dot.ndim != node.ndim:
            raise ShapeError(
                f"a tangent of the shape {show(dot.shape)} for a value of the shape "
                f"{show(node.shape)}; the two must be one"
            )
        for a, b in zip(node.shape, dot.shape, strict=True):
            lean.graph.same(a, b, "a tangent")
        dots[node.number] = dot
    for node in reached(outputs):
        if node.number in dots or node.op in CONSTANT or node.kind != "f":
            continue
        given = [dots.get(i.number) for i in node.inputs]
        if any(d is not None for d in given):
            short = shortcut(node)
            if short is not None and short[1].number in dots and short[0] not in tangents:
                _, s, p, q = short  # (√s)² is s
                dot_: Node | None = power_rule(lean, dots[s.number], s, p * q)
            else:
                dot_ = PUSHFORWARDS[node.op](lean, node, given)
            if dot_ is not None and not lean.is_zero(dot_):
                dots[node.number] = lean.broadcast(dot_, node.shape)
    return [dots.get(o.number) for o in outputs]


def hvp(output: Node, xs: Sequence[Node], vs: Sequence[Node]) -> list[Node]:
    """Hessian times vector of a scalar output: Σ_j ∂²output/∂x_i∂x_j · v_j for each x_i."""
    gradients = reverse(output, xs).of
    given = [gradients[x] for x in xs]
    out = forward(given, dict(zip(xs, vs, strict=True)))
    lean = Lean(output.graph)
    return [lean.zeros(x.shape) if t is None else t for x, t in zip(xs, out, strict=True)]
