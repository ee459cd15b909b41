"""Whether a function can be called as claimed, and leaves everything as it was.

Only a wrong shape, or no value at all, shows that a function is wrong; what else breaks the
contract leaves the question open.

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


@dataclass(frozen=True)
class Call:
    """One call: the values of each block in Jacobian order, or a problem.

    wrong : whether the problem is that the value has another shape, or that there is none.
    """

    problem: str
    values: Mapping[str | None, np.ndarray]
    wrong: bool = False


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


def split(claim: CodeClaim, returned: Any, kind: type) -> Call:
    """What the function returned, as one flat array for each block; or what is wrong with it."""
    parts: dict[str | None, np.ndarray] = {}
    for key, block in claim.blocks.items():
        if key is None:
            value = returned
        elif isinstance(returned, Mapping) and key in returned:
            value = returned[key]
        else:
            found = (
                f"a mapping with {', '.join(map(repr, returned))}"
                if isinstance(returned, Mapping)
                else f"a {type(returned).__name__}"
            )
            names = ", ".join(repr(k) for k in claim.blocks)
            return Call(f"returns {found}; return a mapping with the keys {names}", {})
        label = "" if key is None else f"[{key!r}]"
        if value is None:
            missing = f"returns None{' for ' + repr(key) if key else ''}; is a return missing?"
            return Call(missing, {}, wrong=True)
        try:
            array = np.asarray(value)
            if kind is float and array.dtype.kind == "O":
                array = array.astype(float)
        except Exception as why:
            return Call(f"returns{label} something that is no array of numbers: {why}", {})
        if array.dtype.kind not in "fiubO":
            return Call(f"returns{label} {array.dtype} values; real numbers are needed", {})
        if array.shape not in accepted_shapes(block):
            return Call(
                f"returns{label} the shape {show_shape(array.shape)}; {block.name} has "
                f"{wanted_shapes(block)}",
                {},
                wrong=True,
            )
        parts[key] = array.reshape(-1)
    return Call("", parts)


def call(claim: CodeClaim, numbers: Mapping[sp.Symbol, Any], kind: type) -> Call:
    """Call the function once; warnings are kept quiet, exceptions become a problem."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            values = arguments(claim, numbers, kind)
            n = claim.by_position
            returned = claim.function(
                *values[:n], **dict(zip(claim.arguments[n:], values[n:], strict=True))
            )
        except (Exception, SystemExit) as why:
            return Call(f"raises {type(why).__name__}: {why}", {})
        return split(claim, returned, kind)


def _bits(values: Mapping[str | None, np.ndarray]) -> list[bytes]:
    return [np.asarray(v, dtype=float).tobytes() for v in values.values()]


def contract(claim: CodeClaim, trials: Sequence[Mapping[sp.Symbol, Fraction]]) -> Call | None:
    """None if the function keeps to the contract at these points, else the call that breaks it."""
    first: list[Call] = []
    for numbers in trials:
        result = call(claim, numbers, float)
        if "read-only" in result.problem:
            return Call(f"{result.problem}; it writes into its input: work on a copy", {})
        first.append(result)
    if all(r.wrong for r in first) or all(r.problem for r in first):
        return min(first, key=lambda r: r.wrong)
    for numbers, before in zip(reversed(trials), reversed(first), strict=True):
        again = call(claim, numbers, float)
        if (again.problem, _bits(again.values)) != (before.problem, _bits(before.values)):
            return Call(
                "gives another result when it is called again with the same arguments; "
                "it depends on something that is no argument",
                {},
            )
    return None
