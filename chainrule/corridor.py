"""The corridor: what is claimed goes to the judge, and a verdict comes back.

One verb for formulas and for code. The machinery for code is loaded when code is asked about.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import sympy as sp

from chainrule.claim import code_claim, formula_claims
from chainrule.claim.styles import Claim, Stopped
from chainrule.derivation import Derivation, FormulaDerivation
from chainrule.errors import ShapeError, UsageError
from chainrule.isolation import Found, Limits, Work, isolated, limits_of
from chainrule.judge.formula import judge_formula
from chainrule.judge.function import judge_code
from chainrule.values.evaluate import bind
from chainrule.verdict import Finding, Status, Verdict

if TYPE_CHECKING:
    from chainrule.claim.pair import Mode
    from chainrule.code.derive import CodeDerivation
    from chainrule.domains import Domain

__all__ = ["assert_derivative", "check"]

NOTHING: Any = object()  # for an argument that was not given


def _users_points(derivation: FormulaDerivation, at: Any) -> list[dict[sp.Symbol, Fraction]]:
    """The user's own points, exactly."""
    if at is None:
        return []
    given = [at] if isinstance(at, Mapping) else at
    if not isinstance(given, Sequence) or not all(isinstance(p, Mapping) for p in given):
        raise UsageError(f"at={at!r}: give a point such as {{'t': 0.3}}, or a list of them")
    exact_points = []
    for point in given:
        numbers: dict[sp.Symbol, Fraction] = {}
        for symbol, value in bind(derivation, point).items():
            try:
                if isinstance(value, sp.Rational):
                    value = Fraction(int(value.p), int(value.q))
                number = Fraction(value.item() if isinstance(value, np.generic) else value)
            except (TypeError, ValueError, OverflowError):
                raise UsageError(f"at: {symbol} = {value!r} is not a finite number") from None
            numbers[symbol] = number
        _hold_to_assumptions(numbers)
        exact_points.append(numbers)
    return exact_points


def _hold_to_assumptions(point: Mapping[sp.Symbol, Fraction]) -> None:
    """A symbol that is declared positive has no value at −1: nothing can be asked there."""
    for symbol, value in point.items():
        given = sp.Rational(value.numerator, value.denominator)
        for fact in ("positive", "nonnegative", "negative", "nonpositive", "integer"):
            if getattr(symbol, f"is_{fact}") and not getattr(given, f"is_{fact}"):
                raise UsageError(f"at: {symbol} = {given}, but {symbol} is declared {fact}")


@overload
def check(derivation: FormulaDerivation, claimed: Any, *, at: Any = None) -> Verdict: ...


@overload
def check(
    derivation: Callable[..., Any] | CodeDerivation,
    claimed: Any,
    *,
    at: Mapping[str, Any] | None = None,
    wrt: str | Sequence[str] | None = None,
    of: str | None = None,
    mode: Mode | None = None,
    cotangent: str | None = None,
    tangent: str | Mapping[str, str] | None = None,
    shapes: Mapping[str, str] | None = None,
    domains: Mapping[str, Domain] | None = None,
    isolate: bool | Limits | None = None,
) -> Verdict: ...


@overload
def check(derivation: Claim, *, at: Mapping[str, Any] | None = None, **options: Any) -> Verdict: ...


