"""Whether a result depends on how often its function was called.

Between our calls everything is put back, so that a counter would never get on. Where one call
changed a plain number, a text or a length, the function is called some times in a row at one
point, with nothing put back in between, and the bits are compared. Caches that hold arrays are no
counters.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.code.trace.places import Prepared, bound, random_kept, said
from chainrule.evidence.calling.again import alike
from chainrule.evidence.calling.lines import where, words
from chainrule.evidence.calling.record import parts

TIMES = 8  # calls in a row
SHOWN = 3  # names of what changes that are said

Values = Mapping[str, Any]


def counting(
    name: str, changed: tuple[str, ...], first: Values, again: Callable[[], Values | str]
) -> str:
    """What to say of a function whose results, called again and again, do not stay the same; ""
    if they do.

    name : the function's. changed : what its first call changed. first : key → what it gave then.
    again : calls it once more and gives the same, or what it raised.

    >>> calls = iter([2.0, 2.0, 3.0])
    >>> counting("slope", ("self.n",), {"": 2.0}, lambda: {"": next(calls)}).partition(":")[0]
    'slope gives another result at call 4 of the same arguments'
    """
    for turn in range(2, TIMES + 1):
        found = again()
        if not isinstance(found, str) and alike(first, found):
            continue
        does = found if isinstance(found, str) else "gives another result"
        names = ", ".join(changed[:SHOWN]) + (", …" if len(changed) > SHOWN else "")
        return (
            f"{name} {does} at call {turn} of the same arguments: it depends on how often it was "
            f"called, for each call changes {names}; let it depend on its arguments only"
        )
    return ""


def forward_counts(prepared: Prepared, values: Values, look: Callable[[Any], Any]) -> str:
    """The same of the forward code. values : place → array or float. look : keeps a state."""

    def fresh(name: str, kept: Any) -> Any:
        value = values.get(name, kept)
        return np.array(value) if isinstance(value, np.ndarray) else value

    def once() -> Values | str:
        try:
            with random_kept():
                returned = prepared.call(prepared.function, fresh)
            return {k: np.array(v) for k, v in parts(returned)}
        except (Exception, SystemExit) as why:
            return f"raises {type(why).__name__}{where(why)}{words(why)}"

    name = said(prepared.function)
    outside = {n: fresh(n, prepared.inputs[n]) for n in prepared.originals}
    undo = [keep() for keep in prepared.keepers]
    try:
        with bound(prepared, outside), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            state = look(prepared.function)
            try:
                first, changed = once(), tuple(state.counted())
                if not changed or isinstance(first, str):
                    return ""
                says = counting(name, changed, first, once)
            finally:
                state.restore()
    finally:
        while undo:
            undo.pop()()
    return f"the forward code is at fault: {says}" if says else ""
