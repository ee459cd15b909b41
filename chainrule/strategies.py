"""Hypothesis strategies: networks of any shape, points of a derivation, random chains.

Arrays are filled entry by entry (`fill=st.nothing()`): Hypothesis' default makes a fifth of all
matrices constant, and constant matrices hide transposes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import sympy as sp

from chainrule.derivation import FormulaDerivation

__all__ = ["NetworkPoint", "arrays", "chains", "networks", "numbers", "points"]


def numbers(*, extreme: bool = False) -> st.SearchStrategy[float]:
    """Floats within ±8; with `extreme`, zeros, ones, and magnitudes from 1e−20 to 1e20 too."""
    moderate = st.floats(-8, 8, allow_subnormal=False)
    if not extreme:
        return moderate
    magnitudes = st.builds(
        lambda mantissa, exponent: mantissa * 10.0**exponent,
        st.floats(-10, 10, allow_subnormal=False),
        st.integers(-20, 20),
    )
    return st.one_of(moderate, st.sampled_from([0.0, 1.0, -1.0, 700.0, -700.0]), magnitudes)


def arrays(shape: tuple[int, ...], *, extreme: bool = False) -> st.SearchStrategy[np.ndarray]:
    """float64 arrays, every entry drawn by itself."""
    return hnp.arrays(float, shape, elements=numbers(extreme=extreme), fill=st.nothing())


@dataclass(frozen=True)
class NetworkPoint:
    """A dense network with its data. x : n_0 × N. y : n_L × N. Ws : n_l × n_{l−1}. bs : n_l × 1."""

    widths: tuple[int, ...]
    x: np.ndarray
    y: np.ndarray
    Ws: tuple[np.ndarray, ...]
    bs: tuple[np.ndarray, ...]


@st.composite
def networks(
    draw: st.DrawFn,
    *,
    min_depth: int = 1,
    max_depth: int = 4,
    max_width: int = 6,
    max_samples: int = 4,
    extreme: bool = False,
) -> NetworkPoint:
    """Networks of drawn widths, depth and batch size, with drawn weights and data."""
    sides = st.integers(1, max_width)
    widths = tuple(draw(st.lists(sides, min_size=min_depth + 1, max_size=max_depth + 1)))
    samples = draw(st.integers(1, max_samples))
    layers = list(zip(widths[1:], widths[:-1], strict=True))
    return NetworkPoint(
        widths,
        draw(arrays((widths[0], samples), extreme=extreme)),
        draw(arrays((widths[-1], samples), extreme=extreme)),
        tuple(draw(arrays((m, n), extreme=extreme)) for m, n in layers),
        tuple(draw(arrays((m, 1), extreme=extreme)) for m, _ in layers),
    )


@st.composite
def points(
    draw: st.DrawFn, derivation: FormulaDerivation, *, extreme: bool = False
) -> dict[str, Any]:
    """Values for every free variable of a derivation, for `evaluate` and `check(at=…)`."""
    values: dict[str, Any] = {}
    for name in (*derivation.wrt, *derivation.parameters):
        symbol = derivation.symbols[name]
        if isinstance(symbol, sp.MatrixBase):
            shape = (symbol.rows,) if symbol.cols == 1 else (symbol.rows, symbol.cols)
            values[name] = draw(arrays(shape, extreme=extreme))
        else:
            values[name] = draw(numbers(extreme=extreme))
    return values


#: Texts with a hole for each argument, defined for all real numbers.
_SHAPES = (
    "{0} + {1}",
    "{0}*{1}",
    "{0} - 3*{1}",
    "sin({0})",
    "cos({0})*{1}",
    "tanh({0})",
    "exp(-{0}**2)",
    "log(1 + {0}**2)",
    "sqrt(2 + {0}**2) + {1}",
    "{0}/(1 + {1}**2)",
    "1/(1 + exp(-{0}))",
    "atan({0} + {1})",
    "{0}**3 - {1}",
)


@st.composite
def chains(
    draw: st.DrawFn, *, inputs: int = 2, max_definitions: int = 6
) -> tuple[dict[str, str], str, tuple[str, ...]]:
    """(definitions, of, wrt): an acyclic graph of smooth definitions in drawn order.

    A name may be used at several levels; everything is defined for all real inputs.
    """
    wrt = tuple(f"t{k}" for k in range(1, inputs + 1))
    names = list(wrt)
    definitions: list[tuple[str, str]] = []
    for k in range(1, draw(st.integers(1, max_definitions)) + 1):
        shape = draw(st.sampled_from(_SHAPES))
        used = [draw(st.sampled_from(names)) for _ in range(2)]
        name = f"v{k}"
        definitions.append((name, shape.format(*used)))
        names.append(name)
    order = draw(st.permutations(definitions))
    return dict(order), definitions[-1][0], wrt
