"""The contract of a derivative, rule by rule: each message with its whole text, and what it does
to the verdict. What is no number of a derivative refutes or leaves open; what harms is a finding
of its own; what may harm is a remark, and the verdict stays ok.
"""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.verdict import Finding

Array = Any
X = {"x": np.array([1.0, -2.0, 0.5])}
PUT_BACK = "work on a copy (it was put back here)"
AGAIN = "gives another result when it is called again with the same arguments; it depends on"


def square(x: Array) -> Any:
    return np.sum(x * x)


def bilinear(A: Array, v: Array) -> Any:
    return np.sum(A @ v)


AV = {"A": np.arange(6.0).reshape(2, 3) + 1, "v": np.array([1.0, 2.0, -1.0])}


def only(verdict: cr.Verdict) -> Finding:
    """The finding of a verdict that has one."""
    (finding,) = verdict.findings.values()
    return finding


def found(forward: Any, g: Any, at: Any = None, **options: Any) -> dict[str, tuple[str, str]]:
    """Key → (status, reason)."""
    verdict = cr.check(forward, g, at=at or X, **options)
    return {k: (f.status, f.reason) for k, f in verdict.findings.items()}


# -- values ----------------------------------------------------------------------------------------

WRONG_VALUES = {
    "none": (lambda x: None, "refuted", "g returns None; is a return missing?"),
    "complex": (
        lambda x: 2 * x + 0j,
        "inconclusive",
        "g holds complex values; real numbers are needed",
    ),
    "object": (
        lambda x: (2 * x).astype(object),
        "inconclusive",
        "g holds object values; real numbers are needed",
    ),
    "text": (lambda x: "2*x", "inconclusive", "g holds <U3 values; real numbers are needed"),
    "masked": (
        lambda x: np.ma.masked_greater(2 * x, 1),
        "inconclusive",
        "g has 1 masked entry of 3; a derivative has a value at each entry: fill them",
    ),
    "a column": (
        lambda x: (2 * x)[:, None],
        "refuted",
        "g has the shape (3×1), and ∂square/∂x has (3); it has as many entries: reshape it",
    ),
    "a sum": (
        lambda x: 2 * np.sum(x),
        "refuted",
        "g has the shape scalar, and ∂square/∂x has (3)",
    ),
    "two": (
        lambda x: (2 * x, 1.0),
        "inconclusive",
        "g returns 2 values, and 1 is asked for: x; it must return these derivatives and nothing "
        "else",
    ),
}


@pytest.mark.parametrize("case", WRONG_VALUES)
def test_a_value_that_is_no_derivative(case: str) -> None:
    """The text says what was returned; only what has no value or another shape is refuted."""
    g, status, reason = WRONG_VALUES[case]
    g.__name__ = "g"
    finding = only(cr.check(square, g, at=X, wrt="x"))
    assert (finding.status, finding.reason) == (status, reason)


def test_shapes_of_matrices() -> None:
    """A transpose is named; so are axes in another order."""

    def g(A: Array, v: Array) -> Any:
        return np.outer(v, np.ones(2))

    finding = only(cr.check(bilinear, g, at=AV, wrt="A"))
    assert finding.status == "refuted" and finding.reason == (
        "g has the shape (3×2), and ∂bilinear/∂A has (2×3); that is the shape of its transpose"
    )

    def turned(x: Array) -> Any:
        return np.transpose(2 * x, (1, 2, 0))

    at = {"x": np.arange(24.0).reshape(2, 3, 4)}
    finding = only(cr.check(square, turned, at=at))
    assert finding.status == "refuted" and finding.reason == (
        "turned has the shape (3×4×2), and ∂square/∂x has (2×3×4); it has the same axes in another "
        "order: transpose it"
    )


def test_one_number_in_three_shapes() -> None:
    """A float and a 0-d array are scalars; an array of one entry is none."""

    def f(t: Any) -> Any:
        return t**3

    at = {"t": 2.0}
    assert only(cr.check(f, lambda t: 3 * t**2, at=at)).ok
    assert cr.check(f, lambda t: np.array(3 * t**2), at=at).ok

    def one(t: Any) -> Any:
        return np.array([3 * t**2])

    assert found(f, one, at)["t"] == (
        "refuted",
        "one has the shape (1), and ∂f/∂t has scalar; it has as many entries: reshape it",
    )


def test_lists() -> None:
    """A list of numbers is a vector; lists in lists are to be made an array, and not refuted."""
    assert cr.check(square, lambda x: [2 * t for t in x], at=X, wrt="x").ok

    def g(A: Array, v: Array) -> Any:
        return [[float(t) for t in v] for _ in range(2)]

    finding = only(cr.check(bilinear, g, at=AV, wrt="A"))
    assert (finding.status, finding.reason) == (
        "inconclusive",
        "g returns lists of numbers; return np.array of them",
    )


# -- names -----------------------------------------------------------------------------------------


