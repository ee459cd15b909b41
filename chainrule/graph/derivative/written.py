"""What is plain from how a node is written: its number, its factor, where it is defined.

All answers err to one side: no number, the factor 1, not defined everywhere. None looks deeper than
it may: the forms at a fixed depth, the domain once for each node.
"""

from __future__ import annotations

from fractions import Fraction

from chainrule.graph.node import Node

#: Operations that are defined for all operands, if their operands are.
TOTAL = frozenset(
    "input const size iota delta add mul neg exp sin cos arctan erf less equal not and select "
    "floor contract reshape broadcast index put gather scatter_add put_at concat reduce_mul "
    "reduce_max det tanh sinh cosh expm1 exp2 arcsinh expit erfc abs sign cbrt maximum minimum "
    "logaddexp hypot".split()
)


#: Bits of a number up to which others are put into it: 0.999 to the 10,000 stays a product.
LONG = 256


def fraction(node: Node) -> Fraction | None:
    """The exact number that all entries are, if that is written on the node, and not too long."""
    for _ in range(4):
        if node.op not in ("broadcast", "reshape"):
            break
        node = node.inputs[0]
    if node.op == "const" and node.params[0] == "number":
        number = Fraction(node.params[1])
        if number.numerator.bit_length() + number.denominator.bit_length() <= LONG:
            return number
    return None


def coefficient(node: Node) -> tuple[Fraction, Node]:
    """c and x, where the node is c·x of the same shape; 1 and the node itself if not."""
    if node.op == "neg" and node.inputs[0].kind == "f":
        c, core = coefficient_of_product(node.inputs[0])
        return -c, core
    return coefficient_of_product(node)


def coefficient_of_product(node: Node) -> tuple[Fraction, Node]:
    """As `coefficient`, for c·x with the number in front."""
    if node.op == "mul" and node.inputs[1].kind == "f":
        c = fraction(node.inputs[0])
        if c is not None and node.inputs[1].shape == node.shape:
            return c, node.inputs[1]
    return Fraction(1), node


class Domain:
    """Which nodes are plainly defined for all values of the inputs, and which are positive."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bool, bool]] = {}

    def total(self, node: Node) -> bool:
        """Whether a node is defined everywhere."""
        todo = [node]
        while todo:
            n = todo[-1]
            later = [i for i in n.inputs if i.number not in self._known]
            if n.number in self._known or not later:
                todo.pop()
                self._known[n.number] = self._judged(n)
            else:
                todo.extend(later)
        return self._known[node.number][0]

    def nonzero(self, node: Node) -> bool:
        """Whether a node is nowhere 0."""
        c = fraction(node)
        return c != 0 if c is not None else self.total(node) and self._known[node.number][1]

    def _judged(self, n: Node) -> tuple[bool, bool]:
        """Whether a node is defined everywhere, and whether it is positive where it is defined."""
        known = [self._known[i.number] for i in n.inputs]
        fine, positive = all(k[0] for k in known), [k[1] for k in known]
        c = fraction(n)
        if c is not None:
            return True, c > 0
        if n.op == "div":
            return fine and (bool(fraction(n.inputs[1])) or positive[1]), all(positive)
        if n.op == "power":
            whole = n.params[0].denominator == 1 and n.params[0] >= 0
            return fine and (positive[0] or whole), positive[0]
        if n.op == "log":
            return fine and positive[0], False
        kept = n.op in ("add", "mul", "broadcast", "reshape") and all(positive)
        return fine and n.op in TOTAL, kept or n.op in ("exp", "exp2", "cosh", "expit")
