"""Python itself: closures, defaults, recursion, decorators, exceptions, generators."""

from __future__ import annotations

import contextlib
import copy
import functools
import math
import operator
import warnings
from dataclasses import dataclass

import numpy as np

from tests.traps import NOT_RIGHT, NOT_WRONG, REFUTED, RIGHT, STATUSES, UNPROVED, trap

X = np.array([0.7, -1.3, 2.1])
GAIN = 2.0


def square(x):
    return np.sum(x**2)


@trap(REFUTED, "closures in a loop see the last value: all three multiply by 2", {"x": X})
def late_binding():
    slopes = [lambda t: k * t for k in range(3)]
    return square, (lambda x: slopes[0](x) + 0 * slopes[2](x) + x * 3)


@trap(RIGHT, "late binding gives 2, whichever is called", {"x": X})
def late_binding_right():
    slopes = [lambda t: k * t for k in range(3)]
    return square, (lambda x: slopes[0](x))


@trap(RIGHT, "defaults capture early: slopes[2] multiplies by 2", {"x": X})
def default_captures():
    slopes = [lambda t, k=k: k * t for k in range(3)]
    return square, (lambda x: slopes[2](x))


@trap(REFUTED, "slopes[1] multiplies by 1", {"x": X})
def default_captures_wrong():
    slopes = [lambda t, k=k: k * t for k in range(3)]
    return square, (lambda x: slopes[1](x))


@trap(RIGHT, "two lambdas in one line", {"x": X})
def two_lambdas_in_one_line():
    pair = (lambda x: 3 * x, lambda x: 2 * x)
    return square, pair[1]


@trap(REFUTED, "the other of two lambdas in one line", {"x": X})
def the_other_lambda_in_one_line():
    pair = (lambda x: 3 * x, lambda x: 2 * x)
    return square, pair[0]


@trap(RIGHT, "a partial", {"x": X})
def a_partial():
    return square, functools.partial(lambda k, x: k * x, 2)


@trap(REFUTED, "a partial of another factor", {"x": X})
def a_partial_wrong():
    return square, functools.partial(lambda k, x: k * x, 3)


@trap(REFUTED, "a decorator that doubles", {"x": X})
def a_decorator():
    def doubled(f):
        @functools.wraps(f)
        def inner(x):
            return 2 * f(x)

        return inner

    @doubled
    def backward(x):
        return 2 * x

    return square, backward


@trap(RIGHT, "a decorator that makes it right", {"x": X})
def a_decorator_right():
    def doubled(f):
        @functools.wraps(f)
        def inner(x):
            return 2 * f(x)

        return inner

    @doubled
    def backward(x):
        return x

    return square, backward


@trap(NOT_WRONG, "recursion", {"x": X})
def recursion():
    def total(x):
        return x[0] ** 2 + total(x[1:]) if len(x) else 0.0

    return total, (lambda x: 2 * x)


@trap(REFUTED, "recursion, its last step wrong", {"x": X})
def recursion_wrong():
    def power(x, n):
        return np.ones_like(x) if n == 0 else x * power(x, n - 1)

    return (lambda x: np.sum(power(x, 3))), (lambda x: 3 * power(x, 3))


@trap(NOT_RIGHT, "an endless recursion is an exception", {"x": X})
def endless_recursion():
    def backward(x):
        return backward(x)

    return square, backward


@trap(
    UNPROVED,
    "an exception at other points: the code fails there, and it is said",
    {"x": X},
    says=("fails",),
)
def raises_elsewhere():
    def backward(x):
        if np.any(np.abs(x) > 3):
            raise ValueError("too large")
        return 2 * x

    return square, backward


@trap(
    STATUSES,
    "an exception for other shapes: no proof for every shape",
    {"x": X},
    never=("every shape: x (N); traced",),
)
def raises_for_other_shapes():
    def backward(x):
        if x.shape != (3,):
            raise ValueError("three, please")
        return 2 * x

    return square, backward


@trap(STATUSES, "an assertion on the shape", {"x": X}, never=("every shape: x (N); traced",))
def asserts_a_shape():
    def backward(x):
        assert len(x) == 3
        return 2 * x

    return square, backward


