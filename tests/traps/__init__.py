"""Traps for `check`: claims on which a checker of derivatives is easily made to lie.

A trap is a pair of functions, a point, and the verdicts that are allowed there, with the reason in
words. `@trap` stands above a factory of the pair, so that every check gets fresh closures, caches
and counters. The verdict is the *least* that must hold: `UNPROVED` where a proof would be false,
`NOT_WRONG` where a refutation would be; `PROVED`, `REFUTED` where nothing less will do.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

STATUSES = frozenset({"proved", "agrees", "inconclusive", "disagrees", "refuted"})
PROVED = frozenset({"proved"})
RIGHT = frozenset({"proved", "agrees"})
NOT_WRONG = RIGHT | {"inconclusive"}
REFUTED = frozenset({"refuted"})
WRONG = frozenset({"refuted", "disagrees"})
NOT_RIGHT = WRONG | {"inconclusive"}
UNPROVED = STATUSES - PROVED


@dataclass(frozen=True)
class Trap:
    """A claim and what may be said of it.

    make : gives (forward, backward) afresh, or (claim, None). at : the user's point.
    verdict : the statuses that are allowed. why : what makes it so, in words.
    says, never : texts that the printed verdict must hold, and must not.
    options : of `check`. bug : why it fails today, "" if it does not.
    """

    id: str
    make: Callable[[], tuple[Any, Any]]
    at: Mapping[str, Any] | None
    verdict: frozenset[str]
    why: str
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    bug: str = ""


TRAPS: dict[str, Trap] = {}  # by name: a file that is imported twice is there once


def trap(
    verdict: frozenset[str],
    why: str,
    at: Mapping[str, Any] | None = None,
    *,
    says: tuple[str, ...] = (),
    never: tuple[str, ...] = (),
    bug: str = "",
    **options: Any,
) -> Callable[[Callable[[], tuple[Any, Any]]], Callable[[], tuple[Any, Any]]]:
    """Register a factory of (forward, backward) as a trap, named after it."""

    def register(make: Callable[[], tuple[Any, Any]]) -> Callable[[], tuple[Any, Any]]:
        name = f"{make.__module__.rpartition('.')[2]}.{make.__name__}"
        TRAPS[name] = Trap(name, make, at, verdict, why, says, never, options, bug)
        return make

    return register


def collected() -> list[Trap]:
    """All traps of all files of this folder."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return [TRAPS[name] for name in sorted(TRAPS)]
