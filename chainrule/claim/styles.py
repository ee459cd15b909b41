"""The usual ways to write a backward pass, each made two functions that `check` takes.

A `Claim` is frozen data: two sides and options. What its code means (which argument is the
cotangent, which result is whose derivative) is found when it is checked, at the point: the code is
run once there, as it stands. Decides nothing about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chainrule.errors import UsageError

if TYPE_CHECKING:
    from chainrule.verdict import Verdict

__all__ = ["Claim", "Sides", "Stopped", "fused", "layer", "pair"]


class Stopped(Exception):
    """The user's code raised at the point; its exception is the cause of this one."""


@dataclass(frozen=True)
class Sides:
    """A claim as `check` takes it: the function, what is said to be its derivative, a point."""

    forward: Any
    claimed: Any
    at: Mapping[str, Any] | None
    options: Mapping[str, Any]


@dataclass(frozen=True, init=False, eq=False)
class Claim:
    """Two sides that should be the same derivative, and over what.

    forward, backward : as `check` takes them: a function, and the function that computes its
        derivative, or place → function. at : a point; `check` may be given another.
    options : those of `check`: wrt, of, mode, cotangent, tangent, shapes, domains, …

    Frozen data. Raises nothing: what cannot be asked is said by `check`. A claim that was proved
    remembers its proofs, derivation and traces: at another point only its code is judged anew, as
    long as both functions still are what was proved, on the same path.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> claim = Claim(lambda w: np.sum(w**2), lambda w: 2 * w, wrt="w")
    >>> claim.check(at={"w": np.array([1.0, 2.0])}).ok, cr.check(claim, at={"w": np.ones(3)}).ok
    (True, True)
    """

    forward: Any
    backward: Any
    at: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    _learned: list[tuple[Mapping[str, Any], Any]] = field(
        default_factory=list, repr=False, compare=False
    )

    def __init__(
        self, forward: Any, backward: Any, /, *, at: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        for name, value in (
            ("forward", forward),
            ("backward", backward),
            ("at", None if at is None else dict(at)),
            ("options", options),
            ("_learned", []),
        ):
            object.__setattr__(self, name, value)

    def known(self, options: Mapping[str, Any]) -> Any:
        """What a check with these options left, to begin another one with; None if nothing."""
        mine = [kept for before, kept in self._learned if _same(before, options)]
        return mine[0] if mine else None

    def learn(self, options: Mapping[str, Any], kept: Any) -> None:
        """Keep what a check left: proofs, derivation and traces, for a check at another point."""
        self._learned[:] = [x for x in self._learned if not _same(x[0], options)]
        if kept is not None:
            self._learned.append((dict(options), kept))

    def check(self, *, at: Mapping[str, Any] | None = None, **options: Any) -> Verdict:
        """`chainrule.check` of this claim, at a point."""
        from chainrule.corridor import check

        return check(self, at=at, **options)

    @property
    def code(self) -> tuple[Any, ...]:
        """The user's functions and objects behind it."""
        sides = self.backward.values() if isinstance(self.backward, Mapping) else [self.backward]
        return tuple(f for f in (self.forward, *sides) if callable(f))

    def point(self, at: Mapping[str, Any] | None) -> dict[str, Any]:
        """The claim's point, and what a check gives instead. Raises UsageError."""
        for given in (self.at, at):
            if given is not None and not isinstance(given, Mapping):
                raise UsageError(
                    f"at={given!r}: give one point as name → value, such as {{'x': x}}"
                )
        return {**(self.at or {}), **(at or {})}

    def sides(self, at: Mapping[str, Any], options: Mapping[str, Any]) -> Sides:
        """The two functions, at a point. Raises UsageError; Stopped if the user's code raises.

        at : the whole point. options : the claim's and the check's.
        """
        return Sides(self.forward, self.backward, at or None, options)


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two sets of options are the very same, or say the same in words."""
    return a.keys() == b.keys() and all(v is b[k] or repr(v) == repr(b[k]) for k, v in a.items())


class _Pair(Claim):
    """See `pair`."""

    def sides(self, at: Mapping[str, Any], options: Mapping[str, Any]) -> Sides:
        from chainrule.claim import passes

        return passes.pair_sides(self.forward, self.backward, at, options)


class _Fused(Claim):
    """See `fused`."""

    def sides(self, at: Mapping[str, Any], options: Mapping[str, Any]) -> Sides:
        from chainrule.claim import passes

        return passes.fused_sides(self.forward, at, options)


class _Layer(Claim):
    """See `layer`. Its one side is the object."""

    @property
    def code(self) -> tuple[Any, ...]:
        return (self.forward,)

    def sides(self, at: Mapping[str, Any], options: Mapping[str, Any]) -> Sides:
        from chainrule.claim import objects

        return objects.layer_sides(self.forward, at, options)


def pair(
    forward: Any,
    backward: Callable[..., Any] | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    **options: Any,
) -> Claim:
    """A claim: backward is the backward pass of forward, and a cache goes between them.

        forward(x, w, b)      -> out, cache      (or out alone, if backward needs no cache)
        backward(dout, cache) -> dx, dw, db      (or one array, a list, a dict by name)

    forward : whose first result is the output, and the rest is what it keeps for backward. Or a
        class with `forward(ctx, x)` and `backward(ctx, dout)`, which keep things in `ctx`
        (`ctx.save_for_backward`, `ctx.saved_tensors`, attributes).
    backward : its first argument is the cotangent, of the output's shape; one that is called
        cache, ctx, saved, … or that is left gets the cache; arguments that forward has too get the
        same values. No cotangent is needed where the output is a scalar.
    at : a point: forward's arguments, and places that it reads.
    cotangent, cache : names of backward's arguments, where that is not so. of : number or key of
        the output in what forward returns. The others are those of `check`.

    What backward returns is matched by names (keys `dW`, `W`, `grad_W`; `return dx, dw, db`), else
    by the order of forward's real arguments; `wrt=` says it outright. forward runs at the point
    right before backward: nothing that an earlier call left counts.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> def affine(x, w, b):
    ...     return x @ w + b, (x, w)
    >>> def affine_backward(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout, dout.sum(axis=0)
    >>> point = {"x": np.eye(3, 2), "w": np.ones((2, 4)), "b": np.zeros(4)}
    >>> cr.check(cr.pair(affine, affine_backward), at=point).ok
    True
    """
    return _Pair(forward, backward, at=at, **options)


def fused(
    function: Callable[..., Any], *, at: Mapping[str, Any] | None = None, **options: Any
) -> Claim:
    """A claim: one function returns both the value and its derivatives.

        f(w, x) -> loss, grads     grads: an array, a tuple, a list, a dict by name
        f(w, x) -> loss, dw, dx
        f(w, x) -> {"loss": loss, "grads": grads}
        f(w, x) -> out, backward   where backward(dout) -> grads: a closure

    of : number or key of the value (0 or "loss" if left out). grads : number, slice or key of the
        derivatives. cotangent : the closure's argument. The others are those of `check`.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> def loss_and_grads(w, x, y):
    ...     r = x @ w - y
    ...     return r @ r, {"w": 2 * x.T @ r}
    >>> point = {"w": np.ones(2), "x": np.eye(3, 2), "y": np.ones(3)}
    >>> cr.fused(loss_and_grads).check(at=point).ok
    True
    """
    return _Fused(function, None, at=at, **options)


def layer(kind: Any, *arguments: Any, at: Mapping[str, Any] | None = None, **options: Any) -> Claim:
    """A claim: an object's backward pass is that of its forward pass; both keep things in it.

    kind : an object with `forward(x)` and `backward(dout)`; or a class, and then its constructor's
        arguments follow (by name too, where they are no options below).
    forward, backward : the names of the methods. `__call__` is taken if there is no `forward`.
    output : the attribute that holds the output, if forward returns nothing (`output`, `out`, `y`).
    grads : place → where its derivative is afterwards, such as {"W": "grads['W']"}; found by
        themselves: `dW`, `grad_W`, `W_grad`, `dweights`, `grads["W"]`, `grads[0]` beside
        `params[0]`; in the object and in objects that it holds.
    before : names of methods to be called before forward; `zero_grad`, if it has one.
    cotangent, cache, of, and those of `check` : as for `pair`.

    Parameters are the places `self.W`, in `at` and `wrt` too. The object is put back afterwards.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> class Linear:
    ...     def __init__(self, m, n):
    ...         self.W, self.b = np.ones((m, n)), np.zeros(n)
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x @ self.W + self.b
    ...     def backward(self, dout):
    ...         self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
    ...         return dout @ self.W.T
    >>> verdict = cr.layer(Linear, 2, 4).check(at={"x": np.eye(3, 2)})
    >>> [finding.name for finding in verdict.findings.values()], verdict.ok
    (['Linear.backward', 'Linear.dW', 'Linear.db'], True)
    """
    if isinstance(kind, type):
        from chainrule.claim.calls import accepted

        mine = accepted(kind, options)
        made = kind(*arguments, **{k: options.pop(k) for k in mine})
    elif arguments:
        raise UsageError(
            f"a {type(kind).__name__} is made already; constructor arguments go with a class"
        )
    else:
        made = kind
    return _Layer(made, None, at=at, **options)
