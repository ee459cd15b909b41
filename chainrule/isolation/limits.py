"""What the check of one function may take, and what such a check is: data."""

from __future__ import annotations

import math
import multiprocessing
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chainrule.errors import UsageError
from chainrule.verdict import Finding

Found = tuple[str, dict[str, Finding]]  # the subject, and the findings


@dataclass(frozen=True)
class Limits:
    """What the check of one function may take.

    seconds : of the clock, for all calls and the proof together. megabytes : of memory, beyond
    what the process has when the check begins.

    Raises UsageError for what is no positive number.

    >>> Limits(seconds=5).megabytes
    4096
    """

    seconds: float = 60
    megabytes: float = 4096

    def __post_init__(self) -> None:
        for name, value in (("seconds", self.seconds), ("megabytes", self.megabytes)):
            real = isinstance(value, int | float) and not isinstance(value, bool)
            if not (real and math.isfinite(value) and value > 0):
                raise UsageError(f"Limits({name}={value!r}): it must be a positive number")

    @property
    def memory(self) -> str:
        """As one says it: 4 GB, 512 MB."""
        whole = self.megabytes % 1024 == 0
        return f"{self.megabytes / 1024:g} GB" if whole else f"{self.megabytes:g} MB"


@dataclass(frozen=True)
class Work:
    """One function's check.

    name : the function's. keys : of the findings that stand for it where it gives none.
    """

    name: str
    keys: tuple[str, ...]
    run: Callable[[], Found]


def limits_of(isolate: Any) -> Limits | None:
    """What ``isolate=`` means. Raises UsageError, also where processes cannot be forked."""
    if isolate is None or isolate is False:
        return None
    if isolate is not True and not isinstance(isolate, Limits):
        raise UsageError(
            f"isolate={isolate!r}: give True, or chainrule.Limits(seconds=…, megabytes=…)"
        )
    if "fork" not in multiprocessing.get_all_start_methods():
        raise UsageError(
            f"isolate= forks the process, which {sys.platform} cannot; check on Linux or macOS, or "
            "leave it out"
        )
    if multiprocessing.current_process().daemon:
        raise UsageError(
            "isolate= starts processes, and this one may not (it is a daemon of multiprocessing); "
            "start it with daemon=False, or leave isolate out"
        )
    return Limits() if isolate is True else isolate
