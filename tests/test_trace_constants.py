"""Constants in code stand for the real numbers that they mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chainrule.code.trace.run import trace
from chainrule.graph.fingerprint import fingerprints

ROOT = np.sqrt(2 / np.pi)
HALF = 0.5 * np.log(2 * np.pi)
TAU = 2 * math.pi
QUARTER = TAU / 4
LAMBDA, ALPHA = 1.0507009873554805, 1.6732632423543772
CHANGED = np.sqrt(3.0)
CHANGED = CHANGED + 1.0  # given twice: its line does not say what it is
OTHER = np.sqrt(5.0)
globals()["OTHER"] = 2.2360679774  # its line says another number
OUTSIDE = float(np.hypot(3.0, 5.0))


def digest(f: Callable[[Any], Any]) -> bytes:
    (node,) = trace(f, {"x": 1.5}).outputs.values()
    return fingerprints([node])[node]


SAME: tuple[tuple[Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    (lambda x: x * ROOT, lambda x: x * np.sqrt(2 / np.pi)),
    (lambda x: x * ROOT, lambda x: x * math.sqrt(2 / math.pi)),
    (lambda x: x * HALF, lambda x: x * (0.5 * np.log(2 * np.pi))),
    (lambda x: x * QUARTER, lambda x: x * ((2 * math.pi) / 4)),
    (lambda x: x * math.sqrt(2), lambda x: x * np.sqrt(2.0)),
    (lambda x: x * math.exp(2), lambda x: x * np.exp(2.0)),
    (lambda x: x * (float(3) / 7), lambda x: x * (3.0 / 7)),
)


@pytest.mark.parametrize("number", range(len(SAME)))
def test_one_number_written_in_two_ways(number: int) -> None:
    """The operations are the same, not only the values."""
    one, two = SAME[number]
    assert digest(one) == digest(two)


@pytest.mark.parametrize(
    "f", [lambda x: x * CHANGED, lambda x: x * OTHER * 1.00000000000001, lambda x: x * OUTSIDE]
)
def test_what_no_line_says_is_a_number_near_it(f: Callable[[Any], Any]) -> None:
    """A line that is not the only one, or says another number, or calls for more, is not read."""
    nodes = trace(f, {"x": 1.5}).graph.nodes
    assert any(n.op == "const" and n.params[0] == "near" for n in nodes)
    assert not any(n.op in ("power", "log") for n in nodes)


def test_a_product_of_numbers_of_the_module() -> None:
    """LAMBDA·ALPHA is a product of the two numbers, each read within ±4 ulp."""
    nodes = trace(lambda x: x * (LAMBDA * ALPHA), {"x": 1.5}).graph.nodes
    assert sum(n.op == "const" and n.params[0] == "near" for n in nodes) == 2