def test_a_misspelled_name() -> None:
    """The nearest name is suggested, on both sides."""

    def g(Weight: Array, v: Array) -> Any:
        return {"Wieght": np.tile(v, (2, 1)), "v": Weight.sum(0)}

    def forward(Weight: Array, v: Array) -> Any:
        return np.sum(Weight @ v)

    got = found(forward, g, {"Weight": AV["A"], "v": AV["v"]}, wrt=("Weight", "v"))
    assert got["g ['Wieght']"] == (
        "inconclusive",
        "g returns 'Wieght', which is none of what it is about: Weight, v; is Weight meant?",
    )
    assert got["Weight"] == (
        "inconclusive",
        "g returns no 'Weight'; it returns 'Wieght', 'v': is 'Wieght' meant? Name it 'Weight'",
    )
    assert got["v"][0] in ("agrees", "proved")


def test_a_missing_and_an_extra_name() -> None:
    """Nothing is suggested that is far from it."""
    got = found(bilinear, lambda A, v: {"v": A.sum(0), "loss": 1.0}, AV, wrt=("A", "v"))
    assert got["A"] == ("inconclusive", "<lambda> returns no 'A'; it returns 'v', 'loss'")
    assert got["<lambda> ['loss']"] == (
        "inconclusive",
        "<lambda> returns 'loss', which is none of what it is about: A, v",
    )


# -- what it does besides --------------------------------------------------------------------------


def test_it_writes_into_its_argument_and_its_cotangent() -> None:
    """Each is named; the derivative's own finding stands."""

    def relu(x: Array) -> Any:
        return np.maximum(x, 0) * x

    def backward(x: Array, dout: Array) -> Any:
        dout[x < 0] = 0
        return 2 * dout * x

    got = found(relu, backward, wrt="x", cotangent="dout")
    assert got["backward writes into"] == (
        "inconclusive",
        f"backward writes into dout; {PUT_BACK}",
    )
    assert got["x"][0] in ("agrees", "proved")


def test_it_writes_through_a_view() -> None:
    """A reshaped view of x is x."""

    def g(x: Array) -> Any:
        flat = x.reshape(-1, 1)
        flat *= 2
        return flat[:, 0].copy()

    assert found(square, g)["g writes into"] == ("inconclusive", f"g writes into x; {PUT_BACK}")


def test_it_changes_an_argument_that_is_a_list_or_a_dict() -> None:
    """The container that it was given."""

    def forward(params: dict[str, Array]) -> Any:
        return np.sum(params["w"] ** 2)

    def g(params: dict[str, Array]) -> Any:
        J = 2 * params["w"]
        params["w"] = params["w"] - 0.1 * J
        return {'params["w"]': J}

    at = {"params": {"w": np.array([1.0, 2.0])}}
    got = found(forward, g, at)
    assert got["g writes into"] == ("inconclusive", f"g writes into params; {PUT_BACK}")
    assert (at["params"]["w"] == [1.0, 2.0]).all()


BASE = np.array([1.0, 2.0, 3.0])
VIEW = BASE[:]
BASE.flags.writeable = False
CALLS = [0]


def test_it_writes_to_a_base_that_is_read_only() -> None:
    """Through a view that was made before: seen, and put back."""

    def forward(x: Array) -> Any:
        return np.sum(BASE * x * x)

    def g(x: Array) -> Any:
        VIEW[0] = 7.0
        return 2 * BASE * x

    verdict = cr.check(forward, {"x": g}, at=X)
    assert not verdict.ok and "VIEW" in str(verdict)
    assert (BASE == [1, 2, 3]).all() and not BASE.flags.writeable and VIEW.flags.writeable


def test_it_changes_a_global_an_attribute_and_a_closure() -> None:
    """By the names that the user has for them."""

    class Settings:
        rate = 0.1

    settings = Settings()
    seen = 0

    def g(x: Array) -> Any:
        nonlocal seen
        seen = 1
        settings.rate = 0.2
        CALLS[0] = 1
        return 2 * x

    got = found(square, g)
    assert got["g changes"][0] == "inconclusive"
    reason = got["g changes"][1]
    assert reason.startswith("g changes ") and reason.endswith(f"; {PUT_BACK}")
    assert {"CALLS[0]", "seen"} <= set(re.split(r"[ ,;]+", reason))
    assert got["x"][0] in ("agrees", "proved")
    assert seen == 0 and settings.rate == 0.1 and CALLS == [0]


