"""One row per NumPy function, each defined in primitives; a new function is one row."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from chainrule.code.table.row import ATTRIBUTES, METHODS, ROWS, Row, Sample, Unsupported, find

__all__ = ["ATTRIBUTES", "FAMILIES", "METHODS", "ROWS", "Row", "Sample", "Unsupported", "find"]

#: One module each; importing it adds its rows.
FAMILIES = (
    "elementwise",
    "choice",
    "logic",
    "scalars",
    "special",
    "reductions",
    "moments",
    "running",
    "products",
    "einsum",
    "norms",
    "linalg",
    "shapes",
    "indexing",
    "ranges",
    "creation",
    "windows",
    "segments",
    "refused",
)

for _family in FAMILIES:
    if find_spec(f"{__name__}.{_family}") is not None:
        import_module(f"{__name__}.{_family}")
