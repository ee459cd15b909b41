"""The walk of the chain rule from the output to a parameter, one named array a line.

    ∂C/∂a3 = 2/N (a3 - y)            (n3×N)
    ∂C/∂z3 = ∂C/∂a3 ⊙ σ'(z3)         (n3×N)
    ∂C/∂W3 = ∂C/∂z3 a2ᵀ              (n3×n2)
    σ'(z) = exp(-z)/(exp(-z) + 1)²

Each adjoint is written in those of the named arrays between it and the output.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chainrule.graph.derivative.simplify import Lean
from chainrule.graph.node import LEAVES, Node, reached
from chainrule.graph.notation.former import Former
from chainrule.graph.notation.former_elementwise import elementwise
from chainrule.graph.notation.notation import FormulaLine, Notation, equation, head
from chainrule.graph.notation.terms import Call, Name, Term
from chainrule.graph.notation.typography import spelled, superscript
from chainrule.typeset import latex, letter, text

if TYPE_CHECKING:
    import sympy as sp

_LARGE = 60  # operations of a scalar formula beyond which no shorter form is looked for


def steps(notation: Notation, output: Node, wrt: Node) -> tuple[FormulaLine, ...]:
    """The adjoints on the way from the output to `wrt`, then the slopes that they name."""
    way = _way(notation, output, wrt)
    lines: list[FormulaLine] = []
    seen: set[str] = set()
    slopes: dict[tuple[str, int], Node] = {}
    for node in sorted(way, key=lambda n: -n.number):
        if node is output:
            continue
        extra = {
            notation.adjoints[m]: notation.derivative(m)
            # the nearest comes last, and is the one that is named
            for m in sorted(way[node], key=lambda n: -n.number)
            if m is not output and notation.adjoints[m].op not in LEAVES
        }
        adjoint = notation.adjoints.get(node)
        if adjoint is None:  # the output does not depend on it
            adjoint = Lean(output.graph).zeros(node.shape)
        for line in notation.lines(adjoint, notation.derivative(node), extra):
            if line.left_text not in seen:
                seen.add(line.left_text)
                lines.append(line)
        for n in _slopes_in(notation, adjoint, extra):
            name, slot, _ = notation.slopes[n]
            slopes.setdefault((name, slot), n)
    return (*lines, *_slope_lines(notation, slopes.values()))


def definitions(notation: Notation, output: Node) -> tuple[FormulaLine, ...]:
    """What every named array on the way to the output is, in order: z3 = W3 a2 + b3."""
    lines: list[FormulaLine] = []
    seen: set[str] = set()
    for node in reached([output]):
        if node in notation.labels.text and node.op != "input" and node not in notation.hidden:
            for line in notation.lines(node):
                if line.left_text not in seen:
                    seen.add(line.left_text)
                    lines.append(line)
    return tuple(lines)


def _way(notation: Notation, output: Node, wrt: Node) -> dict[Node, list[Node]]:
    """The named nodes between wrt and the output, each with those that come after it."""
    order = list(reached([output]))
    ahead = {wrt.number}  # what depends on wrt
    for node in order:
        if any(i.number in ahead for i in node.inputs):
            ahead.add(node.number)
    named = {
        n
        for n in order
        if n.number in ahead
        and (n is wrt or n is output or n in notation.labels.text)
        and n not in notation.hidden
        and (n in notation.adjoints or n is wrt)
    }
    bit = {n: 1 << k for k, n in enumerate(n for n in order if n in named)}
    after: dict[int, int] = {n.number: 0 for n in order}
    for node in reversed(order):
        mask = after[node.number] | bit.get(node, 0)
        for i in node.inputs:
            after[i.number] |= mask
    way = {n: [m for m in named if after[n.number] & bit[m]] for n in named}
    return way if wrt in way else {wrt: []}


def _slopes_in(notation: Notation, root: Node, extra: Mapping[Node, Name]) -> list[Node]:
    """The slopes that a formula shows."""
    found: list[Node] = []
    seen = {root}
    todo = [root]
    while todo:
        node = todo.pop()
        if node is not root and (notation.name(node) or extra.get(node)):
            continue
        if node in notation.slopes and node not in notation.functions:
            found.append(node)
        for i in notation.below(node):
            if i not in seen:
                seen.add(i)
                todo.append(i)
    return sorted(found, key=lambda n: n.number)


# -- σ'(z) as a scalar formula ---------------------------------------------------------------------


def _slope_lines(notation: Notation, slopes: Iterable[Node]) -> list[FormulaLine]:
    lines = []
    for node in slopes:
        name, slot, arguments = notation.slopes[node]
        line = scalar_line(notation, head(name, len(arguments), slot), node, arguments)
        if line is not None:
            lines.append(line)
    return lines


def scalar_line(
    notation: Notation, name: tuple[str, str], node: Node, arguments: Sequence[Node]
) -> FormulaLine | None:
    """``σ'(z) = exp(-z)/(exp(-z) + 1)²``: an elementwise node as a formula of scalars.

    name : the function's, as text and LaTeX. None if something between is not elementwise.
    """
    between = _between(node, arguments)
    if between is None:
        return None
    letters = ["z"] if len(arguments) == 1 else [f"z{k + 1}" for k in range(len(arguments))]
    given: dict[Node, Term] = {
        a: Name(z, letter(z)) for a, z in zip(arguments, letters, strict=True)
    }
    left = Call(*name, tuple(given.values()))
    lead = spelled(left)
    expression = _expression(between, dict(zip(arguments, letters, strict=True)))
    if expression is not None:
        shorter = _shortest(expression)
        right_text = re.sub(
            r"\*\*(\d+)(?![\d.])", lambda m: superscript(int(m[1])), text(shorter)
        ).replace("*", "·")
        return FormulaLine(lead.text, right_text, lead.latex, latex(shorter))

    def stop(n: Node) -> Term | None:
        found = given.get(n) or notation.name(n)
        return Name(found.text, found.latex) if isinstance(found, Name) else None

    former = Former(stop)
    right = former.entry(node, *former.letters(node.shape, frozenset()))
    line = equation(Name(lead.text, lead.latex), right, "")
    return FormulaLine(lead.text, line.right_text, lead.latex, line.right_latex)


def _between(node: Node, arguments: Sequence[Node]) -> list[Node] | None:
    """What leads from the arguments to a node, in order; None if it is not elementwise."""
    seen = {a.number: a for a in arguments}
    inner: dict[int, Node] = {}
    todo = [node]
    while todo:
        n = todo.pop()
        if n.number in seen or n.number in inner:
            continue
        scalar = n.op in ("const", "size") and not n.ndim
        stretched = n.op == "broadcast" and not n.inputs[0].ndim
        if not (scalar or stretched or elementwise(n)):
            return None
        inner[n.number] = n
        todo.extend(n.inputs)
    return [inner[k] for k in sorted(inner)]


def _expression(between: Sequence[Node], letters: Mapping[Node, str]) -> sp.Expr | None:
    """A SymPy expression of scalars; None for what SymPy writes worse than we do."""
    import sympy as sp

    from chainrule.graph.node import constant

    value: dict[Node, Any] = {a: sp.Symbol(z, real=True) for a, z in letters.items()}
    plain: dict[str, Callable[..., Any]] = {
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "log1p": lambda a: sp.log(1 + a),
        "expm1": lambda a: sp.exp(a) - 1,
        "expit": lambda a: 1 / (1 + sp.exp(-a)),
        "pow": lambda a, b: a**b,
        "broadcast": lambda a: a,
    }
    same = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc")
    other = {
        "arctan": sp.atan,
        "arcsin": sp.asin,
        "arccos": sp.acos,
        "arcsinh": sp.asinh,
        "arccosh": sp.acosh,
        "arctanh": sp.atanh,
    }
    for node in between:
        xs = [value[i] for i in node.inputs]
        if node.op == "const" and node.params[0] == "number":
            value[node] = sp.Rational(node.params[1].numerator, node.params[1].denominator)
        elif node.op == "const" and node.params[0] == "named":
            value[node] = {"pi": sp.pi, "e": sp.E, "euler_gamma": sp.EulerGamma}[node.params[1]]
        elif node.op == "const":
            value[node] = sp.Float(repr(float(constant(node))))
        elif node.op == "power":
            value[node] = xs[0] ** sp.Rational(*node.params[0].as_integer_ratio())
        elif node.op in plain:
            value[node] = plain[node.op](*xs)
        elif node.op in same:
            value[node] = getattr(sp, node.op)(*xs)
        elif node.op in other:
            value[node] = other[node.op](*xs)
        else:
            return None
    result = value[between[-1]] if between else None
    good = isinstance(result, sp.Expr) and not result.has(sp.zoo, sp.nan, sp.oo, -sp.oo)
    return result if good else None


def _shortest(expression: sp.Expr) -> sp.Expr:
    """The same function in a form shorter by a fifth, if exact algebra proves it the same."""
    import sympy as sp

    from chainrule.algebra import prove_equal

    best = expression
    if sp.count_ops(expression) > _LARGE:
        return best
    for shorten in (sp.together, sp.factor, sp.powsimp, lambda e: sp.powsimp(sp.together(e))):
        candidate = shorten(expression)
        if 5 * len(text(candidate)) < 4 * len(text(best)):
            proof = prove_equal(candidate, expression)
            if proof.equal and not proof.switches:
                best = candidate
    return best
