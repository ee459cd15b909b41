"""Published gradients and their usual mistakes: the right ones pass, the wrong ones never do.

The corpus is in tests/gradients. `HONEST` are the ones that are right under an assumption that the
code does not state: `check` refutes them and says where they are right.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.gradients import Case, both, modules, mutant

Array = Any
ALL = [(m, c) for m in modules() for c in m.CASES]
HONEST = {
    "max_pool": "its entries are no one derivative",  # a tie gives all of them the whole
    "factorization": 'M is 0 or 1: domains={"M": cr.integers(0, 1)}',
}
#: The code raises at the very point: there is no value to refute.
#: A path that is not the only one; one of the last digits of P; a Jacobian too large for residues.
UNPROVED = {"svm_naive", "hinge", "tsne", "two_layer"}
RAISES = {("net_of_lists", 0), ("net_of_lists", 1)}
RNG = np.random.default_rng(17)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test draws the same numbers, whatever ran before it."""
    RNG.bit_generator.state = np.random.default_rng(17).bit_generator.state


def ids(pair: tuple[ModuleType, Case]) -> str:
    return pair[1].id


def checked(module: ModuleType, case: Case) -> cr.Verdict:
    forward, backward = both(module, case)
    return cr.check(forward, backward, at=case.at, **case.options)


def snapshot(case: Case) -> str:
    with np.printoptions(precision=17, threshold=10**6):
        return repr(dict(case.at))


# -- the corpus ------------------------------------------------------------------------------------


def test_the_corpus_is_large_enough() -> None:
    """≥ 25 right gradients, ≥ 75 wrong ones, ≥ 3 of each."""
    assert len(ALL) >= 25 and sum(len(c.wrong) for _, c in ALL) >= 75
    assert all(len(c.wrong) >= 3 for _, c in ALL) and len({c.id for _, c in ALL}) == len(ALL)


@pytest.mark.parametrize("pair", ALL, ids=ids)
def test_a_right_gradient_agrees_and_wrong_ones_do_not(
    pair: tuple[ModuleType, Case], tmp_path: Path
) -> None:
    """Nothing of the user's is changed."""
    module, case = pair
    before = snapshot(case)
    verdict = checked(module, case)
    if case.id in HONEST:
        assert verdict.status == "refuted" and HONEST[case.id] in str(verdict)
        assert "your own among them" in str(verdict)
    else:
        assert verdict.status == ("agrees" if case.id in UNPROVED else "proved"), str(verdict)
        assert verdict.ok, str(verdict)
        followed = {f.scope.followed for f in verdict.findings.values() if not f.remark}
        assert followed == {"traced"}
    assert snapshot(case) == before
    for number, (what, *_) in enumerate(case.wrong):
        made, wrong = mutant(module, case, number, tmp_path)
        found = checked(made, wrong)
        wanted = "inconclusive" if (case.id, number) in RAISES else "refuted"
        assert found.status == wanted, f"{what}\n{found}"


@pytest.mark.parametrize("name", ["softmax_loss", "kalman", "attention", "net_of_lists"])
def test_two_runs_give_the_same_text(name: str, tmp_path: Path) -> None:
    """Points are drawn from a text, not from chance."""
    module, case = next(p for p in ALL if p[1].id == name)
    assert str(checked(module, case)) == str(checked(module, case))
    made, wrong = mutant(module, case, 2, tmp_path)
    assert str(checked(made, wrong)) == str(checked(made, wrong))


# -- what the corpus found -------------------------------------------------------------------------


def relu(x: Array) -> Any:
    return np.sum(2 * np.maximum(x, 0))


@pytest.mark.parametrize("threshold", [1e-2, 1e-4, -1e-4, 1e-6])
def test_a_threshold_that_is_a_little_off(threshold: float) -> None:
    """No drawn number lies in between: the place where the code switches is looked for."""
    verdict = cr.check(
        relu, lambda x: 2.0 * (x > threshold), at={"x": np.array([0.5, 1.0, -1.0, 0.25])}
    )
    assert verdict.status == "refuted" and "your own among them" in str(verdict)


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
def test_any_slope_between_is_right_at_a_kink(at_zero: float) -> None:
    """And it is said that the user's own point was not compared."""

    def gradient(x: Array) -> Any:
        return 2 * np.where(x == 0, at_zero, x > 0)

    for x in (np.array([0.0, 1.0, -1.0]), np.zeros(3)):
        verdict = cr.check(relu, gradient, at={"x": x})
        assert verdict.status in ("proved", "agrees"), str(verdict)
        assert "a kink of the forward code" in str(verdict)


