"""The clone does what the function does, every event passes the hook, nothing else is touched."""

from __future__ import annotations

import difflib
import fractions
import heapq
import importlib.util
import io
import linecache
import math
import operator
import statistics
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

from chainrule.code.instrument import (
    Frame,
    Hook,
    NoSource,
    Site,
    Unfollowable,
    cloned,
    instrument,
)
from chainrule.errors import ChainruleError

WAYS = """
import functools, math, operator
import numpy
import numpy as np
from numpy import exp
from numpy import exp as e
from functools import partial, reduce
MODULES = {"m": np}
ALIAS = np.exp
TABLE = {"exp": np.exp}
LIST = [None, np.exp]
def plain(x): return np.exp(x)  # here
def from_import(x): return exp(x)  # here
def renamed(x): return e(x)  # here
def aliased(x): return ALIAS(x)  # here
def module_name(x): return numpy.exp(x)  # here
def default(x, f=np.exp): return f(x)  # here
def keyword_default(x, *, f=np.exp): return f(x)  # here
def make(f):
    def inner(x):
        return f(x)  # here
    return inner
closure = make(np.exp)
def helper(x):
    return np.exp(x)  # here
def helped(x): return 1 * helper(x)
class Layer:
    scale = 1.0
    def forward(self, x):
        return self._act(x) * self.scale
    def _act(self, x): return np.exp(x)  # here
    @staticmethod
    def fixed(x): return np.exp(x)  # here
    @classmethod
    def of(cls, x): return np.exp(x)  # here
    def __init__(self, w=0): self.w = np.exp(w)  # here
    @property
    def weight(self): return np.exp(self.w)  # here
    @functools.cached_property
    def once(self): return np.exp(2)  # here
    def __call__(self, x): return np.exp(x)  # here
    def __add__(self, x): return np.exp(x)  # here
    def __getitem__(self, x): return np.exp(x)  # here
    def __iter__(self):
        yield np.exp(1.0)  # here
    def __lt__(self, x): return np.exp(x)  # here
class Deeper(Layer):
    def forward(self, x):
        return super().forward(x)
def method(x): return Layer().forward(x)
def inherited(x): return Deeper().forward(x)
bound_method = Layer().forward
def static(x): return Layer.fixed(x)
def class_method(x): return Layer.of(x)
def constructor(x): return Layer(x).w
def prop(x): return Layer().weight
def cached(x): return Layer().once
def callable_object(x): return Layer()(x)
def own_operator(x): return Layer() + x
def own_item(x): return Layer()[x]
def own_iterator(x): return [v for v in Layer()]
def own_comparison(x): return Layer() < x
def mathematical(x): return math.exp(x)  # math
def converted(x): return float(x)  # float
def partially(x): return partial(helper, x)()
def operators(x): return operator.add(x, helper(x))
def mapped(x): return list(map(lambda t: np.exp(t), [x, x]))  # here
def mapped_by_name(x): return list(map(helper, [x]))
def filtered(x): return list(filter(lambda t: np.exp(t) > 1, [x]))  # here
def reduced(x): return reduce(lambda a, b: a + np.exp(b), [x, x])  # here
def sorted_by(x): return sorted([x, -x], key=lambda t: np.exp(t))  # here
def list_sort(x):
    y = [x, -x]
    y.sort(key=helper)
    return y
def comprehension(x): return [np.exp(t) for t in [x]]  # here
def generator(x): return sum(np.exp(t) for t in [x, x])  # here
def generates(x):
    yield np.exp(x)  # here
def from_generator(x): return list(generates(x))
def recursion(x, n=3): return np.exp(x) if n == 0 else recursion(x, n - 1)  # here
def wrap(f):
    @functools.wraps(f)
    def inside(*args, **kwargs):
        return f(*args, **kwargs)
    return inside
@wrap
def decorated(x): return np.exp(x)  # here
def dispatched(x): return TABLE["exp"](x)  # here
def listed(x): return LIST[1](x)  # here
def by_module(x): return MODULES["m"].exp(x)  # here
def by_getattr(x): return getattr(np, "exp")(x)  # here
def starred(x):
    args = (x,)
    return np.exp(*args, **{})  # here
def nested(x):
    def inner(y): return np.exp(y)  # here
    return inner(x)
def imported_inside(x):
    from numpy import exp as q
    return q(x)  # here
def conditional(x): return (np.exp if x else np.sin)(x)  # here
def vectorized(x): return np.vectorize(helper)(x)
def lambda_in_iterable(x): return [t for t in map(lambda v, w=1: np.exp(v), [x])]  # here
two = [lambda x: 0, lambda x: np.exp(x), lambda x: (lambda y: 1)]; second = two[1]  # here
"""


