"""Values at a point of declared domains: floats for code, fractions where no float is a member."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.domains.base import Domain, belongs, exactly

_NONE: Mapping[str, Any] = MappingProxyType({})


class Values(dict[str, Any]):
    """Floats by input name. exact : name → fractions that the floats are nearest to, for inputs
    whose declared domain does not hold the floats themselves."""

    def __init__(self, floats: Mapping[str, Any], exact: Mapping[str, Any]) -> None:
        super().__init__(floats)
        self.exact = dict(exact)


def meant(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fractions among values, by name."""
    return values.exact if isinstance(values, Values) else _NONE


def nearest(exact: Any, like: Any) -> tuple[Any, Any]:
    """The numbers nearest to fractions, in the type of a value; the fractions if they differ."""
    dtype = np.asarray(like).dtype
    whole = all(x.denominator == 1 for x in exact.flat)
    kept = dtype if dtype.kind == "f" or whole else np.dtype(float)
    array = exact.astype(float).astype(kept)
    same = bool(np.all(exactly(array) == exact))
    alone = not array.shape and not isinstance(like, np.ndarray)
    return (array.item() if alone else array), None if same else exact


def placed(domains: Mapping[str, Domain], values: Mapping[str, Any]) -> Values:
    """The user's values; those that belong to their domain but for rounding, exactly as well."""
    found = {n: belongs(d, np.asarray(values[n])) for n, d in domains.items() if n in values}
    return Values(values, {n: x for n, x in found.items() if x is not None})


def within(
    domains: Mapping[str, Domain], values: Mapping[str, Any], other: Mapping[str, Any]
) -> Values:
    """Values of which those that have left their domain are taken from another point."""
    found = dict(values)
    exact: dict[str, Any] = {}
    for name, domain in domains.items():
        if name in found and not domain.holds(exactly(found[name])):
            found[name] = other[name]
            exact |= {name: meant(other)[name]} if name in meant(other) else {}
    return Values(found, exact)
