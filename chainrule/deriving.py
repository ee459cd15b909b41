"""The public `derive`: one verb for formulas and for code. Loads only the side that is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from chainrule.errors import UsageError

if TYPE_CHECKING:
    from chainrule.code.derive import CodeDerivation
    from chainrule.derivation import FormulaDerivation

__all__ = ["derive"]


@overload
def derive(
    definitions: Callable[..., Any],
    /,
    *,
    at: Mapping[str, Any],
    wrt: str | Sequence[str] | None = None,
    of: str | Sequence[str] | None = None,
    shapes: Mapping[str, str] | None = None,
) -> CodeDerivation: ...


@overload
def derive(
    definitions: Any,
    /,
    *,
    of: Any,
    wrt: Any,
    shapes: Mapping[str, Any] | None = None,
    functions: Iterable[str] = (),
    positive: Iterable[str] = (),
) -> FormulaDerivation: ...


def derive(
    definitions: Any,
    /,
    *,
    of: Any = None,
    wrt: Any = None,
    at: Mapping[str, Any] | None = None,
    shapes: Mapping[str, Any] | None = None,
    functions: Iterable[str] = (),
    positive: Iterable[str] = (),
) -> Any:
    """The derivative of formulas, or of a NumPy function as it stands, with every step.

    definitions : definitions (name → text, SymPy object, list of them), see
        `chainrule.formulas.derive`; or a function.
    of, wrt : the outputs and inputs, one or several. Of a function: `of` picks among several
        results; `wrt` names arguments and places that it reads ("W1", "net.W1", 'params["W1"]',
        "Ws[0]", "self.W1"), every real one if left out.
    at : of a function: a point, name → array or float, for every argument and for places whose
        value there is not to be used. The trace follows the path that the code takes there.
    shapes : of formulas, name → (n,) or (m, n); of a function, names for axes: {"x": "n0 N"}.
    functions, positive : of formulas only.

    Returns a Derivation. Raises TextError, DefinitionError, ShapeError, UsageError; TraceError for
    code that cannot be followed.

    >>> import numpy as np
    >>> def cost(w, x):
    ...     return np.sum((x @ w) ** 2) / len(x)
    >>> d = derive(cost, at={"w": np.array([1.0, 2.0]), "x": np.eye(3, 2)}, wrt="w")
    >>> d["w"].evaluate().round(12)
    array([0.66666667, 1.33333333])
    """
    if callable(definitions) and not _formula(definitions):
        if functions or positive:
            raise UsageError("functions= and positive= speak of formulas, not of a function's code")
        from chainrule.code.derive import derive_code

        return derive_code(definitions, at, wrt, of, shapes)
    if at is not None:
        raise UsageError("at= speaks of a function's code; formulas need no point")
    if of is None or wrt is None:
        missing = "of" if of is None else "wrt"
        raise UsageError(f"{missing}= is missing: say of what, and with respect to what")
    from chainrule.formulas import derive as derive_formulas

    return derive_formulas(
        definitions, of=of, wrt=wrt, shapes=shapes, functions=functions, positive=positive
    )


def _formula(thing: Any) -> bool:
    """Whether a callable is a formula nevertheless: SymPy's functions are."""
    return type(thing).__module__.split(".")[0] == "sympy"