class Log(Hook):
    """Keeps every call, binding, literal, condition and turn."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Site]] = []
        self.names: list[tuple[str, type, int, Site]] = []
        self.literals: list[tuple[Any, str, Site]] = []
        self.operators: list[tuple[str, str]] = []
        self.conditions: list[tuple[str, str, bool]] = []
        self.turns: list[tuple[str, int]] = []
        self.depth = 0
        self.missed: list[str] = []
        self.events: list[str] = []

    def call(self, function: Any, args: Any, kwargs: Any, site: Site) -> Any:
        self.calls.append((function, site))
        return super().call(function, args, kwargs, site)

    def assign(self, name: str, value: Any, version: int, site: Site) -> Any:
        self.names.append((name, type(value), version, site))  # holding it would keep it alive
        return value

    def literal(self, value: Any, text: str, site: Site) -> Any:
        self.literals.append((value, text, site))
        return value

    def binary(self, op: str, left: Any, right: Any, site: Site) -> Any:
        self.operators.append((op, site.text))
        return super().binary(op, left, right, site)

    def unary(self, op: str, operand: Any, site: Site) -> Any:
        self.operators.append((op, site.text))
        return super().unary(op, operand, site)

    def inplace(self, op: str, target: Any, value: Any, site: Site) -> Any:
        self.operators.append((op + "=", site.text))
        return super().inplace(op, target, value, site)

    def condition(self, value: Any, site: Site, kind: str) -> bool:
        truth = super().condition(value, site, kind)
        self.conditions.append((kind, site.text, truth))
        return truth

    def iteration(self, site: Site, count: int) -> None:
        self.turns.append((site.kind, count))

    def enter(self, function: str, site: Site) -> Frame:
        self.depth += 1
        self.events.append(function)
        return super().enter(function, site)

    def leave(self, frame: Frame) -> None:
        self.depth -= 1

    def unfollowed(self, function: FunctionType, reason: Unfollowable) -> None:
        self.missed.append(str(reason))


class Forgetful(Log):
    """Keeps no function: a bound method would keep its generator from ending."""

    def call(self, function: Any, args: Any, kwargs: Any, site: Site) -> Any:
        return Hook.call(self, function, args, kwargs, site)


def load(folder: Path, name: str, text: str) -> ModuleType:
    """A module from a text, as if the user had written it."""
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return load(tmp_path_factory.mktemp("ways"), "ways", WAYS)


WAY_NAMES = """plain from_import renamed aliased module_name default keyword_default closure helped
method inherited bound_method static class_method constructor prop cached callable_object
own_operator own_item own_iterator own_comparison partially operators mapped mapped_by_name
filtered reduced sorted_by list_sort comprehension generator generates from_generator recursion
decorated dispatched listed by_module by_getattr starred nested imported_inside conditional
vectorized lambda_in_iterable second""".split()


@pytest.mark.parametrize("name", WAY_NAMES)
def test_every_way_to_numpy_passes_the_hook(ways: ModuleType, name: str) -> None:
    """However `np.exp` is reached, the hook sees it at its own line, and the value is the same."""
    function, log = getattr(ways, name), Log()
    clone = instrument(function, log)
    mine, theirs = clone(0.5), function(0.5)
    if name == "generates":
        mine, theirs = list(mine), list(theirs)
    assert mine == theirs and type(mine) is type(theirs)
    seen = [site for f, site in log.calls if f is np.exp]
    assert seen
    for site in seen:
        assert "(" in site.text and site.file == ways.__file__
        line = WAYS.split("\n")[site.line - 1]
        assert line.endswith("# here") and line[site.col : site.end_col] == site.text
    assert log.depth == 0 and log.missed == []


@pytest.mark.parametrize(("name", "what"), [("mathematical", math.exp), ("converted", float)])
def test_scalars_pass_the_hook(ways: ModuleType, name: str, what: Any) -> None:
    """`math.exp` and `float()` would drop a traced value: both are seen."""
    log = Log()
    assert instrument(getattr(ways, name), log)(0.5) == getattr(ways, name)(0.5)
    assert [f for f, _ in log.calls] == [what]


CORPUS = r'''
from __future__ import annotations
import contextlib, functools, io
import numpy as np
CASES = []
def case(*cases):
    def register(f):
        CASES.extend((f, c) for c in cases)
        return f
    return register
TOTAL = 0
NOTES = []
def note(x):
    NOTES.append(x)
    return x
@case((3,), (0,), (-1,))
def loops(n):
    out = []
    for i in range(n):
        if i == 1:
            continue
        out.append(i * 2)
    else:
        out.append("else")
    while n > 0:
        n -= 1
        if n == 1:
            break
    else:
        out.append("none")
    return out, n
@case((1,), (0,), ("a",))
def errors(x):
    try:
        y = 1 / x
    except ZeroDivisionError as error:
        note(str(error))
        return "zero"
    else:
        note("else")
    finally:
        note("finally")
    return y
@case((0,))
def raised_below(x):
    def inner(y):
        return (1 +
                y / x)
    return [inner(v)
            for v in (1, 2)]
@case((3,))
def generators(n):
    def count():
        total = 0
        try:
            for i in range(n):
                got = yield i
                total += got or 0
        finally:
            note(total)
        return total
    g = count()
    out = [next(g), g.send(5), g.send(6)]
    def outer():
        result = yield from count()
        yield result
    return out + list(outer())
@case((4,))
def in_place(n):
    a = np.arange(n * n, dtype=float).reshape(n, n)
    b = a
    b[1:3, ::2] += 10
    a[0] *= 2
    a[..., -1] = a[:, 0]
    b -= 1
    a[a > 20] = 0
    a[None, 0, 0] **= 2
    return a, b is a
@case((3,))
def walrus(n):
    out = [y := n, y ** 2]
    if (m := n + 1) > 3 and (k := m * 2):
        out += [m, k]
    vals = [last := v for v in range(n)]
    while (n := n - 1) > 0:
        out.append(n)
    return out, vals, last
@case((1, 2, 3), (1, 3, 2), (3, 2, 1), (1, 1, 1))
def chained(a, b, c):
    r = note(a) < note(b) < note(c)
    s = note(a) <= note(b) == note(c) != 5
    t = not a < b < c
    u = "x" if a < b < c or b > a else "y"
    return r, s, t, u, a in (1, 2) and b not in [c] , (a < b < c) is True
@case(([1, 2],), ([[]],), (5,))
def unpack(x):
    a, *b = x
    (c, d), [e, *f] = (1, 2), "xyz"
    [g, h] = a, b = b, a
    return a, b, c, d, e, f, g, h
@case((1,))
def closures(x):
    n = 0
    def up(by=x):
        nonlocal n
        n += by
        return n
    def down():
        nonlocal n
        n, m = n - 10, 1
        return m
    return up(), up(5), down(), n
@case((2,))
def classes(x):
    class Base:
        """doc"""
        kind: int = x
        a, b = 1, 2
        values = [v * x for v in range(3)]
        __hidden = 7
        def __init__(self, v, *, __w=3):
            self.__v = v
            self.w = __w
        def get(self):
            return self.__v + self.__hidden
        @property
        def double(self):
            return self.get() * 2
        @double.setter
        def double(self, v):
            self.__v = v / 2
        def __repr__(self):
            return f"Base({self.__v!r}, {self.get():.1f})"
        def __eq__(self, other): return isinstance(other, Base) and self.get() == other.get()
        def __radd__(self, other): return other + self.get()
        def __iadd__(self, other):
            self.__v += other
            return self
    class Derived(Base):
        def __init__(self, v):
            super().__init__(v + 1)
        def get(self):
            return super().get() * 10
        @classmethod
        def make(cls, v): return cls(v)
    d = Derived.make(x)
    d.double = 8
    d += 1
    return (repr(d), d.double, Base.__doc__, Base.values, sorted(vars(d)), 1 + d, d == d,
            Derived.__qualname__, d.get.__qualname__, Base(1) != Derived(1))
def default(x, acc=[]):
    acc.append(x)
    return acc
@case((1,), (2,))
def mutable_default(x):
    return list(default(x)), len(default(x, [1]))
@case((5,))
def global_write(x):
    global TOTAL, MADE
    TOTAL += x
    MADE = TOTAL
    MADE, other = TOTAL + 1, 2
    return TOTAL, MADE
@case(())
def once():
    out = {"a": [1, 2], 3: 4}
    out[note("a")][note(0)] += note(5)
    class O: pass
    o = O()
    o.x = 1
    def get():
        note("get")
        return o
    get().x *= 4
    get().y = get().z = note(9)
    out[note(1)], get().w = note(2), note(3)
    del out[note("a")], get().x
    for get().i in range(2): pass
    for out["i"] in "ab": pass
    return out, sorted(vars(o).items())
@case(())
def order():
    f = note(lambda *a, **k: (a, k))
    return note(f)(note(1), *note([2]), k=note(3), **note({"z": 4})), {note(1): note(2)}
@case((1, 2), (1,), (), (1, 2, 3))
def arity(a, b, /, c=2, *rest, d=None, **more):
    return a, b, c, rest, d, more
@case((5,), ("q",))
def wrong_calls(x):
    out = []
    for attempt in (lambda: x(), lambda: note(*x), lambda: note(**x), lambda: arity(1, k=1),
                    lambda: note(x=1, **{"x": 2}), lambda: np.exp("a"), lambda: x.nothing,
                    lambda: x[0][7], lambda: x @ 2, lambda: -"a", lambda: x ** "a", lambda: x < {},
                    lambda: None.x, lambda: [*x], lambda: {**x}, lambda: missing,
                    lambda: 1 in 5, lambda: [][1], lambda: {}["k"], lambda: [i for i in 3]):
        try:
            out.append(attempt())
        except Exception as error:
            out.append((type(error).__name__, str(error)))
    return out
@case((1,))
def lambdas(x):
    fs = [lambda a, b=x: a + b, lambda *a, k=2: (a, k)]
    g = lambda: (yield 3)
    return fs[0](2), fs[1](1, 2), list(g()), (lambda: (z := 4) + z)(), fs[0].__name__
@case(({"k": 1},), ([1, 2, 3],), (4,), ("s",))
def matched(x):
    match x:
        case {"k": v, **rest} if v > 0:
            return "map", v, rest
        case [a, *b]:
            return a, b
        case int(n) | float(n):
            return n
        case -1 | "x":
            return 0
    return None
@case((0,), (1,))
def managed(x):
    @contextlib.contextmanager
    def manager(v):
        note("in")
        try:
            yield v
        finally:
            note("out")
    with manager(1) as a, manager((2, 3)) as (b, c):
        return a + b / x + c
@case((1,))
def frames(x):
    y = 2
    return sorted(locals()), sorted(vars()), dir(), "x" in globals(), eval("x + y"), [
        v for v in sorted(locals())]
@case((3,))
def truths(x):
    class T:
        def __init__(self, v): self.v = v
        def __bool__(self):
            note(("bool", self.v))
            return bool(self.v)
    a, b = T(1), T(0)
    r = (a and b).v, (b or a or b).v, not (a and b), 1 if a and not b else 2
    if b and a or a and (b or a):
        note("yes")
    return r, [t.v for t in (a, b) if t if not b], (a and b and a).v
@case((np.array([1.0, 2.0]),), (np.array(3.0),))
def ambiguous(x):
    if 0 < x < 2.5:
        return "in"
    return x and 1
@case((2,), (-1,))
def asserts(x):
    assert x > 0 and x < 10, f"x is {x}"
    assert x
    return x
@case((7,))
def recursive(n):
    """doc"""
    return n if n < 2 else recursive(n - 1) + recursive(n=n - 2)
@case((3,))
def comprehensions(n):
    return ([i * j for i in range(n) for j in range(i) if j % 2 == 0 if i],
            {i: j for i, j in zip("ab", range(n))}, {i for i in range(n)},
            [[x for x in row] for row in [[1], [2]]], [(a, b) for a, *b in ["xyz"]])
@case((3,))
def lazily(n):
    g = (note(i) for i in range(n))
    note("made")
    return next(g), [*g]
@case(())
def unbound():
    if TOTAL is None:
        z = 1
    z += 1
@case(())
def unbound_del():
    z = 1
    del z
    return z
@case((1,))
def annotated(x: note("never") = 1) -> note("never"):
    y: note("local") = x
    class C: pass
    C.a: int = 5
    z: int
    return y, C.a
@case((1,))
def raises_from(x):
    try:
        {}[x]
    except KeyError as e:
        raise ValueError(
            f"no {x}"
        ) from e
@case((1,))
def multi_line(x):
    return (x
            .real
            .conjugate()
            .missing())
@case((0,))
def multi_line_division(x):
    return note(
        1
        /
        x
    ) + note(
        2)
@case((1,))
def decorated_inside(x):
    def twice(f):
        @functools.wraps(f)
        def inner(*a):
            return f(*a) * 2
        return inner
    @twice
    @functools.lru_cache(None)
    def g(y: int = x):
        """inner doc"""
        return y + 1
    return g(1), g.__doc__, g.__name__, g.__wrapped__(2)
@case((2,))
def loop_else(n):
    for i in range(5):
        for j in range(i):
            if j == n:
                break
        else:
            continue
        break
    return i, j
@case(([3, 1],), ((),))
def finally_return(x):
    try:
        return x[0]
    except IndexError:
        return "none"
    finally:
        if not x:
            return "empty"
@case((5,))
def groups(x):
    try:
        raise ExceptionGroup("g", [ValueError(1), TypeError(x)])
    except* ValueError as g:
        note(len(g.exceptions))
    except* TypeError:
        note("type")
    return x
@case((1,))
def text(x):
    return f"{x + 1:>{x + 3}} {(lambda: x)()!r} {[i for i in range(x)]}", "%d" % x, "a" "b" * 2
@case((2,))
def numbers(x):
    return 1_000, 0x1F, 1e-3j, -1, +x, ~x, 3*0.1, not 0, x // 3, x % 3, x << 1, x >> 1, x & 1, x ^ 1
@case((2,))
def static_operators(x):
    class S:
        @staticmethod
        def __neg__(): return "neg"
        @staticmethod
        def __add__(o): return ("add", o)
        def __radd__(self, o): return NotImplemented
        def __lt__(self, o): return NotImplemented
        __getitem__ = staticmethod(lambda i: i + 1)
    out = [-S(), S() + x, S()[x], S() == S(), S() != x]
    for attempt in (lambda: x + S(), lambda: S() < x, lambda: S() > x, lambda: S() - x):
        try:
            out.append(attempt())
        except TypeError as error:
            out.append(str(error))
    return out
@case((2,))
def printed(x):
    buffer = io.StringIO()
    print(x, x * 2, sep="-", file=buffer)
    return buffer.getvalue()
@case((2,))
def thrown(x):
    def g():
        while True:
            try:
                yield 1
            except ValueError:
                yield "caught"
    it = g()
    next(it)
    out = it.throw(ValueError())
    it.close()
    return out
@case((3,))
def stops(n):
    def g():
        yield 1
        next(iter([]))
    return list(g())
@case((0,))
def in_argument(x):
    return note(note(1) if x else note(2 /
        x))
def tail(x): return [
    1 / x for _ in
    "a"]
@case((0,))
def through_helper(x):
    y = 1
    return tail(x) + y
'''


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return load(tmp_path_factory.mktemp("corpus"), "corpus", CORPUS)


def outcome(function: Callable[..., Any], args: tuple[Any, ...], file: str) -> Any:
    """A result, or an exception with the user's part of its traceback and its cause."""
    try:
        return "value", repr(function(*args))
    except Exception as error:
        steps = [
            (s.name, s.lineno)
            for s in traceback.extract_tb(error.__traceback__)
            if s.filename == file
        ]
        return type(error).__name__, str(error), steps, repr(error.__cause__)


