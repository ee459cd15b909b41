"""A function becomes a graph: events, guards, places and memory; nothing of the user's changes."""

from __future__ import annotations

import functools
import random
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.code.trace.audit import on_path
from chainrule.code.trace.nodes import positions
from chainrule.code.trace.places import bound, canonical, parse, prepare
from chainrule.code.trace.run import trace
from chainrule.errors import ShapeError, TraceError, UsageError
from chainrule.gallery import lecture
from chainrule.graph.sizes import Size, show

RNG = np.random.default_rng(7)
X = RNG.normal(size=(1, 12))
Y = RNG.normal(size=(2, 12))
ALL = ("W1", "b1", "W2", "b2", "W3", "b3")


def sizes(t: Any) -> dict[str, str]:
    """Input → its shape, as read."""
    return {name: show(node.shape) for name, node in t.inputs.items()}


# ---- the page's cost -----------------------------------------------------------------------------


def test_the_page_as_it_stands() -> None:
    """Weights in globals; x.size is n0·N, not 12; every shape is symbolic."""
    t = trace(lecture.cost, {"x": X, "y": Y}, ALL)
    assert sizes(t) == {
        "x": "(n0×N)",
        "y": "(n3×N)",
        "W1": "(n1×n0)",
        "b1": "(n1×1)",
        "W2": "(n2×n1)",
        "b2": "(n2×1)",
        "W3": "(n3×n2)",
        "b3": "(n3×1)",
    }
    (size,) = [n for n in t.graph.nodes if n.op == "size"]
    assert size.params == (Size.axis("N") * Size.axis("n0"),)
    assert [n for n in t.names.values() if n[0] in "za"] == ["z1", "a1", "z2", "a2", "z3", "a3"]
    assert [c.name for c in t.calls] == ["sigma", "sigma", "sigma", "cost"]
    assert t.notes == ()


def test_events_have_lines_versions_and_frames() -> None:
    """What was bound where, in order."""
    t = trace(lecture.cost, {"x": X, "y": Y}, ALL)
    assigned = [(e.name, e.version, e.frame) for e in t.events if e.kind == "assign"]
    assert assigned == [(n, 1, 1) for n in ("z1", "a1", "z2", "a2", "z3", "a3")]
    z1 = next(e for e in t.events if e.name == "z1")
    assert z1.site.text == "z1 = W1 @ a0 + b1"
    assert z1.site.file.endswith("lecture.py")
    assert t.events[0].kind == "argument" and t.events[0].name == "x"


def test_loops_are_told() -> None:
    """Each turn of a loop, and the version of a name that it binds."""

    def powers(x: Any) -> Any:
        p = x
        for _ in range(3):
            p = p * x
        return p.sum()

    t = trace(powers, {"x": np.array([1.0, 2.0])}, ("x",))
    bindings = [(e.version, [n for _, n in e.loops]) for e in t.events if e.name == "p"]
    assert bindings == [(1, []), (2, [1]), (3, [2]), (4, [3])]


# ---- sizes ---------------------------------------------------------------------------------------


def pinned(f: Callable[..., Any], *shape: int) -> list[str]:
    """The sizes that a trace fixes."""
    return list(trace(f, {"x": RNG.normal(size=shape)}, ("x",)).pinned)


