"""Traps of state: what the user holds stays as it is; what is hidden is no constant."""

from __future__ import annotations

import collections
import functools
import inspect
import itertools
import random
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy  # noqa: F401  (its import sets a filter for its own warnings)
from ways.honest import matches, right, right_or_refused, told

import chainrule as cr
from chainrule.code.trace.run import trace

Array = Any


def drawn(*shape: int, seed: int = 0) -> Array:
    """Normal numbers."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def line_of(function: Callable[..., Any], text: str) -> int:
    """The line of a function's source that holds a text."""
    lines, first = inspect.getsourcelines(function)
    return first + next(k for k, line in enumerate(lines) if text in line)


# ---- state ---------------------------------------------------------------------------------------

COUNT = 0
HISTORY: list[Any] = []
MEMO: dict[Any, Any] = {}
WEIGHT = drawn(3, seed=9)


def counting(x: Array) -> Any:
    global COUNT
    COUNT += 1
    HISTORY.append(np.sum(x))
    return np.sum(x**2)


def depends_on_the_count(x: Array) -> Any:
    global COUNT
    COUNT += 1
    return np.sum(x**2) * COUNT


def memoized(x: Array) -> Any:
    if "value" not in MEMO:
        MEMO["value"] = np.sum(x**2)
    return MEMO["value"] * 1.0


def plain(value: Any) -> bool:
    """Nothing of ours is left in it."""
    return type(value).__module__.split(".")[0] in ("builtins", "numpy")


def test_nothing_of_ours_stays_in_counters_and_lists() -> None:
    """The user's own state is not left with our values in it."""
    HISTORY.clear()
    right(counting, {"x": drawn(3)}, ("x",), lambda x: 2 * x, [{"x": drawn(4)}])
    assert type(COUNT) is int
    assert all(plain(v) for v in HISTORY)
    HISTORY.clear()


def test_counters_and_lists_are_as_they_were() -> None:
    """Tracing and checking the trace call the code; the user's state does not show it."""
    HISTORY.clear()
    before = COUNT
    cr.derive(counting, at={"x": drawn(3)}, wrt=("x",))
    assert before == COUNT and HISTORY == []


def test_a_result_that_depends_on_a_counter() -> None:
    """Refused as depending on something hidden; or right for the very next call of the function,
    which is what it would be if nobody had looked."""
    at, before = {"x": drawn(3)}, COUNT
    try:
        found = cr.derive(depends_on_the_count, at=at, wrt=("x",)).evaluate(at)["x"]
    except cr.TraceError as error:
        assert "depends" in str(error) or "hidden" in str(error)
        return
    assert before == COUNT
    matches(found, 2 * at["x"] * (before + 1), "x")
    assert depends_on_the_count(at["x"]) == np.sum(at["x"] ** 2) * (before + 1)


def test_a_memo() -> None:
    """A value that was kept from before, or from a trace: never a stale derivative."""
    MEMO.clear()
    for _ in range(2):
        right_or_refused(
            memoized, {"x": drawn(3)}, ("x",), lambda x: 2 * x, [{"x": drawn(3, seed=1)}]
        )
        assert all(plain(v) for v in MEMO.values())
    MEMO["value"] = 1.0  # now the result depends on nothing
    right_or_refused(memoized, {"x": drawn(3)}, ("x",), lambda x: 0 * x)
    MEMO.clear()


@functools.lru_cache(maxsize=None)  # noqa: UP033
def cached_square(v: float) -> float:
    return v * v


def with_cache(x: Array) -> Any:
    return sum(cached_square(float(v)) for v in x)


def test_a_cache_of_pythons() -> None:
    """lru_cache keeps what it is given: twice in a row, and afterwards with plain numbers."""
    cached_square.cache_clear()
    for seed in (0, 0, 1):
        at = {"x": drawn(3, seed=seed)}
        right_or_refused(with_cache, at, ("x",), lambda x: 2 * x, [{"x": drawn(3, seed=2)}])
    for v in drawn(3):
        assert type(cached_square(float(v))) is float
    assert type(with_cache(drawn(3))) in (float, np.float64)


class Remembering:
    """A layer that keeps its input, as many do."""

    def __init__(self) -> None:
        self.W = drawn(2, 3)
        self.steps = 0
        self.cache: Any = None

    def loss(self, x: Array) -> Any:
        self.cache = (x, self.W @ x)
        self.steps += 1
        self.last = self.cache[1]
        return np.sum(np.tanh(self.cache[1]))