def test_the_clone_behaves_as_the_function(corpus: ModuleType) -> None:
    """Results, side effects, exceptions, their texts and lines: all as in the original."""
    names = {f.__name__ for f, _ in corpus.CASES}
    assert len(names) >= 40
    for function, args in corpus.CASES:
        results = []
        for kind in (None, Hook, Forgetful):
            corpus.TOTAL = 0
            corpus.NOTES.clear()
            corpus.default.__defaults__[0].clear()
            run = function if kind is None else instrument(function, kind())
            result = outcome(run, args, str(corpus.__file__))
            results.append((result, repr(corpus.NOTES).split(" at 0x")[0], corpus.TOTAL))
        assert results[0] == results[1] == results[2], function.__name__


def test_a_clone_looks_like_its_function(corpus: ModuleType) -> None:
    """Name, qualified name, docstring, defaults, annotations and globals are the original's."""
    for function, _ in corpus.CASES:
        clone: Any = instrument(function, Hook())
        assert clone is not function and clone.__globals__ is function.__globals__
        for name in ("__name__", "__qualname__", "__doc__", "__defaults__", "__module__"):
            assert getattr(clone, name) == getattr(function, name)
        assert clone.__code__.co_qualname == function.__code__.co_qualname
        assert (
            clone.__code__.co_varnames[: clone.__code__.co_argcount]
            == (function.__code__.co_varnames[: function.__code__.co_argcount])
        )


