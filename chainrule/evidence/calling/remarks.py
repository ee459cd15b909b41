"""What is not amiss with a derivative as mathematics, and may harm whoever uses its array.

Memory that it shares with an input or with another result, coarser numbers than it was given, a
kind of array with operators of its own. Each is a remark: a finding by itself, which leaves the
verdict ok. ``return dout, dout`` is the right backward pass of a sum, and nothing was written to;
a function that writes to what it was given has done harm, and that is no remark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.evidence.calling.once import Call, shares
from chainrule.evidence.calling.record import Fault

PAIRS = 24  # results that are compared with each other


def remarks(results: Mapping[str, Any], labels: Mapping[str, str], call: Call) -> list[Fault]:
    """The remarks on what one call returned. results : key → the value as it was returned."""
    arrays = {k: v for k, v in results.items() if isinstance(v, np.ndarray) and v.size}
    found = {
        "shares memory": [*_of_inputs(arrays, call), *_of_each_other(arrays)],
        "kinds": _kinds(arrays, labels, call),
    }
    return [
        Fault("", what, "; ".join(says), fatal=False, harmless=True)
        for what, says in found.items()
        if says
    ]


def _of_inputs(arrays: Mapping[str, np.ndarray], call: Call) -> list[str]:
    inputs = {n: v for n, v in call.passed.items() if isinstance(v, np.ndarray)}
    found = []
    for key, value in arrays.items():
        names = [n for n, v in inputs.items() if shares(value, v)]
        if names:
            found.append(f"what it returns for {key} is the memory of {names[0]}: return a copy")
    return found


def _of_each_other(arrays: Mapping[str, np.ndarray]) -> list[str]:
    keys = list(arrays)[:PAIRS]
    return [
        f"what it returns for {a} and for {b} is one memory, so writing to one changes the other: "
        "return a copy"
        for n, a in enumerate(keys)
        for b in keys[n + 1 :]
        if shares(arrays[a], arrays[b])
    ]


def _kinds(arrays: Mapping[str, np.ndarray], labels: Mapping[str, str], call: Call) -> list[str]:
    floats = [np.asarray(v).dtype for v in call.passed.values()]
    given = max((d.itemsize for d in floats if d.kind == "f"), default=8)
    found = []
    for key, value in arrays.items():
        label, kind = labels[key], value.dtype
        if kind.kind in "iub" and value.ndim:
            found.append(
                f"{label} holds {kind} values: what is written into it is cut to {kind}; make it "
                "float64"
            )
        elif kind.kind == "f" and kind.itemsize < min(given, 8):
            digits = np.finfo(kind).precision
            found.append(
                f"{label} holds {kind} values, {digits} digits, and is given float{8 * given}: "
                "something in it is of a coarser type"
            )
        if type(value) is not np.ndarray:
            name = f"{type(value).__module__.split('.')[0]}.{type(value).__name__}"
            found.append(
                f"{label} is a {name}, whose operators are not those of an array: return "
                "np.asarray of it"
            )
    return found