SIZED: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "len": (lambda x: x.sum() / len(x), []),
    "shape": (lambda x: x.sum() / x.shape[0], []),
    "size": (lambda x: x.sum() / x.size, []),
    "np.size": (lambda x: x.sum() / np.size(x, 0), []),
    "arithmetic": (lambda x: x.sum() * (2 * len(x) + 1) ** 2, []),
    "zeros": (lambda x: (np.zeros(len(x)) + x).sum(), []),
    "arange": (lambda x: (np.arange(len(x)) * x).sum(), []),
    "slice": (lambda x: x[1 : len(x) - 1].sum(), []),
    "exact division": (lambda x: x.sum() * (2 * x.size // 2), []),
    "range": (lambda x: sum(x[k] for k in range(len(x))), ["x.shape[0] = 5"]),
    "iteration": (lambda x: sum(v for v in x), ["x.shape[0] = 5"]),
    "remainder": (lambda x: x.sum() * (len(x) // 2), ["x.shape[0] = 5"]),
    "list": (lambda x: x.sum() * [1, 2, 3, 4, 5, 6][len(x)], ["x.shape[0] = 5"]),
    "unpacked": (lambda x: functools.reduce(lambda a, b: a * b, [*x]), ["x.shape[0] = 5"]),
    "linspace": (lambda x: (np.linspace(0, 1, len(x)) * x).sum(), []),
    "random": (
        lambda x: (np.random.default_rng(0).normal(size=len(x)) * x).sum(),
        ["x.shape[0] = 5"],
    ),
}


@pytest.mark.parametrize("name", SIZED)
def test_sizes_stay_symbolic_until_they_leave(name: str) -> None:
    """A size that leaves as a plain integer fixes its axis; others do not."""
    f, expected = SIZED[name]
    assert pinned(f, 5) == expected


def test_a_pin_says_why_and_where() -> None:
    """The reason stands beside the size."""

    def looped(x: Any) -> Any:
        return sum(x[k] for k in range(len(x)))

    why = trace(looped, {"x": np.ones(4)}, ("x",)).pinned["x.shape[0] = 4"]
    assert why.startswith("a loop over it at ") and "test_trace.py:" in why


def test_axes_take_the_names_that_are_given() -> None:
    """shapes= names axes; a number fixes one."""

    def f(x: Any, W: Any) -> Any:
        return (W @ x).sum()

    at = {"x": np.ones((3, 4)), "W": np.ones((2, 3))}
    assert sizes(trace(f, at, ("W",), {"x": "features batch"}))["W"] == "(n×features)"
    assert sizes(trace(f, at, ("W",), {"x": "3 batch"}))["x"] == "(3×batch)"
    with pytest.raises(ShapeError, match="not equal"):
        trace(f, at, ("W",), {"x": "k batch", "W": "k n"})
    with pytest.raises(ShapeError, match="no input"):
        trace(f, at, ("W",), {"q": "k"})
    with pytest.raises(ShapeError, match="names 1"):
        trace(f, at, ("W",), {"x": "k"})


# ---- guards --------------------------------------------------------------------------------------


def test_what_looks_at_a_value_is_a_guard() -> None:
    """if, max, sorted, argmax, bool(), a key, and a comparison of sizes."""

    def f(x: Any) -> Any:
        if x[0] > 0 and len(x) > 2:
            return max(x[1], x[2]) * sorted(x)[0]
        return x.sum()

    at = np.array([1.0, 2.0, 3.0])
    t = trace(f, {"x": at}, ("x",))
    assert any(g.text == "x[0] > 0 is true" for g in t.guards)
    assert on_path(t, {"x": at})
    assert not on_path(t, {"x": np.array([-1.0, 2.0, 3.0])})
    d = cr.derive(f, at={"x": at}, wrt="x")
    with pytest.raises(TraceError, match=r"x\[0\] > 0 is true no longer holds"):
        d.evaluate(x=np.array([-1.0, 2.0, 3.0]))


def test_a_branch_on_a_size_is_a_guard() -> None:
    """The other branch is refused, not computed with the wrong one."""

    def f(x: Any) -> Any:
        return (x**2).sum() if x.size > 4 else (x**3).sum()

    d = cr.derive(f, at={"x": np.ones(6)}, wrt="x")
    assert np.array_equal(d.evaluate(x=np.ones(9))["x"], np.full(9, 2.0))
    with pytest.raises(TraceError, match="n > 4 no longer holds"):
        d.evaluate(x=np.ones(3))


def test_guards_on_values_of_the_order() -> None:
    """argmax and sort are followed, as long as the order stays."""

    def f(x: Any) -> Any:
        return x[np.argmax(x)] + (np.sort(x) * np.arange(len(x))).sum()

    d = cr.derive(f, at={"x": np.array([3.0, 1.0, 2.0])}, wrt="x")
    assert d.evaluate(x=np.array([9.0, 1.0, 2.0]))["x"].tolist() == [3.0, 0.0, 1.0]
    with pytest.raises(TraceError, match="another path"):
        d.evaluate(x=np.array([0.0, 1.0, 2.0]))


# ---- memory --------------------------------------------------------------------------------------


def gradient(f: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    """The derived gradient at x."""
    return cr.derive(f, at={"x": x}, wrt="x")["x"].evaluate()


def numeric(f: Callable[..., Any], x: np.ndarray, h: float = 1e-6) -> np.ndarray:
    """Central differences."""
    out = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * h
            ends.append(float(f(moved)))
        out[i] = (ends[0] - ends[1]) / (2 * h)
    return out


def _alias(x: Any) -> Any:
    a = b = x * 2
    a += 1
    return (b**2).sum()


def _view(x: Any) -> Any:
    z = x * 2
    v = z[1:]
    v *= 3
    return (z**2).sum()


def _view_of_view(x: Any) -> Any:
    z = x * 2
    v = z[::-1].reshape(-1, 2).T[0]
    v[:] = v * 5
    return (z**2 * np.arange(z.size)).sum()


def _copy(x: Any) -> Any:
    z = x * 2
    v = z[1:].copy()
    v *= 3
    return (z**2).sum() + v.sum()


def _ravel(x: Any) -> Any:
    z = x.reshape(2, 2) * 2
    z.ravel()[0] = 0
    z.T.ravel()[1] = 7  # a copy: nothing changes
    return (z**2).sum()


def _out(x: Any) -> Any:
    z = np.empty_like(x)
    np.multiply(x, x, out=z)
    np.add(z, 1, z)
    np.sum(z.reshape(2, -1), axis=0, out=z[:2])
    return (z**2).sum()


def _written_back(x: Any) -> Any:
    x[0] = x[1] * x[2]
    x += 1
    return (x**2).sum()


def _swapped(x: Any) -> Any:
    z = x * 1.0
    z[0], z[1] = z[1] * 2, z[0] * 3
    return (z * np.arange(1, 5)).sum()


def _broadcast_write(x: Any) -> Any:
    z = np.zeros((3, 4))
    z[:] = x
    z[1] *= x
    z[..., 0] = 2
    return (z**2).sum()


def _at(x: Any) -> Any:
    z = np.zeros(3)
    np.add.at(z, np.array([0, 1, 0, 2]), x)
    return (z**2).sum()


def _in_a_list(x: Any) -> Any:
    rows = [x * k for k in range(3)]
    for row in rows:
        row += 1
    return sum((row**2).sum() for row in rows)


def _rows(x: Any) -> Any:
    z = x.reshape(2, 2) * 1.0
    for row in z:
        row *= row.sum()
    return (z**2).sum()


MEMORY = (
    *(_alias, _view, _view_of_view, _copy, _ravel, _out, _written_back, _swapped),
    *(_broadcast_write, _at, _in_a_list, _rows),
)


@pytest.mark.parametrize("f", MEMORY, ids=lambda f: f.__name__.strip("_"))
def test_views_and_aliases(f: Callable[..., Any]) -> None:
    """A write through a view is a write; a copy's is none; the user's array is never touched."""
    x = np.array([0.5, -1.5, 2.0, 0.75])
    kept = x.copy()
    found = gradient(f, x)
    assert np.array_equal(x, kept)
    assert np.allclose(found, numeric(f, x), rtol=1e-6, atol=1e-6)


def test_positions_by_address() -> None:
    """Where the entries of a view stand in the whole, whatever the strides."""
    whole = np.arange(24.0).reshape(4, 6)
    for view in (whole[1:, ::2], whole.T[::-1], whole[2], whole[:, 3:4], whole.reshape(2, 12)[1]):
        found = positions(view, whole)
        assert found is not None and np.array_equal(whole.reshape(-1)[found], view)
    turned = np.asfortranarray(whole)
    found = positions(turned[1], turned)
    assert found is not None and np.array_equal(turned.reshape(-1)[found], turned[1])
    assert positions(np.arange(3.0), whole) is None


# ---- places --------------------------------------------------------------------------------------

G1 = np.array([[1.0, 2.0], [3.0, -1.0]])
RATE = 0.25


class Net:
    """Weights in attributes, lists and dicts."""

    def __init__(self) -> None:
        self.W = G1 * 2
        self.layers = [types.SimpleNamespace(W=G1 + 1), types.SimpleNamespace(W=G1 - 1)]
        self.table = {"w": np.array([1.0, 2.0])}
        self.cache: Any = None
        self.log: list[Any] = []

    def cost(self, x: Any) -> Any:
        """Writes into itself, as real layers do."""
        self.cache = self.W @ x
        self.log.append(self.cache)
        h = self.layers[1].W @ np.tanh(self.layers[0].W @ self.cache)
        return (h**2).sum() + self.table["w"] @ x

    __call__ = cost


NET = Net()


def by_globals(x: Any) -> Any:
    """Reads globals."""
    return ((G1 @ x) ** 2).sum() * RATE


PLACES: dict[str, tuple[Callable[..., Any], str]] = {
    "global": (by_globals, "G1"),
    "global number": (by_globals, "RATE"),
    "attribute": (lambda x: (NET.W @ x).sum(), "NET.W"),
    "method": (NET.cost, "self.W"),
    "callable object": (NET, "self.W"),
    "nested": (NET.cost, "self.layers[1].W"),
    "key": (NET.cost, 'self.table["w"]'),
    "key, other quotes": (NET.cost, "self.table['w']"),
    "partial": (functools.partial(lambda W, x: (W @ x).sum(), G1), "W"),
    "argument": (lambda x: (x**3).sum(), "x"),
}


@pytest.mark.parametrize("name", PLACES)
def test_places(name: str) -> None:
    """Found, differentiated by, and left as they were."""
    f, place = PLACES[name]
    state = [NET.W.tobytes(), G1.tobytes(), NET.table["w"].tobytes()]
    x = np.array([0.3, -0.7])
    d = cr.derive(f, at={"x": x}, wrt=place)
    assert d.wrt == (canonical(place),)
    if place != "x":
        prepared = prepare(f, {"x": x}, (place,))
        value = np.asarray(prepared.inputs[d.wrt[0]], float)
        found = numeric(lambda v: prepared.run({d.wrt[0]: v if v.ndim else float(v)}), value)
        assert np.allclose(d.only.evaluate(), found, rtol=1e-6, atol=1e-6)
    assert [NET.W.tobytes(), G1.tobytes(), NET.table["w"].tobytes()] == state


def test_a_run_leaves_objects_as_they_were() -> None:
    """Attributes that are written, lists that are appended to: put back after the trace."""
    net = Net()
    x = np.array([0.3, -0.7])
    trace(net.cost, {"x": x}, ("self.W",))
    # the audit calls the function itself, which writes what it always writes: plain arrays
    assert type(net.cache) is np.ndarray or net.cache is None
    assert all(type(v) is np.ndarray for v in net.log)


def test_names_of_places() -> None:
    """One spelling; what is no place is refused and never evaluated."""
    assert canonical("params['W1']") == 'params["W1"]'
    assert parse("net.layers[0].W") == (
        "net",
        (("attribute", "layers"), ("item", 0), ("attribute", "W")),
    )
    for text in ("f()", "a + b", "x[__import__('os')]", "1", "", "x[i]"):
        with pytest.raises(UsageError, match="no name of a place"):
            parse(text)


def test_binding_is_undone_whatever_happens() -> None:
    """Also where the block raises; and wherever the array is held."""
    held = G1
    box = [G1]
    prepared = prepare(lambda x: (G1 @ x).sum() + box[0].sum(), {"x": np.ones(2)}, ("G1",))
    new = np.zeros((2, 2))
    with pytest.raises(ZeroDivisionError), bound(prepared, {"G1": new}):
        assert globals()["G1"] is new and box[0] is new
        raise ZeroDivisionError
    assert globals()["G1"] is held and box[0] is held


USAGE: list[tuple[dict[str, Any], Any, str]] = [
    ({}, "x", "needs x"),
    ({"x": np.ones(2)}, "Q", "neither an argument of by_globals"),
    ({"x": np.ones(2), "zz": 1.0}, "x", "zz is neither an argument"),
    ({3: np.ones(2)}, "x", "has the key 3"),
    ({"x": np.array(["a"])}, "x", "array of <U1"),
    ({"x": np.ones(2) * 1j}, "x", "array of complex128"),
    ({"x": np.ones(2)}, "PLACES", "holds a dict, which is no array"),
]


@pytest.mark.parametrize(("at", "wrt", "says"), USAGE)
def test_points_that_do_not_fit(at: Any, wrt: Any, says: str) -> None:
    """Each error names the thing."""
    with pytest.raises((UsageError, TraceError), match=says):
        cr.derive(by_globals, at=at, wrt=wrt)


# ---- what cannot be followed ---------------------------------------------------------------------


def _fft(x: Any) -> Any:
    return np.abs(np.fft.fft(x)).sum()


def _counter(x: Any, seen: list[int] = []) -> Any:  # noqa: B006
    seen.append(1)
    return x.sum() * len(seen)


def _memory(x: Any) -> Any:
    return sum(memoryview(x)) ** 2


def _complex(x: Any) -> Any:
    return abs((1j * x).sum())


def _none(x: Any) -> Any:
    x.sum()


def _integers(x: Any) -> Any:
    z = np.zeros(x.shape, dtype=int)
    z[:] = x
    return (z * x).sum()


REFUSED = [
    (_fft, r"np\.fft\.fft at .*test_trace\.py:\d+ has no rule"),
    (_counter, "gives another result when it is called again"),
    (_memory, r"memoryview at .*test_trace\.py:\d+ takes a value where it cannot"),
    (_complex, "complex"),
    (_none, "returns None"),
    (_integers, "floats are written into an array of integers"),
]


@pytest.mark.parametrize(("f", "says"), REFUSED)
def test_what_cannot_be_followed_is_said(f: Callable[..., Any], says: str) -> None:
    """With the line, the call, and what to do."""
    with pytest.raises(TraceError, match=says):
        cr.derive(f, at={"x": np.array([1.5, 2.5, 3.5])}, wrt="x")


def test_the_users_own_exceptions_come_through() -> None:
    """With their line."""

    def f(x: Any) -> Any:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as caught:
        cr.derive(f, at={"x": np.ones(2)}, wrt="x")
    assert caught.traceback[-1].path.name == "test_trace.py"


def test_without_source_protocols_are_followed() -> None:
    """A function made of text is followed through NumPy's protocols, and says so."""
    space: dict[str, Any] = {"np": np}
    text = "def f(x):\n    z = np.exp(x) * x[0]\n    z[1:] *= 2\n    return z.sum() / len(x)\n"
    exec(compile(text, "<made>", "exec"), space)
    x = np.array([0.5, 1.0, -2.0])
    d = cr.derive(space["f"], at={"x": x}, wrt="x")
    assert np.allclose(d["x"].evaluate(), numeric(space["f"], x))
    assert any("NumPy's protocols" in note for note in d.trace.notes)


# ---- nothing changes -----------------------------------------------------------------------------


def _draws(x: Any) -> Any:
    return (x * np.random.standard_normal(x.shape)).sum() * random.random()  # noqa: NPY002


def test_random_states_and_error_states_stay() -> None:
    """Random numbers inside stand as what was drawn, and the states are put back."""
    before = np.random.get_state()[1].tobytes(), random.getstate(), np.geterr()  # type: ignore[index, union-attr]  # noqa: NPY002
    t = trace(_draws, {"x": np.ones(3)}, ("x",))
    after = np.random.get_state()[1].tobytes(), random.getstate(), np.geterr()  # type: ignore[index, union-attr]  # noqa: NPY002
    assert before == after
    assert any("random" in note for note in t.notes)


def test_two_threads_do_not_disturb_each_other() -> None:
    """Each gets its own graph, with places bound at the same time."""
    found: dict[int, Any] = {}

    def work(k: int) -> None:
        x = np.full(2, float(k))
        for _ in range(5):
            found[k] = cr.derive(by_globals, at={"x": x}, wrt=("G1", "RATE")).evaluate()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, value in found.items():
        assert np.allclose(value["RATE"], ((G1 @ np.full(2, k)) ** 2).sum())
    assert len(found) == 4


def test_constants_are_read_from_the_source() -> None:
    """3*0.1 is 3/10; np.pi is π; a global's short decimal too; other floats are uncertain."""
    from chainrule.graph.node import reached

    def f(x: Any) -> Any:
        return (x * (3 * 0.1) * np.pi * RATE / 3).sum()

    t = trace(f, {"x": np.ones(2)}, ("x",))
    constants = {str(n.params) for n in reached(t.outputs.values()) if n.op == "const"}
    assert "('number', Fraction(1, 10))" in constants
    assert "('named', 'pi')" in constants
    assert "('number', Fraction(1, 4))" in constants
    assert not any("near" in c for c in constants)


def test_installed_code_is_followed() -> None:
    """scipy.optimize.rosen as installed, against its own derivative."""
    optimize = pytest.importorskip("scipy.optimize", reason="SciPy is not installed")
    x = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
    d = cr.derive(optimize.rosen, at={"x": x}, wrt="x")
    assert np.allclose(d["x"].evaluate(), optimize.rosen_der(x), rtol=1e-13)
    assert np.allclose(d.evaluate(x=x[:3])["x"], optimize.rosen_der(x[:3]), rtol=1e-13)