@trap(REFUTED, "a bare except hides the branch", {"x": X})
def bare_except():
    def backward(x):
        try:
            [1, 2, 3][int(x[0] > 0) * 5]
            return 3 * x
        except:
            return 2 * x

    return square, backward


@trap(REFUTED, "finally overrides what was returned", {"x": X})
def finally_overrides():
    def backward(x):
        try:
            return 2 * x
        finally:
            return 3 * x

    return square, backward


@trap(RIGHT, "finally overrides, and is right", {"x": X})
def finally_is_right():
    def backward(x):
        g = 0
        try:
            g = 3 * x
            raise KeyError
        except KeyError:
            g = x
        finally:
            g = g + x
        return g

    return square, backward


@trap(REFUTED, "for … else runs if nothing broke", {"x": X})
def for_else():
    def backward(x):
        k = 2
        for _ in range(2):
            pass
        else:
            k = 3
        return k * x

    return square, backward


@trap(REFUTED, "a generator that is used up by the first sum", {"x": X})
def a_generator_used_up():
    def backward(x):
        terms = (t for t in (x, x))
        first = sum(terms)
        return first + sum(terms) + 0 * x + x

    return square, backward


@trap(RIGHT, "a generator", {"x": X})
def a_generator():
    return square, (lambda x: sum(t for t in (x, x)))


@trap(NOT_WRONG, "nested lists returned for an array", {"x": X})
def nested_lists():
    return square, (lambda x: [2 * t for t in x])


@trap(REFUTED, "nested lists, one off", {"x": X})
def nested_lists_wrong():
    return square, (lambda x: [2 * t if k != 1 else t for k, t in enumerate(x)])


@trap(REFUTED, "operator.mul and reduce", {"x": np.array([0.5, 1.5])})
def reduce_wrong():
    def forward(x):
        return functools.reduce(operator.mul, x)

    return forward, (lambda x: functools.reduce(operator.mul, x) * x)


@trap(RIGHT, "math and np on scalars", {"x": 0.7})
def math_for_np():
    return (lambda x: math.sin(x) ** 2), (lambda x: np.sin(2 * x))


@trap(REFUTED, "float(x) hides nothing", {"x": 0.7})
def through_float():
    return (lambda x: x**2), (lambda x: float(np.float64(x)) * 2.000001)


@trap(UNPROVED, "through text: 12 digits", {"x": 0.7})
def through_text():
    return (lambda x: x**2), (lambda x: 2 * float(f"{x:.3f}"))


@trap(UNPROVED, "through round", {"x": 0.7})
def through_round():
    return (lambda x: x**2), (lambda x: 2 * round(x, 2))


@trap(UNPROVED, "through item() and a dict", {"x": X})
def through_a_dict():
    def backward(x):
        d = {k: t.item() for k, t in enumerate(x)}
        return np.array([2 * d[0], 2 * d[1], 2 * d[1 + 1] + d[0] * 0 + 1e-12])

    return square, backward


@trap(REFUTED, "a walrus in a condition", {"x": X})
def walrus():
    def backward(x):
        if (k := 3) > 2:
            return k * x
        return 2 * x

    return square, backward


@trap(REFUTED, "match on a kind", {"x": X})
def match_statement():
    def backward(x):
        match x.ndim:
            case 1:
                return 3 * x
            case _:
                return 2 * x

    return square, backward


@trap(REFUTED, "and/or give operands, not truth", {"x": X})
def and_or():
    return square, (lambda x: (0 or 3) * x)


@trap(REFUTED, "a chained comparison", {"x": 0.7})
def chained_comparison():
    return (lambda x: x * x), (lambda x: 2 * x if -3 < x < 3 else x)


@trap(RIGHT, "star arguments and keywords", {"x": X})
def stars():
    def inner(*args, **kw):
        return args[0] * kw["k"]

    return square, (lambda x: inner(*[x], **{"k": 2}))


@trap(REFUTED, "np.vectorize of a function that is wrong for negative numbers", {"x": X})
def vectorized():
    f = np.vectorize(lambda t: 2 * t if t > -2 else t)
    return square, (lambda x: f(x))


@trap(NOT_WRONG, "np.vectorize, right", {"x": X})
def vectorized_right():
    f = np.vectorize(lambda t: 2 * t)
    return square, (lambda x: f(x))


