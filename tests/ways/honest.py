"""What every trap is held to: a derivative that is right, or an error of ours that says why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import chainrule as cr

Values = Mapping[str, Any]


def matches(found: Any, expected: Any, what: str, rtol: float = 1e-11) -> None:
    """The same shape, and the same numbers to rounding (nan where nan)."""
    expected = np.asarray(expected, float)
    value = np.asarray(found)
    assert value.shape == expected.shape, f"{what}: {value.shape}, not {expected.shape}"
    scale = max(np.max(np.abs(expected), initial=0.0), 1e-300)
    np.testing.assert_allclose(value, expected, rtol=0, atol=rtol * scale, err_msg=what)


def right(
    function: Callable[..., Any],
    at: Values,
    wrt: Sequence[str],
    expected: Callable[..., Any],
    others: Sequence[Values] = (),
    **more: Any,
) -> Any:
    """The derivation, which must be right at the point, and right or refused at the others.

    expected : (**values) → the derivatives in the order of wrt (one alone needs no tuple).
    Raises what `derive` raises.
    """
    derivation = cr.derive(function, at=at, wrt=wrt, **more)
    for number, values in enumerate((at, *others)):
        try:
            # `evaluate` is `lower`, with the arrays that the code reads elsewhere filled in
            found = derivation.evaluate({k: np.array(v) for k, v in values.items()})
        except cr.ChainruleError:
            assert number > 0, "it refuses the very point that it was derived at"
            continue
        answer = expected(**values)
        answers = answer if isinstance(answer, tuple) else (answer,)
        for name, one in zip(wrt, answers, strict=True):
            matches(found[name], one, f"{name} at point {number}")
    return derivation


def right_or_refused(
    function: Callable[..., Any],
    at: Values,
    wrt: Sequence[str],
    expected: Callable[..., Any],
    others: Sequence[Values] = (),
) -> str:
    """The same where `derive` may refuse as well; gives what it said, "" where it did not."""
    try:
        right(function, at, wrt, expected, others)
    except cr.ChainruleError as error:
        said = str(error)
        assert len(said) > 20, "a refusal says what was met"
        return said
    return ""


def told(derivation: Any) -> str:
    """All that a derivation says of itself in words."""
    out = [str(derivation), repr(getattr(derivation, "scope", "")), repr(derivation)]
    for holder in (derivation, getattr(derivation, "trace", None)):
        for name in ("notes", "guards", "pinned", "conditions", "remarks", "assumptions", "scope"):
            out.append(str(getattr(holder, name, "")))
    return "\n".join(out)
