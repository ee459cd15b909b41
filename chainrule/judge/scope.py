"""The scope that every finding about a block shares."""

from __future__ import annotations

from typing import Any

import sympy as sp

from chainrule.derivation import FormulaDerivation, show_shape
from chainrule.formulas.definitions import entries
from chainrule.typeset import text
from chainrule.verdict import Scope


def scope(derivation: FormulaDerivation, **more: Any) -> Scope:
    """The shapes, the domain and the conditions that every finding shares."""
    sizes = []
    for name in (*derivation.wrt, *derivation.parameters):
        symbol = derivation.symbols[name]
        if isinstance(symbol, sp.MatrixBase):
            sizes.append(f"{name} {show_shape(symbol.shape)}")
    domain = []
    for name in (*derivation.wrt, *derivation.parameters):
        first = entries(derivation.symbols[name])[0]
        kind = "> 0" if first.is_positive else "real"
        domain.append(f"{name} {kind}")
    return Scope(
        shapes=", ".join(sizes) or "scalars",
        conditions=tuple(text(c) for c in derivation.conditions),
        domain=tuple(domain),
        **more,
    )