def fold(x: float) -> float:
    return 3*0.1*x - -1 + 1_0.5e0  # fmt: skip


def test_literals_before_folding() -> None:
    """`3*0.1` is 3, 0.1 and a product, `-1` the opposite of 1: never 0.30000000000000004."""
    log = Log()
    assert instrument(fold, log)(2.0) == fold(2.0)
    assert [(v, t) for v, t, _ in log.literals] == [
        (3, "3"),
        (0.1, "0.1"),
        (1, "1"),
        (10.5, "1_0.5e0"),
    ]
    assert [text for _, text in log.operators][:3] == ["3*0.1", "3*0.1*x", "-1"]
    assert all(s.text == t for _, t, s in log.literals)


def versions(n: int) -> int:
    a = 0
    for i in range(n):
        a += i
        a, b = b, a = a, i
    k = n
    while k:
        k = k - 1
    return a + b


def test_versions_count_up_in_each_call() -> None:
    """Every binding has the next number of its name; a second call begins at 1 again."""
    log = Log()
    clone = instrument(versions, log)
    clone(3)
    first = [(name, version) for name, _, version, _ in log.names]
    for name in {name for name, _ in first}:
        numbers = [v for n, v in first if n == name]
        assert numbers == list(range(1, len(numbers) + 1))
    assert first[:2] == [("n", 1), ("a", 1)]
    assert log.turns == [("for", 1), ("for", 2), ("for", 3), *(("while", i) for i in (1, 2, 3))]
    log.names.clear()
    clone(3)
    assert [(name, version) for name, _, version, _ in log.names] == first


