"""One call of a function of the user's, with copies; what it wrote to is seen afterwards."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.code.trace.places import bound
from chainrule.evidence.calling.lines import where, words
from chainrule.evidence.calling.record import Caller, Values, parts

WORK: Any = 100_000  # steps to find out whether two arrays share memory


@dataclass
class Call:
    """returned, or the problem. passed : input → the copy that it got. written : inputs that it
    wrote to. stored : what else it changed. counted : the plain numbers and lengths among all that
    it changed. drew : whether it drew from a global random state."""

    returned: Any = None
    problem: str = ""
    passed: dict[str, Any] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    drew: bool = False


def call(one: Caller, values: Values, look: Callable[[Any], Any] | None = None) -> Call:
    """One call with copies. look : keeps the state of what it is given, to compare afterwards."""
    own, prepared, out = one.own(values), one.prepared, Call()

    def leaf(name: str, kept: Any) -> Any:
        value = own.get(name, kept)
        out.passed[name] = np.array(value) if isinstance(value, np.ndarray) else value
        return out.passed[name]

    containers: list[tuple[str, Any, Any]] = []

    def spying(*args: Any, **named: Any) -> Any:
        names = list(prepared.arguments) if len(prepared.arguments) == len(args) else []
        for name, value in (*zip(names, args, strict=False), *named.items()):
            if type(value) in (list, dict):
                containers.append((name, value, value.copy()))
        return prepared.function(*args, **named)

    outside = {n: leaf(n, prepared.inputs[n]) for n in prepared.originals}
    with bound(prepared, outside), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        state = look(prepared.function) if look else None
        drawn = random_states()
        try:
            out.returned = prepared.call(spying, leaf)
        except (Exception, SystemExit) as why:
            out.problem = f"raises {type(why).__name__}{where(why)}{words(why)}"
        out.drew = random_states() != drawn
        changed = state.changes() if state else []
        out.counted = tuple(state.counted()) if state else ()
        owned = state.owned if state else set()
        out.stored = tuple(c for c in changed if _owner(c) not in owned)
    before = {n: own.get(n, prepared.inputs[n]) for n in out.passed}
    out.written = tuple(
        n for n, v in out.passed.items() if isinstance(v, np.ndarray) and not _same(v, before[n])
    )
    out.written += tuple(n for n, now, old in containers if _moved(now, old))
    return out


def _moved(now: Any, old: Any) -> bool:
    """Whether a list or a dict holds other things than before."""
    if len(now) != len(old):
        return True
    if isinstance(old, dict):
        return now.keys() != old.keys() or any(now[k] is not v for k, v in old.items())
    return any(a is not b for a, b in zip(now, old, strict=True))


def random_states() -> tuple[Any, ...]:
    """The global random states, as they can be compared."""
    state: Any = np.random.get_state()  # noqa: NPY002
    return state[0], state[1].tobytes(), *state[2:], random.getstate()


def _owner(name: str) -> str:
    cut = max(name.rfind("."), name.rfind("["))
    return name[:cut] if cut > 0 else name


def _same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())


def copied(call: Call) -> dict[str, Any]:
    """What was returned, as no later call can change it; empty if it raised."""
    returned = {} if call.problem else dict(parts(call.returned))
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in returned.items()}


def shares(a: np.ndarray, b: np.ndarray) -> bool:
    try:
        return bool(np.shares_memory(a, b, max_work=WORK))
    except Exception:
        return bool(np.may_share_memory(a, b))