def check(derivation: Any, claimed: Any = NOTHING, *, at: Any = None, **code: Any) -> Verdict:
    """Whether `claimed` is the derivative.

    derivation : what `chainrule.derive` gave, of formulas or of code; or a NumPy function. Or a
        `Claim` (`chainrule.pair`, `fused`, `layer`), which holds both sides, and options: what is
        given here comes before what it holds.
    claimed : of formulas: a formula (text, SymPy object, list of them), or a NumPy function whose
        arguments are named after the derivation's variables (scalars, (n,) vectors, (m, n)
        matrices) and that returns the derivative, or a mapping input → derivative where there are
        several; or a mapping input → formula or function. Of code: the function that computes the
        derivative (one array, a tuple in the order of wrt, or a dict by name), or a mapping
        place → function.
    at : of formulas, a point of your own, name → value, or a list of them; tried first. Of code,
        one point: every argument of the function, and places that it reads (`W1`, `net.W1`).

    Of code only:

    wrt : the places whose derivatives are returned, in order; the mapping's keys if left out.
    of : which of several results.
    mode : "gradient" of a scalar (in the input's shape), "jacobian" (output's + input's shape),
        "vjp", "jvp", "hessian" (input's + input's shape). If left out: gradient of a scalar; of an
        array vjp, if an argument for the cotangent is named or left, else jacobian.
    cotangent : the argument of `claimed` that takes the cotangent. tangent : likewise, or
        place → argument.
    shapes : names for axes.
    domains : input → what is known of it, such as {"y": chainrule.one_hot(axis=0)}: points are
        drawn from there, and it is part of the scope. Derivatives are taken with all entries free.

    Of both:

    isolate : True, or `chainrule.Limits(seconds=60, megabytes=4096)`: each function is checked in a
        process of its own, so that code that never returns, ends the process or takes all memory
        is inconclusive, and the findings of the others stand. What it prints is not shown. Needs a
        system that can fork (Linux, macOS).

    Returns a Verdict: proved, agrees, inconclusive, disagrees or refuted for each derivative, with
    scope and witness; and apart from that how the float64 code does. There is no tolerance to
    choose. Nothing of yours is changed, not even by code that writes where it should not.
    Raises TextError, DefinitionError, ShapeError or UsageError for what cannot be asked.

    >>> import chainrule as cr
    >>> d = cr.derive({"f": "5*x", "x": "1 - u", "u": "t**2"}, of="f", wrt="t")
    >>> check(d, "5*u**0*(-2*t)").status
    'proved'
    >>> print(check(d, "10*t"))
    df/dt is wrong: refuted
      because    its value is not that of the derivative at the first point tried
      at         t = 401/256
      yours      15.6640625
      derived    -15.6640625
      certified  the enclosures at 160 and 320 bits have no number in common
      correct    -10*t
      scope      scalars; t real

    >>> import numpy as np
    >>> def loss(w, x):
    ...     return np.mean((x @ w) ** 2)
    >>> def gradient(w, x):
    ...     return 2 * x.T @ (x @ w) / len(x)
    >>> check(loss, gradient, at={"w": np.array([1.0, 2.0]), "x": np.eye(3, 2)}, wrt="w").status
    'agrees'
    """
    if isinstance(derivation, Claim):
        code = {**derivation.options, **code}
    limits = limits_of(code.pop("isolate", None)) if "isolate" in code else None
    if isinstance(derivation, Claim):
        if claimed is not NOTHING:
            raise UsageError("a Claim holds both sides; check(claim) takes no second one")
        return _check_claim(derivation, at, limits, **code)
    if claimed is NOTHING:
        raise UsageError(
            "check needs what is claimed too: a formula, or the function that computes the "
            "derivative; for functions with a cache, or objects, see pair, fused and layer"
        )
    if not isinstance(derivation, FormulaDerivation) and (
        isinstance(derivation, Derivation)
        or (callable(derivation) and not isinstance(derivation, (sp.Basic, type)))
    ):
        return _check_code(derivation, claimed, at, limits, **code)
    if code:
        raise UsageError(f"{next(iter(code))}= speaks of a function's code, not of formulas")
    if not isinstance(derivation, FormulaDerivation):
        raise UsageError(
            f"check needs a Derivation and got a {type(derivation).__name__}; "
            "make one with chainrule.derive"
        )
    if isinstance(claimed, Mapping) and not claimed:
        raise UsageError(
            f"there is nothing to check; give a formula or a function for {derivation.name}"
        )
    users = _users_points(derivation, at)
    if limits is not None:
        return isolated(derivation.name, _works(derivation, claimed, at), limits)
    findings: dict[str, Finding] = {}
    if isinstance(claimed, Mapping) and any(callable(c) for c in claimed.values()):
        for key, part in claimed.items():
            one = _alone(derivation, key)
            verdict = check(one, part)
            findings |= {f"∂{one.of[0]}/∂{one.wrt[0]}": f for f in verdict.findings.values()}
    elif callable(claimed) and not isinstance(claimed, (sp.Basic, sp.MatrixBase)):
        with _quiet():
            for finding in judge_code(code_claim(derivation, claimed), users):
                findings[finding.name] = finding
    else:
        with _quiet():
            for claim in formula_claims(derivation, claimed):
                findings[claim.name] = judge_formula(claim, users)
    return Verdict(derivation.name, findings)


@contextmanager
def _quiet() -> Iterator[None]:
    """Overflow and the like, in the user's code and on the user's numbers, is no warning of ours:
    where warnings are errors, too, it is the verdict that says what happens."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _alone(derivation: FormulaDerivation, key: Any) -> FormulaDerivation:
    """The derivation of one block; the other inputs become parameters."""
    block = derivation[key]
    rest = tuple(n for n in derivation.wrt if n != block.input)
    return replace(
        derivation,
        of=(block.output,),
        wrt=(block.input,),
        blocks={(block.output, block.input): block},
        parameters=(*rest, *derivation.parameters),
        factors=(),
    )


def _works(derivation: FormulaDerivation, claimed: Any, at: Any) -> list[Work]:
    """What each child checks of a formula: one function, or all that is given as formulas."""

    def work(name: str, keys: Sequence[str], part: Any) -> Work:
        def run() -> Found:
            verdict = check(derivation, part, at=at)
            return verdict.subject, dict(verdict.findings)

        return Work(name, tuple(keys), run)

    if isinstance(claimed, Mapping) and any(callable(c) for c in claimed.values()):
        blocks = {k: derivation[k] for k in claimed}
        names = {k: f"∂{b.output}/∂{b.input}" for k, b in blocks.items()}
        return [work(names[k], [names[k]], {k: part}) for k, part in claimed.items()]
    name = getattr(claimed, "__name__", derivation.name) if callable(claimed) else derivation.name
    return [work(name, [name], claimed)]


def _check_claim(claim: Claim, at: Any, limits: Limits | None = None, **options: Any) -> Verdict:
    """A claim's two sides, and what they come to."""
    if limits is not None:
        name = getattr(claim.backward or claim.forward, "__name__", "the claim")

        def run() -> Found:
            verdict = _check_claim(claim, at, **options)
            return verdict.subject, dict(verdict.findings)

        wanted = options.get("wrt") or [name]
        keys = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        return isolated(name, [Work(name, keys, run)], limits)
    from chainrule.evidence.keeping import kept
    from chainrule.judge.code import raised

    point = claim.point(at)
    known = claim.known(options)
    if known is not None:  # code that changes nothing needs no putting back
        with nullcontext() if known.pure else kept(claim.code, point), _quiet():
            findings = known.check(point)
        if findings is not None:
            return Verdict(known.claim.derivation.name, findings)
    with kept(claim.code, point), _quiet():
        try:
            sides = claim.sides(point, options)
        except (UsageError, ShapeError):
            raise
        except Stopped as stopped:
            name, why = str(stopped), stopped.__cause__
            assert why is not None
            return Verdict(name, {name: raised(name, why)})
    if isinstance(sides.forward, Derivation) or not callable(sides.forward):
        return check(sides.forward, sides.claimed, at=sides.at, **sides.options)
    keep = partial(claim.learn, options)
    return Verdict(*_judged(sides.forward, sides.claimed, sides.at, sides.options, keep=keep))