@trap(REFUTED, "np.apply_along_axis / a map", {"x": X})
def mapped():
    return square, (lambda x: np.array(list(map(lambda t: 3 * t, x))))


@trap(NOT_RIGHT, "a NumPy function that was replaced by one of the same name", {"x": X})
def a_replaced_function():
    class Fake:
        @staticmethod
        def multiply(a, b):
            return np.multiply(a, b) * 1.5

    fake = Fake()
    return square, (lambda x: fake.multiply(x, 2))


@trap(NOT_RIGHT, "a wrapper over np whose tanh is off", {"x": X})
def a_module_in_disguise():
    class NP:
        def __getattr__(self, name):
            if name == "tanh":
                return lambda t: np.tanh(t) + 1e-9
            return getattr(np, name)

    xp = NP()
    return (lambda x: np.sum(np.log(np.cosh(x)))), (lambda x: xp.tanh(x))


class Doubling(np.ndarray):
    """An array whose product is another."""

    def __mul__(self, other):
        return np.asarray(self) * np.asarray(other) * 1.5


@trap(NOT_RIGHT, "a subclass of ndarray with another product", {"x": X})
def a_subclass():
    return square, (lambda x: x.view(Doubling) * 2)


@dataclass
class Number:
    """A number with operators of its own."""

    value: np.ndarray

    def __add__(self, other):
        return Number(self.value * 1.0 + other.value * 2.0)


@trap(REFUTED, "an operator of one's own: x + x is 3x", {"x": X})
def an_operator_of_ones_own():
    return square, (lambda x: (Number(x) + Number(x)).value)


@trap(RIGHT, "an errstate around it", {"x": X})
def errstate():
    def backward(x):
        with np.errstate(all="raise"):
            return 2 * x

    return square, backward


@trap(NOT_RIGHT, "warnings as errors in the user's code, as a branch", {"x": X})
def warnings_as_a_branch():
    def backward(x):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                np.exp(x * 300)
            except RuntimeWarning:
                return 3 * x
        return 2 * x

    return square, backward


@trap(REFUTED, "suppress swallows, and what follows is another", {"x": X})
def suppressed():
    def backward(x):
        g = 3 * x
        with contextlib.suppress(ZeroDivisionError):
            1 // 0
            g = 2 * x
        return g

    return square, backward


@trap(RIGHT, "copies, shallow and deep", {"x": X})
def copies():
    def backward(x):
        a = copy.copy(x)
        b = copy.deepcopy(x)
        a += b
        return a

    return square, backward


@trap(RIGHT, "a global float is a constant, 2 here", {"x": X})
def a_global_gain():
    return (lambda x: GAIN * np.sum(x**2) / 2), (lambda x: 2 * x)


@trap(UNPROVED, "a property that counts its reads", {"x": X})
def a_counting_property():
    class Rate:
        def __init__(self):
            self.reads = 0

        @property
        def value(self):
            self.reads += 1
            return 2.0 if self.reads < 4 else 3.0

    rate = Rate()
    return square, (lambda x: rate.value * x)


@trap(REFUTED, "del and rebinding", {"x": X})
def rebinding():
    def backward(x):
        g = 2 * x
        h = g
        del g
        g = 3 * x
        return g + 0 * h

    return square, backward


@trap(REFUTED, "an augmented assignment of a list is in place", {"x": np.array([0.5, 1.5])})
def lists_in_place():
    def backward(x):
        a = [x[0]]
        b = a
        b += [x[1]]
        return np.array([a[0] * 2, a[-1]])

    return square, backward


@trap(REFUTED, "-x**2 is −(x²)", {"x": X})
def precedence():
    return (lambda x: np.sum(-(x**3) / 3)), (lambda x: (-x) ** 2)


@trap(REFUTED, "x**2**3 is x⁸", {"x": X})
def precedence_of_powers():
    return (lambda x: np.sum(x**7)), (lambda x: 7 * x**2**3)


@trap(REFUTED, "x^2 of integers is no power: a ValueError or XOR", {"x": X, "k": 2}, wrt="x")
def xor():
    return (lambda x, k: np.sum(x**2)), (lambda x, k: x * (k ^ 1))


