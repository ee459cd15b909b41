"""A derivation at a point: values bound by name, the result correctly rounded to float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from flint import arb

from chainrule.errors import DefinitionError, ShapeError, UsageError
from chainrule.typeset import text
from chainrule.values.ball import Undecided, Undefined, exact, precision
from chainrule.values.enclose import enclose, holds

if TYPE_CHECKING:
    from chainrule.derivation import FormulaDerivation


def bind(derivation: FormulaDerivation, values: Mapping[str, Any]) -> dict[sp.Symbol, Any]:
    """Values given by name, in the variables' shapes, as symbol → number.

    Raises UsageError for missing or unknown names, ShapeError for a wrong shape.
    """
    free = [*derivation.wrt, *derivation.parameters]
    unknown = [name for name in values if name not in free]
    missing = [name for name in free if name not in values]
    if unknown or missing:
        problem = f"{unknown[0]} is no free variable" if unknown else f"no value for {missing[0]}"
        raise UsageError(f"{derivation.name}: {problem}; it needs {', '.join(free)}")
    at: dict[sp.Symbol, Any] = {}
    for name in free:
        symbol, value = derivation.symbols[name], values[name]
        if isinstance(symbol, sp.MatrixBase):
            array = np.asarray(value, dtype=object)
            wanted = (symbol.rows, symbol.cols)
            if array.shape == (symbol.rows,) and symbol.cols == 1:
                array = array.reshape(wanted)
            if array.shape != wanted:
                shape = wanted if symbol.cols > 1 else (symbol.rows,)
                raise ShapeError(f"{name} has shape {array.shape}; it must be {shape}")
            at.update(zip(symbol, array.ravel().tolist(), strict=True))
        else:
            array = np.asarray(value, dtype=object)
            if array.shape != ():
                raise ShapeError(
                    f"{name} is a scalar and got shape {array.shape}; "
                    "for many points at once use derivation.lower()"
                )
            at[symbol] = array.item()
    return at


def evaluate(derivation: FormulaDerivation, values: Mapping[str, Any]) -> np.ndarray | float:
    """The derivative at a point, each entry correctly rounded to float64."""
    if derivation.undefined:
        raise UsageError(
            f"{derivation.name} holds undefined functions "
            f"({', '.join(derivation.undefined)}); it has no numbers"
        )
    at = {s: exact(v) for s, v in bind(derivation, values).items()}
    result = derivation.result
    for condition in derivation.conditions:
        try:
            with precision(128):
                fine = holds(condition, at)
        except (Undefined, Undecided):
            continue
        if fine is False:
            raise DefinitionError(
                f"{derivation.name} is not defined there: {text(condition)} is needed"
            )
    if isinstance(result, sp.MatrixBase):
        entries = [rounded(e, at, derivation.name) for e in result]
        return np.array(entries, dtype=float).reshape(result.rows, result.cols)
    return rounded(result, at, derivation.name)


def rounded(expression: sp.Expr, at: Mapping[sp.Symbol, arb], name: str) -> float:
    """The float64 nearest to an expression's value (0.0 below 2^−1100, which no float shows)."""
    bits = 128
    while True:
        with precision(bits):
            try:
                x = enclose(expression, at)
                low, high = float(x.lower()), float(x.upper())
                if low == high or (low <= 0 <= high and abs(x) < arb(2) ** -1100):
                    return low if low == high else 0.0
            except Undefined as why:
                raise DefinitionError(f"{name} is not defined there: {why}") from None
            except Undecided as why:
                if bits > 4000:
                    raise DefinitionError(f"{name} cannot be evaluated there: {why}") from None
        if bits > 4000:
            return float(x.mid())
        bits *= 2
