"""What a call of the user's function is, what it returned, and what is wrong with it: data."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.claim.pair import Part
from chainrule.code.trace.places import Prepared

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """One thing that breaks the contract.

    key : the derivative that it concerns; "" for all that the function returns. wrong : whether it
    shows that the derivative is wrong; yours, right : the two shapes then. fatal : whether there
    are no values to go on with. what : one word for the finding's name. harmless : whether it is a
    remark, with which the verdict stays ok.
    """

    key: str
    what: str
    says: str
    wrong: bool = False
    fatal: bool = True
    yours: str = ""
    right: str = ""
    harmless: bool = False


@dataclass(frozen=True)
class Caller:
    """How a function of the user's is called at any point.

    names : its input → the derivation's input that it is; "" for what only it reads.
    wrt : the keys that it gives, in order; keys : likewise → where in what it returns.
    """

    part: Part
    prepared: Prepared
    names: Mapping[str, str]
    wrt: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)

    def own(self, values: Values) -> dict[str, Any]:
        """Values by the function's own names; what only it reads is as it is now."""
        return {
            mine: values[name] if name in values else self.prepared.inputs[mine]
            for mine, name in self.names.items()
            if name in values or mine in self.prepared.inputs
        }

    def run(self, values: Values) -> dict[str, Any]:
        """What it returns at a point, by the derivation's keys; whatever it raises."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            returned = dict(parts(self.prepared.run(self.own(values))))
        if set(self.keys.values()) == {"stacked"}:
            return {self.wrt[0]: np.array(list(returned.values()))}
        return {key: part_of(returned, place) for key, place in self.keys.items()}

    def floats(self, values: Values) -> dict[str, np.ndarray]:
        """`run` in its own precision; empty where it raises or gives something else."""
        try:
            found = {k: np.asarray(v) for k, v in self.run(values).items()}
            return {k: v if v.dtype.kind == "f" else v.astype(float) for k, v in found.items()}
        except (Exception, SystemExit):
            return {}

    def raised(self, values: Values) -> str:
        """What it raises at a point: the exception's name; "" if nothing."""
        try:
            with np.errstate(all="ignore"):
                self.run(values)
        except (Exception, SystemExit) as why:
            return type(why).__name__
        return ""


@dataclass(frozen=True)
class Contract:
    """wrt, keys : as `Caller` has them. results : key → what was returned, float64."""

    faults: tuple[Fault, ...]
    wrt: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def fatal(self) -> bool:
        """Whether there is nothing to go on with."""
        return not self.results


def parts(returned: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in what a function returned, each with its key; as the trace names it."""
    if isinstance(returned, Mapping):
        for k, v in returned.items():
            yield from parts(v, f"{key}[{k!r}]" if key else str(k))
    elif isinstance(returned, tuple) and hasattr(returned, "_fields"):
        for k, v in zip(returned._fields, returned, strict=True):
            yield from parts(v, f"{key}.{k}" if key else str(k))
    elif isinstance(returned, list | tuple):
        for n, v in enumerate(returned):
            yield from parts(v, f"{key}[{n}]")
    else:
        yield key, returned


ENTRY = "entry "  # before a number: that entry of the only array that is returned


def part_of(returned: Mapping[str, Any], at: str) -> Any:
    """What was returned at a key; one entry of an array, for places that are single numbers."""
    if at.startswith(ENTRY):
        return next(iter(returned.values()))[int(at.removeprefix(ENTRY))]
    return returned[at]


def shown(name: str, key: str) -> str:
    """``backward["W2"]``, ``backward[1]``: one of several that a function returns."""
    if key.startswith(ENTRY):
        return f"{name}[{key.removeprefix(ENTRY)}]"
    return name + key if key.startswith("[") else f'{name}["{key}"]'
