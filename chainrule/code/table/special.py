"""Rows of `scipy.special`, found once the user's own code has imported it; never imported here."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from chainrule.code.table.arguments import axes_of, integer, kept, real, zero
from chainrule.code.table.row import Sample, Unsupported, row
from chainrule.code.table.ufunc import named, number, one, two
from chainrule.graph.node import Graph, Node

one("expit", named("expit"), "1 / (1 + exp(−x))", late=("scipy.special.expit",))


def _logit(g: Graph, x: Node) -> Node:
    return g.call("log", g.div(x, g.sub(number(g, 1), x)))


def _log_expit(g: Graph, x: Node) -> Node:
    return g.neg(g.call("logaddexp", number(g, 0), g.neg(x)))


def _digamma(g: Graph, x: Node) -> Node:
    return g.call("polygamma", x, order=0)


def _ndtr(g: Graph, x: Node) -> Node:
    root = g.power(number(g, 2), Fraction(1, 2))
    return g.mul(number(g, Fraction(1, 2)), g.call("erfc", g.neg(g.div(x, root))))


one("logit", _logit, "log(x / (1 − x))", domain="share", late=("scipy.special.logit",))
one("log_expit", _log_expit, "−log(1 + exp(−x))", late=("scipy.special.log_expit",))
one("erf", named("erf"), "erf x", late=("scipy.special.erf",))
one("erfc", named("erfc"), "1 − erf x", late=("scipy.special.erfc",))
one("ndtr", _ndtr, "erfc(−x/√2) / 2", late=("scipy.special.ndtr",))
one(
    "gammaln",
    named("lgamma"),
    "log |Γ(x)|",
    domain="positive",
    late=("scipy.special.gammaln", "scipy.special.loggamma"),
)
one(
    "digamma",
    _digamma,
    "(log Γ)′",
    domain="positive",
    late=("scipy.special.digamma", "scipy.special.psi"),
)


def _polygamma(g: Graph, n: Any, x: Node) -> Node:
    return g.call("polygamma", real(g, x), order=integer("polygamma", "the order", n))


row(
    "polygamma",
    operands=("x",),
    says="the derivative of order n + 1 of log Γ",
    samples=[Sample((1, (2, 3)), domain="positive"), Sample((2, ()), domain="positive")],
    late=("scipy.special.polygamma",),
)(_polygamma)


def _guarded(g: Graph, x: Node, y: Node) -> Node:
    """y, but 1 where x is 0 and y has no logarithm: there the product is 0."""
    none = g.and_(g.equal(x, zero(g, x)), g.less_equal(y, zero(g, y)))
    return g.select(none, number(g, 1), y)


def _xlogy(g: Graph, x: Node, y: Node) -> Node:
    return g.mul(x, g.call("log", _guarded(g, x, y)))


def _xlog1py(g: Graph, x: Node, y: Node) -> Node:
    none = g.and_(g.equal(x, zero(g, x)), g.less_equal(y, number(g, -1)))
    return g.mul(x, g.call("log1p", g.select(none, number(g, 0), y)))


two(
    "xlogy",
    _xlogy,
    "x1 log x2, and 0 where x1 is 0",
    domain="real, positive",
    late=("scipy.special.xlogy",),
    constants=(2,),
)
two(
    "xlog1py",
    _xlog1py,
    "x1 log(1 + x2), and 0 where x1 is 0",
    domain="real, positive",
    late=("scipy.special.xlog1py",),
)


def _shift(g: Graph, a: Node, axes: tuple[int, ...]) -> tuple[Node, Node]:
    """(m, a − m) for the largest entry m along axes, which stay as 1."""
    largest = kept(g, g.reduce("reduce_max", a, axes), a, axes, True)
    return largest, g.sub(a, largest)


def log_sum_exp(g: Graph, a: Node, axes: tuple[int, ...]) -> Node:
    """m + log Σ exp(a − m) over axes, which stay as 1; m is the largest entry."""
    largest, less = _shift(g, real(g, a), axes)
    total = kept(g, g.sum(g.call("exp", less), axes), a, axes, True)
    return g.add(largest, g.call("log", total))


def _logsumexp(
    g: Graph,
    a: Node,
    axis: Any = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
) -> Node:
    name = "logsumexp"
    if b is not None or return_sign:
        raise Unsupported(
            f"{name}: b= and return_sign= are not followed. "
            "Write np.log(np.sum(b * np.exp(a), axis=axis))"
        )
    axes = axes_of(name, axis, a.ndim)
    result = log_sum_exp(g, a, axes)
    if keepdims:
        return result
    return g.reshape(result, [s for k, s in enumerate(a.shape) if k not in axes])


_AXES = tuple(
    Sample(args, options)
    for args in (((3,),), ((2, 3),), ((2, 1, 3),))
    for options in ((), (("axis", 0),), (("axis", -1),))
)
row(
    "logsumexp",
    operands=("a",),
    says="m + log Σ exp(a − m), m the largest entry",
    samples=[
        Sample(((),)),
        *_AXES,
        Sample(((2, 3),), (("axis", (0, 1)), ("keepdims", True))),
    ],
    late=("scipy.special.logsumexp",),
)(_logsumexp)


def _softmax(g: Graph, x: Node, axis: Any = None) -> Node:
    axes = axes_of("softmax", axis, x.ndim)
    e = g.call("exp", _shift(g, real(g, x), axes)[1])
    return g.div(e, kept(g, g.sum(e, axes), e, axes, True))


def _log_softmax(g: Graph, x: Node, axis: Any = None) -> Node:
    axes = axes_of("log_softmax", axis, x.ndim)
    less = _shift(g, real(g, x), axes)[1]
    total = kept(g, g.sum(g.call("exp", less), axes), less, axes, True)
    return g.sub(less, g.call("log", total))


row(
    "softmax",
    operands=("x",),
    says="exp(x − m) / Σ exp(x − m), m the largest entry",
    samples=[Sample(((),)), *_AXES],
    late=("scipy.special.softmax",),
)(_softmax)
row(
    "log_softmax",
    operands=("x",),
    says="x − m − log Σ exp(x − m), m the largest entry",
    samples=[Sample(((),)), *_AXES],
    late=("scipy.special.log_softmax",),
)(_log_softmax)