@trap(NOT_RIGHT, "np.errstate raises where exp overflows: 3x for large x", {"x": X})
def errstate_as_a_branch():
    def backward(x):
        try:
            with np.errstate(over="raise"):
                np.exp(x * 300)
        except FloatingPointError:
            return 3 * x
        return 2 * x

    return square, backward


@trap(NOT_RIGHT, "math.sqrt raises for negative numbers: 3x there", {"x": np.abs(X)})
def math_error_as_a_branch():
    def backward(x):
        try:
            [math.sqrt(t) for t in x]
        except ValueError:
            return 3 * x
        return 2 * x

    return square, backward


@trap(UNPROVED, "1/float(x[0]) raises at 0: 3x + 1 there", {"x": X})
def zero_division_as_a_branch():
    def backward(x):
        try:
            1 / float(x[0])
        except ZeroDivisionError:
            return 3 * x + 1
        return 2 * x

    return square, backward


@trap(NOT_RIGHT, "a singular matrix raises: 3x where an entry is negative", {"x": np.abs(X)})
def linalg_error_as_a_branch():
    def backward(x):
        try:
            return 2 * x + 0 * np.linalg.inv(np.diag(np.maximum(x, 0)))[0, 0]
        except np.linalg.LinAlgError:
            return 3 * x

    return square, backward


@trap(NOT_RIGHT, "an index beyond the end raises: 3x for short arrays, 2x + x² for long", {"x": X})
def index_error_as_a_branch():
    def backward(x):
        try:
            return 2 * x + x[5] ** 2
        except IndexError:
            return 3 * x

    return square, backward


@trap(NOT_WRONG, "underscores are names: the last index counts the entries", {"x": X})
def a_variable_named_underscore():
    def backward(x):
        return 2 * x / ([i for i, _ in enumerate(x)][-1] + 1)

    return (lambda x: np.sum(x**2) / len(x)), backward


def without_source(text):
    """A function whose source nobody finds."""
    names = {"np": np}
    exec(text, names)
    return names["backward"]


@trap(NOT_RIGHT, "no source, and a float that leaves: 3x where x[0] ≥ 5", {"x": X})
def without_source_through_float():
    return square, without_source(
        "def backward(x):\n    return 2 * x if float(x[0]) < 5 else 3 * x\n"
    )


@trap(
    STATUSES,
    "no source, and sizes that are compared: 3x for square matrices",
    {"x": np.ones((2, 3)) / 3},
    never=("every shape: x (N×n); traced",),
)
def without_source_square():
    return square, without_source(
        "def backward(x):\n    return 3 * x if x.shape[0] == x.shape[1] else 2 * x\n"
    )


@trap(NOT_RIGHT, "no source, and a comparison of an entry: 3x where x[0] ≥ 5", {"x": X})
def without_source_by_value():
    return square, without_source("def backward(x):\n    return 2 * x if x[0] < 5 else 3 * x\n")


@trap(STATUSES, "no source, a length that is compared", {"x": X}, never=("every shape",))
def without_source_by_length():
    return square, without_source("def backward(x):\n    return 3 * x if len(x) == 5 else 2 * x\n")


@trap(NOT_RIGHT, "int() cuts: 1 more where x[0] ≥ 50", {"x": X})
def through_int():
    return square, (lambda x: 2 * x + int(x[0] / 50))


@trap(NOT_RIGHT, "a place in a sorted array: fewer below 5", {"x": X})
def through_searchsorted():
    return square, (lambda x: 2 * x * (np.searchsorted(np.sort(x), 5.0) / x.size))


@trap(NOT_RIGHT, "the bytes of a float: 1 more where x[0] is negative", {"x": np.abs(X)})
def through_bytes():
    return square, (lambda x: 2 * x + (x.tobytes()[7] > 127))


@trap(NOT_RIGHT, "a filter in a comprehension counts the entries below 5", {"x": X})
def through_a_comprehension():
    return square, (lambda x: 2 * x * len([t for t in x if t < 5]) / len(x))


@trap(NOT_RIGHT, "the sign in the text of a number", {"x": np.abs(X)})
def through_repr():
    return square, (lambda x: 2 * x + ("-" in repr(x[0])))
