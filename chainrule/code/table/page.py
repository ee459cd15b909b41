"""The rows as a page: docs/numpy.md is printed from the table, and a test holds it to that."""

from __future__ import annotations

import builtins
import math
import operator
from typing import Any

import numpy as np

from chainrule.code.table import FAMILIES
from chainrule.code.table.row import ROWS, Row

_HEAD = """\
# What NumPy code can be followed

Every function here is defined in a few primitives, so that its derivative, its formula, its
certified values and its rounding bounds follow. `x` and `a` stand for arrays of any shape. Options
that a row does not cover (`where=`, a dtype other than float64) are refused by name;
what is on no list is named with its line in your file, and can still be checked on exact numbers or
as a black box.

This page is printed from the table in `chainrule/code/table`.
"""


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _called(row: Row) -> str:
    """What a person may write: the name, its methods, its attributes."""
    names = [row.name, *map(_name, row.callables), *row.late]
    names += [f"a.{m}()" for m in row.methods if not m.startswith("__")]
    names += [f"a.{m}" for m in row.attributes]
    return ", ".join(f"`{_cell(name)}`" for name in dict.fromkeys(names) if name)


def _name(function: Any) -> str:
    """A callable as it is written in code; nothing for what the row's own name says."""
    name = getattr(function, "__name__", "")
    if function is getattr(operator, name, None) and function is not getattr(builtins, name, None):
        return _SYMBOLS.get(name, "")
    for owner, prefix in ((np, "np."), (np.linalg, "np.linalg."), (math, "math."), (builtins, "")):
        if getattr(owner, name, None) is function:
            return prefix + name
    return ""


def _outer(row: Row) -> bool:
    return row.name.endswith(".outer") and row.name.count(".") == 2


def _module(row: Row) -> str:
    return row.build.__module__.rpartition(".")[2]


def _section(row: Row) -> str:
    return _TITLES.get(_module(row), _module(row).capitalize())


_TITLES = {
    "elementwise": "Arithmetic, exponentials and angles",
    "choice": "Sign, choice and rounding",
    "logic": "Comparisons and logic",
    "scalars": "Python's own, and `math`",
    "special": "`scipy.special`",
    "reductions": "Sums, products, extremes",
    "moments": "Means and variances",
    "running": "Running sums, positions, traces",
    "products": "Products of arrays",
    "einsum": "einsum and its relatives",
    "norms": "Norms",
    "linalg": "Linear algebra",
    "shapes": "Shapes",
    "indexing": "Reading and writing at an index",
    "ranges": "Ranges and matrices of 0 and 1",
    "creation": "New arrays",
    "windows": "Windows",
}


#: Operators as they are written.
_SYMBOLS = {
    **{"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%"},
    **{"pow": "**", "matmul": "@", "neg": "-", "pos": "+", "invert": "~"},
    **{"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="},
    **{"and_": "&", "or_": "|", "xor": "^", "not_": "not"},
}


def printed() -> str:
    """docs/numpy.md, as the rows say it: one table for each family, then what is refused."""
    parts = [_HEAD]
    covered = [row for row in ROWS if not row.refused]
    order = {name: k for k, name in enumerate(FAMILIES)}
    sections = sorted({_module(row) for row in covered}, key=lambda m: (order.get(m, 99), m))
    for module in sections:
        rows = [row for row in covered if _module(row) == module]
        lines = [f"## {_section(rows[0])}", "", "| call | is |", "|---|---|"]
        lines += [f"| {_called(row)} | {_cell(row.says)} |" for row in rows if not _outer(row)]
        outers = [f"`{row.name}`" for row in rows if _outer(row)]
        if outers:
            lines += ["", f"Of every pair of entries: {', '.join(outers)}."]
        parts.append("\n".join(lines) + "\n")
    refused = [row for row in ROWS if row.refused]
    lines = ["## Refused, and what to do", "", "| call | |", "|---|---|"]
    lines += [f"| `{row.name}` | {_cell(row.says)} |" for row in refused]
    parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