def d_remembering(**v: Array) -> Array:
    """By self.W."""
    s = 1 - np.tanh(v["self.W"] @ v["x"]) ** 2
    return np.outer(s, v["x"])


def derived_twice(layer: Remembering) -> None:
    """The layer's derivative, right at two points."""
    at = {"x": drawn(3), "self.W": layer.W}
    others = [{"x": drawn(3, seed=1), "self.W": drawn(2, 3, seed=1)}]
    for _ in range(2):
        right(layer.loss, at, ("self.W",), d_remembering, others)


def test_nothing_of_ours_stays_in_an_object_that_remembers() -> None:
    """What it keeps is plain arrays, and it works as before."""
    layer = Remembering()
    W = layer.W
    derived_twice(layer)
    assert layer.W is W and type(layer.steps) is int
    for value in (layer.cache or ()) + (getattr(layer, "last", 0.0),):
        assert plain(value), type(value)
    assert plain(layer.loss(drawn(3)))


def test_an_object_that_remembers_is_as_it_was() -> None:
    """Its attributes are the same objects: no new name, no step counted."""
    layer = Remembering()
    before = dict(vars(layer))
    derived_twice(layer)
    assert vars(layer).keys() == before.keys()
    assert all(vars(layer)[k] is before[k] for k in before)


BUFFER = np.zeros(3)
KEPT: Any = None
RECENT: collections.deque[Any] = collections.deque(maxlen=2)
TABLE: dict[str, Any] = {}


class Keeper:
    """Has a place for everything."""

    last: Any = None
    names: set[str] = set()  # noqa: RUF012


def in_a_global(x: Array) -> Any:
    global KEPT
    KEPT = x * 2
    return np.sum(KEPT**2) / 4


def in_a_dict(x: Array) -> Any:
    TABLE["z"] = x * 2
    TABLE.update(y=x, n=len(x))
    return np.sum(TABLE["z"] * TABLE["y"]) / 2


def in_a_deque(x: Array) -> Any:
    RECENT.append(x)
    return np.sum(RECENT[-1] ** 2)


def in_a_class(x: Array) -> Any:
    Keeper.last = np.sum(x**2)
    Keeper.names.add(f"{float(Keeper.last):.3f}")
    return Keeper.last * 1.0


def in_the_function(x: Array) -> Any:
    in_the_function.last = x * x  # type: ignore[attr-defined]
    return np.sum(in_the_function.last)  # type: ignore[attr-defined]


def in_a_default(x: Array, kept: list[Any] = []) -> Any:  # noqa: B006
    kept.append(np.sum(x))
    return np.sum(x**2)


def in_a_closure() -> Callable[..., Any]:
    last = None

    def f(x: Array) -> Any:
        nonlocal last
        last = x * x
        return np.sum(last)

    return f


def in_a_buffer(x: Array) -> Any:
    np.multiply(x, x, out=BUFFER)
    return np.sum(BUFFER)


def in_part_of_a_buffer(x: Array) -> Any:
    BUFFER[0] = x[0] ** 2
    BUFFER[1:] = x[1:] ** 2
    return BUFFER.sum()


CLOSED = in_a_closure()
KEEPING = [in_a_global, in_a_dict, in_a_deque, in_a_class, in_the_function, in_a_default]
KEEPING += [CLOSED, in_a_buffer, in_part_of_a_buffer]


@pytest.mark.parametrize("function", KEEPING, ids=lambda f: f.__qualname__.split(".")[0])
def test_nothing_of_ours_is_kept_anywhere(function: Callable[..., Any]) -> None:
    """In globals, dicts, deques, classes, attributes, defaults, cells, buffers: plain values, and
    the same derivative again afterwards. A refusal is no excuse for leaving something behind."""
    for _ in range(2):
        right_or_refused(
            function, {"x": drawn(3)}, ("x",), lambda x: 2 * x, [{"x": drawn(3, seed=1)}]
        )
        kept: list[Any] = [KEPT, *TABLE.values(), *RECENT, Keeper.last, *Keeper.names, BUFFER]
        kept += [getattr(in_the_function, "last", None), *in_a_default.__defaults__[0]]
        kept += [c.cell_contents for c in CLOSED.__closure__ or ()]
        assert all(plain(v) for v in kept), [type(v) for v in kept]
        assert plain(function(drawn(3)))