def test_turns_of_nested_loops_and_comprehensions() -> None:
    """An inner loop begins at 1 in each turn of the outer one."""

    def nested() -> list[int]:
        return [j for i in range(2) for j in range(2)]

    log = Log()
    assert instrument(nested, log)() == nested()
    assert [count for _, count in log.turns] == [1, 1, 2, 2, 1, 2]
    assert [n for n, *_ in log.names] == ["i", "j", "j", "i", "j", "j"]


def greek(σ: float, ζ: float) -> float:
    β = (σ + ζ) * np.exp(σ); δ = "é𝔸" and β - 1.5  # noqa: E702  # fmt: skip
    return δ


def test_sites_are_exact_in_characters() -> None:
    """Letters that take several bytes shift nothing: each span is the text that stands there."""
    log = Log()
    assert instrument(greek, log)(1.0, 2.0) == greek(1.0, 2.0)
    line = Path(__file__).read_text(encoding="utf-8").split("\n")
    for site in [log.calls[0][1], log.literals[0][2], log.names[2][3]]:
        assert line[site.line - 1][site.col : site.end_col] == site.text
    assert log.calls[0][1].text == "np.exp(σ)" and log.literals[0][2].text == "1.5"
    assert [text for _, text in log.operators] == ["(σ + ζ) * np.exp(σ)", "σ + ζ", "β - 1.5"] or [
        text for _, text in log.operators
    ] == ["σ + ζ", "(σ + ζ) * np.exp(σ)", "β - 1.5"]
    assert [name for name, *_ in log.names] == ["σ", "ζ", "β", "δ"]
    assert log.calls[0][1].function == "greek" and str(log.calls[0][1]).startswith(__file__)