def test_a_slope_beyond_both_sides_of_a_kink() -> None:
    """5 is no slope of relu, and none of the slopes beside: certified."""
    verdict = cr.check(
        relu, lambda x: 2 * np.where(x == 0, 5.0, x > 0), at={"x": np.array([0.0, 1.0, -1.0])}
    )
    assert verdict.status == "refuted" and verdict.worst.witness.where == "edge"
    assert "entry [0] is 10, and the derivatives on all sides of that kink lie between 0 and 2" in (
        " ".join(str(verdict).split())
    )


class Model:
    """Parameters in lists and numbers of an object; nobody names them."""

    def __init__(self) -> None:
        self.weights = [RNG.normal(size=(3, 2)), RNG.normal(size=(1, 3))]
        self.scale = 0.75

    def loss(self, x: Array) -> Any:
        a = x
        for w in self.weights:
            a = np.tanh(w @ a)
        return self.scale * np.sum(a)

    def gradients(self, x: Array) -> Any:
        h = np.tanh(self.weights[0] @ x)
        y = np.tanh(self.weights[1] @ h)
        d = self.scale * (1 - y * y)
        e = (self.weights[1].T @ d) * (1 - h * h)
        return {"weights": [e @ x.T, d @ h.T], "scale": np.sum(y)}


def test_places_are_read_from_the_names_that_are_returned() -> None:
    """`weights` means `self.weights`; and no array of them is taken for a constant."""
    model = Model()
    for options in ({}, {"wrt": ("self.weights", "self.scale")}):
        verdict = cr.check(
            model.loss, model.gradients, at={"x": RNG.normal(size=(2, 4))}, **options
        )
        assert {k: f.status for k, f in verdict.findings.items()} == dict.fromkeys(
            ("self.weights[0]", "self.weights[1]", "self.scale"), "proved"
        )


def test_an_array_that_is_one_of_the_places_is_no_constant() -> None:
    """A copy that backward made of a weight does not move: so nothing else may."""
    w = RNG.normal(size=3)
    copy = w.copy()
    verdict = cr.check(
        lambda w, x: np.sum(np.exp(w * x)),
        lambda w, x: x * np.exp(copy * x),
        at={"w": w, "x": RNG.normal(size=3)},
        wrt="w",
    )
    assert verdict.status != "refuted"


def test_one_array_for_a_list_of_numbers() -> None:
    """coef is a list of floats; its gradient is an array."""
    at = {"coef": [1.0, 2.0], "x": 3.0}
    line = lambda coef, x: coef[0] + coef[1] * x**2  # noqa: E731
    right = cr.check(line, lambda coef, x: np.array([1.0, x**2]), at=at, wrt="coef")
    wrong = cr.check(line, lambda coef, x: np.array([1.0, x**3]), at=at, wrt="coef")
    assert right.status == "proved"
    assert [f.status for f in wrong.findings.values()] == ["proved", "refuted"]
    assert wrong.worst.name == "<lambda>[1]"


@pytest.mark.parametrize("seed", range(4))
def test_a_constraint_that_holds_but_for_rounding(seed: int) -> None:
    """P sums to 1 up to its last digit: a difference of that size is no witness."""
    rng = np.random.default_rng(seed)
    P = rng.random((3, 3 + seed))
    P /= P.sum()
    verdict = cr.check(
        lambda z, P: np.sum(P) * np.log(np.sum(np.exp(z))) - np.sum(P * z),
        lambda z, P: np.exp(z) / np.sum(np.exp(z)) - P,
        at={"z": rng.normal(size=P.shape), "P": P},
        wrt="z",
    )
    assert verdict.status == "refuted"
    reason = verdict.worst.reason
    assert "its entries sum to 1" in reason and "at a drawn point" in reason
    assert "apart by" not in reason and "at your point" not in reason