def test_a_buffer_of_the_users_keeps_its_bits() -> None:
    """A module's own scratch array is written to by the function, and not by following it."""
    for function in (in_a_buffer, in_part_of_a_buffer):
        BUFFER[:] = [7.0, 8.0, 9.0]
        buffer = BUFFER
        right(function, {"x": drawn(3)}, ("x",), lambda x: 2 * x, [{"x": drawn(3, seed=1)}])
        assert BUFFER is buffer
        np.testing.assert_array_equal(BUFFER, [7.0, 8.0, 9.0])


def scales_its_input(x: Array) -> Any:
    x *= 2
    return np.sum(x**2)


def scales_a_global(x: Array) -> Any:
    WEIGHT[...] = WEIGHT * 2
    try:
        return np.sum(x * WEIGHT)
    finally:
        WEIGHT[...] = WEIGHT / 2


def grows_a_global(x: Array) -> Any:
    WEIGHT[0] += 1.0
    return np.sum(x * WEIGHT)


def test_functions_that_write_to_their_inputs() -> None:
    """The derivative is that of what they compute; the user's arrays keep their bits."""
    x, kept = drawn(3), WEIGHT.copy()
    right(scales_its_input, {"x": x}, ("x",), lambda x: 8 * x, [{"x": drawn(4)}])
    np.testing.assert_array_equal(x, drawn(3))
    right_or_refused(scales_a_global, {"x": x}, ("x",), lambda x: 2 * WEIGHT)
    np.testing.assert_array_equal(WEIGHT, kept)
    right_or_refused(grows_a_global, {"x": x}, ("x",), lambda x: WEIGHT + np.eye(3)[0])
    np.testing.assert_array_equal(WEIGHT, kept)
    x = drawn(3)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        scales_its_input(x)
    right_or_refused(scales_its_input, {"x": x}, ("x",), lambda x: 8 * x)
    assert not x.flags.writeable


def fails(x: Array) -> Any:
    z = x * WEIGHT
    np.seterr(over="raise")
    np.random.seed(5)  # noqa: NPY002
    if z.shape == x.shape:
        raise KeyError("the user's own")  # here
    return np.sum(z)


def state() -> tuple[Any, ...]:
    """What tracing must leave alone."""
    _kind, keys, *rest = np.random.get_state()  # noqa: NPY002
    errors = tuple(sorted(np.geterr().items()))
    mine = (
        id(WEIGHT),
        WEIGHT.tobytes(),
        COUNT,
        len(HISTORY),
        globals().keys() - {"__warningregistry__"},
    )
    return errors, keys.tobytes(), tuple(rest), random.getstate(), mine, tuple(warnings.filters)


def test_a_function_that_raises_at_the_point() -> None:
    """Its own exception arrives, with its own line; all is as before."""
    before = state()
    with pytest.raises((KeyError, cr.TraceError)) as caught:
        cr.derive(fails, at={"x": drawn(3)}, wrt=("x", "WEIGHT"))
    assert "the user's own" in str(caught.value)
    lines = [
        (Path(f.filename).name, f.lineno) for f in traceback.extract_tb(caught.value.__traceback__)
    ]
    here = (Path(__file__).name, line_of(fails, "# here"))
    assert here in lines or f"{here[0]}:{here[1]}" in str(caught.value)
    assert state() == before
    x = drawn(3)
    np.testing.assert_allclose(
        cr.derive(counting, at={"x": x}, wrt=("x",)).lower()({"x": x})["x"], 2 * x
    )


def test_every_way_out_restores() -> None:
    """Refusals at any point of the run leave the globals, the arrays and the states alone."""

    def interrupted(x: Array) -> Any:
        WEIGHT[0] = 0.0
        raise KeyboardInterrupt

    def exits(x: Array) -> Any:
        WEIGHT[0] = 0.0
        sys.exit(3)

    def generator_left_open(x: Array) -> Any:
        def values() -> Iterator[Any]:
            with np.errstate(all="raise"):
                yield x
                yield 2 * x

        return np.sum(next(values()) * WEIGHT) + np.fft.fft(x)[0].real

    def unknown(x: Array) -> Any:
        return np.abs(np.fft.fft(x * WEIGHT)).sum()

    for function in (interrupted, exits, generator_left_open, unknown):
        before = state()
        with pytest.raises((KeyboardInterrupt, SystemExit, cr.ChainruleError)):
            cr.derive(function, at={"x": drawn(3)}, wrt=("x", "WEIGHT"))
        assert state() == before, function.__name__