def test_conditions_and_their_short_circuits() -> None:
    """Every truth is asked for once, where Python asks for it, and no other."""

    def choose(a: int, b: int) -> Any:
        if (a > 0 and not b) or a == 5:
            return a or b
        return 1 < a < b < 9

    log = Log()
    assert instrument(choose, log)(0, 4) is False
    assert log.conditions == [
        ("and", "a > 0", False),
        ("or", "a == 5", False),
        ("compare", "1 < a", False),
    ]


def test_a_hook_may_replace_everything() -> None:
    """What the hook gives takes the event's place."""

    def f(x: float) -> float:
        y = x + 1
        return y * np.exp(2)

    class Other(Hook):
        def literal(self, value: Any, text: str, site: Site) -> Any:
            return value * 10

        def call(self, function: Any, args: Any, kwargs: Any, site: Site) -> Any:
            return 1000 + args[0]

        def assign(self, name: str, value: Any, version: int, site: Site) -> Any:
            return value + 1 if name == "y" else value

        def ret(self, value: Any, site: Site) -> Any:
            return -value

    assert instrument(f, Other())(1.0) == -(12.0 * 1020)


def test_nothing_of_the_users_changes(ways: ModuleType) -> None:
    """Globals, classes, functions and cells are the same objects before, during and after."""

    def state() -> list[Any]:
        things: list[Any] = [dict(vars(ways))]
        for value in list(vars(ways).values()):
            if isinstance(value, type | FunctionType):
                things.append(dict(vars(value)))
            if isinstance(value, FunctionType):
                cells = [c.cell_contents for c in value.__closure__ or ()]
                things += [value.__code__, value.__defaults__, value.__kwdefaults__, cells]
        return things

    during: list[bool] = []
    before = state()

    class Watch(Hook):
        def call(self, function: Any, args: Any, kwargs: Any, site: Site) -> Any:
            during.append(state() == before)
            return super().call(function, args, kwargs, site)

    for name in WAY_NAMES:
        instrument(getattr(ways, name), Watch())(0.5)
    assert state() == before and during and all(during)