def test_labels_of_fixed_number_keep_the_rows_at_theirs() -> None:
    """range(len(y)) fixes the number of labels; more rows than labels are no counterexample."""

    def loss(S: Array, y: Array) -> Any:
        return -np.log(np.exp(S)[range(len(y)), y] / np.exp(S).sum(1)[range(len(y))]).mean()

    def gradient(S: Array, y: Array) -> Any:
        p = np.exp(S) / np.exp(S).sum(1, keepdims=True)
        p[range(len(y)), y] -= 1
        return p / len(y)

    at = {"S": RNG.normal(size=(5, 3)), "y": np.array([0, 2, 1, 1, 0])}
    assert cr.check(loss, gradient, at=at, wrt="S").status == "proved"


def test_one_entry_of_a_large_array_costs_little() -> None:
    """Writing to entry [3, 5] needs larger sizes than the smallest: there it is certified."""

    def gradient(W: Array, x: Array) -> Any:
        g = 2 * (W @ x) @ x.T
        g[3, 5] += 1e-10
        return g

    at = {"W": RNG.normal(size=(200, 300)), "x": RNG.normal(size=(300, 40))}
    verdict = cr.check(lambda W, x: np.sum((W @ x) ** 2), gradient, at=at, wrt="W")
    assert verdict.status == "refuted" and verdict.worst.witness.entry == (3, 5)


def test_a_derivative_entry_by_entry() -> None:
    """An activation and its slope, at an array: not refuted, and told how to ask."""
    at = {"x": RNG.normal(size=3)}
    verdict = cr.check(np.tanh, lambda x: 1 - np.tanh(x) ** 2, at=at)
    assert verdict.status == "inconclusive" and "entry by entry" in str(verdict)
    assert cr.check(lambda x: x / np.sum(x), lambda x: 1 / x, at=at).status == "refuted"


def cached(x: Array, w: Array) -> Any:
    return x @ w, (x, w)


def from_cache(dout: Array, cache: Any) -> Any:
    x, w = cache
    return dout @ w.T, x.T @ dout


def asked(forward: Any, backward: Any, **options: Any) -> str:
    at = {"x": RNG.normal(size=(3, 2)), "w": RNG.normal(size=(2, 2))}
    with pytest.raises(cr.UsageError) as caught:
        cr.check(forward, backward, at=at, **options)
    return str(caught.value)


def test_what_is_said_of_forward_and_backward_with_a_cache() -> None:
    """The way out is named; and it works."""
    assert "say with of= which of them is meant, such as of='[0]'" in asked(cached, from_cache)
    text = asked(cached, from_cache, of="[0]")
    assert "from_cache needs dout, cache, which cached does not have" in text
    assert "runs forward for its cache" in text

    def whole(x: Array, w: Array, dout: Array) -> Any:
        return from_cache(dout, cached(x, w)[1])

    at = {"x": RNG.normal(size=(3, 2)), "w": RNG.normal(size=(2, 2))}
    assert cr.check(cached, whole, at=at, of="[0]").status == "proved"


def test_a_backward_that_returns_the_loss_too() -> None:
    """It is said that only derivatives may be returned."""

    def both_of_them(w: Array) -> Any:
        return w @ w, 2 * w

    verdict = cr.check(lambda w: w @ w, both_of_them, at={"w": RNG.normal(size=3)}, wrt="w")
    assert verdict.status == "inconclusive"
    assert "returns 2 values, and 1 is asked for: w" in str(verdict)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_magnitudes_and_kinds_of_floats(size: float, kind: Any) -> None:
    """A right gradient at one sample, saturated or tiny, in either precision."""

    def loss(w: Array, X: Array, y: Array) -> Any:
        return np.mean(np.logaddexp(0, -y * (X @ w)))

    def gradient(w: Array, X: Array, y: Array) -> Any:
        m = y * (X @ w)
        return -X.T @ (y * np.exp(-np.logaddexp(0, m))) / len(y)

    for n in (1, 4):
        at = {"w": RNG.normal(size=3) * size, "X": RNG.normal(size=(n, 3)), "y": np.ones(n)}
        at = {k: v.astype(kind) for k, v in at.items()}
        verdict = cr.check(loss, gradient, at=at, wrt="w")
        assert verdict.status == "proved", str(verdict)


def test_long_points_and_formulas_are_cut() -> None:
    """No line of a verdict is longer than a person reads."""
    at = {"x": RNG.normal(size=(12, 9))}
    verdict = cr.check(
        lambda x: np.sum(x**2) if x.shape == (12, 9) else 0.0 * np.sum(x), lambda x: 3 * x, at=at
    )
    assert verdict.status == "refuted" and max(map(len, str(verdict).splitlines())) < 500
