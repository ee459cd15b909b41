"""What a function does besides: it counts its calls, catches what its numbers raise, touches the
memory of its arrays. None of it may be proved past, and each message says what was seen.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.domains.lines import UnitVector
from chainrule.evidence.memory import raw_memory
from chainrule.typeset import letter
from chainrule.verdict import Finding

Array = Any
X = {"x": np.array([0.7, -1.3, 2.1])}
POSITIVE = {"x": np.array([0.7, 1.3, 2.1])}


def square(x: Array) -> Any:
    return np.sum(x**2)


def only(forward: Any, claimed: Any, at: Any = None, **options: Any) -> Finding:
    """The finding of a check that has one."""
    (finding,) = cr.check(forward, claimed, at=at or X, **options).findings.values()
    return finding


# -- calls that are counted ------------------------------------------------------------------------


class Counter:
    """Gives 2 for a number of calls, then 3."""

    def __init__(self, turn: int = 4) -> None:
        self.calls, self.turn = 0, turn

    def slope(self) -> float:
        self.calls += 1
        return 2.0 if self.calls < self.turn else 3.0

    def backward(self, x: Array) -> Any:
        return self.slope() * x


@dataclass
class Record:
    calls: int = 0


def counting_claims() -> dict[str, tuple[Any, str]]:
    """Where the count is kept → (the claimed function, what the message names)."""
    counter, record, late, texts = Counter(), Record(), Counter(7), Record()
    holder = Counter()
    holder.state = {"n": [0]}  # type: ignore[attr-defined]

    def of_an_object(x: Array) -> Any:
        return counter.slope() * x

    def of_a_dataclass(x: Array) -> Any:
        record.calls += 1
        return 2 * x if record.calls < 5 else 3 * x

    def of_vars(x: Array) -> Any:
        vars(texts)["calls"] += 1
        return 2 * x if texts.calls < 5 else 3 * x

    def deep_inside(x: Array) -> Any:
        state = holder.state["n"]  # type: ignore[attr-defined]
        state[0] += 1
        return 2 * x if state[0] < 4 else 3 * x

    def by_length(x: Array) -> Any:
        holder.log = [*getattr(holder, "log", []), 1]  # type: ignore[attr-defined]
        holder.calls = len(holder.log)  # type: ignore[attr-defined]
        return 2 * x if holder.calls < 4 else 3 * x

    return {
        "object": (of_an_object, "counter.calls"),
        "dataclass": (of_a_dataclass, "record.calls"),
        "vars": (of_vars, "texts.calls"),
        "nested": (deep_inside, 'holder.state["n"][0]'),
        "length": (by_length, "holder.calls"),
        "method": (late.backward, "self.calls"),
    }


@pytest.mark.parametrize("where", list(counting_claims()))
def test_a_claim_that_counts_its_calls(where: str) -> None:
    """Everything is put back between our calls; so it is called some times in a row."""
    claimed, name = counting_claims()[where]
    finding = only(square, claimed)
    assert finding.status == "inconclusive"
    assert "of the same arguments: it depends on how often it was called" in finding.reason
    assert f"each call changes {name}" in finding.reason


def test_a_forward_that_counts_its_calls() -> None:
    """The forward code is at fault, the claim is not."""
    n = [0]

    def forward(x: Array) -> Any:
        n[0] += 1
        return np.sum(x**2) * (1 if n[0] < 4 else 1.5)

    def gradient(x: Array) -> Any:
        return 2 * x

    finding = only(forward, gradient)
    assert (finding.status, finding.reason) == (
        "inconclusive",
        "the forward code is at fault: forward gives another result at call 4 of the same "
        "arguments: it depends on how often it was called, for each call changes n[0]; let it "
        "depend on its arguments only",
    )
    assert n == [0]


def test_a_forward_object_that_counts_its_calls() -> None:
    counter = Counter(6)
    finding = only(lambda x: counter.slope() * np.sum(x), lambda x: 2 * np.ones(3))
    assert finding.status == "inconclusive" and "at call 6 of" in finding.reason
    assert counter.calls == 0


def test_a_count_that_changes_nothing_is_the_users_own() -> None:
    """A log, a counter of calls, a cache: no result depends on them."""

    class Layer:
        def __init__(self) -> None:
            self.W, self.calls, self.log = np.eye(3) * 2, 0, []  # type: ignore[var-annotated]

        def forward(self, x: Array) -> Any:
            self.calls += 1
            self.log.append(self.calls)
            self.x, self.y = x, self.W @ x
            return np.sum(self.y)

        def backward(self, x: Array) -> Any:
            self.calls += 1
            self.cache = x * 2
            return self.W.T @ np.ones(3)

    layer = Layer()
    assert only(layer.forward, layer.backward, wrt="x").status == "proved"
    assert (layer.calls, layer.log) == (0, [])


# -- exceptions that numbers raise -----------------------------------------------------------------


def test_a_root_that_raises_is_a_look_at_a_value() -> None:
    """What math.sqrt does with a negative number is another path, and is compared there."""

    def caught(x: Array) -> Any:
        try:
            [math.sqrt(t) for t in x]
        except ValueError:
            return 3 * x
        return 2 * x

    finding = only(square, caught, POSITIVE)
    assert finding.status == "refuted"
    assert "math.sqrt(t) raises no exception" in str(finding.scope)


def test_where_both_paths_are_right_it_is_not_proved_past_what_was_followed() -> None:
    def caught(x: Array) -> Any:
        try:
            r = [math.sqrt(t) for t in x]
        except ValueError:
            return 2 * x
        return np.array([2 * t * t for t in r])

    finding = only(square, caught, POSITIVE)
    assert finding.status == "agrees" and "proved on the path of your point" in finding.reason


def test_outside_a_try_an_exception_says_only_where_there_is_a_value() -> None:
    def plain(x: Array) -> Any:
        return np.array([2 * math.sqrt(t) ** 2 for t in x])

    assert only(square, plain, POSITIVE).status == "proved"


def test_a_handler_that_raises_again_or_of_another_kind_is_no_path() -> None:
    def again(x: Array) -> Any:
        try:
            return np.array([2 * math.sqrt(t) ** 2 for t in x])
        except ValueError as why:
            raise RuntimeError("negative") from why

    def other(x: Array) -> Any:
        try:
            x.no_such_attribute  # noqa: B018
        except AttributeError:
            pass
        return np.array([2 * math.sqrt(t) ** 2 for t in x])

    assert only(square, again, POSITIVE).status == "proved"
    assert only(square, other, POSITIVE).status == "proved"


def test_a_division_by_zero_and_a_singular_matrix_that_are_caught() -> None:
    def divided(x: Array) -> Any:
        with contextlib.suppress(ZeroDivisionError):
            return 2 * x + 0 * (1 / float(x[0]))
        return 3 * x + 1

    def inverted(x: Array) -> Any:
        try:
            return 2 * x + 0 * np.linalg.inv(np.diag(np.maximum(x, 0)))[0, 0]
        except np.linalg.LinAlgError:
            return 3 * x

    assert only(square, divided).status == "refuted"
    assert only(square, inverted, POSITIVE).status in ("refuted", "disagrees", "inconclusive")


FINALLY = """
import math

