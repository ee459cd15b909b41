"""Whether a function can be called as claimed, and leaves everything as it was.

Arguments are views of read-only arrays; bits are compared before and after; the function is called
twice, with another call between. No mathematics: shapes, kinds, exceptions, hidden state.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from chainrule.claim import CodeClaim, accepted_shapes, wanted_shapes
from chainrule.derivation import show_shape
from chainrule.formulas.definitions import entries


@dataclass(frozen=True)
class Call:
    """One call: problem, or the values of each block in Jacobian order, as float64."""

    problem: str
    values: Mapping[str | None, np.ndarray]


def arguments(claim: CodeClaim, numbers: Mapping[sp.Symbol, Any], kind: type) -> list[Any]:
    """The arguments in order: scalars as `kind`, vectors (n,) and matrices (m, n) as arrays."""
    out: list[Any] = []
    for name in claim.arguments:
        symbol = claim.derivation.symbols[name]
        if not isinstance(symbol, sp.MatrixBase):
            value = numbers[symbol]
            out.append(np.float64(float(value)) if kind is float else kind(value))
            continue
        shape = (symbol.rows,) if symbol.cols == 1 else (symbol.rows, symbol.cols)
        dtype = float if kind is float else object
        owner = np.empty(shape, dtype=dtype)
        flat = [numbers[s] for s in symbol]
        owner.reshape(-1)[:] = [float(v) if kind is float else kind(v) for v in flat]
        owner.flags.writeable = False
        out.append(owner[...])  # a view of a read-only base cannot be made writeable
    return out


def split(claim: CodeClaim, returned: Any) -> tuple[str, dict[str | None, np.ndarray]]:
    """What the function returned, as one flat array for each block; or what is wrong with it."""
    parts: dict[str | None, np.ndarray] = {}
    for key, block in claim.blocks.items():
        if key is None:
            value = returned
        elif isinstance(returned, Mapping) and key in returned:
            value = returned[key]
        else:
            kind = (
                f"a mapping with {', '.join(map(repr, returned))}"
                if isinstance(returned, Mapping)
                else f"a {type(returned).__name__}"
            )
            names = ", ".join(repr(k) for k in claim.blocks)
            return f"returns {kind}; return a mapping with the keys {names}", {}
        label = "" if key is None else f"[{key!r}]"
        if value is None:
            return f"returns None{' for ' + repr(key) if key else ''}; is a return missing?", {}
        try:
            array = np.asarray(value)
        except ValueError as why:
            return f"returns{label} something that is no array: {why}", {}
        if array.dtype.kind not in "fiubO":
            return f"returns{label} {array.dtype} values; real numbers are needed", {}
        if array.shape not in accepted_shapes(block):
            return (
                f"returns{label} the shape {show_shape(array.shape)}; {block.name} has "
                f"{wanted_shapes(block)}",
                {},
            )
        parts[key] = array.reshape(-1)
    return "", parts


def call(claim: CodeClaim, numbers: Mapping[sp.Symbol, Any], kind: type) -> Call:
    """Call the function once; warnings are kept quiet, exceptions become a problem."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            returned = claim.function(*arguments(claim, numbers, kind))
        except Exception as why:
            return Call(f"raises {type(why).__name__}: {why}", {})
        problem, parts = split(claim, returned)
    return Call(problem, {} if problem else parts)


def _bits(values: Mapping[str | None, np.ndarray]) -> list[bytes]:
    return [np.asarray(v, dtype=float).tobytes() for v in values.values()]


def contract(claim: CodeClaim, trials: Sequence[Mapping[sp.Symbol, Fraction]]) -> str:
    """ "" if the function keeps to the contract at these points, else what it breaks."""
    first: list[Call] = []
    for numbers in trials:
        result = call(claim, numbers, float)
        if "read-only" in result.problem:
            return f"{result.problem}; it writes into its input: work on a copy"
        first.append(result)
    if all(r.problem for r in first):
        return first[0].problem
    for numbers, before in zip(reversed(trials), reversed(first), strict=True):
        again = call(claim, numbers, float)
        if (again.problem, _bits(again.values)) != (before.problem, _bits(before.values)):
            return (
                "gives another result when it is called again with the same arguments; "
                "it depends on something that is no argument"
            )
    return ""


def free_numbers(claim: CodeClaim, point: Mapping[sp.Symbol, Any]) -> dict[sp.Symbol, Any]:
    """The point's numbers for the free variables that the function takes."""
    wanted = {s for n in claim.arguments for s in entries(claim.derivation.symbols[n])}
    return {s: v for s, v in point.items() if s in wanted}
