"""Formulas to NumPy callables: the only `lambdify`.

What SymPy turns into source are fresh symbols v0, v1, …, never a user's name. The result is plain
float64 and no oracle: certified values come from `values.ball`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from chainrule.errors import UsageError

if TYPE_CHECKING:
    from chainrule.derivation import FormulaDerivation

#: What NumPy lacks, entry by entry from the standard library.
_EXTRA = {
    "erf": np.vectorize(math.erf, otypes=[float]),
    "erfc": np.vectorize(math.erfc, otypes=[float]),
    "gamma": np.vectorize(math.gamma, otypes=[float]),
    "loggamma": np.vectorize(math.lgamma, otypes=[float]),
}


def lower(
    expressions: Sequence[sp.Expr], symbols: Sequence[sp.Symbol]
) -> Callable[..., list[np.ndarray]]:
    """A function of the symbols' values, in order, that gives the expressions' values.

    Values broadcast against each other; every result has the broadcast shape, constants too.

    >>> x, y = sp.symbols("x y", real=True)
    >>> lower([x * y, sp.Integer(3)], [x, y])(np.array([1.0, 2.0]), 5.0)
    [array([ 5., 10.]), array([3., 3.])]
    """
    fresh = [sp.Symbol(f"v{k}", real=True) for k in range(len(symbols))]
    swap = dict(zip(symbols, fresh, strict=True))
    for e in expressions:
        named = e.atoms(AppliedUndef) | e.atoms(sp.Derivative, sp.Subs)
        stray = e.free_symbols - set(symbols)
        if named or stray:
            thing = min(map(str, named or stray))
            raise UsageError(f"{thing} in {e} has no number; it cannot become NumPy code")
    put = [e.xreplace(swap) for e in expressions]
    # SymPy's cse gives wrong code for steps of definitions by cases.
    cases = any(e.has(sp.Piecewise) for e in put)
    function = sp.lambdify(fresh, put, modules=[_EXTRA, "numpy"], cse=not cases)

    def values(*numbers: Any) -> list[np.ndarray]:
        arrays = [np.asarray(n, dtype=float) for n in numbers]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        with np.errstate(all="ignore"):
            found = function(*arrays)
        return [np.array(np.broadcast_to(np.asarray(v, dtype=float), shape)) for v in found]

    return values


def lower_derivation(derivation: FormulaDerivation) -> Callable[..., np.ndarray]:
    """A derivation's result as a NumPy function of its free variables, by keyword.

    A scalar variable takes an array as well: batch axes come first in the result.
    """
    names = (*derivation.wrt, *derivation.parameters)
    result = derivation.result
    matrix = isinstance(result, sp.MatrixBase)
    cells = list(result) if matrix else [result]
    symbols: list[sp.Symbol] = []
    for name in names:
        value = derivation.symbols[name]
        symbols += list(value) if isinstance(value, sp.MatrixBase) else [value]
    values = lower(cells, symbols)

    def derivative(**given: Any) -> np.ndarray:
        if set(given) != set(names):
            raise UsageError(
                f"{derivation.name}: give {', '.join(names)}; got {', '.join(given) or 'nothing'}"
            )
        numbers: list[Any] = []
        for name in names:
            value = derivation.symbols[name]
            if isinstance(value, sp.MatrixBase):
                array = np.asarray(given[name], dtype=float)
                if array.size != len(value):
                    raise UsageError(f"{name} has shape {array.shape}; it needs {value.shape}")
                numbers += list(array.reshape(-1))
            else:
                numbers.append(given[name])
        found = values(*numbers)
        if not matrix:
            return found[0]
        stacked = np.stack(found, axis=-1)
        return stacked.reshape(*stacked.shape[:-1], result.rows, result.cols)

    derivative.__doc__ = f"{derivation.name} at {', '.join(names)}, float64."
    return derivative