def claimed(x):
    g = 3 * x
    try:
        math.sqrt(float(x[0]))
        g = 2 * x
    finally:
        return g
"""


def test_finally_with_a_return_swallows(tmp_path: Path) -> None:
    file = tmp_path / "swallows.py"
    file.write_text(FINALLY)
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer Pythons warn of it
        exec(compile(FINALLY, str(file), "exec", dont_inherit=True), names)
    finding = only(square, names["claimed"], POSITIVE)
    assert finding.status == "refuted" and "raises no exception" in str(finding.scope)


RAISE = {
    "pow": lambda t: pow(t, -1),
    "**": lambda t: t**-1,
    "/": lambda t: 1 / t,
    "//": lambda t: 1 // t,
    "%": lambda t: 1 % t,
    "divmod": lambda t: divmod(1.0, t)[0],
    "fmod": lambda t: math.fmod(1.0, t),
    "math.pow": lambda t: math.pow(t, -1),
    "log": lambda t: math.log(t),
    "int": lambda t: int(1 / t),
}


@pytest.mark.parametrize("how", list(RAISE))
def test_whatever_of_pythons_raises_at_zero_is_a_look(how: str) -> None:
    """3x where x[0] is 0: no proof leaves that out."""
    raising = RAISE[how]

    def caught(x: Array) -> Any:
        try:
            raising(float(x[0]))
        except (ArithmeticError, ValueError):
            return 3 * x + 1
        return 2 * x

    assert only(square, caught, POSITIVE).status == "refuted"


def test_warnings_and_traps_as_branches_are_not_decided() -> None:
    """Here no trap is set: what the code does where one is, nobody saw."""

    def by_warning(x: Array) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                np.exp(x * 300)
            except RuntimeWarning:
                return 3 * x
        return 2 * x

    def by_underflow(x: Array) -> Any:
        try:
            with np.errstate(under="raise"):
                np.exp(x * 300)
        except ArithmeticError:
            return 3 * x
        return 2 * x

    for claimed in (by_warning, by_underflow):
        finding = only(square, claimed)
        assert finding.status in ("inconclusive", "refuted", "disagrees"), finding.reason
    assert only(square, by_warning).reason == (
        "its path depends on floating point traps, and here none is set: nothing is said of what "
        "it does where one is"
    )


def test_a_function_that_raises_at_a_drawn_point_is_said_to_raise() -> None:
    def guarded(x: Array) -> Any:
        if np.any(np.abs(x) > 3):
            raise ValueError("too large")
        return 2 * x

    code = only(square, guarded).code
    assert code is not None and code.status == "fails"
    assert code.summary.startswith("it raises ValueError at a drawn point")
    assert "it fails for x ≤ −3 and for x ≥ 3" in code.summary


# -- the memory of arrays --------------------------------------------------------------------------


def poke(y: Array) -> None:
    ctypes.cast(y.ctypes.data, ctypes.POINTER(ctypes.c_double))[0] += 1


def poked(x: Array) -> Any:
    y = 2 * x
    poke(y)
    return y


def test_code_that_writes_to_memory_is_never_run_on_exact_numbers() -> None:
    """On an array of objects it would write to their addresses, and the process would end."""
    finding = only(square, poked)
    assert finding.status == "disagrees"
    says = "its code uses ctypes, the memory of arrays, where exact numbers are only references"
    assert says in finding.reason


def test_of_formulas_too() -> None:
    def claimed(x: Array) -> Any:
        return poked(np.array([x]))[0]

    (finding,) = cr.check(cr.derive({"f": "x**2"}, of="f", wrt="x"), claimed).findings.values()
    assert finding.status == "disagrees" and "its code uses ctypes" in finding.reason


def test_memory_is_found_wherever_it_is_mentioned() -> None:
    class Holder:
        def view(self, y: Array) -> Any:
            return memoryview(y)

        @property
        def raw(self) -> Any:
            return np.frombuffer(b"12345678")

    holder = Holder()

    def inner(x: Array) -> Any:
        return [getattr(t, "tobytes")() for t in x]  # noqa: B009

    assert raw_memory(lambda x: holder.view(x)) == "memoryview"
    assert raw_memory(lambda x: poked(x)) == "ctypes"
    assert raw_memory(inner) == "tobytes"
    assert raw_memory(Counter().backward) == "" and raw_memory(np.sin) == ""


# -- names and warnings ----------------------------------------------------------------------------


def test_names_without_letters() -> None:
    """A variable may be named _, and no name ends a check."""

    def counted(x: Array) -> Any:
        n = [i for i, _ in enumerate(x)][-1] + 1
        return 2 * x / n

    def doubled(x: Array) -> Any:
        __ = x * 2
        _ = __ / len(x)
        return _

    assert only(lambda x: np.sum(x**2) / len(x), counted).status in ("proved", "agrees")
    assert only(lambda x: np.sum(x**2) / len(x), doubled).status == "proved"
    for name in ("_", "__", "_1", "1", "", "_x", "été", "x__", "·"):
        assert isinstance(letter(name), str)
    assert letter("__") == r"\_\_"


def test_numbers_of_the_users_that_overflow_raise_no_warning_of_ours() -> None:
    """Warnings are errors here."""
    far = {"x": np.array([0.7e200, -1.3e200, 2.1e200])}
    assert only(square, lambda x: 2 * (x + 1), far).status == "refuted"
    assert "has the length inf" in UnitVector(0).broken(far["x"])


def test_small_constants_are_written_short() -> None:
    finding = only(lambda x: np.sum(x**2) * 1e-320, lambda x: 2 * x * 1e-320)
    assert "1e-320 = 1·10^-320" in finding.scope.constants
    shown = str(cr.derive(lambda x: np.sum(x**2) * 1e-320, at=X))
    assert "10³²⁰" in shown and "0" * 40 not in shown


def test_a_kink_where_a_comparison_switches_is_said_once() -> None:
    finding = only(lambda x: np.sum(x * (x == np.max(x))), lambda x: 1.0 * (x == np.max(x)))
    assert not any(e.startswith("where") for e in finding.scope.excepting)


def test_what_a_function_returns_that_its_graph_does_not() -> None:
    """A power of a negative number with a fresh exponent is no real number."""
    finding = only(lambda x, y: x**y, lambda x, y: y * x ** (y - 1), {"x": -1.3, "y": 2.0}, wrt="x")
    assert "gives it returned" not in finding.reason
