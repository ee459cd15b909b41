"""Index expressions: where an entry of an array is taken, as (factor, variable, offset).

(1, v, ()) is the variable v itself; (0, 0, t) the constant place whose size has the terms t;
(−1, v, t) counts back. Plain tuples, so that they sort and hash. Variable 0 is no variable;
negative ones stand for the slots and bound places of a template, see `templates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule.graph.sizes import Size

Index = tuple[int, int, tuple[Any, ...]]

ZERO: Index = (0, 0, ())


def variable(v: int) -> Index:
    """The variable itself."""
    return (1, v, ())


def affine(factor: int, v: int, offset: Size) -> Index:
    """factor·v + offset."""
    return (factor, v, offset.terms) if factor and v else (0, 0, offset.terms)


def offset(index: Index) -> Size:
    """What is added to the variable's part."""
    return Size(dict(index[2]))


def moved(index: Index, factor: int, more: Size) -> Index:
    """factor·index + more."""
    return affine(factor * index[0], index[1], offset(index) * factor + more)


def put(index: Index, values: Mapping[int, Index]) -> Index:
    """The index with variables replaced."""
    value = values.get(index[1])
    if value is None or not index[1]:
        return index
    if index[0] == 1 and not index[2]:
        return value
    return moved(value, index[0], offset(index))