def _check_code(
    forward: Any, claimed: Any, at: Any, limits: Limits | None = None, **options: Any
) -> Verdict:
    """Code on both sides; with limits, a process for each function of the user's."""
    if limits is None:
        return Verdict(*_judged(forward, claimed, at, options))
    from chainrule.claim.pair import functions_of
    from chainrule.code.derive import CodeDerivation
    from chainrule.code.trace.places import canonical, said

    wanted = options.get("wrt") or ()
    named = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    works = []
    for n, (key, f) in enumerate(functions_of(claimed).items()):
        keys = (canonical(key),) if key else named or (said(f),)
        works.append(Work(said(f), keys, partial(_judged, forward, claimed, at, options, n)))
    function = forward.prepared.function if isinstance(forward, CodeDerivation) else forward
    return isolated(said(function), works, limits)


def _judged(
    forward: Any,
    claimed: Any,
    at: Any,
    options: Mapping[str, Any],
    only: int | None = None,
    keep: Callable[[Any], None] | None = None,
) -> Found:
    """The findings of code. Whatever the user's code does meanwhile is undone.

    only : the number of the one function of the user's to judge; the claim is that of all.
    keep : takes what a check at another point may begin with.
    """
    from chainrule.claim.pair import functions_of, pair_claim
    from chainrule.code.derive import CodeDerivation
    from chainrule.code.trace.places import said
    from chainrule.evidence.calling import unnamed
    from chainrule.evidence.keeping import kept
    from chainrule.judge.code import judge_and_keep, not_followed
    from chainrule.judge.outside import judge_outside

    if at is not None and not isinstance(at, Mapping):
        raise UsageError(f"at={at!r}: give one point as name → value, such as {{'x': x}}")
    known = inspect.signature(pair_claim).parameters
    for name in options:
        if name not in known:
            theirs = ", ".join(n for n, p in known.items() if p.kind is p.KEYWORD_ONLY)
            raise UsageError(f"check has no option {name}=; those of code are {theirs}, isolate")
    followed = isinstance(forward, CodeDerivation)
    function = forward.prepared.function if followed else forward
    functions = functions_of(claimed)
    given = {**(forward.prepared.inputs if followed else {}), **(at or {})}
    with kept([function, *functions.values()], given), _quiet():
        try:
            claim = pair_claim(forward, claimed, at, **options)
            with kept(functions.values(), {}):  # what it changes is to be seen later
                meant = unnamed(claim)
            if meant:
                claim = pair_claim(forward, claimed, at, **{**options, "wrt": meant})
        except (UsageError, ShapeError):
            raise
        except Exception as why:  # of the user's code, or of following it
            wanted = options.get("wrt") or [k for k in functions if k] or [""]
            keys = [wanted] if isinstance(wanted, str) else list(wanted)
            if only is not None:
                first = next(iter(functions))
                mine = [*functions][only]
                keys = [k for k in keys if (k if k in functions else first) == mine]
            outside = judge_outside(forward, claimed, at, options, why, only)
            found = outside or not_followed(function, functions, keys, why)
            return said(function), found
        findings, kept_for_later = judge_and_keep(claim, only)
        if keep is not None:
            keep(kept_for_later)
        return claim.derivation.name, findings


def assert_derivative(
    derivation: Any,
    claimed: Any = NOTHING,
    *,
    at: Any = None,
    require: Status = "agrees",
    **code: Any,
) -> Verdict:
    """`check`, raising DerivativeError (an AssertionError) unless the claim is right.

    require : the least status that is accepted; "proved" asks for more than "agrees". The others,
    of code: as for `check`.

    >>> import chainrule as cr
    >>> assert_derivative(cr.derive({"f": "t**2"}, of="f", wrt="t"), "2*t", require="proved").ok
    True
    """
    verdict = check(derivation, claimed, at=at, **code)
    verdict.require(require)
    return verdict
