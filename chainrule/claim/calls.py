"""How the user's functions are called: what is known of their arguments, one run at the point, and
the names that adapted functions bear.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from chainrule.claim.pair import pair_claim
from chainrule.claim.styles import Stopped
from chainrule.code.trace.places import Prepared, prepare, said
from chainrule.errors import UsageError

#: Options of `layer` itself.
LAYER = ("forward", "backward", "output", "grads", "before", "cache")


def signature_of(function: Any, called: str = "") -> inspect.Signature:
    """A function's arguments. Raises UsageError where Python does not know them."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        raise UsageError(
            f"the arguments of {called or said(function)} are not known; give a function written "
            "in Python"
        ) from None


def accepted(kind: type, options: Mapping[str, Any]) -> list[str]:
    """The names among options that are a constructor's arguments and nothing of a check's."""
    theirs = signature_of(kind).parameters
    checks = {*inspect.signature(pair_claim).parameters, *LAYER}
    return [n for n in options if n in theirs and n not in checks]


def dressed(
    function: Any, name: str, signature: inspect.Signature, labels: Mapping[str, str] | None = None
) -> Any:
    """An adapted function with the user's name and arguments.

    labels : key of what it returns → what the user calls it.
    """
    function.__name__ = function.__qualname__ = name
    function.__signature__ = signature
    if labels:
        function.labels = dict(labels)
    return function


def probed(function: Any, at: Mapping[str, Any], free: Sequence[str] = ()) -> tuple[Prepared, Any]:
    """A function prepared at the point, and what it returns there; called with copies.

    free : names in `at` that it need not know (the cotangent). Raises UsageError; Stopped for
    whatever the function raises.
    """
    own = signature_of(function).parameters
    prepared = prepare(function, {n: v for n, v in at.items() if n in own or n not in free})
    try:
        return prepared, prepared.run({})
    except Exception as why:
        raise Stopped(said(function)) from why