# ---- randomness and time -------------------------------------------------------------------------

GENERATOR = np.random.default_rng(3)


@pytest.mark.parametrize(
    "noise",
    [
        lambda: np.random.normal(),  # noqa: NPY002
        lambda: np.random.default_rng().normal(),
        lambda: GENERATOR.normal(),
        random.random,
        time.perf_counter,
        time.time_ns,
        lambda: id(object()) % 1000 + hash(time.perf_counter()),
        lambda: next(COUNTER),
    ],
    ids=["legacy", "unseeded", "global generator", "random", "clock", "ns", "id", "counter"],
)
def test_hidden_randomness(noise: Callable[[], float]) -> None:
    """Another result at each call: refused, or said to stand for the numbers drawn; and the
    generators of the user are where they were."""
    before = state(), GENERATOR.bit_generator.state

    def f(x: Array) -> Any:
        return np.sum(x**2) * (1.0 + noise())

    at = {"x": drawn(3)}
    try:
        derivation = cr.derive(f, at=at, wrt=("x",))
    except cr.TraceError as error:
        assert "random" in str(error) or "hidden" in str(error) or "depends" in str(error)
    else:
        notes = " ".join(trace(f, at, ("x",)).notes) + told(derivation)
        assert "random" in notes
    assert state() == before[0]
    assert noise.__name__ != "<lambda>" or GENERATOR.bit_generator.state == before[1]


COUNTER = itertools.count()


def test_randomness_from_a_seed_is_a_constant() -> None:
    """The same mask at each call: followed."""

    def f(x: Array) -> Any:
        mask = np.random.default_rng(7).random(3) < 0.5
        return np.sum(x**2 * mask)

    mask = np.random.default_rng(7).random(3) < 0.5
    right(f, {"x": drawn(3)}, ("x",), lambda x: 2 * x * mask, [{"x": drawn(3, seed=1)}])


def test_warnings_and_error_states_are_the_users() -> None:
    """np.errstate inside, warnings of the user's own, floating point flags: nothing leaks."""

    def f(x: Array) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(x > 0, np.log(x), 0.0)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return np.sum(z)

    at = {"x": np.array([1.0, 2.0, -1.0])}
    before = state()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        derivation = cr.derive(f, at=at, wrt=("x",))
        found = derivation.lower()(at)["x"]
    matches(found, [1.0, 0.5, 0.0], "x")
    assert all(w.category is DeprecationWarning for w in heard)
    assert state() == before


# ---- threads -------------------------------------------------------------------------------------


def thread_net(x: Array) -> Any:
    return np.sum(np.tanh(x * WEIGHT) ** 2)


def test_two_threads_do_not_disturb_each_other() -> None:
    """Both trace the same function over the same global, many times; a third only calls it."""
    x = drawn(3)
    t = np.tanh(x * WEIGHT)
    expected, value, kept = 2 * t * (1 - t**2) * x, thread_net(x), WEIGHT.copy()
    wrong: list[str] = []
    start = threading.Barrier(3)

    def tracing() -> None:
        start.wait()
        for _ in range(10):
            try:
                derivation = cr.derive(thread_net, at={"x": x}, wrt=("WEIGHT",))
                found = derivation.lower()({"x": x, "WEIGHT": kept})["WEIGHT"]
                np.testing.assert_allclose(found, expected, rtol=1e-12)
            except cr.ChainruleError as error:
                if "thread" not in str(error):
                    wrong.append(str(error))
            except BaseException as error:
                wrong.append(repr(error))

    def calling() -> None:
        start.wait()
        for _ in range(200):
            found = thread_net(x)
            if not plain(found):
                wrong.append(f"a plain call gave {found!r}")

    threads = [threading.Thread(target=f) for f in (tracing, tracing, calling)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong, wrong[:3]
    np.testing.assert_array_equal(WEIGHT, kept)
    assert thread_net(x) == value