def test_it_raises_and_cannot_say_what() -> None:
    """An exception whose text raises is named by its kind."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def g(x: Array) -> Any:
        raise Silent

    finding = only(cr.check(square, g, at=X))
    assert finding.status == "inconclusive"
    assert re.fullmatch(
        rf"g raises Silent at {re.escape(__file__)}:\d+ \(raise Silent\)", finding.reason
    )


# -- again -----------------------------------------------------------------------------------------


def test_it_draws_from_a_global_state() -> None:
    """NumPy's and Python's: the text says what to do."""
    reason = (
        f"g {AGAIN} something hidden: random numbers, drawn from a global state. Give it the "
        "generator as an argument, such as rng=np.random.default_rng(0): each call then gets a "
        "copy in the same state"
    )
    for draw in (np.random.random, random.random):

        def g(x: Array, draw: Any = draw) -> Any:
            return 2 * x + 1e-9 * draw()

        assert found(square, g)["g"] == ("inconclusive", reason)


def test_a_generator_that_is_an_argument_is_fixed() -> None:
    """Each call gets a copy in the same state: dropout, forward and backward, with one mask."""

    def dropout(x: Array, rng: Any) -> Any:
        return np.sum((x * (rng.random(x.shape) < 0.5)) ** 2)

    def g(x: Array, rng: Any) -> Any:
        mask = rng.random(x.shape) < 0.5
        return 2 * x * mask

    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    verdict = cr.check(dropout, g, at={**X, "rng": rng}, wrt="x")
    assert verdict.findings["x"].status in ("agrees", "proved"), str(verdict)
    assert rng.bit_generator.state == state


def test_it_counts() -> None:
    """What an earlier call left decides."""

    def g(x: Array) -> Any:
        CALLS[0] += 1
        return 2 * x + (CALLS[0] > 2)

    got = found(square, g)
    assert got["g"] == (
        "inconclusive",
        f"g {AGAIN} something hidden (random numbers, a counter, what an earlier call left)",
    )
    assert CALLS == [0]


# -- remarks ---------------------------------------------------------------------------------------


def remark(forward: Any, g: Any, at: Any = None, **options: Any) -> tuple[str, str]:
    """The only remark of a verdict that is ok, and its key."""
    verdict = cr.check(forward, g, at=at or X, **options)
    assert verdict.ok, str(verdict)
    ((key, finding),) = [
        (k, f) for k, f in verdict.findings.items() if any(e.rung == "contract" for e in f.evidence)
    ]
    assert finding.status == "agrees" and f"{finding.name}: a remark" in str(verdict)
    return key, finding.reason


def half(x: Array) -> Any:
    return np.sum(x * x) / 2


def total(x: Array, y: Array) -> Any:
    return x + y


XY = {"x": np.array([1.0, 2.0]), "y": np.array([3.0, 5.0])}


def test_it_returns_its_argument() -> None:
    """Right, and one memory with x."""

    def g(x: Array) -> Any:
        return x[:]

    expected = "what it returns for x is the memory of x: return a copy"
    assert remark(half, g) == ("g shares memory", expected)


def test_two_results_that_are_one_memory() -> None:
    """The backward pass of a sum: right, and the two are one."""

    def backward(x: Array, y: Array, dout: Array) -> Any:
        d = dout * 1.0
        return d, d

    assert remark(total, backward, XY, wrt=("x", "y"), cotangent="dout") == (
        "backward shares memory",
        "what it returns for x and for y is one memory, so writing to one changes the other: "
        "return a copy",
    )


BUFFER = np.zeros(3)


def test_a_result_that_the_next_call_overwrites() -> None:
    """An array that is kept between calls."""

    class Layer:
        def __init__(self) -> None:
            self.out = np.zeros(3)

        def g(self, x: Array) -> Any:
            np.multiply(x, 2, out=self.out)
            return self.out

    assert remark(square, Layer().g) == (
        "g keeps its result",
        "g is overwritten by the next call of g: it returns an array that it keeps; return a copy",
    )


def test_coarser_numbers() -> None:
    """Integers, truth values, float32; none where the inputs are float32 themselves."""

    def f(x: Array) -> Any:
        return np.sum(x)

    def g(x: Array) -> Any:
        return np.ones(3, np.int64)

    assert remark(f, g) == (
        "g kinds",
        "g holds int64 values: what is written into it is cut to int64; make it float64",
    )

    def b(x: Array) -> Any:
        return np.ones(3, bool)

    assert remark(f, b)[1] == (
        "b holds bool values: what is written into it is cut to bool; make it float64"
    )

    def s(x: Array) -> Any:
        return np.ones(3, np.float32)

    assert remark(f, s)[1] == (
        "s holds float32 values, 6 digits, and is given float64: something in it is of a coarser "
        "type"
    )
    assert list(cr.check(f, s, at={"x": np.ones(3, np.float32)}).findings) == ["x"]


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_kinds_of_arrays() -> None:
    """A matrix, and a masked array without a mask: values as they are, other operators."""

    def m(x: Array) -> Any:
        return np.matrix(2 * x)

    at = {"x": np.ones((1, 3))}
    assert remark(square, m, at)[1] == (
        "m is a numpy.matrix, whose operators are not those of an array: return np.asarray of it"
    )

    def k(x: Array) -> Any:
        return np.ma.array(2 * x)

    assert remark(square, k)[1] == (
        "k is a numpy.MaskedArray, whose operators are not those of an array: return np.asarray of "
        "it"
    )
