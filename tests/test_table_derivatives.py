"""Every row's derivative: reverse mode on its definition against jets, which have their own rules.

Both in ball arithmetic at exact points: no tolerance decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_table_functions import FAMILY, Call

from chainrule.code.table.row import ROWS, Row
from chainrule.graph.derivative.adjoint import reverse
from chainrule.graph.derivative.tangent import forward
from chainrule.graph.node import Node
from chainrule.values.ball import Undecided, Undefined, precision
from chainrule.values.certified import enclose
from chainrule.values.jets import enclose as jets

BITS = 120
ALL = [r for r in ROWS if not r.refused and r.samples]


def directional(node: Node, inputs: list[Node], values: dict[str, Any], rng: Any) -> str:
    """Compares the derivative of a random functional of a node along a random direction."""
    graph = node.graph
    weights = graph.array(rng.integers(-3, 4, node.number_shape).astype(float))
    total = graph.sum(graph.mul(weights, node), range(node.ndim)) if node.ndim else node
    real = [x for x in inputs if x.kind == "f" and np.size(values[x.params[0]])]
    if not real or total.kind != "f":
        return "no real input"
    tangents = {x.params[0]: rng.integers(-3, 4, x.number_shape).astype(float) for x in real}
    constant = {x: graph.array(tangents[x.params[0]]) for x in real}
    adjoints = reverse(total).of
    along = graph.number(0)
    for x in real:
        if x in adjoints:
            along = graph.add(along, graph.sum(graph.mul(adjoints[x], constant[x]), range(x.ndim)))
    (pushed,) = forward([total], constant)
    with precision(BITS):
        try:
            ((_, derivative),) = jets([total], values, tangents)
            back = enclose([along], values)[0]
            ahead = back if pushed is None else enclose([pushed], values)[0]
        except (Undecided, Undefined) as why:
            return str(why)
        for found in (back, ahead):
            a, b = found.item(), derivative.item()
            assert a.overlaps(b), (a, b)
            assert a.rad() < 2.0**-60 * (1 + abs(a.mid())), a
    return ""


@pytest.mark.parametrize("row", ALL, ids=lambda r: r.name)
def test_the_derivative_of_a_row(row: Row) -> None:
    """At each sample of the row, as drawn; a sample may lie on a kink, not all of them."""
    rng, told = np.random.default_rng(5), []
    for sample in row.samples:
        call = Call(row, sample)
        arrays = call.arrays(rng, call.shapes)
        values = {x.params[0]: a for x, a in zip(call.inputs, arrays, strict=True)}
        told += [directional(n, call.inputs, values, rng) for n in call.nodes if n.kind == "f"]
    compared = sum(not t for t in told)
    reasons = {t for t in told if t} - {"no real input"}
    assert compared or len(reasons) <= 1, reasons


def test_most_rows_have_a_derivative_to_compare() -> None:
    """The test above is no empty one."""
    rng, compared = np.random.default_rng(6), 0
    for row in FAMILY[:120]:
        for sample in row.samples[:1]:
            call = Call(row, sample)
            values = {
                x.params[0]: a
                for x, a in zip(call.inputs, call.arrays(rng, call.shapes), strict=True)
            }
            done = [directional(n, call.inputs, values, rng) for n in call.nodes if n.kind == "f"]
            compared += any(not t for t in done)
    assert compared >= 60