def test_cells_are_shared() -> None:
    """A closure's clone and the closure count in the same cell."""
    n = 0

    def up() -> int:
        nonlocal n
        n += 1
        return n

    clone = instrument(up, Hook())
    assert [up(), clone(), up(), n] == [1, 2, 3, 3]


def test_a_nested_function_left_behind_serves_the_next_hook() -> None:
    """A function that was defined in one clone tells the hook of the clone that calls it."""
    kept: list[Callable[[float], float]] = []

    def keep() -> None:
        def inner(x: float) -> float:
            return float(np.exp(x))

        kept.append(inner)

    def use(x: float) -> float:
        return kept[0](x)

    first, second = Log(), Log()
    instrument(keep, first)()
    before = len(first.calls)
    assert instrument(use, second)(0.0) == 1.0
    assert len(first.calls) == before and np.exp in [f for f, _ in second.calls]


def test_two_threads_do_not_disturb_each_other() -> None:
    """Two clones of one function, two hooks, at the same time: each sees its own events."""
    logs = [Log(), Log()]
    gate = threading.Barrier(2)

    def run(i: int) -> None:
        clone = instrument(versions, logs[i])
        gate.wait(10)
        for _ in range(200):
            clone(3 + i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i, log in enumerate(logs):
        single = Log()
        instrument(versions, single)(3 + i)
        assert [n[:3] for n in log.names] == [n[:3] for n in single.names] * 200


class Library(Log):
    """Takes some modules of the standard library for the user's."""

    def follows(self, function: FunctionType) -> bool:
        return function.__module__ in (
            *("statistics", "fractions", "textwrap", "heapq", "difflib", "numbers", "json.encoder"),
            *("colorsys", "string", "posixpath", "shlex", "pprint", "copy", "tokenize"),
        )


def library() -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    import colorsys
    import copy
    import json.encoder
    import pprint
    import shlex
    import tokenize

    words = "the chain rule is a rule about chains, and a proof is a proof of it " * 4
    F = fractions.Fraction

    def tokens(text: str) -> list[Any]:
        return list(tokenize.generate_tokens(io.StringIO(text).readline))

    return [
        (statistics.mean, ([1, 2, 3, 4.5],)),
        (statistics.mean, ([],)),
        (statistics.variance, ([F(1, 3), F(2, 7), 3],)),
        (statistics.linear_regression, ([1, 2, 3], [2.0, 4.1, 5.9])),
        (statistics.quantiles, ([3, 1, 2, 5, 4],)),
        (F, ("22/7",)),
        (F, ("x",)),
        (F.limit_denominator, (F(355, 113), 50)),
        (lambda a, b: (a + b, a * b, a < b, a**3, 1 + a, -b, a == b), (F(1, 3), F(5, 7))),
        (textwrap.wrap, (words, 30)),
        (textwrap.dedent, ("  a\n    b\n",)),
        (textwrap.shorten, (words, 1)),
        (lambda: list(heapq.merge([1, 4], [2, 3], key=lambda v: v)), ()),
        (heapq.nlargest, (2, [1, 5, 3])),
        (lambda: list(difflib.unified_diff(["a", "b"], ["a", "c"])), ()),
        (difflib.get_close_matches, ("appel", ["ape", "apple", "peach"])),
        (lambda: list(difflib.ndiff(["one\n", "two\n"], ["ore\n", "tree\n"])), ()),
        (colorsys.rgb_to_hls, (0.2, 0.4, 0.6)),
        (json.encoder.JSONEncoder(indent=1).encode, ({"a": [1, 2.5]},)),
        (shlex.split, ("a 'b c' d",)),
        (shlex.split, ("a 'b c",)),
        (pprint.pformat, ({"a": list(range(40)), "b": {"c": "d" * 90}},)),
        (copy.deepcopy, ({"a": [1, {2: (3, [4])}]},)),
        (tokens, ("def f(x):\n  return x+1\n",)),
    ]


@pytest.mark.parametrize("i", range(len(library())))
def test_the_standard_library_behaves_the_same(i: int) -> None:
    """Code that was written with no thought of us: the same results and the same exceptions."""
    function, args = library()[i]
    file = getattr(sys.modules.get(function.__module__), "__file__", "") or ""
    theirs = outcome(function, library()[i][1], file)
    log = Library()
    assert outcome(instrument(function, log), args, file) == theirs
    assert log.events and not log.missed


def test_every_function_of_a_library_can_be_rewritten() -> None:
    """Functions by the hundred: each clone reads the same free variables, under the same names."""
    count = 0
    for module in (statistics, fractions, textwrap, difflib, linecache, traceback, Path):
        things = list(vars(module).values())
        things += [v for t in things if isinstance(t, type) for v in vars(t).values()]
        for f in things:
            if isinstance(f, FunctionType) and f.__code__.co_filename != "<string>":
                clone: Any = cloned(f, Hook())
                count += 1
                assert set(clone.__code__.co_freevars) - {".hook", ".sites"} == set(
                    f.__code__.co_freevars
                )
                assert clone.__code__.co_qualname == f.__code__.co_qualname
                assert clone.__code__.co_flags & 44 == f.__code__.co_flags & 44
    assert count > 200


def test_recursion_goes_half_as_deep() -> None:
    """Each call is two frames: what recurses 300 deep does so still, under the usual limit."""

    def depth(n: int) -> int:
        return 0 if n == 0 else 1 + depth(n - 1)

    assert instrument(depth, Hook())(300) == 300


def test_without_source_it_is_said() -> None:
    """No file, no Python function, a coroutine: the message names it, and what to do."""
    space: dict[str, Any] = {}
    exec("def f(x): return x", space)
    with pytest.raises(NoSource, match=r"^f: no source, its code is from <string>; write it to"):
        instrument(space["f"], Hook())
    for thing, name in [(np.exp, "exp"), (math.exp, "exp"), (operator.itemgetter(1), "item")]:
        with pytest.raises(NoSource, match=rf"{name}.*: no source, it is a .*; give"):
            instrument(thing, Hook())  # type: ignore[arg-type]

    async def later() -> int:
        return 1

    with pytest.raises(Unfollowable, match=r"later at .*:\d+ is async, .*; give a plain function"):
        instrument(later, Hook())
    assert issubclass(NoSource, Unfollowable) and issubclass(Unfollowable, ChainruleError)

    def reaches(x: int) -> int:
        return int(space["f"](x))

    log = Log()
    assert instrument(reaches, log)(3) == 3 and len(log.missed) == 1


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    """The text on the disk is no longer the function that runs: nothing is read from it."""
    for new in ["def f(x):\n    return x + 2\n", "\ndef f(x):\n    return x + 1\n", "def f(:\n"]:
        module = load(tmp_path, "changing", "def f(x):\n    return x + 1\n")
        assert instrument(module.f, Hook())(1) == 2
        module = load(tmp_path, "changing", "def f(x):\n    return x + 1\n")
        (tmp_path / "changing.py").write_text(new + "#\n")
        linecache.checkcache()
        with pytest.raises(NoSource, match="f: the file has changed since it was loaded"):
            instrument(module.f, Hook())


def test_lambdas_on_one_line() -> None:
    """Of several lambdas on a line the very one is found."""
    fs = [lambda x: x + 1, lambda x: x * 2, lambda x: (lambda y: y - x), lambda x, y=(lambda: 7): y()]  # noqa: E501  # fmt: skip
    assert instrument(fs[0], Hook())(5) == 6  # type: ignore[arg-type]
    assert instrument(fs[1], Hook())(5) == 10  # type: ignore[arg-type]
    assert instrument(fs[2], Hook())(5)(1) == -4  # type: ignore[arg-type]
    assert instrument(fs[2](5), Hook())(1) == -4  # type: ignore[arg-type,operator]
    assert instrument(fs[3], Hook())(5) == 7  # type: ignore[arg-type]


def test_asserts_that_pytest_rewrote() -> None:
    """In a test file pytest compiles its own asserts; the function is followed all the same."""

    def checked(x: int) -> int:
        assert x > 0, "positive"
        return x + 1

    assert instrument(checked, Hook())(1) == 2
    with pytest.raises(AssertionError, match="positive"):
        instrument(checked, Hook())(-1)


def test_a_hook_sees_wrong_clones() -> None:
    """The comparison above can fail: a hook that changes one literal is noticed."""

    class Wrong(Hook):
        def literal(self, value: Any, text: str, site: Site) -> Any:
            return value + 1

    assert outcome(instrument(fold, Wrong()), (1.0,), __file__) != outcome(fold, (1.0,), __file__)
